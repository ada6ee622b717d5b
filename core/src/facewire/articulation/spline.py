"""The minimum-acceleration spline through weighted targets, within bounds, from a given start."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FIRM = 2e3
"""Weight of a bound that is touched, against 1 of a phone's target: off by less than .001."""
ROUNDS = 12


@cache
def _acceleration(count: int) -> tuple[Array, Array]:
    """Return DᵀD (n, n) and Dᵀ(past terms) (n, 2) of the second difference D, two rows given.

    Row i of D is x[i-2] - 2 x[i-1] + x[i]; x[-2] and x[-1] are given.
    """
    d = np.eye(count) - 2 * np.eye(count, k=-1) + np.eye(count, k=-2)
    past = np.zeros((count, 2))  # columns: x[-2], x[-1]
    past[0] = 1, -2
    if count > 1:
        past[1, 1] = 1
    return d.T @ d, d.T @ past


def spline(weight: Array, pull: Array, stiffness: Array, past: Array) -> Array:
    """Return curves (c, n) that minimise stiffness |x''|² + Σ weight (x - target)².

    ``weight`` and ``pull`` = weight x target are (c, n); ``past`` (c, 2) are the two rows before.
    """
    bend, start = _acceleration(weight.shape[1])
    system = stiffness[:, None, None] * bend  # (c, n, n)
    rows = np.arange(weight.shape[1])
    system[:, rows, rows] += weight
    right = pull - stiffness[:, None] * (past @ start.T)
    return np.asarray(np.linalg.solve(system, right[:, :, None])[:, :, 0], np.float64)


def bounded(
    weight: Array, pull: Array, stiffness: Array, past: Array, low: Array, high: Array
) -> Array:
    """Return the curves (c, n) of ``spline`` within bounds (c, n), which may be infinite.

    An active-set method: a row beyond a bound is held there, and let go when it would come back.
    """
    held = np.zeros(weight.shape, np.int8)
    for _ in range(ROUNDS):
        wall = np.where(held < 0, low, np.where(held > 0, high, 0.0))
        grip = FIRM * (held != 0)
        curves = spline(weight + grip, pull + grip * wall, stiffness, past)
        beyond = np.where(curves < low, -1, np.where(curves > high, 1, 0)).astype(np.int8)
        if np.array_equal(beyond, held):
            break
        held = beyond
    return curves
