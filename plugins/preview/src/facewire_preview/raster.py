"""Draw triangles: which one is seen at each pixel, and where in it.

A z-buffer over all fragments at once: each triangle is cut into rows of pixels, and the nearest
fragment of a pixel wins. No loop runs over triangles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_OVERLAP = 1e-3  # pixels that neighbours share, so that rounding leaves no crack between them
_CHUNK = 1 << 21  # fragments at a time: bounds memory when a triangle covers the picture


def rasterize(
    screen: Floats, triangles: Ints, double_sided: NDArray[np.bool_], width: int, height: int
) -> tuple[Ints, Ints, Floats]:
    """Return pixels (n,) that are covered, their triangle (n,) and barycentric weights (n, 3).

    ``screen`` (v, 3) is x to the right, y down and depth, in pixels; front faces turn clockwise on
    the screen (counter-clockwise with y up). Pixels are row * width + column, ascending.
    """
    corners = screen[triangles]  # (t, 3, 3)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low = np.maximum(np.ceil(corners[..., :2].min(1) - 0.5), 0)
    high = np.minimum(np.floor(corners[..., :2].max(1) - 0.5), [width - 1, height - 1])
    seen = (area < -1e-8) | (double_sided & (area > 1e-8))
    kept = np.flatnonzero(seen & (high >= low).all(axis=1)).astype(np.int32)
    low, high = low[kept].astype(np.int32), high[kept].astype(np.int32)
    planes = _planes(a[kept], b[kept], c[kept], area[kept])  # (k, 3, 3)
    size = high - low + 1
    depth = np.full(width * height, np.inf, np.float32)
    owner = np.full(width * height, -1, np.int32)
    ends = np.cumsum(size[:, 0].astype(np.int64) * size[:, 1])
    first = 0
    while first < len(kept):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _CHUNK, "right")))
        part = slice(first, last)
        _draw(depth, owner, low[part], size[part], planes[part], first, width)
        first = last
    pixels = np.flatnonzero(owner >= 0).astype(np.int32)
    which = owner[pixels]
    return pixels, kept[which], _weights(planes[which], pixels % width, pixels // width)


def _planes(a: Floats, b: Floats, c: Floats, area: Floats) -> Floats:
    """Return the first two weights and the depth as planes over the screen: (k, 3, 3)."""
    scale = 1 / area
    u = np.stack([(b[:, 1] - c[:, 1]) * scale, (c[:, 0] - b[:, 0]) * scale], 1)
    v = np.stack([(c[:, 1] - a[:, 1]) * scale, (a[:, 0] - c[:, 0]) * scale], 1)
    slope = u * (a - c)[:, 2:] + v * (b - c)[:, 2:]
    planes = np.zeros((len(a), 3, 3), np.float32)
    for row, (gradient, at_c) in enumerate([(u, 0.0), (v, 0.0), (slope, c[:, 2])]):
        planes[:, row, :2] = gradient
        # at pixel centres, so half a pixel is taken off once
        planes[:, row, 2] = at_c - (gradient * (c[:, :2] - 0.5)).sum(1)
    return planes


def _draw(
    depth: Floats, owner: Ints, low: Ints, size: Ints, planes: Floats, first: int, width: int
) -> None:
    """Draw triangles by their rows: where a row enters and leaves one is solved, not searched."""
    triangle = np.repeat(np.arange(len(low), dtype=np.int32), size[:, 1])
    y = low[triangle, 1] + _steps(size[:, 1], triangle)
    begin = low[triangle, 0].astype(np.float32)
    end = begin + size[triangle, 0] - 1
    slope = planes[triangle]  # (r, 3, 3)
    # u, v and depth at x = 0
    at_zero = slope[:, :, 1] * y.astype(np.float32)[:, None] + slope[:, :, 2]
    u, v = slope[:, 0, 0], slope[:, 1, 0]
    empty = np.zeros(len(y), bool)
    edges = ((u, at_zero[:, 0]), (v, at_zero[:, 1]), (-u - v, 1 - at_zero[:, 0] - at_zero[:, 1]))
    for gradient, value in edges:  # inside where gradient * x + value >= 0
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            bound = -value / gradient
        begin = np.where(gradient > 0, np.maximum(begin, np.ceil(bound - _OVERLAP)), begin)
        end = np.where(gradient < 0, np.minimum(end, np.floor(bound + _OVERLAP)), end)
        empty |= (gradient == 0) & (value < 0)
    counts = np.where(empty, 0, np.maximum(end - begin + 1, 0)).astype(np.int32)
    row = np.repeat(np.arange(len(y), dtype=np.int32), counts)
    x = begin.astype(np.int32)[row] + _steps(counts, row)
    pixel = (y * width)[row] + x
    z = slope[row, 2, 0] * x.astype(np.float32) + at_zero[row, 2]
    np.minimum.at(depth, pixel, z)
    nearest = np.flatnonzero(z == depth[pixel])
    owner[pixel[nearest]] = triangle[row[nearest]] + first


def _steps(counts: Ints, group: Ints) -> Ints:
    """Return 0, 1, 2 … within each group, of which there are ``counts``."""
    begin = np.cumsum(counts, dtype=np.int32) - counts
    return np.asarray(np.arange(len(group), dtype=np.int32) - begin[group], np.int32)


def _weights(planes: Floats, x: Ints, y: Ints) -> Floats:
    fx, fy = x.astype(np.float32)[:, None], y.astype(np.float32)[:, None]
    both = planes[:, :2, 0] * fx + planes[:, :2, 1] * fy + planes[:, :2, 2]
    return np.concatenate([both, 1 - both.sum(1, keepdims=True)], axis=1).astype(np.float32)
