"""What an emotion adds to frames: the whole expression, or the overlay of eyes and brows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from facewire.rig import Rig
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.compiler import Compiler
from facewire_v3.eyes import settle_lids
from facewire_v3.groups import EXPRESSION, LIPSYNC, PAUSE, SHARED
from facewire_v3.overlay import Overlay
from facewire_v3.presets import FULL_LOOK
from facewire_v3.tables import RIG
from facewire_v3.timeline import BROWS, FAMILY, GAZE, HEAD, MAIN, VAD, WEIGHTS

Doubles = NDArray[np.float64]
Draw = Literal["expression", "overlay"]
HEAD_LIMIT, EYE_LIMIT = np.radians(30.0), np.radians(35.0)
"""How far emotion, gaze and head together may turn head and eyes, radians."""
NOTHING = 1e-6
"""Less than this on a channel is what rounding leaves."""
FELT = 0.1
"""From so much of a channel on, the lids are held within what a lid can do."""
LOWER = RIG.indices(*LIPSYNC, *SHARED)
LIPS, JOINT = RIG.indices(*LIPSYNC), RIG.indices(*SHARED)
SPEECH = np.setdiff1d(LIPS, RIG.indices(*PAUSE))
"""The columns that are speech's even in pauses; the jaw is while anybody might speak."""
JAW = RIG.index("jawOpen")
UPPER_FACE = RIG.indices(*EXPRESSION)
SNEER = RIG.indices("noseSneerLeft", "noseSneerRight")
_BROWS = RIG.indices(*(channel for channel in RIG.channels if channel.startswith("brow")))
_LOOKS = RIG.indices(*(channel for channel in RIG.channels if channel.startswith("eyeLook")))
# The look channels of a positive yaw (to the subject's right) and pitch (down), then of the others.
_SIDES = (
    ("InLeft", "OutRight"),
    ("DownLeft", "DownRight"),
    ("OutLeft", "InRight"),
    ("UpLeft", "UpRight"),
)
_TOWARDS = [RIG.indices(*(f"eyeLook{name}" for name in pair)) for pair in _SIDES]


@dataclass(slots=True)
class _Drawn:
    """The last row drawn: a held emotion is drawn once."""

    key: bytes = b""
    face: FloatArray | None = None


class Painter:
    """Draws rows of the timeline (n, 75), VAD at strength, as what they add to 52 channels."""

    def __init__(self, draw: Draw, mode: str) -> None:
        self._compiler = Compiler(mode)
        self._overlay = Overlay() if draw == "overlay" else None
        self._drawn, self._brows = _Drawn(), _Drawn()

    def feeling(self, weights: FloatArray, vad: FloatArray) -> FloatArray:
        """Return faces and heads (n, 55) of weights (n, 16) and VAD (n, 3)."""
        full = self._compiler.full(weights, vad)
        if self._overlay is not None:
            full[:, : len(RIG)] = self._overlay(vad, weights)
        return full

    def faces(self, rows: Doubles) -> FloatArray:
        """Return faces (n, 52); brows go their own way, and eyes point where gaze does."""
        faces = self._part(rows[:, MAIN], self._drawn)
        if not np.array_equal(rows[:, MAIN], rows[:, BROWS]):
            brows = self._part(rows[:, BROWS], self._brows)
            faces = faces.copy()
            faces[:, _BROWS] = brows[:, _BROWS]
        return faces

    def _part(self, rows: Doubles, drawn: _Drawn) -> FloatArray:
        key = rows[0].tobytes()
        if len(rows) == 1 or bool((rows[1:] == rows[0]).all()):
            if drawn.key != key or drawn.face is None:
                drawn.key, drawn.face = key, self._paint(rows[:1])
            return np.repeat(drawn.face, len(rows), axis=0) if len(rows) > 1 else drawn.face
        return self._paint(rows)

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
        self._head = rig.indices("headYaw", "headPitch", "headRoll")
        self._eyes = rig.indices("leftEyeYaw", "leftEyePitch", "rightEyeYaw", "rightEyePitch")
        if len(self._head) < 3:
            self._head = self._head[:0]
        if len(self._eyes) < 4:
            self._eyes = self._eyes[:0]

    def turn(self, values: FloatArray, rows: Doubles) -> None:
        """Add the head and eye rotations of rows (n, 75) to values (n, channels), in place."""
        if len(self._head):
            _turn(values, self._head, rows[:, HEAD], HEAD_LIMIT)
        if len(self._eyes):
            _turn(values, self._eyes, np.tile(rows[:, GAZE], 2), EYE_LIMIT)


def _turn(values: FloatArray, columns: NDArray[np.intp], added: Doubles, limit: float) -> None:
    before = values[:, columns]
    reach = np.maximum(np.abs(before), limit)  # what is beyond the limit already stays there
    values[:, columns] = np.clip(before + added, -reach, reach)


def looks(faces: FloatArray, gaze: Doubles) -> FloatArray:
    """Return faces (n, 52) whose look channels show a gaze (n, 2), yaw and pitch in radians."""
    if not faces.any() and not gaze.any():
        return faces
    out = faces.copy()
    out[:, _LOOKS] = 0.0
    shares = gaze / FULL_LOOK
    for axis in (0, 1):
        out[:, _TOWARDS[axis]] = np.maximum(shares[:, axis : axis + 1], 0.0)
        out[:, _TOWARDS[axis + 2]] = np.maximum(-shares[:, axis : axis + 1], 0.0)
    return out


def add_upper(values: FloatArray, faces: FloatArray, columns: NDArray[np.intp], rig: Rig) -> None:
    """Add eyes, brows and cheeks of faces (n, 52) to values (n, channels), in place, within [0, 1].

    ``columns`` (52,) are the channels' places in the rig, -1 for those it lacks.
    """
    add(values, faces, columns, UPPER_FACE)
    much = faces[:, UPPER_FACE].max(axis=1, keepdims=True) / FELT
    if not much.any():
        return  # what the model does with its lids is its own
    settled = values.copy()
    settle_lids(settled, rig)
    values += np.minimum(much, 1.0) * (settled - values)


def add(
    values: FloatArray, faces: FloatArray, columns: NDArray[np.intp], which: NDArray[np.intp]
) -> None:
    """Add some channels of faces (n, 52) to values (n, channels), in place, never beyond 1."""
    which = which[columns[which] >= 0]
    before = values[:, columns[which]]
    room = np.maximum(1.0 - before, 0.0)
    values[:, columns[which]] = before + np.clip(faces[:, which], 0.0, room)
