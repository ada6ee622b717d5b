"""What an emotion adds to frames: the whole expression, or the overlay of eyes and brows."""

from __future__ import annotations

from typing import Literal

import numpy as np
from facewire.rig import Rig
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.compiler import Compiler
from facewire_v3.eyes import LOOK_DOWN, SQUINT, settle_lids
from facewire_v3.groups import EXPRESSION
from facewire_v3.overlay import Overlay
from facewire_v3.presets import FULL_LOOK
from facewire_v3.tables import RIG, SIDES
from facewire_v3.timeline import BROWS, FAMILY, GAZE, MAIN, POSE, VAD, WEIGHTS

Doubles = NDArray[np.float64]
Draw = Literal["expression", "overlay"]
HEAD_LIMIT, EYE_LIMIT = np.radians(30.0), np.radians(35.0)
"""How far emotion, gaze and head together may turn head and eyes, radians."""
NOTHING = 1e-6
"""Less than this on a channel is what rounding leaves."""
FELT = 0.1
"""From so much of a channel on, the lids are held within what a lid can do."""
UPPER_FACE = RIG.indices(*EXPRESSION)
_BROWS = RIG.indices(*(channel for channel in RIG.channels if channel.startswith("brow")))
_LOOKS = RIG.indices(*(channel for channel in RIG.channels if channel.startswith("eyeLook")))
# The look channels of a positive yaw (to the subject's right) and pitch (down), then of the others.
_SIDES = (
    ("InLeft", "OutRight"),
    ("DownLeft", "DownRight"),
    ("OutLeft", "InRight"),
    ("UpLeft", "UpRight"),
)
_BLINKS = RIG.indices(*(f"eyeBlink{side}" for side in SIDES))
_LIDS = np.zeros((len(RIG), 2), np.float32)
for _i, _side in enumerate(SIDES):
    _LIDS[RIG.index(f"eyeBlink{_side}"), _i] = 1.0
    _LIDS[RIG.index(f"eyeLookDown{_side}"), _i] = LOOK_DOWN
    _LIDS[RIG.index(f"eyeSquint{_side}"), _i] = SQUINT
_BLIND = np.ones(len(RIG), np.float32)
_BLIND[_LOOKS] = 0.0
_TOWARDS = np.zeros((2, len(RIG)))  # radians to look channels, negative where they would close
for _i, _names in enumerate(_SIDES):
    _pair = RIG.indices(*(f"eyeLook{_name}" for _name in _names))
    _TOWARDS[_i % 2, _pair] = (1 - _i // 2 * 2) / FULL_LOOK


class Painter:
    """Draws rows of the timeline (n, 75), VAD at strength, as what they add to 52 channels."""

    def __init__(self, draw: Draw, mode: str) -> None:
        self._compiler = Compiler(mode)
        self._overlay = Overlay() if draw == "overlay" else None

    def feeling(self, weights: FloatArray, vad: FloatArray) -> FloatArray:
        """Return faces and heads (n, 55) of weights (n, 16) and VAD (n, 3)."""
        full = self._compiler.full(weights, vad)
        if self._overlay is not None:
            full[:, : len(RIG)] = self._overlay(vad, weights)
        return full

    def faces(self, rows: Doubles) -> FloatArray:
        """Return faces (n, 52); brows go their own way, and eyes point where gaze does."""
        faces = self._paint(rows[:, MAIN])
        if (rows[:, MAIN] != rows[:, BROWS]).any():
            faces[:, _BROWS] = self._paint(rows[:, BROWS])[:, _BROWS]
        return looks(faces, rows[:, GAZE])

    def _paint(self, rows: Doubles) -> FloatArray:
        vad = rows[:, VAD].astype(np.float32)
        if self._overlay is not None:
            faces = self._overlay(vad, rows[:, WEIGHTS].astype(np.float32))
        else:
            faces = self._compiler.rows(rows[:, FAMILY].astype(np.float32), vad)
        faces[faces < NOTHING] = 0.0  # neutral leaves frames as they are, bit for bit
        return faces


class Pose:
    """Turns head and eyes in a rig; what the rig lacks is left out."""

    def __init__(self, rig: Rig) -> None:
        parts = [
            (("headYaw", "headPitch", "headRoll"), 0, HEAD_LIMIT),
            (("leftEyeYaw", "leftEyePitch"), 3, EYE_LIMIT),
            (("rightEyeYaw", "rightEyePitch"), 3, EYE_LIMIT),
        ]
        found = [
            (rig.index(name), first + i, limit)
            for names, first, limit in parts
            if all(name in rig for name in names)
            for i, name in enumerate(names)
        ]
        columns = [column for column, _, _ in found] or [0]
        self._span = slice(min(columns), max(columns) + 1)
        width = self._span.stop - self._span.start
        self._share, self._limits = np.zeros((5, width)), np.full(width, np.inf)
        for column, axis, limit in found:
            self._share[axis, column - self._span.start] = 1.0
            self._limits[column - self._span.start] = limit

    def turn(self, values: FloatArray, rows: Doubles) -> None:
        """Add the head and eye rotations of rows (n, 75) to values (n, channels), in place."""
        before = values[:, self._span]
        reach = np.maximum(np.abs(before), self._limits)  # what is beyond already stays there
        after = np.minimum(before + rows[:, POSE] @ self._share, reach)
        np.maximum(after, -reach, out=after)
        values[:, self._span] = after


def looks(faces: FloatArray, gaze: Doubles) -> FloatArray:
    """Return faces (n, 52) whose look channels show a gaze (n, 2), yaw and pitch in radians."""
    shares = np.maximum(gaze @ _TOWARDS, 0.0)
    out: FloatArray = faces * _BLIND
    out += shares
    return out


def hold_lids(faces: FloatArray, added: FloatArray) -> None:
    """Hold lids of faces (n, 52) within what a lid can do, as far as anything was ``added``."""
    if not faces[:, _BLINKS].any() and lowest(faces) <= 1.0:
        return
    much = np.minimum(added[:, UPPER_FACE].max(axis=1, keepdims=True) / FELT, 1.0)
    settled = faces.copy()
    settle_lids(settled, RIG)
    faces += much * (settled - faces)


def lowest(faces: FloatArray) -> float:
    """Return how far any lid of faces (n, 52) is lowered: 1 is shut."""
    return float((faces @ _LIDS).max())
