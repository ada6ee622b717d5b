"""Where head and eyes point, in the conventions of those who listen.

Facewire's angles are radians: yaw + towards the subject's right, pitch + down, roll + right ear to
right shoulder. Eyes are taken from the look channels, which every rig has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from facewire.errors import ProfileError, nearest
from facewire.rig import ROTATIONS, Rig
from facewire.types import FloatArray

from facewire_osc.wire import finite

RIG = Rig.named("arkit61")
FULL_LOOK = 0.61
"""Radians that an eye turns when a look channel goes from 0 to 1: the slope of eye rotation over
look channels in a real capture of the Live Link Face app (r = -0.9997)."""
_LARGEST = np.float32(1e30)
_EYES = {
    "leftEyeYaw": ("eyeLookInLeft", "eyeLookOutLeft"),
    "leftEyePitch": ("eyeLookDownLeft", "eyeLookUpLeft"),
    "rightEyeYaw": ("eyeLookOutRight", "eyeLookInRight"),
    "rightEyePitch": ("eyeLookDownRight", "eyeLookUpRight"),
}
_TO = RIG.indices(*_EYES)
_PLUS = RIG.indices(*(plus for plus, _ in _EYES.values()))
_MINUS = RIG.indices(*(minus for _, minus in _EYES.values()))
_PARTS = {
    part: RIG.indices(*(f"{part}{axis}" for axis in ("Yaw", "Pitch", "Roll")))
    for part in ("head", "leftEye", "rightEye")
}


@dataclass(frozen=True, slots=True)
class Angles:
    """A rotation in radians, with Facewire's signs."""

    yaw: float
    pitch: float
    roll: float

    def in_arkit(self) -> tuple[float, float, float]:
        """Return degrees about x, y, z of ARKit's face: x to the subject's left, y up, z forward.

        Right-handed (Apple, ARFaceAnchor), so yaw has the other sign.
        """
        return math.degrees(self.pitch), math.degrees(-self.yaw), math.degrees(self.roll)

    def in_unity(self) -> tuple[float, float, float, float]:
        """Return a quaternion x, y, z, w: Unity's axes, x to the subject's right, z forward.

        Left-handed; applied as Unity's Euler angles are: roll, then pitch, then yaw.
        """
        return _quaternion(self.pitch, self.yaw, -self.roll)

    def quaternion_in_arkit(self) -> tuple[float, float, float, float]:
        """Return a quaternion x, y, z, w in the axes of ``in_arkit``."""
        return _quaternion(self.pitch, -self.yaw, self.roll)


def _quaternion(
    about_x: float, about_y: float, about_z: float
) -> tuple[float, float, float, float]:
    """Return y * x * z: rotate about z first, about y last."""
    (sx, cx), (sy, cy), (sz, cz) = (
        (math.sin(angle / 2), math.cos(angle / 2)) for angle in (about_x, about_y, about_z)
    )
    return (
        cy * sx * cz + sy * cx * sz,
        sy * cx * cz - cy * sx * sz,
        cy * cx * sz - sy * sx * cz,
        cy * cx * cz + sy * sx * sz,
    )


def signs(where: str, flip: tuple[str, ...]) -> FloatArray:
    """Return (61,) factors: -1 for the rotations to flip. ProfileError where one is none."""
    for channel in flip:
        if channel not in ROTATIONS:
            known = ", ".join(c for c in RIG.channels if c in ROTATIONS)
            hint = nearest(channel, ROTATIONS)
            raise ProfileError(
                f"{where}: flip has '{channel}', expected rotations{hint} (known: {known})"
            )
    return np.array([-1 if channel in flip else 1 for channel in RIG.channels], np.float32)


def posed(values: FloatArray, signs: FloatArray) -> FloatArray:
    """Return a row (61,) with eye rotations from its look channels, flipped.

    NaN and infinity are 0, and nothing is so large that a sum of it would overflow.
    """
    row = np.clip(finite(values), -_LARGEST, _LARGEST)
    row[_TO] = FULL_LOOK * (row[_PLUS] - row[_MINUS])
    turned: FloatArray = row * signs
    return turned


def angles(row: FloatArray, part: str) -> Angles:
    """Return the rotation of ``head``, ``leftEye`` or ``rightEye`` in a row (61,)."""
    yaw, pitch, roll = (float(angle) for angle in row[_PARTS[part]])
    return Angles(yaw, pitch, roll)


def gaze(row: FloatArray) -> Angles:
    """Return where both eyes look, the mean of the two."""
    left, right = angles(row, "leftEye"), angles(row, "rightEye")
    return Angles((left.yaw + right.yaw) / 2, (left.pitch + right.pitch) / 2, 0.0)
