"""Putting an emotion on frames: what the layer and the controller share."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from facewire.rig import Rig
from facewire.types import FloatArray, Mark
from numpy.typing import NDArray

from facewire_v3.face import (
    JAW,
    JOINT,
    LIPS,
    LOWER,
    SNEER,
    SPEECH,
    Draw,
    Painter,
    Pose,
    add,
    add_upper,
    looks,
)
from facewire_v3.gate import gates
from facewire_v3.listener import Heard, Listener
from facewire_v3.protect import needs, protect
from facewire_v3.tables import RIG
from facewire_v3.timeline import GAZE, HEAD

Doubles = NDArray[np.float64]


FASTEST = 5.7
"""How far a channel may move in a second: under .10 a frame at 60 (the bound for nearly all)."""


class Slew:
    """Holds every channel of drawn faces within ``FASTEST``, whatever is switched how often."""

    def __init__(self, fps: float) -> None:
        self._step = np.float32(FASTEST / fps)
        self._last: FloatArray | None = None

    def push(self, faces: FloatArray) -> FloatArray:
        """Return faces (n, 52), each within a step of the one before."""
        if self._last is None:
            self._last = faces[0]
        path = np.concatenate([self._last[None], faces])
        if np.abs(path[1:] - path[:-1]).max() > self._step:
            faces = path[1:]
            for row, before in zip(faces, path, strict=False):  # before: held already
                np.clip(row, before - self._step, before + self._step, out=row)
        self._last = faces[-1]
        return faces


class Wearer:
    """Puts rows of the timeline on frames of a rig.

    ``draw`` is the whole expression or the overlay; ``gated``: behind the speech gate, which is
    told of frames ``look`` rows before they are asked for.
    """

    def __init__(
        self, draw: Draw, mode: str, gated: bool, rig: Rig, fps: Fraction, look: int
    ) -> None:
        self._painter = Painter(draw, mode)
        self._overlay, self._rig = draw == "overlay", rig
        self._columns, self._pose = columns_of(rig), Pose(rig)
        self._slew = Slew(float(fps))
        self._listener = Listener(fps, look) if gated and not self._overlay else None

    def feeling(self, weights: FloatArray, vad: FloatArray) -> FloatArray:
        """Return faces and heads (n, 55) of weights (n, 16) and VAD (n, 3)."""
        return self._painter.feeling(weights, vad)

    def hear(self, values: FloatArray, start: int, marks: Sequence[Mark], rate: int) -> None:
        """Take frames (n, channels) from index ``start`` and the marks of the same rows."""
        if self._listener is not None:
            self._listener.hear(mouth_of(values, self._columns), start, marks, rate)

    def wear(self, values: FloatArray, rows: Doubles) -> FloatArray:
        """Return the next frames (n, channels) with rows (n, 75) of the timeline on them."""
        heard = self._listener.rows(len(values)) if self._listener else None
        faces = self._slew.push(looks(self._painter.faces(rows), rows[:, GAZE]))
        if not faces.any() and not rows[:, HEAD.start :].any():
            return values
        values = values.copy()
        if self._overlay:
            add(values, faces, self._columns, SNEER)
        elif heard is None:
            add(values, faces, self._columns, LOWER)
        else:
            self._add_mouth(values, faces, heard)
        add_upper(values, faces, self._columns, self._rig)
        self._pose.turn(values, rows)
        return values

    def _add_mouth(self, values: FloatArray, faces: FloatArray, heard: Heard) -> None:
        model = mouth_of(values, self._columns)
        added = np.zeros_like(faces)
        added[:, JOINT] = faces[:, JOINT] * gates(heard.speech)[:, JOINT]
        added[:, LIPS] = faces[:, LIPS] * heard.pause[:, None].astype(np.float32)
        added[:, SPEECH] = faces[:, SPEECH] * heard.quiet[:, None].astype(np.float32)
        added[:, JAW] = 0.0
        add(values, protect(model, added, needs(model, heard)), self._columns, LOWER)


def columns_of(rig: Rig) -> NDArray[np.intp]:
    """Return where ARKit's 52 channels are in a rig; -1 for those it lacks."""
    return np.array([rig.index(name) if name in rig else -1 for name in RIG.channels], np.intp)


def mouth_of(values: FloatArray, columns: NDArray[np.intp]) -> FloatArray:
    """Return values (n, channels) as ARKit's 52 channels within [0, 1]; what the rig lacks is 0."""
    taken: FloatArray = np.clip(values[:, columns], 0.0, 1.0)
    if columns.min() < 0:
        taken[:, columns < 0] = 0.0
    return taken
