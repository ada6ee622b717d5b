"""What a session's sound goes through first: one rate, one time line, finite numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from facewire.resample import AudioResampler
from facewire.types import Audio


class Intake:
    """Puts pieces of sound one after another on the session's time line, at the session's rate.

    A piece whose ``start`` is 0 begins a new stretch (an utterance, a file). ``rate`` is that of
    the first piece unless it was given. NaN and infinities of a live source become 0, with one
    warning.
    """

    def __init__(self, rate: int | None, fps: Fraction, tell: Callable[[str], None]) -> None:
        self.rate, self._fps, self._tell = rate, fps, tell
        self.position = 0
        self._base = 0
        self._warned = False
        self._resampler: AudioResampler | None = None

    def time(self, sample: int, audio: Audio) -> Fraction:
        """Return the session's time of a sample of the stretch that ``audio`` belongs to."""
        base = self.position if audio.start == 0 else self._base
        return Fraction(base, self.rate or audio.rate) + Fraction(sample, audio.rate)

    def take(self, audio: Audio) -> Iterator[Audio]:
        """Yield the piece (and what a resampler still held of the stretch before it)."""
        if not len(audio) and not audio.marks:
            return
        self.rate = self.rate or audio.rate
        if audio.start == 0:
            yield from self.finish()
            self._base = self.position
            if audio.rate != self.rate:
                self._resampler = AudioResampler(audio.rate, self.rate, self._fps)
        audio = replace(audio, samples=self._finite(audio.samples))
        if self._resampler:
            audio = self._resampler.push(audio)
        yield self._placed(audio)

    def pause(self, samples: int) -> Audio:
        """Return silence within a stretch: what follows of it comes ``samples`` later."""
        if self._resampler:
            to, rate = self._resampler.to, self._resampler.rate
            silent = Audio(np.zeros(samples * rate // to, np.float32), rate)
            quiet = self._resampler.push(silent)
        else:
            quiet = Audio(np.zeros(samples, np.float32), self.rate or samples)
        placed = self._placed(quiet)
        self._base += samples
        return placed

    def finish(self) -> Iterator[Audio]:
        """Yield what a resampler still holds."""
        if self._resampler:
            yield self._placed(self._resampler.flush())
            self._resampler = None

    def _placed(self, audio: Audio) -> Audio:
        marks = tuple(mark.moved(self._base) for mark in audio.marks)
        placed = Audio(audio.samples, audio.rate, self.position, marks)
        self.position += len(audio)
        return placed

    def _finite(self, samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> np.ndarray:
        good = np.isfinite(samples)
        if good.all():
            return samples
        if not self._warned:
            self._warned = True
            self._tell("the sound has samples that are not finite numbers; they are taken as 0")
        return np.where(good, samples, np.float32(0))
