"""Putting an emotion on frames: what the layer and the controller share."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from facewire.rig import Rig
from facewire.types import FloatArray, Mark
from numpy.typing import NDArray

from facewire_v3.face import Draw, Painter, Pose, hold_lids
from facewire_v3.gate import gate_numbers
from facewire_v3.groups import EXPRESSION, LIPSYNC, PAUSE, SHARED
from facewire_v3.listener import Heard, Listener
from facewire_v3.protect import protect
from facewire_v3.tables import RIG
from facewire_v3.timeline import HEAD

Doubles = NDArray[np.float64]
FASTEST = 5.7
"""How far a channel may move in a second: under .10 a frame at 60 (the bound for nearly all)."""
_EYES = slice(0, 14)
assert all(name.startswith("eye") for name in RIG.channels[_EYES])
_NONE = np.zeros((0, len(RIG)), np.float32)


def _shares() -> FloatArray:
    """Return (4, 52): what a channel keeps always, loses to speech, gets in a pause, in quiet."""
    shares = np.zeros((4, len(RIG)), np.float32)
    shares[0, RIG.indices(*EXPRESSION, *SHARED)] = 1.0
    shares[1] = gate_numbers().floors - 1.0
    shares[3, RIG.indices(*LIPSYNC)] = 1.0
    pause = RIG.indices(*PAUSE)
    shares[2, pause], shares[3, pause] = 1.0, 0.0
    shares[:, RIG.index("jawOpen")] = 0.0
    return shares


_SHARES = _shares()


def gates(heard: Sequence[Heard]) -> FloatArray:
    """Return how much of an emotion each channel keeps (n, 52) in rows as heard."""
    kept: FloatArray = np.array([(1.0, *row[:3]) for row in heard], np.float32) @ _SHARES
    return kept


class Slew:
    """Holds every channel of drawn faces within ``FASTEST``, whatever is switched how often."""

    def __init__(self, fps: float) -> None:
        self._step = np.float32(FASTEST / fps)
        self._last: FloatArray | None = None

    def push(self, faces: FloatArray) -> tuple[FloatArray, bool]:
        """Return faces (n, 52), each within a step of the one before, and whether none was held."""
        if self._last is None:
            self._last = faces[0]
        path = np.concatenate([self._last[None], faces])
        held = bool(np.abs(path[1:] - path[:-1]).max() > self._step)
        if held:
            faces = path[1:]
            for row, before in zip(faces, path, strict=False):  # before: held already
                np.clip(row, before - self._step, before + self._step, out=row)
        self._last = faces[-1]
        return faces, not held


class Wearer:
    """Puts rows of the timeline on frames of a rig.

    ``draw`` is the whole expression or the overlay; ``gated``: behind the speech gate, which is
    told of frames ``look`` rows before they are asked for.
    """

    def __init__(
        self, draw: Draw, mode: str, gated: bool, rig: Rig, fps: Fraction, look: int
    ) -> None:
        self._painter = Painter(draw, mode)
        self._columns, self._pose = columns_of(rig), Pose(rig)
        self._slew = Slew(float(fps))
        self._listener = Listener(fps, look) if gated and draw == "expression" else None
        self._model = _NONE  # rows that were heard and are not out yet
        self._key, self._face = b"", _NONE  # the last row drawn: a held emotion is drawn once
        self._bare = True

    def feeling(self, weights: FloatArray, vad: FloatArray) -> FloatArray:
        """Return faces and heads (n, 55) of weights (n, 16) and VAD (n, 3)."""
        return self._painter.feeling(weights, vad)

    def hear(self, values: FloatArray, start: int, marks: Sequence[Mark], rate: int) -> None:
        """Take frames (n, channels) from index ``start`` and the marks of the same rows."""
        model = arkit(values, self._columns)
        model = np.minimum(np.maximum(model, 0.0), 1.0)
        if self._listener is not None:
            self._listener.hear(model, start, marks, rate)
        self._model = np.concatenate([self._model, model]) if len(self._model) else model

    def wear(self, values: FloatArray, rows: Doubles) -> FloatArray:
        """Return the next frames (n, channels) with rows (n, 75) of the timeline on them."""
        count = len(values)
        model, self._model = self._model[:count], self._model[count:]
        heard = self._listener.rows(count) if self._listener else None
        faces = self._faces(rows)
        if self._bare:
            return values
        values = values.copy()
        added = self._added(model, faces, heard)
        present = self._columns
        if isinstance(present, slice):
            worn = values[:, present]
            worn += added
        else:
            worn = arkit(values, present) + added
        if model[:, _EYES].any():  # alone, the faces' lids are held already
            hold_lids(worn, faces)
        if not isinstance(present, slice):
            values[:, present[present >= 0]] = worn[:, present >= 0]
        self._pose.turn(values, rows)
        return values

    def _faces(self, rows: Doubles) -> FloatArray:
        """Return drawn faces, (1, 52) where they are all the same."""
        key = rows[0].tobytes()
        same = len(rows) == 1 or bool((rows[1:] == rows[0]).all())
        if same and key == self._key:
            return self._face
        self._key = b""
        faces = self._painter.faces(rows)
        hold_lids(faces, faces)
        faces, free = self._slew.push(faces)
        self._bare = not faces.any() and not rows[:, HEAD.start :].any()
        if same and free:
            self._key, self._face = key, faces[:1]
        return faces

    def _added(
        self, model: FloatArray, faces: FloatArray, heard: Sequence[Heard] | None
    ) -> FloatArray:
        """Return what of faces is added to the model (n, 52) within [0, 1], never beyond 1."""
        if heard is None:
            fitting: FloatArray = np.minimum(faces, 1.0 - model)
            return fitting
        return protect(model, faces * gates(heard), [row.need for row in heard])


def columns_of(rig: Rig) -> NDArray[np.intp] | slice:
    """Return where ARKit's 52 channels are in a rig; -1 for those it lacks."""
    if rig.channels[: len(RIG)] == RIG.channels:
        return slice(0, len(RIG))
    return np.array([rig.index(name) if name in rig else -1 for name in RIG.channels], np.intp)


def arkit(values: FloatArray, columns: NDArray[np.intp] | slice) -> FloatArray:
    """Return values (n, channels) as ARKit's 52 channels; what the rig lacks is 0."""
    taken: FloatArray = values[:, columns]
    if not isinstance(columns, slice) and columns.min() < 0:
        taken[:, columns < 0] = 0.0
    return taken
