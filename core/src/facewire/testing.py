"""What plugin authors test their stages with.

``check_stage`` runs a stage through empty, silent, tiny and extreme input and ``reset``;
``check_chunking`` holds that any cut of the input gives what the whole gives. Both raise
AssertionError that says what differed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from facewire.emotion import EmotionCurve
from facewire.rig import Rig
from facewire.stages import FeatureExtractor, Layer, Model, Sink
from facewire.types import (
    MAX_BLOCK_ROWS,
    Audio,
    Block,
    Emotion,
    Features,
    FloatArray,
    Frames,
    Mark,
    RunInfo,
    first_sample,
)

TOLERANCE = 1e-5


class FakeClock:
    """A clock that moves only when somebody sleeps: thirty seconds pass in milliseconds.

    A session on it runs its pacers on the calling thread, in the order of their due times.
    """

    threaded = False

    def __init__(self, start: float = 0.0) -> None:
        self._time = start

    def now(self) -> float:
        """Return the time in seconds."""
        return self._time

    def sleep_until(self, at: float) -> None:
        """Move to ``at`` at once."""
        self._time = max(self._time, at)


class ListSink(Sink):
    """Keeps every block. ``live`` and ``fps`` may be set; ``ended`` is "closed" or "aborted"."""

    def __init__(
        self, live: bool = False, fps: Fraction | None = None, rig: Rig | None = None
    ) -> None:
        self.live, self.fps, self.rig = live, fps, rig
        self.blocks: list[Block] = []
        self.info: RunInfo | None = None
        self.ended = ""

    def open(self, info: RunInfo) -> None:
        """Remember the run."""
        self.info = info

    def push(self, block: Block) -> None:
        """Keep the block."""
        self.blocks.append(block)

    def close(self) -> None:
        """Remember that the run was committed."""
        self.ended = "closed"

    def abort(self) -> None:
        """Remember that the run was discarded."""
        self.ended = "aborted"

    @property
    def values(self) -> FloatArray:
        """All frames: (n, channels)."""
        rows = [block.frames.values for block in self.blocks]
        return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)

    @property
    def samples(self) -> FloatArray:
        """All sound: (n,)."""
        parts = [block.audio.samples for block in self.blocks]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    @property
    def marks(self) -> list[Mark]:
        """All marks."""
        return [mark for block in self.blocks for mark in block.audio.marks]


def frozen(array: FloatArray) -> FloatArray:
    """Return a copy that cannot be written, to catch stages that write into their input."""
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def voiced(seconds: float, rate: int, seed: int = 0) -> Audio:
    """Return speech-like sound: harmonics under a syllable-rate envelope, with pauses."""
    n = int(seconds * rate)
    t = np.arange(n) / rate
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    envelope = np.clip(np.sin(2 * np.pi * 2.1 * t), 0, None) * (np.sin(2 * np.pi * 0.23 * t) > -0.5)
    noise = np.random.default_rng(seed).standard_normal(n) * 0.01
    return Audio((0.25 * tone * envelope + noise * envelope).astype(np.float32), rate)


# -- driving a stage ------------------------------------------------------------------------------


def drive_extractor(
    stage: FeatureExtractor, pieces: Iterable[Audio]
) -> tuple[FloatArray, list[Mark]]:
    """Push pieces of audio, flush, and return all rows (n, dim) and marks; check their order."""
    rows: list[FloatArray] = []
    marks: list[Mark] = []
    at = 0

    def take(features: Features) -> None:
        nonlocal at
        assert features is not None, "push returned None; zero rows is an answer"
        assert features.start == at, f"rows start at {features.start}, expected {at}"
        assert features.values.shape[1:] == (stage.dim,), f"rows of shape {features.values.shape}"
        assert features.values.dtype == np.float32, f"rows are {features.values.dtype}"
        at += len(features)
        rows.append(features.values)
        marks.extend(features.marks)

    for piece in pieces:
        take(stage.push(Audio(frozen(piece.samples), piece.rate, piece.start, piece.marks)))
    for features in stage.flush():
        take(features)
    return _joined(rows, stage.dim), marks


def drive_model(model: Model, pieces: Iterable[tuple[Features, Emotion]]) -> FloatArray:
    """Push pieces of features and emotion, flush, and return all frames (n, channels)."""
    out = [model.push(features, emotion) for features, emotion in pieces]
    return _frames([*out, *model.flush()], model.rig)


def drive_layer(layer: Layer, blocks: Iterable[Block], rig: Rig) -> FloatArray:
    """Push blocks, flush, and return all frames (n, channels)."""
    out = [layer.push(block) for block in blocks]
    return _frames([*out, *layer.flush()], rig)


def _frames(pieces: Sequence[Frames], rig: Rig) -> FloatArray:
    at = 0
    for piece in pieces:
        assert piece is not None, "push returned None; zero rows is an answer"
        assert not len(piece) or piece.start == at, f"frames start at {piece.start}, expected {at}"
        assert piece.rig == rig, f"frames have the rig {piece.rig.name}, expected {rig.name}"
        assert piece.values.dtype == np.float32, f"frames are {piece.values.dtype}"
        at += len(piece)
    return _joined([piece.values for piece in pieces], len(rig))


def _joined(rows: list[FloatArray], width: int) -> FloatArray:
    return np.concatenate([np.zeros((0, width), np.float32), *rows])


# -- input for a stage ----------------------------------------------------------------------------


def cuts(length: int, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return spans that cover ``length`` in pieces of the sizes, over and over."""
    spans, at, i = [], 0, 0
    while at < length:
        step = max(1, sizes[i % len(sizes)])
        spans.append((at, min(length, at + step)))
        at, i = at + step, i + 1
    return spans


