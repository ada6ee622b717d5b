"""Head and eyes on bones or objects: yaw, pitch and roll as whatever rotation these use.

Yaw + is towards the subject's right, pitch + down, roll + right ear to right shoulder, in radians;
they turn about the vertical, then the ear axis, then the nose's (each as the one before left it).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
from mathutils import Euler, Matrix, Quaternion, Vector

from .clip import Clip
from .errors import AddonError
from .options import Turn

FULL_LOOK = math.radians(35.0)
"""An eyeLook channel of 1: the slope of eye rotation over look on captures is 0.61."""
_LOOK = {
    "leftEye": (("eyeLookInLeft", "eyeLookOutLeft"), ("eyeLookDownLeft", "eyeLookUpLeft")),
    "rightEye": (("eyeLookOutRight", "eyeLookInRight"), ("eyeLookDownRight", "eyeLookUpRight")),
}
_REST = "facewire_rest"
Angles = tuple[float, float, float]


@dataclass(frozen=True)
class Turned:
    """A part of the face ("head", "leftEye", "rightEye") and what turns with it."""

    part: str
    object: bpy.types.Object
    bone: str
    facing: str

    @property
    def owner(self) -> Any:
        """The object or pose bone whose rotation is keyed."""
        return self.object.pose.bones[self.bone] if self.bone else self.object

    @property
    def prefix(self) -> str:
        """The owner's data path, with a dot at its end."""
        if not self.bone:
            return ""
        return f'pose.bones["{bpy.utils.escape_identifier(self.bone)}"].'

    @property
    def path(self) -> str:
        """The data path of the rotation that the owner's mode uses."""
        return self.prefix + attribute(self.owner.rotation_mode)

    def rotation(self, angles: Angles) -> Quaternion:
        """Return the owner's own rotation for yaw, pitch and roll of the face."""
        turn = _facing(self.facing) @ _matrix(*angles) @ _facing(self.facing).transposed()
        if self.bone:
            rest = self.owner.bone.matrix_local.to_3x3().normalized()
            return (rest.transposed() @ turn @ rest).to_quaternion()
        rest = self.object.get(_REST)
        return turn.to_quaternion() @ (Quaternion(rest) if rest else current(self.object))

    def remember(self) -> None:
        """Keep an object's present rotation as its rest, once, so that bakes do not pile up."""
        if not self.bone and _REST not in self.object:
            self.object[_REST] = tuple(current(self.object))

    def forget(self) -> None:
        """Forget an object's rest."""
        if not self.bone and _REST in self.object:
            del self.object[_REST]


def find(turns: Mapping[str, Turn]) -> list[Turned]:
    """Return what turns; AddonError if an object or bone is not there or may not be turned."""
    found = []
    for part, turn in turns.items():
        obj = bpy.data.objects.get(turn.object)
        if obj is None:
            raise AddonError(f"{part}: there is no object '{turn.object}'; choose another")
        if turn.bone and (obj.pose is None or turn.bone not in obj.pose.bones):
            raise AddonError(f"{part}: '{obj.name}' has no bone '{turn.bone}'; choose another")
        turned = Turned(part, obj, turn.bone, turn.facing)
        if any(turned.owner.lock_rotation):
            name = turn.bone or obj.name
            raise AddonError(f"{part}: the rotation of '{name}' is locked; unlock it first")
        found.append(turned)
    return found


def attribute(mode: str) -> str:
    """Return the property that a rotation mode uses."""
    named = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
    return named.get(mode, "rotation_euler")


def angles(clip: Clip, part: str) -> Iterator[Angles]:
    """Yield yaw, pitch and roll of each row.

    An eye is turned by its rotations or by its eyeLook channels, whichever say more: a take may
    have either, or both.
    """
    zero = array("f", bytes(4 * len(clip)))

    def column(channel: str) -> Sequence[float]:
        return clip.column(channel) if channel in clip.channels else zero

    yaw, pitch, roll = (column(part + axis) for axis in ("Yaw", "Pitch", "Roll"))
    if part in _LOOK:
        (right, left), (down, up) = ((column(a), column(b)) for a, b in _LOOK[part])
        yaw = [_more(y, FULL_LOOK * (a - b)) for y, a, b in zip(yaw, right, left, strict=True)]
        pitch = [_more(p, FULL_LOOK * (a - b)) for p, a, b in zip(pitch, down, up, strict=True)]
    yield from zip(yaw, pitch, roll, strict=True)


def needed(part: str) -> set[str]:
    """Return the channels that turn a part."""
    look = {channel for pair in _LOOK.get(part, ()) for channel in pair}
    return {part + axis for axis in ("Yaw", "Pitch", "Roll")} | look


def columns(mode: str, rotations: Sequence[Quaternion]) -> list[array[float]]:
    """Return quaternions as columns of a rotation mode, without jumps from row to row."""
    rows: list[Sequence[float]] = []
    before: Any = None
    for rotation in rotations:
        made = rotation.copy()
        if mode == "QUATERNION":
            if before is not None:
                made.make_compatible(before)
            rows.append(tuple(made))
        elif mode == "AXIS_ANGLE":
            axis, angle = made.to_axis_angle()
            rows.append((angle, *axis))
        else:
            made = made.to_euler(mode, before) if before is not None else made.to_euler(mode)
            rows.append(tuple(made))
        before = made
    return [array("f", column) for column in zip(*rows, strict=True)]


def current(owner: Any) -> Quaternion:
    """Return the rotation that an object or pose bone has now."""
    if owner.rotation_mode == "QUATERNION":
        return owner.rotation_quaternion.normalized()
    if owner.rotation_mode == "AXIS_ANGLE":
        angle, *axis = owner.rotation_axis_angle
        return Quaternion(Vector(axis), angle)
    return owner.rotation_euler.to_quaternion()


def from_euler(rows: Sequence[Sequence[float]]) -> list[Quaternion]:
    """Return quaternions of XYZ angles, as a driver reads them of a bone."""
    return [Euler(row, "XYZ").to_quaternion() for row in rows]


def _more(one: float, other: float) -> float:
    return one if abs(one) >= abs(other) else other


def _matrix(yaw: float, pitch: float, roll: float) -> Matrix:
    """Return the turn of a face that looks along -Y with Z up, as Blender's characters do."""
    about_z = Matrix.Rotation(-yaw, 3, "Z")
    return about_z @ Matrix.Rotation(pitch, 3, "X") @ Matrix.Rotation(-roll, 3, "Y")


def _facing(axis: str) -> Matrix:
    """Return what turns a face that looks along -Y into one that looks along ``axis``."""
    sign = -1.0 if axis.startswith("-") else 1.0
    ahead = Vector([sign * (axis[-1] == name) for name in "XYZ"])
    up = Vector((0, 1, 0)) if axis[-1] == "Z" else Vector((0, 0, 1))
    return Matrix((up.cross(ahead), -ahead, up)).transposed()
