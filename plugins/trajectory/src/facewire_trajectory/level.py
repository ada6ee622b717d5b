"""The running gain that brings every recording to one level, known from what has been heard."""

from __future__ import annotations

import math

import numpy as np
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_trajectory.mel import FLOOR

Doubles = NDArray[np.float64]
FPS = 60
USUAL = -5.0
"""Level of ordinary speech: log of the mean power of the bands, over rows that are not pauses."""
PRIOR = 60.0
"""Rows of ordinary speech that are taken to have been heard before the first."""
MEMORY = 12.0 * FPS
"""Rows after which what was heard counts 1/e."""
RISE = 0.5 / FPS
"""How fast the estimate of the background rises, a row (nepers of power); it falls at once."""
ABOVE, FULL = 1.5, 4.5
"""A row counts from so far above the background on, and fully from there on."""
RANGE = (-5.0, 6.0)
"""Bounds of the gain: -22 dB to 26 dB."""
QUIET = 1e-5
"""Added to the normalised power: what is further below speech than this is silence."""
CENTRE, SPREAD = -6.0, 3.0
"""What is taken off the logarithm and what it is divided by, so that values are about -2 to 2."""
SILENCE = (math.log(QUIET) - CENTRE) / SPREAD
"""The value of a band of digital silence."""


class Level:
    """Follows the speech level of ``count`` streams and gives their rows at one level.

    A background is followed from below; rows well above it are speech (steady noise never is).
    Their mean level, with a prior and a memory of 12 s, is brought to ``USUAL``.
    """

    def __init__(self, count: int = 1) -> None:
        self._count = count
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._heard = [(math.inf, 0.0, 0.0)] * self._count  # background, sum of levels, of weights

    def push(self, rows: FloatArray) -> FloatArray:
        """Return log-mel rows (count, n, 64) at the usual level: (count, n, 64), -2 to 2."""
        power = np.maximum(np.exp(np.minimum(rows, 60.0)) - np.float32(FLOOR), 0.0)
        gains = self._gains(np.log(power.mean(axis=2) + FLOOR).astype(np.float64))
        scaled = power * np.exp(gains)[:, :, None].astype(np.float32)
        values = (np.log(scaled + np.float32(QUIET)) - np.float32(CENTRE)) / np.float32(SPREAD)
        return np.asarray(values, np.float32)

    def _gains(self, levels: Doubles) -> Doubles:
        """Return the gain (count, n) for levels (count, n), both in nepers of power."""
        gains = np.empty_like(levels)
        for i, row in enumerate(levels.tolist()):
            self._heard[i], gains[i] = _followed(*self._heard[i], row)
        return gains


def _followed(
    background: float, total: float, weight: float, levels: list[float]
) -> tuple[tuple[float, float, float], list[float]]:
    """Return what is known after a stream's next levels, and the gain at each of them."""
    gains, keep = [], math.exp(-1.0 / MEMORY)
    for level in levels:  # one number at a time is the live case: plain floats are fastest
        background = min(level, background + RISE)
        heard = min(max((level - background - ABOVE) / (FULL - ABOVE), 0.0), 1.0)
        total = keep * total + heard * level
        weight = keep * weight + heard
        mean = (PRIOR * USUAL + total) / (PRIOR + weight)
        gains.append(min(max(USUAL - mean, RANGE[0]), RANGE[1]))
    return (background, total, weight), gains