def cut_audio(audio: Audio, sizes: Sequence[int]) -> list[Audio]:
    """Cut audio into pieces of the sizes; a mark goes with the piece it begins in."""
    pieces = []
    for begin, end in cuts(len(audio), sizes):
        last = end == len(audio)
        due = tuple(m for m in audio.marks if begin <= m.start < end or (last and m.start >= end))
        pieces.append(Audio(audio.samples[begin:end], audio.rate, audio.start + begin, due))
    return pieces


# -- the checks -----------------------------------------------------------------------------------


def check_chunking(
    run: Callable[[Sequence[int]], FloatArray], sizes: Sequence[int], whole: int
) -> None:
    """Check that ``run(sizes)``, a fresh stage fed in such pieces, equals ``run([whole])``.

    Row counts must be equal and values within 1e-5.
    """
    expected, found = run([whole]), run(sizes)
    assert found.shape == expected.shape, (
        f"pieces of {list(sizes)} gave {found.shape[0]} rows, the whole gives {expected.shape[0]}"
    )
    if found.size:
        worst = float(np.abs(found - expected).max())
        assert worst <= TOLERANCE, f"pieces of {list(sizes)} differ from the whole by {worst:.2g}"


def check_stage(make: Callable[[], Any], rig: Rig | None = None) -> None:
    """Check an extractor, model or layer with cuts, empty and odd input, 1e30, and reset.

    ``make`` builds a fresh stage each time; ``rig`` is that of a layer's frames (arkit61).
    TypeError for another kind of stage: voices, sources and sinks are tested by what they make.
    """
    stage: Any = make()
    if isinstance(stage, FeatureExtractor):
        _check_extractor(make, stage.rate)
    elif isinstance(stage, Model):
        _check_rows(lambda rows, sizes, part: _run_model(part or make(), rows, sizes), make)
    elif isinstance(stage, Layer):
        shape = rig or Rig.named("arkit61")
        _check_rows(lambda rows, sizes, part: _run_layer(part or make(), rows, sizes, shape), make)
        huge = _run_layer(make(), 30, [64], shape, 1e30)
        assert np.isfinite(huge).all(), "1e30 gave frames that are not finite"
    else:
        raise TypeError(f"check_stage drives extractors, models and layers, not {type(stage)}")


