"""The angles of rotary positions (Su et al., RoFormer, 2021, section 3.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facewire_neurosync.architecture import WINDOW

BASE = 10000.0


def rates(width: int) -> NDArray[np.float64]:
    """Return by how much each pair of ``width`` units turns from a position to the next."""
    return np.asarray(np.exp(-np.log(BASE) * np.arange(0, width, 2) / width))


def angles(width: int) -> NDArray[np.float64]:
    """Return the angle (128, width / 2) by which each pair of units turns at each position."""
    return np.asarray(np.arange(WINDOW)[:, None] * rates(width))
