"""The pieces of a mel cepstrum: filter bank, cosine transform, decibels, smoothed derivatives.

They do what librosa 0.11 does with its defaults, which is what NeuroSync's features were made
with; librosa itself is the oracle in the tests.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATE = 88200
HOP = 735  # samples: 120 columns a second
SIZE = 1470  # samples of a column's window
BANDS = 128
COEFFICIENTS = 23
WIDTH = 9  # columns of a derivative's window
HALF = WIDTH // 2
FLOOR = 1e-10  # power, the least that is told apart at a peak of 1
RANGE = 80.0  # dB below the loudest band of the clip


def _hertz(mel: Array) -> Array:
    """Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz, 27 steps for a factor 6.4 above."""
    return np.where(mel < 15, mel * (200 / 3), 1000 * np.exp((mel - 15) * (np.log(6.4) / 27)))


@cache
def bank() -> Array:
    """Return the filter bank (bins, bands): triangles of equal area from 0 to 44.1 kHz."""
    top = 15 + np.log(RATE / 2 / 1000) / (np.log(6.4) / 27)
    edges = _hertz(np.linspace(0, top, BANDS + 2))
    bins = np.fft.rfftfreq(SIZE, 1 / RATE)[:, None]
    width = np.diff(edges)
    rise = (bins - edges[:-2]) / width[:-1]
    fall = (edges[2:] - bins) / width[1:]
    triangles = np.maximum(0, np.minimum(rise, fall)) * (2 / (edges[2:] - edges[:-2]))
    # librosa keeps its bank in single precision
    return triangles.astype(np.float32).astype(np.float64)


@cache
def window() -> Array:
    """Return the periodic Hann window (1470,)."""
    angle = 2 * np.pi * np.arange(SIZE) / SIZE
    return np.asarray(0.5 - 0.5 * np.cos(angle))


@cache
def cosines() -> Array:
    """Return the orthonormal DCT-II (128, 23)."""
    angle = np.pi / BANDS * (np.arange(BANDS)[:, None] + 0.5) * np.arange(COEFFICIENTS)
    scale = np.full(COEFFICIENTS, np.sqrt(2 / BANDS))
    scale[0] = np.sqrt(1 / BANDS)
    return np.asarray(np.cos(angle) * scale)


def decibels(frames: NDArray[np.float32], least: float = FLOOR) -> Array:
    """Return the mel power (n, 128) in dB, at least ``least``, of windows of samples (n, 1470).

    In double precision: in single the features differ by 2e-5 (NeuroSync spec, section 11).
    """
    spectrum = np.fft.rfft(frames * window(), axis=1)  # (n, 736)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(10 * np.log10(np.maximum(power @ bank(), least)))


@cache
def _fits() -> tuple[Array, Array]:
    """Return the least-squares fits (order + 1, 9) of a line and of a parabola."""
    at = np.arange(-HALF, HALF + 1)[:, None]
    line, parabola = (np.linalg.pinv(at ** np.arange(order + 1)) for order in (1, 2))
    return line, parabola


def derivatives(rows: Array) -> tuple[Array, Array]:
    """Return the first and second derivative of rows (n, c), each (n, c), n at least 9.

    Savitzky and Golay, 1964: a line, or a parabola, through the nine rows around each row; the
    first and the last four take the line or parabola of the first and last nine.
    """
    # the slope of a line, and the second derivative of a parabola, are the same everywhere on it
    slope, bend = (np.pad(part, ((HALF, HALF), (0, 0)), "edge") for part in inner_derivatives(rows))
    return slope, bend


def inner_derivatives(rows: Array) -> tuple[Array, Array]:
    """Return the derivatives of rows (n + 8, c), without the first and last four: (n, c) each."""
    line, parabola = _fits()
    return _weighted(rows, line[1]), _weighted(rows, 2 * parabola[2])


def _weighted(rows: Array, weights: Array) -> Array:
    n = len(rows) - WIDTH + 1
    out: Array = weights[0] * rows[:n]
    for i in range(1, WIDTH):
        out += weights[i] * rows[i : i + n]
    return out
