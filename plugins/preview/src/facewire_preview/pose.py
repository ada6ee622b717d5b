"""Move a head: channel values to vertices and normals.

Rotations are radians as in the Live Link Face packet: yaw + towards the subject's right, pitch +
down, roll + right ear to right shoulder. They turn about y, then x, then z (each about the axis
that the one before left).
"""

from __future__ import annotations

import numpy as np
from facewire.rig import Rig

from facewire_preview.head import Floats, Head, Turn

# An eyeLook channel of 1 is 35 degrees: the slope of eye rotation over look on captures is 0.61.
FULL_LOOK = float(np.radians(35.0))
# yaw (+ right), then pitch (+ down): the channels that turn an eye so, and those against
_LOOK = {
    "leftEye": (("eyeLookInLeft", "eyeLookOutLeft"), ("eyeLookDownLeft", "eyeLookUpLeft")),
    "rightEye": (("eyeLookOutRight", "eyeLookInRight"), ("eyeLookDownRight", "eyeLookUpRight")),
}
# Lids are modelled for less than eyes can turn; beyond it the iris is hidden on most heads.
_MOST_PITCH = float(np.radians(26.0))
_MOST = 10.0  # of a channel; beyond it the face is off the picture anyway


def matrix(yaw: float, pitch: float, roll: float) -> Floats:
    """Return the rotation (3, 3) of a face that looks along +z."""
    (sy, sp, sr), (cy, cp, cr) = np.sin([-yaw, pitch, roll]), np.cos([yaw, pitch, roll])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)


def angles(part: str, row: Floats, rig: Rig, look: bool) -> tuple[float, float, float]:
    """Return yaw, pitch and roll of head, leftEye or rightEye in one row of values (channels,).

    An eye is turned by its rotations or by its eyeLook channels, whichever say more: a take may
    have either, or both.
    """

    def value(channel: str) -> float:
        return float(row[rig.index(channel)]) if channel in rig else 0.0

    yaw, pitch, roll = (value(part + axis) for axis in ("Yaw", "Pitch", "Roll"))
    if look and part in _LOOK:
        across, down = (
            FULL_LOOK * (value(with_it) - value(against)) for with_it, against in _LOOK[part]
        )
        yaw = max(yaw, across, key=abs)
        pitch = max(pitch, down, key=abs)
    if part in _LOOK:
        pitch = min(max(pitch, -_MOST_PITCH), _MOST_PITCH)
    return yaw, pitch, roll


def posed(head: Head, row: Floats, rig: Rig) -> Floats:
    """Return the vertices (v, 3) of the head with one row of values (channels,)."""
    row = np.clip(np.nan_to_num(row, nan=0.0), -_MOST, _MOST)
    points = head.positions.copy()
    for channel, (at, moved) in head.morphs.items():
        if channel in rig:
            value = float(row[rig.index(channel)])
            if value:
                points[at] += np.float32(value) * moved
    for part in ("leftEye", "rightEye", "head"):
        turn = head.turns.get(part)
        if turn is not None:
            by = angles(part, row, rig, head.look)
            if any(by):
                _turn(points, turn, matrix(*by))
    return points


def _turn(points: Floats, turn: Turn, by: Floats) -> None:
    at = np.flatnonzero(turn.weights)
    there = points[at] - turn.pivot
    points[at] += turn.weights[at, None] * (there @ by.T - there)


def normals(head: Head, points: Floats) -> Floats:
    """Return unit normals (v, 3): the mean of the faces around, each weighted by its area."""
    corners = points[head.triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    owner = head.weld[head.triangles].T.ravel()
    total = np.stack(
        [np.bincount(owner, np.tile(faces[:, k], 3), len(points)) for k in range(3)], axis=1
    )[head.weld]
    length = np.sqrt((total**2).sum(1, keepdims=True))
    return np.asarray(total / np.maximum(length, 1e-20), np.float32)
