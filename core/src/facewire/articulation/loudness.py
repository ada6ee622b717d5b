"""How loud the speaker is: levels of the rows still needed, and the speaker's usual level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facewire.articulation.spline import Array
from facewire.articulation.timing import timing


class Loudness:
    """Levels 0..1 of rows (0 = -60 dBFS, 1 = 0 dBFS), and the median of the vowels' so far."""

    def __init__(self, fps: float) -> None:
        self._memory = int(timing()["loudness"]["memory"] * fps)
        self._levels = np.zeros(0)
        self._first = 0
        self._voiced = np.zeros(0)
        self._usual = 0.0  # median of the vowels' rows; 0 before the first

    def __len__(self) -> int:
        return len(self._levels) + len(self._voiced)

    def push(self, levels: Array) -> None:
        """Take the next rows' levels; what is not finite or out of range is brought within."""
        clean = np.clip(np.nan_to_num(levels), 0.0, 1.0)
        self._levels = np.concatenate([self._levels, clean])

    def rows(self, first: int, count: int) -> Array:
        """Return the levels of rows (count,); 0 where they are not known."""
        known = self._levels[max(0, first - self._first) :][:count]
        return np.concatenate([known, np.zeros(count - len(known))])

    def settle(self, first: int, voiced: NDArray[np.bool_], keep: int) -> None:
        """Remember levels where ``voiced`` (n,), from row ``first``; forget rows below ``keep``."""
        heard = self.rows(first, len(voiced))[voiced]
        self._voiced = np.concatenate([self._voiced, heard])[-self._memory :]
        self._usual = float(np.median(self._voiced)) if len(self._voiced) else 0.0
        if keep > self._first:
            self._levels = self._levels[keep - self._first :]
            self._first = keep

    def gain(self, start: float, end: float) -> float:
        """Return how a phone's loudness scales its opening: 1 at the speaker's usual level.

        The mean level of its rows (those known) against the median of the last 30 s of vowels.
        """
        scale = timing()["loudness"]
        a = max(int(start) - self._first, 0)
        heard = self._levels[a : max(round(end) - self._first, a + 1)]
        if self._usual <= 0.0 or not len(heard):
            return 1.0
        db = (float(heard.mean()) - self._usual) * scale["range_db"]
        return min(max(1.0 + scale["per_db"] * db, scale["least"]), scale["most"])
