"""The parts of the head that the base mesh lacks: eyes, brows, a closed neck, and colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

IRIS, PUPIL, LIMBUS = 0.44, 0.17, 0.50  # radians from the eye's axis (iris: 12 mm of a 25 mm ball)
_SEGMENTS = 28


def triangulated(quads: Index) -> Index:
    """Return the triangles (2q, 3) of quads (q, 4)."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def smooth_normals(positions: Array, triangles: Index, weld: Index | None = None) -> Array:
    """Return unit normals (v, 3): the mean of the faces around, each weighted by its area."""
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    owner = triangles if weld is None else weld[triangles]
    total = np.zeros_like(positions)
    for corner in range(3):
        np.add.at(total, owner[:, corner], faces)
    if weld is not None:
        total = total[weld]
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12))


def sphere(points: Array) -> tuple[Array, float]:
    """Fit a sphere to points (n, 3) by least squares; return its centre and radius."""
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    x, *_ = np.linalg.lstsq(system, (points**2).sum(1), rcond=None)
    return x[:3], float(np.sqrt(x[3] + x[:3] @ x[:3]))


def eye(radius: float, iris: Array) -> tuple[Array, Index, Array]:
    """Return an eyeball around the origin that looks along +z: positions, triangles, colours.

    Rings lie where the colours change, so that pupil, iris and white have sharp edges.
    """
    white, rim, dark = np.array([0.78, 0.76, 0.73]), iris * 0.22, np.full(3, 0.004)
    rings = [  # angle from the axis, colour
        (0.0, dark), (PUPIL * 0.6, dark), (PUPIL, dark), (PUPIL + 0.015, iris * 0.55),
        (0.5 * (PUPIL + IRIS), iris * 1.15), (IRIS * 0.9, iris * 0.85), (IRIS, rim),
        (IRIS + 0.03, rim * 1.4), (LIMBUS, white * 0.8), (LIMBUS + 0.1, white), (0.8, white),
        (1.1, white * [0.97, 0.93, 0.91]), (1.5, white * [0.92, 0.8, 0.77]),
        (2.0, white * 0.7), (2.5, white * 0.7), (np.pi, white * 0.7),
    ]  # fmt: skip
    turn = np.linspace(0, 2 * np.pi, _SEGMENTS, endpoint=False)
    positions, colors = [], []
    for angle, color in rings:
        # the cornea is a little steeper than the ball: 8 mm against 12 mm of radius
        bulge = 1 + 0.045 * max(0.0, 1 - (angle / LIMBUS) ** 2)
        ring = np.stack([np.cos(turn), np.sin(turn), np.zeros_like(turn)], 1) * np.sin(angle)
        ring[:, 2] = np.cos(angle)
        positions.append(ring * radius * bulge)
        colors.append(np.tile(color, (_SEGMENTS, 1)))
    return np.concatenate(positions), _tube(len(rings), _SEGMENTS), np.concatenate(colors)


def _tube(rings: int, segments: int) -> Index:
    i = np.arange(rings - 1)[:, None] * segments
    j, k = np.arange(segments), (np.arange(segments) + 1) % segments
    quads = np.stack([i + j, i + segments + j, i + segments + k, i + k], -1).reshape(-1, 4)
    return triangulated(quads)


