"""The lids after everything was added: one lid cannot be shut twice, nor wide and shut."""

from __future__ import annotations

from functools import cache

import numpy as np
from facewire.rig import Rig
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.tables import SIDES

# How far looking down and squinting lower the upper lid, as shares of a blink (specification of
# the expression system, section 8).
LOOK_DOWN, SQUINT = 0.4, 0.3


@cache
def _lids(rig: Rig) -> NDArray[np.intp] | None:
    """Return the columns (4, 2) of blink, wide, squint, look down; None if one is missing."""
    kinds = ("Blink", "Wide", "Squint", "LookDown")
    names = [f"eye{kind}{side}" for kind in kinds for side in SIDES]
    return rig.indices(*names).reshape(4, 2) if all(name in rig for name in names) else None


def settle_lids(values: FloatArray, rig: Rig) -> None:
    """Cap ``blink + .4 lookDown + .3 squint`` at 1 and let a blink take eyeWide to 0. In place.

    ``values`` is (n, len(rig)) in [0, 1]. Squint gives way first, then blink; gaze stays.
    """
    columns = _lids(rig)
    if columns is None:
        return
    lids = values[:, columns]  # (n, 4, 2)
    blink, wide, squint, down = lids[:, 0], lids[:, 1], lids[:, 2], lids[:, 3]
    room = 1.0 - LOOK_DOWN * down  # (n, 2): what is left for blink and squint, 0.6 or more
    np.minimum(blink, room, out=blink)
    np.minimum(squint, (room - blink) / SQUINT, out=squint)
    wide *= 1.0 - blink / room
    values[:, columns[:3]] = lids[:, :3]
