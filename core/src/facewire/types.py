"""The data that stages hand to each other, and what a plugin is told when it is built.

All are frozen around numpy arrays. An array handed on is never written again; ``facewire.testing``
makes arrays read-only to hold that. Time is integers: ``start`` counts samples or frames from the
session's beginning, and frame k begins at sample ``k * rate // fps`` (``first_sample``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from facewire.errors import ProfileError
from facewire.rig import Rig

if TYPE_CHECKING:
    from facewire.emotion import EmotionCurve, State
    from facewire.stages import Stage

FloatArray = NDArray[np.float32]
Kind = Literal["source", "voice", "text_emotion", "features", "model", "layer", "sink"]
MAX_BLOCK_ROWS = 64


def first_sample(frame: int, rate: int, fps: Fraction) -> int:
    """Return the sample at which frame ``frame`` begins. Exact: an hour has no drift."""
    return frame * rate * fps.denominator // fps.numerator


def frames_within(samples: int, rate: int, fps: Fraction) -> int:
    """Return how many frames begin before sample ``samples``: the rows that much audio has."""
    return -(-samples * fps.numerator // (rate * fps.denominator)) if samples > 0 else 0


@dataclass(frozen=True, slots=True)
class Mark:
    """A word, phone or sound and when it is heard.

    ``start`` and ``end`` are samples at the rate of the Audio or Features that carries the mark,
    from the session's beginning. ``text`` is a word as written, or a phone in ARPAbet (upper case,
    vowels with a stress digit) or IPA. ``chars`` is the word's span in the text that was spoken.
    ``confidence`` is 0..1.
    """

    kind: Literal["word", "phone", "sound"]
    text: str
    start: int
    end: int
    chars: tuple[int, int] | None = None
    confidence: float = 1.0

    def moved(self, offset: int) -> Mark:
        """Return the mark ``offset`` samples later."""
        return Mark(
            self.kind,
            self.text,
            self.start + offset,
            self.end + offset,
            self.chars,
            self.confidence,
        )

    def rescaled(self, rate: int, to: int) -> Mark:
        """Return the mark counted at ``to`` samples a second instead of ``rate``."""
        if rate == to:
            return self
        start, end = (round(Fraction(at * to, rate)) for at in (self.start, self.end))
        return Mark(self.kind, self.text, start, end, self.chars, self.confidence)


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Mono samples (n,) float32, nominally -1..1, at ``rate`` samples a second.

    ``start`` is the index of the first sample. ``marks`` are those that begin in this piece (a
    stage that learns of a mark late may hand it on late, never twice).
    """

    samples: FloatArray
    rate: int
    start: int = 0
    marks: tuple[Mark, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def end(self) -> int:
        """The index after the last sample."""
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One row of features a frame: values (n, dim) float32; row i belongs to frame start + i.

    ``marks`` are the words and phones the extractor knows, counted at ``rate`` samples a second
    (the extractor's). A mark comes with, or before, the row it begins in.
    """

    values: FloatArray
    fps: Fraction
    start: int
    rate: int
    marks: tuple[Mark, ...] = ()

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Emotion:
    """Emotion per frame: vad (n, 3) and weights (n, 16), both float32.

    ``vad`` is valence, arousal, dominance in [0, 1], neutral (0.50, 0.30, 0.50): how much.
    ``weights`` are soft labels over the 16 emotions in ``facewire.emotion.LABELS``' order, each
    row summing to 1: which.
    """

    vad: FloatArray
    weights: FloatArray
    fps: Fraction
    start: int

    def __len__(self) -> int:
        return len(self.vad)


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Rows of channel values (n, len(rig)) float32; row i is the face at (start + i) / fps.

    Blendshapes are nominally 0..1 (never clamped by the core), rotations are radians.
    """

    values: FloatArray
    rig: Rig
    fps: Fraction
    start: int

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> int:
        """The index after the last frame."""
        return self.start + len(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One span of time, at most 64 rows: frames, the emotion of the same rows, and the sound.

    ``audio`` is the session's sound between the first row and the one after the last;
    ``audio.marks`` are the extractor's marks that begin there. The last block of a run may carry
    less or more sound than its rows span: the rest of the input.
    """

    frames: Frames
    emotion: Emotion
    audio: Audio


@dataclass(frozen=True, slots=True)
class Text:
    """Text that a source brings, for the session's voice. Tags are still in it.

    ``state`` is the emotion it begins with, where its source says so (a script's turn).
    """

    text: str
    lang: str | None = None
    speaker: str | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """What a voice is asked to say: plain text (tags taken out), and how.

    ``emotion`` is one row: the emotion at the utterance's start, or None. ``previous`` are the
    utterances before it, oldest first. ``changes`` are the emotions that begin inside the text:
    the character, and one row.
    """

    text: str
    lang: str = "en"
    speaker: str | None = None
    emotion: Emotion | None = None
    previous: tuple[str, ...] = ()
    changes: tuple[tuple[int, Emotion], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Emotion that was read from a span of text: weights (16,), vad (3,), confidence 0..1."""

    chars: tuple[int, int]
    weights: FloatArray
    vad: FloatArray
    confidence: float


@dataclass(frozen=True, slots=True)
class NoConfig:
    """The config of a component that has no options."""


@dataclass(frozen=True, slots=True)
class Component:
    """What a plugin offers: a name, and how to build it.

    ``name`` is the plugin's entry point, or that, a dot and a thing (``files.npz``). ``make`` is
    called as ``make(config, context)`` once for every use in a profile and returns the stage; it
    may import what is heavy. ``config`` is a frozen dataclass that the core fills and checks.
    ``example`` is the config that the conformance tests use; None skips them because of ``needs``
    (a key, a device, a program). ``suffixes`` are the files (``".csv"``) that a source reads or a
    sink writes, so that a path alone finds it.
    """

    name: str
    make: Callable[[Any, Context], Any]
    config: type = NoConfig
    summary: str = ""
    example: Any | None = None
    needs: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing ``facewire doctor`` looks at. ``run`` returns a line, or raises FacewireError."""

    name: str
    run: Callable[[], str]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a layer may ask about the model that was built."""

    name: str
    rig: Rig
    fps: Fraction
    emotion: Literal["none", "mead5", "labels+vad"]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a sink is told when it opens. ``rig`` and ``fps`` are those of the frames it will get.

    ``epoch`` is the wall clock (Unix seconds) at sample 0. ``rate`` is the session's.
    """

    name: str
    rig: Rig
    fps: Fraction
    rate: int
    epoch: float = 0.0
    lang: str = "en"


def _unbuildable(kind: Kind, spec: Any) -> Any:
    raise NotImplementedError("this context cannot build other components")


def _mute(word: str) -> list[str] | None:
    return None


def _unrecited(text: str) -> Iterator[Audio] | None:
    return None


def _make(key: str, make: Callable[[], Any]) -> Any:
    return make()


@dataclass(frozen=True, slots=True)
class Context:
    """What a component is told when it is built.

    ``name``: the input's name (a file's stem). ``causal``: nothing after "now" is known (live
    source, streamed text, ``--live``). ``fps`` and ``rig``: those of the frames that layers and
    sinks see. ``transcript``: what is said in the input, if known. ``base``: the folder that input
    paths are relative to; ``out``: where outputs go. ``model``: None before it is built.
    ``curve``: the session's emotion over time, as far as it is known (for layers).
    ``turns``: whether several turns are one arc (``monologue``) or each for itself.
    ``pronounce(word)``: phones from the profile's voice, or None. ``recite(text)``: the text as the
    same voice says it in ``lang``, with phone marks, or None where it has none or is paid for.
    ``build(kind, spec)``: a nested component. ``shared(key, make)``: one object for all sessions of
    this process.
    """

    name: str = "clip"
    seed: int = 0
    causal: bool = False
    fps: Fraction = Fraction(60)
    rig: Rig = field(default_factory=lambda: Rig.named("arkit61"))
    transcript: str | None = None
    lang: str = "en"
    base: Path = Path(".")
    out: Path = Path("out")
    model: ModelInfo | None = None
    pronounce: Callable[[str], list[str] | None] = _mute
    recite: Callable[[str], Iterator[Audio] | None] = _unrecited
    curve: EmotionCurve | None = None
    turns: Literal["one", "monologue", "dialogue"] = "one"
    build: Callable[[Kind, Any], Stage] = _unbuildable
    shared: Callable[[str, Callable[[], Any]], Any] = _make

    @property
    def english(self) -> bool:
        """Whether ``lang`` is English, of any country."""
        return self.lang.lower().replace("_", "-").split("-")[0] in ("en", "eng", "english")

    def random(self, purpose: str) -> np.random.Generator:
        """Return a generator that depends on the seed, the input's name and ``purpose`` alone."""
        text = f"{self.seed}\0{self.name}\0{purpose}".encode()
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:16], "big"))

    def output(self, template: str) -> Path:
        """Return an output path: ``{out}`` and ``{name}`` filled in; ProfileError if it cannot."""
        try:
            return Path(template.format(out=self.out, name=self.name))
        except (KeyError, IndexError, ValueError, AttributeError):
            raise ProfileError(
                f"path: found '{template}', expected {{out}} and {{name}} as the only braces"
            ) from None
