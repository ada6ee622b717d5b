"""Monotone cubic interpolation: between two values it stays between them, without overshoot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def _slopes(x: Doubles, y: Doubles) -> Doubles:
    """Return the slope at each knot (k, c); 0 where the values turn."""
    h = np.diff(x)[:, None]  # (k - 1, 1)
    d = np.diff(y, axis=0) / h  # (k - 1, c)
    # Inside: the harmonic mean of both sides, weighted by their widths.
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    turns = d[:-1] * d[1:] <= 0
    one, other = np.where(turns, 1.0, d[:-1]), np.where(turns, 1.0, d[1:])
    inside = np.where(turns, 0.0, (w1 + w2) / (w1 / one + w2 / other))
    first = _end(h[0], h[1], d[0], d[1])
    last = _end(h[-1], h[-2], d[-1], d[-2])
    return np.vstack([first, inside, last])


def _end(h0: Doubles, h1: Doubles, d0: Doubles, d1: Doubles) -> Doubles:
    """Return the slope at an end: the parabola's through three knots, kept monotone."""
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    slope = np.where(slope * d0 <= 0, 0.0, slope)
    steep = (d0 * d1 < 0) & (np.abs(slope) > 3 * np.abs(d0))
    return np.where(steep, 3 * d0, slope)


def coefficients(x: Doubles, y: Doubles) -> Doubles:
    """Return the cubics through y (k, c) at knots x (k,), k >= 3: (k - 1, 4, c).

    Segment i at x is ``c[0] + c[1] u + c[2] u^2 + c[3] u^3`` with u = x - x[i]. Fritsch and
    Carlson, Monotone piecewise cubic interpolation, 1980, with Fritsch and Butland's slopes, 1984.
    """
    h, m = np.diff(x)[:, None], _slopes(x, y)
    d = np.diff(y, axis=0) / h
    square = (3 * d - 2 * m[:-1] - m[1:]) / h
    cube = (m[:-1] + m[1:] - 2 * d) / h**2
    return np.stack([y[:-1], m[:-1], square, cube], axis=1)
