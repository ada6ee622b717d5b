"""The 47 authored faces: which channels, where head and eyes point, and how the display runs."""

from __future__ import annotations

from functools import cache

import numpy as np
from facewire.emotion import lookup
from facewire.errors import InputError
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.preset_file import (
    AUTHORED,
    FULL_LOOK,
    JOYFUL,
    PITCH,
    YAW,
    Course,
    Preset,
    load_presets,
)
from facewire_v3.tables import RIG

__all__ = [
    "AUTHORED",
    "FULL_LOOK",
    "JOYFUL",
    "Course",
    "Preset",
    "gaze_of",
    "load_presets",
    "preset",
    "presets",
]


def gaze_of(faces: FloatArray) -> NDArray[np.float64]:
    """Return where the eyes of faces (n, 52) point: yaw and pitch in radians, (n, 2)."""
    values = np.asarray(faces, np.float64)
    turns = [
        values[:, RIG.indices(*right)].mean(axis=1) - values[:, RIG.indices(*left)].mean(axis=1)
        for right, left in (YAW, PITCH)
    ]
    return np.stack(turns, axis=1) * FULL_LOOK


@cache
def presets() -> tuple[Preset, ...]:
    """Return the plugin's 47 presets, in the order of the labels, joyful surprise last."""
    return load_presets()


def preset(name: str, level: int = 3) -> Preset:
    """Return an authored face by emotion (or alias, or "joyful surprise") and level 1, 3 or 5.

    A name without a face of its own gives its family's. InputError if there is none.
    """
    if level not in AUTHORED:
        raise InputError(
            f"preset: found level {level}, expected 1, 3 or 5; compile_expression makes the others"
        )
    wanted = JOYFUL if name == JOYFUL else lookup(name).family
    single = wanted in (JOYFUL, "neutral")
    return next(p for p in presets() if p.name == wanted and (single or p.level == level))
