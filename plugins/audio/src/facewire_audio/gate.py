"""A noise gate with hysteresis."""

from __future__ import annotations

import math

import numpy as np
from facewire.types import FloatArray

WINDOW = 0.01  # seconds over which loudness is taken, and in which the gate opens or closes


class Gate:
    """Lets sound through from ``open_at`` dBFS on, until it was under ``close_at`` for ``hold``.

    Loudness is the RMS of windows of 10 ms, and the gain runs to its new value across one: what
    comes out depends on nothing but the sound, however it is cut, 10 ms at most behind it.
    """

    def __init__(self, rate: int, open_at: float, close_at: float, hold: float) -> None:
        self._size = max(1, int(rate * WINDOW))
        self._open_at, self._close_at = (10 ** (level / 20) for level in (open_at, close_at))
        self._hold = math.ceil(hold / WINDOW)
        self._left = 0  # windows until it closes
        self._gain = 0.0
        self._held = np.zeros(0, np.float32)

    def push(self, samples: FloatArray) -> FloatArray:
        """Return the windows that are whole."""
        self._held = np.concatenate([self._held, samples])
        count = len(self._held) // self._size * self._size
        whole, self._held = self._held[:count], self._held[count:].copy()
        windows = whole.reshape(-1, self._size)  # (windows, samples)
        loud = np.sqrt(np.mean(windows.astype(np.float64) ** 2, axis=1))
        ramp = np.arange(1, self._size + 1) / self._size
        out = np.empty_like(windows)
        for i, level in enumerate(loud):
            gain = self._next(float(level))
            out[i] = windows[i] * (self._gain + (gain - self._gain) * ramp)
            self._gain = gain
        return out.reshape(-1)

    def flush(self) -> FloatArray:
        """Return the rest."""
        rest, self._held = self._held * np.float32(self._gain), self._held[:0]
        return rest

    def _next(self, level: float) -> float:
        if level >= self._open_at or (self._left and level >= self._close_at):
            self._left = self._hold + 1
        else:
            self._left = max(0, self._left - 1)
        return 1.0 if self._left else 0.0
