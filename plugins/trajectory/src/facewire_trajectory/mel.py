"""Log-mel features of 24 kHz audio at exactly 60 rows a second, in a stream."""

from __future__ import annotations

from functools import cache

import numpy as np
from facewire.types import FloatArray
from numpy.typing import NDArray

RATE = 24000
HOP = 400
WINDOW = 800
BEFORE = 200
"""Row k is of the samples [400 k - 200, 400 k + 600): it is known 600 samples after it begins."""
BANDS = 64
LOW, HIGH = 50.0, 7600.0
FLOOR = 1e-6
"""Added to the power, which is 1 in each bin for white noise of variance 1."""
_FFT = 1024
_ROWS = 1024  # rows at a time: 13 MB
# Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz, then 27 bands for a factor of 6.4.
_LINEAR, _KNEE, _STEP = 200.0 / 3.0, 1000.0, np.log(6.4) / 27.0


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE / _LINEAR
    above = knee + np.log(np.maximum(hertz, _KNEE) / _KNEE) / _STEP
    return np.where(hertz < _KNEE, hertz / _LINEAR, above)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE / _LINEAR
    return np.where(mel < knee, mel * _LINEAR, _KNEE * np.exp(_STEP * (mel - knee)))


@cache
def filters() -> NDArray[np.float64]:
    """Return the triangles (513, 64): mean power of a band's bins is spectrum @ filters."""
    low, high = _mel(np.array([LOW, HIGH])).tolist()
    edges = _hertz(np.linspace(low, high, BANDS + 2))
    bins = np.arange(_FFT // 2 + 1)[:, None] * (RATE / _FFT)
    # A low band is narrower than a bin: no side of a triangle is.
    left = np.minimum(edges[:-2], edges[1:-1] - RATE / _FFT)
    right = np.maximum(edges[2:], edges[1:-1] + RATE / _FFT)
    up = (bins - left) / (edges[1:-1] - left)
    down = (right - bins) / (right - edges[1:-1])
    shape = np.maximum(np.minimum(up, down), 0.0)
    made: NDArray[np.float64] = shape / shape.sum(axis=0)
    made.flags.writeable = False
    return made


@cache
def _hann() -> NDArray[np.float64]:
    """Return the window (800,), scaled so that white noise keeps its variance in each bin."""
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)
    return np.asarray(window / np.sqrt((window * window).sum()), np.float64)


def _rows(windows: FloatArray) -> FloatArray:
    """Return values (n, 64) of windows (n, 800)."""
    spectrum = np.fft.rfft(windows * _hann(), _FFT)  # (n, 513)
    power = spectrum.real**2 + spectrum.imag**2
    # Row by row: small products are not worth BLAS's threads, which cost ten times as much here.
    bands: NDArray[np.float64] = np.matmul(power[:, None, :], filters())[:, 0]
    return np.log(bands + FLOOR).astype(np.float32)


class Mel:
    """Log-mel rows of a stream, (n, 64) float32: log(power + 1e-6), -13.8 in silence.

    Before the stream is silence, and after it. A row comes out once its window is complete.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._held = np.zeros(BEFORE, np.float32)  # from the window of the next row
        self._samples = self._row = 0

    def push(self, samples: FloatArray) -> FloatArray:
        """Take samples (n,) at 24 kHz; return the rows (m, 64) that are complete."""
        # Finite input gives finite output: no recording exceeds 1 by more than a factor of 1000.
        clean = np.clip(np.nan_to_num(samples), -1e3, 1e3).astype(np.float32)
        self._held = np.concatenate([self._held, clean])
        self._samples += len(samples)
        return self._take(max(0, (len(self._held) - WINDOW) // HOP + 1))

    def flush(self) -> FloatArray:
        """Return the remaining rows: one for every 400 samples that were begun."""
        count = -(-self._samples // HOP) - self._row
        self._held = np.concatenate([self._held, np.zeros(WINDOW, np.float32)])
        return self._take(count)

    def _take(self, count: int) -> FloatArray:
        parts = [np.zeros((0, BANDS), np.float32)]
        if count:
            windows = np.lib.stride_tricks.sliding_window_view(self._held, WINDOW)[::HOP][:count]
            parts += [_rows(windows[i : i + _ROWS]) for i in range(0, count, _ROWS)]
        self._held, self._row = self._held[count * HOP :], self._row + count
        return np.concatenate(parts)


def log_mel(samples: FloatArray) -> FloatArray:
    """Return the rows (ceil(n / 400), 64) of a whole recording (n,) at 24 kHz."""
    mel = Mel()
    return np.concatenate([mel.push(samples), mel.flush()])
