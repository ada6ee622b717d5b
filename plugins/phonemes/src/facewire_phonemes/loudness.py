"""Loudness of each frame, and a cheap test for silence."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from facewire.types import FloatArray, first_sample, frames_within
from numpy.typing import NDArray

FLOOR_DB = -60.0
WINDOW = 400  # 25 ms at 16 kHz, around the frame's beginning
SILENT = 0.002
"""A stretch whose samples all stay under this (-54 dBFS at the peak) is not searched for speech."""
_ROWS = 1024  # rows a gather: 3 MB


def level(mean_square: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map mean squares to 0..1: 0 is -60 dBFS or less, 1 is 0 dBFS or more."""
    db = 10.0 * np.log10(np.maximum(mean_square, 1e-30))
    levels: NDArray[np.float64] = np.clip(1.0 - db / FLOOR_DB, 0.0, 1.0)
    return levels


class Loudness:
    """Levels of frames from a stream: RMS over 25 ms around each frame's beginning, in dB."""

    def __init__(self, rate: int, fps: Fraction) -> None:
        self.rate, self.fps = rate, fps
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._held = np.zeros(WINDOW // 2, np.float32)
        self._from = -(WINDOW // 2)  # index of the first held sample
        self._frame = 0

    def push(self, samples: FloatArray) -> FloatArray:
        """Take samples; return the levels of the rows whose windows are complete, (n,)."""
        self._held = np.concatenate([self._held, samples])
        end = self._from + len(self._held) - WINDOW // 2
        # Row k is complete when its window's last sample, first_sample(k) + 199, is here.
        return self._take(frames_within(end + 1, self.rate, self.fps))

    def flush(self) -> FloatArray:
        """Return the levels of the remaining rows; behind the end is silence."""
        total = self._from + len(self._held)
        self._held = np.concatenate([self._held, np.zeros(WINDOW, np.float32)])
        return self._take(frames_within(total, self.rate, self.fps))

    def _take(self, until: int) -> FloatArray:
        parts = []
        for first in range(self._frame, until, _ROWS):
            rows = range(first, min(first + _ROWS, until))
            starts = np.array([first_sample(k, self.rate, self.fps) for k in rows])
            at = starts[:, None] - WINDOW // 2 - self._from + np.arange(WINDOW)  # (rows, 400)
            windows = self._held[at].astype(np.float64)
            parts.append(level((windows * windows).mean(axis=1)).astype(np.float32))
        self._frame = max(self._frame, until)
        keep = first_sample(self._frame, self.rate, self.fps) - WINDOW // 2 - self._from
        keep = max(0, min(keep, len(self._held)))
        self._held, self._from = self._held[keep:].copy(), self._from + keep
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)
