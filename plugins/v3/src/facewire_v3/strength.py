"""Strength: how far from neutral an emotion is played."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from facewire.errors import InputError
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.tables import REST

MAX_STRENGTH = 2.0
_REST = np.array(REST, np.float32)
Vad = TypeVar("Vad", FloatArray, NDArray[np.float64])


def checked(strength: float) -> float:
    """Return a strength from 0 (deadpan) over 1 (as it is) to 2; InputError if it is no such."""
    if not 0.0 <= strength <= MAX_STRENGTH:  # false for NaN too
        raise InputError(f"strength: found {strength:g}, expected 0 (deadpan) to 2 (exaggerated)")
    return strength


def scale(vad: Vad, strength: float) -> Vad:
    """Return ``neutral + (vad - neutral) * strength`` clamped to [0, 1]; vad is (n, 3) or (3,).

    InputError if the strength is not in 0 to 2.
    """
    scaled: Vad = _REST + (vad - _REST) * np.float32(checked(strength))
    return np.minimum(np.maximum(scaled, 0.0), 1.0)
