"""What a plugin implements: small abstract classes with defaults, and a helper to cut audio.

Every stage takes pieces with ``push``, hands over what it still holds with ``flush`` (in pieces,
at the end of the input) and forgets everything with ``reset``. Any cut of the input gives what the
whole gives; ``facewire.testing.check_chunking`` holds that. ``push`` never returns None: zero rows
is an answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from facewire.rig import Rig
from facewire.types import (
    Audio,
    Block,
    Emotion,
    Features,
    FloatArray,
    Frames,
    Reading,
    RunInfo,
    Text,
    Utterance,
)


class Clock(Protocol):
    """A clock in seconds that never runs backwards: the monotonic one, or a sound device's."""

    def now(self) -> float:
        """Return the time in seconds."""

    def sleep_until(self, time: float) -> None:
        """Return at ``time``, or at once if it has passed."""


class Stage(ABC):
    """What all stages share."""

    exact_streaming: ClassVar[bool] = True
    """Whether any cut of the input gives the same rows. False needs a documented causal mode."""

    def reset(self) -> None:
        """Forget all input, so that the stage can start over at index 0."""

    def report(self) -> Sequence[str]:
        """Return lines for the closing table: on which path the stage ran, what it fell back on."""
        return ()


class Source(Stage):
    """Brings audio, text or frames into a session."""

    live: bool = False
    """True when what comes next is not yet known (microphone, typed text, a phone's stream)."""
    rate: int | None = None
    """Samples a second of the audio, if it is known before the first block."""
    brings: Literal["audio", "text", "frames"] = "audio"
    """What comes first: a session on live text starts its clock before the first word."""
    several: bool = False
    """Whether it brings several turns, which the profile's ``turns`` makes one arc or not."""
    path: Path | None = None
    """The file it reads, if it reads one."""
    transcript: str | None = None
    """What is said in the audio, if the source knows."""
    clock: Clock | None = None
    """The clock that its sound comes by (a sound device's), where no sink has one."""

    @abstractmethod
    def blocks(self) -> Iterator[Audio | Text | Frames]:
        """Yield the input in order. Audio and frames are contiguous from index 0.

        Frames skip features and model; text goes through the voice. InputError on bad input.
        """

    def close(self) -> None:
        """Stop: ``blocks`` ends soon, devices and files are let go. Called from another thread."""


class Voice(Stage):
    """Turns text into audio with marks."""

    rate: int
    marks: Literal["phone", "word", "none"] = "none"
    """What it marks: words with their ``chars``, those and phones, or nothing."""

    @abstractmethod
    def speak(self, utterance: Utterance) -> Iterator[Audio]:
        """Yield the sound in pieces from sample 0 on, each with the marks that begin in it."""

    def pronounce(self, word: str) -> list[str] | None:
        """Return a word's phones (ARPAbet or IPA), or None if the voice cannot tell."""
        return None


class TextEmotion(Stage):
    """Reads emotion from text."""

    @abstractmethod
    def read(self, text: str, history: Sequence[str]) -> list[Reading]:
        """Return readings of spans of ``text``.

        ``history`` are utterances before it, oldest first; another speaker's begin with
        ``[OTHER] ``.
        """


class FeatureExtractor(Stage):
    """Turns audio into one row of features a frame."""

    rate: int
    """Samples a second it wants; the core resamples."""
    fps: Fraction
    dim: int
    lookahead: int | None = 0
    """How many samples later a row comes out; None: only after the whole input."""

    @abstractmethod
    def push(self, audio: Audio) -> Features:
        """Take audio at ``rate``; return the rows that are final, contiguous from frame 0.

        Marks that came with the audio are handed on, or replaced by better ones.
        """

    def flush(self) -> Iterator[Features]:
        """Yield the remaining rows: ``frames_within(n)`` in all after n samples.

        A stage that reproduces a published pipeline has the rows that one has.
        """
        yield from ()


class Model(Stage):
    """Turns features into frames."""

    features: Any
    """The extractor it needs: a component's name, or a mapping with ``use`` and options."""
    fps: Fraction
    dim: int | None = None
    """Columns of features it expects; None takes any."""
    rig: Rig
    emotion: Literal["none", "mead5", "labels+vad"] = "none"
    """What of the emotion it takes in: nothing, MEAD's five classes, or labels and VAD."""
    lookahead: int | None = 0
    """How many rows later a frame comes out; None: only after the whole input."""

    @abstractmethod
    def push(self, features: Features, emotion: Emotion) -> Frames:
        """Take features and the emotion of the same rows; return the frames that are final."""

    def flush(self) -> Iterator[Frames]:
        """Yield the remaining frames: as many in all as rows were pushed."""
        yield from ()


