"""The autocorrelation half of the features: 187 lags of each column of samples."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from facewire_neurosync.mel import SIZE, Array

LAGS = 187
# room for 1470 samples and 187 lags without wrapping around (1657), and a product of small primes
_ROOM = 1728
SILENT = 1e-7


@cache
def _window() -> Array:
    return np.hanning(SIZE)


def autocorrelation(frames: NDArray[np.float32]) -> Array:
    """Return lags 1 to 187 over lag 0, (n, 187), of windows of samples (n, 1470).

    The mean is taken off in single precision, as the published pipeline does. A window without
    energy gives zeros.
    """
    centred = frames - frames.mean(axis=1, keepdims=True, dtype=np.float32)
    spectrum = np.fft.rfft(centred * _window(), _ROOM, axis=1)  # (n, 865)
    power = spectrum.real**2 + spectrum.imag**2
    lags = np.fft.irfft(power, _ROOM, axis=1)[:, : LAGS + 1]
    energy = lags[:, :1]
    return np.asarray(lags[:, 1:] / np.where(energy > 0, energy, 1))


def mend_edges(columns: Array, first: bool, last: bool) -> None:
    """Give a silent first or last column its neighbour's values, in place."""
    if first and len(columns) > 1 and np.all(np.abs(columns[0]) < SILENT):
        columns[0] = columns[1]
    if last and len(columns) > 1 and np.all(np.abs(columns[-1]) < SILENT):
        columns[-1] = columns[-2]