def refine(
    positions: Array, normals: Array, quads: Index, chosen: NDArray[np.bool_]
) -> tuple[Index, Array, Index]:
    """Cut the chosen quads in four, their new vertices bulged out so that outlines are round.

    Returns the parents (m, 4) of the new vertices, where these lie (m, 3), and all triangles. The
    bulge is Phong tessellation (Boubekeur and Alexa, 2008): points are drawn to the tangent planes
    of the corners around.
    """
    corners = quads[chosen]
    sides = np.concatenate([corners[:, [k, (k + 1) % 4]] for k in range(4)])
    edges = np.unique(np.sort(sides, axis=1), axis=0)
    middle = {(int(a), int(b)): len(positions) + k for k, (a, b) in enumerate(edges)}
    parents = np.concatenate([edges[:, [0, 1, 0, 1]], corners])
    flat = positions[parents].mean(1)
    away = np.einsum("mkd,mkd->mk", flat[:, None] - positions[parents], normals[parents])
    bulged = flat - 0.75 * (away[..., None] * normals[parents]).mean(1)

    def rim(quad: Index) -> list[int]:
        """Return the quad's corners with the new vertices between them."""
        out = []
        for a, b in zip(quad, np.roll(quad, -1), strict=True):
            out.append(int(a))
            between = middle.get((int(min(a, b)), int(max(a, b))))
            out += [] if between is None else [between]
        return out

    triangles = []
    centre = len(positions) + len(edges)
    for quad, cut in zip(quads, chosen, strict=True):
        around = rim(quad)
        if cut:
            triangles += [[around[k], around[k - 7], centre] for k in range(8)]
            centre += 1
        else:
            triangles += [[around[0], around[k], around[k + 1]] for k in range(1, len(around) - 1)]
    return parents, bulged, np.array(triangles)


class Surface:
    """The front of a mesh, to lay things on: found along z, followed by barycentric weights."""

    def __init__(self, positions: Array, triangles: Index) -> None:
        self._positions, self._triangles = positions, triangles

    def find(self, points: Array) -> tuple[Index, Array]:
        """Return the vertices (n, 3) and weights (n, 3) under points (n, 2) seen from +z."""
        corners = self._positions[self._triangles]  # (t, 3, 3)
        a, b, c = (corners[:, k] for k in range(3))
        area = _cross(b - a, c - a)
        facing = area > 1e-9
        vertices = np.zeros((len(points), 3), int)
        weights = np.zeros((len(points), 3))
        for row, point in enumerate(points):
            with np.errstate(divide="ignore", invalid="ignore"):
                u = _cross(c - b, point - b[:, :2]) / area
                v = _cross(a - c, point - c[:, :2]) / area
            w = 1 - u - v
            inside = facing & (u > -1e-9) & (v > -1e-9) & (w > -1e-9)
            depth = np.where(inside, u * a[:, 2] + v * b[:, 2] + w * c[:, 2], -np.inf)
            best = int(np.argmax(depth))
            vertices[row] = self._triangles[best]
            weights[row] = u[best], v[best], w[best]
        return vertices, weights


def _cross(one: Array, other: Array) -> Array:
    return np.asarray(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0])


def brow(line: Array, thickness: Array, columns: int, rows: int) -> tuple[Array, Array, Index]:
    """Return a brow's grid in the x-y plane: points (n, 2), how dark each is (n,), triangles.

    ``line`` (k, 2) runs from the nose outwards, ``thickness`` (k,) is its height there.
    """
    along = np.linspace(0, 1, columns)
    knots = np.linspace(0, 1, len(line))
    curve = np.stack([_smooth(along, knots, line[:, k]) for k in range(2)], 1)
    height = _smooth(along, knots, thickness)
    across = np.linspace(-0.5, 0.5, rows)
    tangent = np.gradient(curve, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    normal *= np.sign(normal[:, 1:])
    points = curve[None] + (across[:, None] * height)[..., None] * normal[None]  # (rows, cols, 2)
    soft = np.clip(1.35 * (1 - (2 * np.abs(across)) ** 2.2), 0, 1)[:, None]
    ends = np.clip(np.minimum(along / 0.16, (1 - along) / 0.2), 0, 1) ** 0.7
    dark = np.broadcast_to(soft * ends, (rows, columns))
    i = np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)
    quads = np.stack([i, i + 1, i + columns + 1, i + columns], -1).reshape(-1, 4)
    return points.reshape(-1, 2), dark.reshape(-1).copy(), triangulated(quads)


def _smooth(at: Array, knots: Array, values: Array) -> Array:
    # a cubic through the knots would overshoot at the tail; a parabola fits a brow
    return np.asarray(np.polyval(np.polyfit(knots, values, min(3, len(knots) - 1)), at))
