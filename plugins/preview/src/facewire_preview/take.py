"""A whole run in memory: its frames, emotion, sound and marks, for what needs all of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from facewire.errors import StageError
from facewire.rig import Rig
from facewire.types import Block, FloatArray, RunInfo, first_sample
from numpy.typing import NDArray


class Span(NamedTuple):
    """A word, phone or sound and when it is heard, in seconds from the take's first frame."""

    kind: str
    text: str
    start: float
    end: float


class Take:
    """Collects blocks. StageError on a frame or sample that is not finite, and on a gap."""

    def __init__(self, info: RunInfo, where: str) -> None:
        self.name, self.rig, self.fps, self.rate = info.name, info.rig, info.fps, info.rate
        self._where = where
        self._rows: list[FloatArray] = []
        self._vad: list[FloatArray] = []
        self._weights: list[FloatArray] = []
        self._sound: list[NDArray[np.int16]] = []
        self._marks: list[tuple[int, int, str, str]] = []
        self._next: int | None = None
        self._next_sample: int | None = None
        self.start = 0

    def add(self, block: Block) -> None:
        """Take a block."""
        frames, audio = block.frames, block.audio
        if self._next is None:
            self.start = frames.start
        elif frames.start != self._next:
            raise StageError(f"{self._where}: frame {frames.start} came where {self._next} was due")
        if self._next_sample is not None and audio.start != self._next_sample:
            due = self._next_sample
            raise StageError(f"{self._where}: sample {audio.start} came where {due} was due")
        self._next, self._next_sample = frames.end, audio.end
        self._finite(frames.values, frames.rig, frames.start)
        if not np.isfinite(audio.samples).all():
            raise StageError(f"{self._where}: a sample is not a finite number")
        self.rate = audio.rate
        self._rows.append(frames.values)
        self._vad.append(block.emotion.vad)
        self._weights.append(block.emotion.weights)
        self._sound.append(_pcm(audio.samples))
        for mark in audio.marks:
            self._marks.append((mark.start, mark.end, mark.kind, mark.text))

    def _finite(self, values: FloatArray, rig: Rig, start: int) -> None:
        wrong = np.argwhere(~np.isfinite(values))
        if len(wrong):
            row, column = wrong[0]
            raise StageError(
                f"{self._where}: frame {start + row}: {rig.channels[column]} is "
                f"{values[row, column]}, expected a finite number"
            )

    @property
    def values(self) -> FloatArray:
        """All frames (n, channels)."""
        return np.concatenate([np.zeros((0, len(self.rig)), np.float32), *self._rows])

    @property
    def vad(self) -> FloatArray:
        """Valence, arousal and dominance of all frames (n, 3)."""
        return np.concatenate([np.zeros((0, 3), np.float32), *self._vad])

    @property
    def weights(self) -> FloatArray:
        """The soft labels of all frames (n, 16)."""
        return np.concatenate([np.zeros((0, 16), np.float32), *self._weights])

    @property
    def sound(self) -> Sequence[NDArray[np.int16]]:
        """The sound in pieces, as ``pcm``."""
        return self._sound

    @property
    def pcm(self) -> NDArray[np.int16]:
        """The sound as 16-bit samples, clipped: those from the first frame on."""
        return np.concatenate([np.zeros(0, np.int16), *self._sound])

    def seconds(self, frame: int) -> float:
        """Return when a frame, counted from the take's first, is due."""
        return float(Fraction(frame) / self.fps)

    def marks(self) -> list[Span]:
        """Return the marks in order of time; control characters are taken out of their texts."""
        zero = first_sample(self.start, self.rate, self.fps)

        def seconds(sample: int) -> float:
            return max(0, sample - zero) / self.rate

        return [
            Span(kind, _clean(text), seconds(start), seconds(end))
            for start, end, kind, text in sorted(self._marks)
        ]


def _pcm(samples: FloatArray) -> NDArray[np.int16]:
    whole = np.rint(samples.astype(np.float64) * 32768)
    return np.clip(whole, -32768, 32767).astype(np.int16)


def _clean(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in whole).split())
