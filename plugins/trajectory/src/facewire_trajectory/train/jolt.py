"""Strong changes of log-mel rows while learning: voices, rooms, microphones, noise, losses."""

from __future__ import annotations

import numpy as np
from facewire.types import FloatArray

from facewire_trajectory.mel import BANDS, FLOOR

GAIN = 2.0
"""Deviation of a recording's gain, nepers of power (9 dB)."""
TILT, BUMP = 0.8, 0.4
"""Deviations of the spectrum's tilt and of its bumps, nepers of power."""
WARP = 3.0
"""Bands by which a spectrum is moved at most: 4 % of the scale, a longer or shorter vocal tract."""
NOISY, GAPPED = 0.3, 0.1
"""Shares of pieces with noise added, and with a few rows masked."""


def jolted(random: np.random.Generator, mel: FloatArray) -> FloatArray:
    """Return log-mel rows (b, n, 64), each piece changed in its own way."""
    power = np.maximum(np.exp(_warped(random, mel)) - FLOOR, 0.0)
    count = len(power)
    colour = GAIN * random.standard_normal((count, 1)) + _colours(random, count, TILT, BUMP)
    power *= np.exp(colour)[:, None]
    power += _noise(random, power)
    for piece in np.flatnonzero(random.random(count) < GAPPED):
        start, length = int(random.integers(power.shape[1])), int(random.integers(1, 5))
        power[piece, start : start + length] *= 1e-2
    out: FloatArray = np.log(power + FLOOR).astype(np.float32)
    return out


def _warped(random: np.random.Generator, mel: FloatArray) -> FloatArray:
    """Return rows whose bands are moved and stretched a little, piece by piece."""
    bands = np.arange(BANDS)
    out = np.empty_like(mel)
    for i, rows in enumerate(mel):
        low_end, high_end = random.uniform(-WARP, WARP, 2).tolist()
        at = np.clip(bands + np.linspace(low_end, high_end, BANDS), 0, BANDS - 1.001)
        low = at.astype(int)
        part = (at - low).astype(np.float32)
        out[i] = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    return out


def _colours(random: np.random.Generator, count: int, tilt: float, bump: float) -> FloatArray:
    """Return smooth spectra (count, 64), nepers of power."""
    x = np.linspace(-1, 1, BANDS)
    out = tilt * random.standard_normal((count, 1)) * x
    for k in range(2, 6):
        phase = random.uniform(0, 2 * np.pi, (count, 1))
        out += bump * random.standard_normal((count, 1)) / k * np.cos(k * x + phase) * 2
    return out.astype(np.float32)


def _noise(random: np.random.Generator, power: FloatArray) -> FloatArray:
    """Return steady noise (b, n, 64) for some of the pieces, 10 to 45 dB below the loud rows."""
    count, rows, _ = power.shape
    loud = np.percentile(power.mean(axis=2), 90, axis=1)  # (b,)
    below = np.exp(-random.uniform(2.3, 10.0, count)) * (random.random(count) < NOISY)
    spectrum = np.exp(_colours(random, count, 1.5, 1.0))
    flicker = random.gamma(6.0, 1.0 / 6.0, (count, rows, BANDS)).astype(np.float32)
    out: FloatArray = (loud * below)[:, None, None] * spectrum[:, None] * flicker
    return out.astype(np.float32)
