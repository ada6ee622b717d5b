"""Small real stages that the core's tests put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
from facewire.pipeline import Built, Pipeline
from facewire.rig import Rig
from facewire.stages import FeatureExtractor, Framer, Layer, Model, Source, Voice
from facewire.types import Audio, Block, Emotion, Features, Frames, Mark, Text, Utterance

RIG = Rig.named("arkit61")
FPS = Fraction(60)


class Loudness(FeatureExtractor):
    """RMS of a window of two frames; passes marks on."""

    def __init__(self, rate: int = 16000, fps: Fraction = FPS) -> None:
        self.rate, self.fps, self.dim = rate, fps, 1
        size = int(2 * rate / fps)
        self.lookahead = size
        self._framer = Framer(rate, fps, size)
        self.reset()

    def reset(self) -> None:
        self._framer.reset()
        self._next = 0

    def push(self, audio: Audio) -> Features:
        return self._rows(self._framer.push(audio), audio.marks)

    def flush(self) -> Iterator[Features]:
        yield self._rows(self._framer.flush())

    def _rows(self, windows: np.ndarray, marks: tuple[Mark, ...] = ()) -> Features:
        values = np.sqrt((windows.astype(np.float64) ** 2).mean(axis=1, keepdims=True))
        features = Features(values.astype(np.float32), self.fps, self._next, self.rate, marks)
        self._next += len(features)
        return features


class Jaw(Model):
    """Opens the jaw with the loudness, ``delay`` rows later; browInnerUp is the arousal."""

    features = "loudness"
    rig = RIG
    dim = 1

    def __init__(self, delay: int = 5, fps: Fraction = FPS) -> None:
        self.lookahead, self.fps = delay, fps
        self.reset()

    def reset(self) -> None:
        self._held = np.zeros((0, len(self.rig)), np.float32)
        self._next = 0

    def push(self, features: Features, emotion: Emotion) -> Frames:
        assert features.start == emotion.start and len(features) == len(emotion)
        values = np.zeros((len(features), len(self.rig)), np.float32)
        values[:, self.rig.index("jawOpen")] = features.values[:, 0]
        values[:, self.rig.index("browInnerUp")] = emotion.vad[:, 1]
        self._held = np.concatenate([self._held, values])
        return self._give(max(0, len(self._held) - self.lookahead))

    def flush(self) -> Iterator[Frames]:
        while len(self._held):
            yield self._give(min(50, len(self._held)))

    def _give(self, count: int) -> Frames:
        out, self._held = self._held[:count], self._held[count:]
        frames = Frames(out, self.rig, self.fps, self._next)
        self._next += count
        return frames


class Shift(Layer):
    """Holds rows back ``lookahead`` long; checks that a block's parts belong together."""

    def __init__(self, lookahead: int = 0, condition: int = 0) -> None:
        self.lookahead, self.condition_lookahead = lookahead, condition
        self.reset()

    def reset(self) -> None:
        self.seen: list[int] = []
        self._rows: list[Frames] = []
        self._feelings: list[Emotion] = []

    def condition(self, emotion: Emotion) -> Emotion:
        self.seen += range(emotion.start, emotion.start + len(emotion))
        self._feelings += [one_feeling(emotion, i) for i in range(len(emotion))]
        count = max(0, len(self._feelings) - self.condition_lookahead)
        due, self._feelings = self._feelings[:count], self._feelings[count:]
        start = due[0].start if due else 0
        vad = np.concatenate([np.zeros((0, 3), np.float32), *(e.vad for e in due)])
        weights = np.concatenate([np.zeros((0, 16), np.float32), *(e.weights for e in due)])
        return Emotion(vad, weights, emotion.fps, start)

    def push(self, block: Block) -> Frames:
        frames = block.frames
        assert block.emotion.start == frames.start and len(block.emotion) == len(frames)
        brow = frames.rig.index("browInnerUp")
        assert np.array_equal(frames.values[:, brow], block.emotion.vad[:, 1])
        self._rows += [one_row(frames, i) for i in range(len(frames))]
        return self._give(max(0, len(self._rows) - self.lookahead), frames)

    def flush(self) -> Iterator[Frames]:
        if self._rows:
            yield self._give(len(self._rows), self._rows[0])

    def _give(self, count: int, like: Frames) -> Frames:
        due, self._rows = self._rows[:count], self._rows[count:]
        values = np.concatenate(
            [np.zeros((0, len(like.rig)), np.float32), *(f.values for f in due)]
        )
        return replace(like, values=values, start=due[0].start if due else like.start)


def one_row(frames: Frames, i: int) -> Frames:
    return replace(frames, values=frames.values[i : i + 1], start=frames.start + i)


def one_feeling(emotion: Emotion, i: int) -> Emotion:
    rows = slice(i, i + 1)
    return replace(
        emotion, vad=emotion.vad[rows], weights=emotion.weights[rows], start=emotion.start + i
    )


class NoOp(Layer):
    """Hands frames on as they are."""


class Beep(Voice):
    """Says each word as 0.2 s of tone and 0.05 s of silence, with word marks."""

    marks = "word"

    def __init__(self, rate: int = 16000) -> None:
        self.rate = rate

    def speak(self, utterance: Utterance) -> Iterator[Audio]:
        at, char = 0, 0
        for word in utterance.text.split():
            char = utterance.text.index(word, char)
            tone = 0.3 * np.sin(np.arange(self.rate // 5) * 0.1)
            sound = np.concatenate([tone, np.zeros(self.rate // 20)]).astype(np.float32)
            mark = Mark("word", word, at, at + len(tone), (char, char + len(word)))
            yield Audio(sound, self.rate, at, (mark,))
            at, char = at + len(sound), char + len(word)


class Script(Source):
    """Yields what it was given."""

    def __init__(self, *items: Audio | Text | Frames, live: bool = False) -> None:
        self.items, self.live = items, live
        first = items[0] if items else None
        self.brings = "text" if isinstance(first, Text) else "audio"
        if isinstance(first, Frames):
            self.brings = "frames"

    def blocks(self) -> Iterator[Audio | Text | Frames]:
        yield from self.items


def built(stage: object, name: str, kind: str) -> Built:
    return Built(stage, name, kind, "facewire-test 1.0")


def pipeline(
    *layers: Layer,
    fps: Fraction = FPS,
    rate: int | None = None,
    delay: int = 5,
    inner: Fraction = FPS,
) -> Pipeline:
    """Return loudness -> jaw -> the layers."""
    stages = [built(layer, f"layer{i}", "layer") for i, layer in enumerate(layers)]
    jaw = built(Jaw(delay, inner), "jaw", "model")
    ears = built(Loudness(fps=inner), "loudness", "features")
    return Pipeline(jaw, ears, stages, RIG, fps, rate=rate)
