"""Filters of curves without delay: bands of motion, velocity, one curve at another's times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BAND = (2.0, 8.0)
"""Hz: the rates of syllables and of the movements within them."""
JITTER = 12.0
"""Hz: faster than any movement of speech."""
ORDER = 4
"""Of the Butterworth filter, which runs forwards and backwards."""
PADDING = 1.0
"""Seconds of a curve mirrored through its ends before it is filtered."""


def curve(values: NDArray[np.floating]) -> Array:
    """Return a curve (n,) as float64; ValueError if it is not finite or not one-dimensional."""
    made = np.asarray(values, np.float64)
    if made.ndim != 1 or not np.isfinite(made).all():
        raise ValueError(f"expected a curve (n,) of finite numbers, found {made.shape}")
    return made


def band_pass(values: NDArray[np.floating], fps: float, band: tuple[float, float] = BAND) -> Array:
    """Return what of a curve (n,) lies between two rates in Hz, without delay.

    The squared gain of a Butterworth filter of order 4, as running it forwards and backwards has.
    """
    low, high = band

    def gain(f: Array) -> Array:
        away = (f**2 - low * high) / np.maximum(f, 1e-9) / (high - low)
        return np.asarray(1 / (1 + away ** (2 * ORDER)))

    return _filtered(curve(values), fps, gain)


def above(values: NDArray[np.floating], fps: float, rate: float = JITTER) -> Array:
    """Return what of a curve (n,) is faster than ``rate`` Hz; the filter is that of a band."""
    ratio = 2 * ORDER
    return _filtered(curve(values), fps, lambda f: np.asarray(f**ratio / (f**ratio + rate**ratio)))


def below(values: NDArray[np.floating], fps: float, rate: float) -> Array:
    """Return what of a curve (n,) is slower than ``rate`` Hz."""
    return curve(values) - above(values, fps, rate)


def _filtered(values: Array, fps: float, gain: Callable[[Array], Array]) -> Array:
    if len(values) < 2:
        return np.zeros_like(values)
    pad = min(len(values) - 1, round(PADDING * fps))
    before = 2 * values[0] - values[pad:0:-1]
    after = 2 * values[-1] - values[-2 : -2 - pad : -1]
    whole = np.concatenate([before, values, after])
    rates = np.asarray(np.fft.rfftfreq(len(whole), 1 / fps), np.float64)
    return np.asarray(np.fft.irfft(np.fft.rfft(whole) * gain(rates), len(whole)))[pad:][
        : len(values)
    ]


def velocity(values: NDArray[np.floating], fps: float) -> Array:
    """Return how fast a curve (n,) moves, a second: central differences."""
    made = curve(values)
    return np.asarray(np.gradient(made) * fps) if len(made) > 1 else np.zeros_like(made)


def sampled(values: NDArray[np.floating], fps: float, rows: int, at: float) -> Array:
    """Return values (n, …) at ``fps`` as ``rows`` rows at ``at`` frames a second, interpolated.

    Beyond the last row it is held. Only for comparing with a curve at that rate: never measure
    jitter on it.
    """
    made = np.asarray(values, np.float64)
    times = np.minimum(np.arange(rows) * (fps / at), max(len(made) - 1, 0))
    low = times.astype(int)
    high = np.minimum(low + 1, max(len(made) - 1, 0))
    share = (times - low).reshape(-1, *[1] * (made.ndim - 1))
    return np.asarray(made[low] * (1 - share) + made[high] * share)