class Layer(Stage):
    """Changes emotion before the model, or frames after it."""

    lookahead: int = 0
    """How many rows later ``push`` hands a row on."""
    condition_lookahead: int = 0
    """How many rows later ``condition`` hands a row on."""
    rig: Rig | None = None
    """The rig of the frames it returns, where that is another one: only inside a sink."""

    def condition(self, emotion: Emotion) -> Emotion:
        """Take emotion rows, each once, in order; return as many, ``condition_lookahead`` later."""
        return emotion

    def push(self, block: Block) -> Frames:
        """Take a block; return the final frames (``lookahead`` rows later), same rig and fps."""
        return block.frames

    def flush(self) -> Iterator[Frames]:
        """Yield the remaining frames: as many in all as were pushed."""
        yield from ()


class Sink(Stage):
    """Takes blocks away: into a file, over the network, onto a screen.

    A live sink gets blocks of one row when they are due, from a thread of its own; a file sink
    gets every block on the thread that makes them.
    """

    live: bool = False
    fps: Fraction | None = None
    """Frames a second it wants; None takes the profile's."""
    faceless: ClassVar[bool] = False
    """Whether it takes sound and marks alone: where a run has several faces, one serves all."""
    rig: Rig | None = None
    """The rig it wants; None takes the profile's."""
    clock: Clock | None = None
    """A clock that live frames shall follow (a sound device's); set when the sink is built."""
    latency: float = 0.0
    """Seconds that its frames go out later than due (negative: earlier)."""
    path: Path | None = None
    """The file it writes. A run refuses two sinks of one path, and to write over its own input."""
    result: Any = None
    """What it made (a path, an address), for the closing table."""

    @abstractmethod
    def open(self, info: RunInfo) -> None:
        """Begin. A file sink writes to a temporary name beside the final one.

        What goes wrong here ends the run; what goes wrong in a live sink's ``push`` is retried.
        """

    @abstractmethod
    def push(self, block: Block) -> None:
        """Take a block: contiguous for file sinks; a live sink may see gaps (dropped frames)."""

    @abstractmethod
    def close(self) -> None:
        """Commit: the output is whole now. Called once, after the last block."""

    def abort(self) -> None:
        """Discard: nothing is left behind and what existed before is untouched.

        Called instead of ``close``; also on a sink that was never opened.
        """


class Framer:
    """Cuts a stream of audio into overlapping windows, one a frame, for feature extractors.

    Row k is the ``size`` samples that begin at ``first_sample(k) + offset``; samples before the
    input's start are zeros. With ``flush`` samples after its end are zeros too, and there are as
    many rows as frames begin in the input.
    """

    def __init__(self, rate: int, fps: Fraction, size: int, offset: int = 0) -> None:
        self.rate, self.fps, self.size, self.offset = rate, fps, size, offset
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._held = np.zeros(max(0, -self.offset), np.float32)
        self._held_from = min(0, self.offset)
        self._frame = 0
        self._total = 0

    def _first(self, frame: int) -> int:
        at = frame * self.rate * self.fps.denominator // self.fps.numerator
        return at + self.offset

    def push(self, audio: Audio) -> FloatArray:
        """Return the windows that are complete: (n, size) float32."""
        self._held = np.concatenate([self._held, audio.samples])
        self._total += len(audio)
        return self._take(self._total)

    def flush(self) -> FloatArray:
        """Return the remaining windows, padded with zeros: (n, size) float32."""
        self._held = np.concatenate(
            [self._held, np.zeros(self.size + abs(self.offset), np.float32)]
        )
        return self._take(self._total)

    def _take(self, total: int) -> FloatArray:
        end = self._held_from + len(self._held)
        rows = []
        while (
            self._first(self._frame) + self.size <= end
            and self._first(self._frame) - self.offset < total
        ):
            at = self._first(self._frame) - self._held_from
            rows.append(self._held[at : at + self.size])
            self._frame += 1
        keep = max(0, min(self._first(self._frame), end) - self._held_from)
        self._held, self._held_from = self._held[keep:].copy(), self._held_from + keep
        return np.stack(rows) if rows else np.zeros((0, self.size), np.float32)