def _check_extractor(make: Callable[[], Any], rate: int) -> None:
    def run(audio: Audio, sizes: Sequence[int], stage: Any = None) -> FloatArray:
        rows, _ = drive_extractor(stage or make(), cut_audio(audio, sizes))
        assert np.isfinite(rows).all(), "finite audio gave rows that are not finite"
        return rows

    sound = voiced(1.5, rate)
    if make().exact_streaming:
        check_chunking(lambda sizes: run(sound, sizes), [rate // 50, 1, rate // 7], len(sound))
    for odd in (np.zeros(0), np.zeros(1), np.zeros(rate), np.full(rate // 2, 1e30)):
        run(Audio(odd.astype(np.float32), rate), [max(1, len(odd))])
    stage = make()
    first = run(sound, [len(sound)], stage)
    stage.reset()
    _same_after_reset(stage, first, run(sound, [len(sound)], stage))


def _same_after_reset(stage: Any, first: FloatArray, again: FloatArray) -> None:
    """Compare; a stage whose rows depend on the machine's load owes as many rows alone."""
    same = np.array_equal(first, again) if stage.exact_streaming else len(first) == len(again)
    assert same, "after reset the same input gave other rows"


def _check_rows(
    run: Callable[[int, Sequence[int], Any], FloatArray], make: Callable[[], Any]
) -> None:
    if make().exact_streaming:
        check_chunking(lambda sizes: run(150, sizes, None), [1, 7, 40], 150)
    for rows in (0, 1, 70):
        found = run(rows, [64], None)
        assert len(found) == rows, f"{rows} rows went in and {len(found)} came out"
        assert np.isfinite(found).all(), "finite rows gave frames that are not finite"
    stage = make()
    first = run(90, [64], stage)
    stage.reset()
    _same_after_reset(stage, first, run(90, [64], stage))


def _run_model(model: Model, rows: int, sizes: Sequence[int]) -> FloatArray:
    rate, dim = 16000, model.dim or 1
    values = np.abs(np.random.default_rng(1).standard_normal((rows, dim))).astype(np.float32)
    curve = EmotionCurve()
    pieces = []
    for begin, end in cuts(rows, sizes):
        features = Features(frozen(values[begin:end]), model.fps, begin, rate)
        pieces.append((features, curve.sample(begin, end - begin, model.fps)))
    return drive_model(model, pieces)


def _run_layer(
    layer: Layer, rows: int, sizes: Sequence[int], rig: Rig, scale: float = 1.0
) -> FloatArray:
    values = (np.random.default_rng(2).uniform(0, 0.5, (rows, len(rig))) * scale).astype(np.float32)
    return drive_layer(layer, layer_blocks(layer, values, rig, Fraction(60), sizes), rig)


def layer_blocks(
    layer: Layer, values: FloatArray, rig: Rig, fps: Fraction, sizes: Sequence[int]
) -> list[Block]:
    """Return frames (n, channels) as blocks of the sizes, with sound and conditioned emotion."""
    rate, curve, blocks, ahead = 16000, EmotionCurve(), [], layer.condition_lookahead
    sound = voiced(first_sample(len(values), rate, fps) / rate + 0.1, rate)
    felt = _conditioned(layer, len(values), fps, sizes) if ahead == 0 else None
    for begin, end in cuts(len(values), sizes):
        first, last = (first_sample(k, rate, fps) for k in (begin, end))
        rows = slice(begin, end)
        emotion = curve.sample(begin, end - begin, fps)
        if felt is not None:
            emotion = Emotion(felt[0][rows], felt[1][rows], fps, begin)
        frames = Frames(frozen(values[rows]), rig, fps, begin)
        blocks.append(Block(frames, emotion, Audio(frozen(sound.samples[first:last]), rate, first)))
    return blocks


def _conditioned(
    layer: Layer, rows: int, fps: Fraction, sizes: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    curve = EmotionCurve()
    out = [layer.condition(curve.sample(a, b - a, fps)) for a, b in cuts(rows, sizes)]
    return _joined([e.vad for e in out], 3), _joined([e.weights for e in out], 16)


def layer_output(
    layer: Layer, rows: int = 60, rig: str = "arkit61"
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Run a layer over speech-like sound with a moving jaw; return channels before and after."""
    shape, fps = Rig.named(rig), Fraction(60)
    values = np.zeros((rows, len(shape)), np.float32)
    if "jawOpen" in shape:
        values[:, shape.index("jawOpen")] = np.abs(np.sin(np.arange(rows) / 8)) * 0.4
    after = drive_layer(layer, layer_blocks(layer, values, shape, fps, [MAX_BLOCK_ROWS]), shape)
    return tuple(  # type: ignore[return-value]
        {channel: table[:, i] for i, channel in enumerate(shape.channels)}
        for table in (values, after)
    )
