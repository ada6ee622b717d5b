"""The session's sound on the device's time: which sample is played when."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
from facewire.resample import AudioResampler
from facewire.types import Audio, FloatArray

SECONDS = 4.0  # of sound that is kept at most
JUMP = 0.005  # seconds that a block may be off before the sound jumps to its place


class Track:
    """Holds sound until it is played. ``put`` and ``take`` may be called from two threads.

    Sample s is played at ``origin`` + s / rate on the device's clock. ``origin`` comes from the
    pieces' own times: each is due at the time it is put or a little before, never after, so that
    the earliest tells best; it is fixed when the first sample is taken.
    """

    def __init__(self, rate: int, to: int, ahead: float) -> None:
        self.rate, self.to, self.ahead = rate, to, ahead
        self._lock = threading.Lock()
        self._ring = np.zeros(int(SECONDS * to), np.float32)
        self._taken: int | None = None  # every sample before it was played or never will be
        self._end = 0
        self._origin = float("inf")
        self._fixed = False
        self._expected: int | None = None
        self._base = 0
        self._resampler: AudioResampler | None = None
        self.dry = 0.0  # seconds of sound that came too late to be heard
        self.jumps = 0

    @property
    def origin(self) -> float:
        """The device's time at which sample 0 is played."""
        return self._origin

    @property
    def end(self) -> float:
        """The device's time at which the last sample so far was played, or will be."""
        return self._origin + self._end / self.to if self._end else -float("inf")

    def put(self, audio: Audio, now: float) -> None:
        """Add a piece that shall be played ``ahead`` seconds after ``now``, or a little earlier."""
        if not len(audio):  # a frame without sound: what came before is all there is
            self.finish()
            return
        with self._lock:
            if not self._fixed:
                self._origin = min(self._origin, now + self.ahead - audio.start / self.rate)
            self._place(*self._converted(audio))

    def finish(self) -> None:
        """Add what a resampler still holds."""
        with self._lock:
            if self._resampler is not None:
                rest = self._resampler.flush()
                self._place(self._base + rest.start, rest.samples)
                self._resampler = None

    def _place(self, at: int, samples: FloatArray) -> None:
        """Keep samples for index ``at``, but those that come too late, or far too early."""
        late = max(0, min(len(samples), (self._taken or 0) - at))
        self.dry += late / self.to
        at, samples = at + late, samples[late:]
        room = (self._taken if self._taken is not None else at) + len(self._ring) - at
        samples = samples[: max(0, room)]
        self._ring[(at + np.arange(len(samples))) % len(self._ring)] = samples
        self._end = max(self._end, at + len(samples))

    def _converted(self, audio: Audio) -> tuple[int, FloatArray]:
        """Return a piece at the device's rate, and the index of its first sample there."""
        if self.rate == self.to:
            return audio.start, audio.samples
        if self._resampler is None or audio.start != self._expected:
            self._base = round(Fraction(audio.start * self.to, self.rate))
            self._resampler = AudioResampler(self.rate, self.to, Fraction(60))
        self._expected = audio.end
        out = self._resampler.push(Audio(audio.samples, audio.rate))
        return self._base + out.start, out.samples

    def take(self, count: int, at: float) -> FloatArray:
        """Return the (count,) samples that are played from the device's time ``at`` on."""
        out = np.zeros(count, np.float32)
        with self._lock:
            if self._origin == float("inf"):
                return out
            first = round((at - self._origin) * self.to)
            if self._taken is not None and abs(first - self._taken) < JUMP * self.to:
                first = self._taken  # contiguous, whatever the rounding
            elif self._taken is not None:
                self.jumps += 1
            begin, end = max(0, first), min(first + count, self._end)
            if first + count > 0:
                self._fixed, self._taken = True, first + count
            if end > begin and begin >= end - len(self._ring):
                places = np.arange(begin, end) % len(self._ring)
                out[begin - first : end - first] = self._ring[places]
                self._ring[places] = 0
        return out
