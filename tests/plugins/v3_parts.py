"""What v3's tests and benchmarks share: speech with phone times, and how to drive the layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import facewire
import numpy as np
from facewire.articulation import (
    closures,
    lip_gap,
    lip_protrusion,
    lip_to_teeth,
    read_phone,
)
from facewire.emotion import EmotionCurve, Key, State
from facewire.errors import FacewireError
from facewire.profile import load_profile
from facewire.rig import Rig
from facewire.types import (
    Audio,
    Block,
    Context,
    Emotion,
    FloatArray,
    Frames,
    Mark,
    ModelInfo,
    first_sample,
)
from facewire_v3.config import V3Config
from facewire_v3.layer import V3

FPS = Fraction(60)
RATE = 16000
ARKIT = Rig.named("arkit61")
NEUTRAL = Key(Fraction(0), State.named("neutral"), "tags")
TEXTS = (
    "Bob made more paper maps for five very vivid people who moved from Paris to Vienna before the "
    "big flood, and nobody above them ever believed a word of it.",
    "The quick brown fox jumps over the lazy dog while my mother whips up a bowl of warm apple "
    "pudding, and father brings vanilla from the village.",
    "Please pass me the pepper, I would love a bit more. We moved all our furniture out of the "
    "house on Wednesday, before the movers came by. You knew who was using the blue room.",
    "Whoever wants to improve must practise every morning. Perhaps the problem is simple: people "
    "often believe what everybody else believes, even if no proof is available.",
    "I am so very happy that you came! Far above the mountains, five hundred birds fly by. My "
    "brother, Tom, plays the piano; Emma sings.",
    "Wow, what a beautiful view. Move over, move over! A map of Bombay, a cup of coffee, a wolf, a "
    "fever. Oh, I owe you one.",
    "Remember, remember: bubbles pop. Mama might buy Papa a purple umbrella. Have you ever felt a "
    "velvet fabric? Off we go, if only for a few months.",
    "From the top of the palm we saw an army of ants, a number of bees, a family of wolves. Father "
    "offered a puff of pepper, but nobody moved.",
    "Everybody has a favourite movie. Mine is about a farm, a boat, and a brave baby fox; my "
    "best friend, however, prefers films about Vikings.",
    "Stop. Put the map back. Up, up, up. Now open your mouth, and say ah. Very good. Bring me the "
    "brown box from above the fireplace, please.",
    "What would you do with two new blue shoes? Would you move to a room with a view, or to the "
    "roof? A fool and a poodle could choose.",
    "Amber, Phoebe, and Beverly have bought seven big pumpkins from a farm beyond the river. "
    "Hopefully, somebody will help them move.",
    "Maybe the problem with mobile phones is that people prefer them to books. I have five, but my "
    "grandfather has only a lamp and a bible.",
    "Come over for breakfast. We have bread and butter, ham, a bit of beef, muffins, apples, "
    "plums, and coffee. Above all, bring your family.",
)
REAL = ("61-70968-0000.flac", "LJ002-0020.wav", "jfk.wav")


@dataclass(frozen=True, eq=False)
class Speech:
    """A talking mouth without emotion: values (n, channels) and the phones, in samples."""

    name: str
    values: FloatArray
    rig: Rig
    rate: int
    marks: tuple[Mark, ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.values) / float(FPS)

    def times(self, *kinds: str) -> list[tuple[float, float]]:
        """Return start and end of the phones of some kinds, or whose shape has such a name."""
        return [
            (mark.start / self.rate, mark.end / self.rate)
            for mark in self.marks
            if mark.kind == "phone"
            and any({shape.kind, shape.name} & set(kinds) for shape in read_phone(mark.text).shapes)
        ]


def speeches(texts: Sequence[str], files: Iterable[Path] = ()) -> list[Speech]:
    """Return texts spoken by espeak, and recordings aligned with their transcripts."""
    profile = replace(load_profile("default", []), layers=())
    clips = [facewire.animate(text=text, profile=profile) for text in texts]
    for path in files:
        transcript = path.with_suffix(".lab").read_text("utf-8")
        clips.append(facewire.animate(path, profile=profile, transcript=transcript))
    return [
        Speech(clip.name, clip.frames.values, clip.frames.rig, clip.audio.rate, clip.marks)
        for clip in clips
    ]


def silence(seconds: float, rig: Rig = ARKIT) -> Speech:
    """Return a face that does nothing."""
    rows = round(seconds * float(FPS))
    return Speech("silence", np.zeros((rows, len(rig)), np.float32), rig, RATE)


@dataclass
class Run:
    """How to drive the layer: wanted emotion, options, and how the stream is cut."""

    keys: Sequence[Key] = (NEUTRAL,)
    config: V3Config = field(default_factory=V3Config)
    causal: bool = False
    emotion: str = "none"
    sizes: Sequence[int] = (64,)
    fps: Fraction = FPS
    marked: bool = True
    layer: type[V3] = V3

    def build(self, rig: Rig, curve: EmotionCurve) -> V3:
        info = ModelInfo("test", rig, self.fps, self.emotion)  # type: ignore[arg-type]
        context = Context(fps=self.fps, causal=self.causal, rig=rig, curve=curve, model=info)
        return self.layer(self.config, context)

    def __call__(self, speech: Speech) -> FloatArray:
        """Return the frames, as many as the speech has."""
        curve = EmotionCurve(self.keys)
        layer = self.build(speech.rig, curve)
        rows = len(speech.values)
        feelings = condition(layer, curve, rows, self.fps, self.sizes)
        out, begin, turn = [], 0, 0
        while begin < rows:
            end = min(rows, begin + self.sizes[turn % len(self.sizes)])
            emotion = replace(
                feelings,
                vad=feelings.vad[begin:end],
                weights=feelings.weights[begin:end],
                start=begin,
            )
            out.append(layer.push(self.block(speech, emotion, begin, end)).values)
            begin, turn = end, turn + 1
        out += [frames.values for frames in layer.flush()]
        return np.concatenate(out)

    def block(self, speech: Speech, emotion: Emotion, begin: int, end: int) -> Block:
        """Return the rows from ``begin`` to ``end`` of speech, with emotion of the same rows."""
        first, last = (first_sample(k, speech.rate, self.fps) for k in (begin, end))
        marks = tuple(m for m in speech.marks if first <= m.start < last) if self.marked else ()
        frames = Frames(speech.values[begin:end], speech.rig, self.fps, begin)
        sound = np.zeros(max(0, last - first), np.float32)
        return Block(frames, emotion, Audio(sound, speech.rate, first, marks))


def condition(
    layer: V3, curve: EmotionCurve, rows: int, fps: Fraction, sizes: Sequence[int] = (64,)
) -> Emotion:
    """Pass rows of a curve through a layer as the pipeline does; return the rows that come out."""
    pieces, at, turn = [], 0, 0
    total = rows + layer.condition_lookahead
    while at < total:
        count = min(sizes[turn % len(sizes)], total - at)
        pieces.append(layer.condition(curve.sample(at, count, fps)))
        at, turn = at + count, turn + 1
    assert [piece.start for piece in pieces] == np.cumsum([0, *map(len, pieces)])[:-1].tolist()
    vad = np.concatenate([piece.vad for piece in pieces])
    return Emotion(vad, np.concatenate([piece.weights for piece in pieces]), fps, 0)


def shaped(run: Run, seconds: float) -> Emotion:
    """Return the emotion that a model is given over some seconds."""
    curve = EmotionCurve(run.keys)
    layer = run.build(ARKIT, curve)
    return condition(layer, curve, round(seconds * float(run.fps)), run.fps, run.sizes)


def key(
    time: str | float, emotion: str, source: str = "tags", transition: float | None = None
) -> Key:
    """Return a key such as ``key(1.5, "joy:80")``; the strength is in percent."""
    name, _, percent = emotion.partition(":")
    state = State.named(name, float(percent or 100) / 100)
    return Key(Fraction(str(time)), state, source, transition)


@dataclass
class Protection:
    """What became of speech: counts and worst cases over all clips judged."""

    closed: int = 0
    kept: int = 0
    bitten: int = 0
    teeth: float = -1.0  # most that the lower lip came away from the teeth at f and v
    rounding: float = 0.0  # largest share lost
    open: float = 0.0  # largest change at open vowels as a share of what is allowed
    false: int = 0  # closures where the model had none

    def judge(self, speech: Speech, after: FloatArray) -> None:
        """Compare frames with emotion with those without."""
        rig, before = speech.rig, speech.values
        gaps = [lip_gap(values, rig) for values in (before, after)]
        self._closures(speech, [closures(gap, 60.0) for gap in gaps])
        teeth = [lip_to_teeth(values, rig) for values in (before, after)]
        for rows in _spans(speech, "f"):
            self.bitten += 1
            self.teeth = max(self.teeth, float(teeth[1][rows].min() - teeth[0][rows].min()))
        for rows in _spans(speech, "open"):
            allowed = np.maximum(0.25 * gaps[0][rows], 0.06)
            self.open = max(self.open, float((abs(gaps[1] - gaps[0])[rows] / allowed).max()))
        columns = rig.indices("mouthFunnel", "mouthPucker")
        rounding = [values[:, columns].sum(axis=1) for values in (before, after)]
        for rows in _spans(speech, "vowel", "open", "narrow", "other"):
            most = float(rounding[0][rows].max())
            if most > 0.1:
                self.rounding = max(self.rounding, 1.0 - float(rounding[1][rows].max()) / most)

    def _closures(self, speech: Speech, found: list[np.ndarray]) -> None:
        for start, end in speech.times("closure"):
            held = [
                any(min(end, z) - max(start - 0.04, a) >= 0.033 - 1e-9 for a, z in spans)
                for spans in found
            ]
            self.closed += held[0]
            self.kept += held[0] and held[1]
        for a, z in found[1]:
            lips, others = speech.times("closure", "f"), speech.times("open", "vowel", "other")
            near = any(a <= end + 0.05 and z >= start - 0.15 for start, end in lips)
            talking = any(a <= end and z >= start for start, end in others)
            new = not any(a < end and z > start for start, end in found[0])
            self.false += talking and new and not near


def _spans(speech: Speech, *kinds: str) -> list[slice]:
    spans = [slice(int(a * 60), int(np.ceil(z * 60)) + 1) for a, z in speech.times(*kinds)]
    return [rows for rows in spans if rows.start < len(speech.values)]


def one_line(error: FacewireError) -> str:
    text = str(error)
    assert "\n" not in text and text[0].islower()
    return text


__all__ = [name for name in dir() if not name.startswith("_")] + ["lip_protrusion"]
