"""One wanted emotion as the timeline keeps it, with where it turns head and eyes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from facewire.emotion import LABELS, NEUTRAL_VAD
from facewire.rig import Rig
from facewire.types import FloatArray

from facewire_v3.presets import Course, gaze_of, preset

Face = Callable[[FloatArray, FloatArray], FloatArray]
"""What draws weights (n, 16) and VAD (n, 3): faces and heads (n, 55)."""

SWAP = 0.40
"""Brows pass through zero where a transition moves them by more than this from up to down."""
_REST = np.array(NEUTRAL_VAD)
_RIG = Rig.named("arkit52")
_UP = _RIG.indices("browInnerUp", "browOuterUpLeft", "browOuterUpRight")
_DOWN = _RIG.indices("browDownLeft", "browDownRight")


@dataclass(frozen=True, slots=True)
class Feeling:
    """A wanted emotion.

    ``vad`` and ``weights`` are as felt, ``size`` the distance from neutral, ``family`` the label
    whose face is drawn. ``pose`` is head (yaw, pitch, roll) and gaze (yaw, pitch) in radians,
    ``brow`` how far the brows are up, negative: down. ``lags`` are the seconds that face, gaze and
    head set in late.
    """

    vad: tuple[float, float, float]
    weights: tuple[float, ...]
    size: float
    family: int
    pose: tuple[float, ...] = (0.0,) * 5
    brow: float = 0.0
    lags: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def neutral(self) -> bool:
        """Whether it is no emotion."""
        return self.size < 1e-6


@cache
def _course(family: int) -> Course:
    return preset(LABELS[family]).course


def feeling(vad: FloatArray, weights: FloatArray, played: FloatArray, face: Face | None) -> Feeling:
    """Make a feeling of VAD (3,) and weights (16,); ``played`` is VAD at the layer's strength.

    ``face`` draws the face whose eyes, brows and head count; None where none is drawn.
    """
    v, a, d = (float(value) for value in vad)
    size = float(np.linalg.norm(np.asarray(vad, np.float64) - _REST))
    family = int(np.argmax(weights))
    shares = tuple(float(value) for value in weights)
    if face is None or size < 1e-6:
        return Feeling((v, a, d), shares, size, family)
    one = np.zeros((1, len(LABELS)), np.float32)
    one[0, family] = 1.0
    made = face(one, np.asarray(played, np.float32)[None])
    angles = (*made[0, len(_RIG) :].tolist(), *gaze_of(made[:, : len(_RIG)])[0].tolist())
    pose = tuple(angle if abs(angle) > 1e-6 else 0.0 for angle in angles)
    brow = float(made[0, _UP].max() - made[0, _DOWN].max())
    course = _course(family)
    lags = (course.face, course.gaze, course.head)
    return Feeling((v, a, d), shares, size, family, pose, brow, lags)


def swaps(one: Feeling, other: Feeling) -> bool:
    """Tell whether a transition swaps raised brows for lowered ones, or the other way round."""
    return one.brow * other.brow < 0.0 and abs(one.brow - other.brow) > SWAP
