"""By how many frames two takes of the same speech are apart: their jaws tell."""

from __future__ import annotations

import numpy as np
from facewire.errors import InputError
from facewire.types import FloatArray

LEAST = 30  # frames of overlap that a comparison needs


def shift(one: FloatArray, other: FloatArray, most: int) -> tuple[int, float]:
    """Return by how many frames ``other`` is behind ``one``, and how alike they are there.

    ``one`` (n,) and ``other`` (m,) are jaws at one frame rate; ``most`` is how far they may be
    apart. The likeness is Pearson's correlation of what overlaps, -1..1. InputError where a jaw
    stands still, or nothing overlaps enough.
    """
    for name, jaw in (("first", one), ("second", other)):
        if len(jaw) < LEAST or float(np.std(jaw)) < 1e-4:
            raise InputError(
                f"the {name} take's jaw cannot be compared: found {len(jaw)} frames that hardly "
                f"move, expected {LEAST} of somebody who speaks"
            )
    best = (0, -2.0)
    for by in range(-most, most + 1):
        a, b = one[max(0, -by) :], other[max(0, by) :]
        size = min(len(a), len(b))
        # a short overlap is alike by chance
        if size < max(LEAST, min(len(one), len(other)) // 2):
            continue
        likeness = _correlation(a[:size], b[:size])
        if likeness > best[1]:
            best = (by, likeness)
    if best[1] < -1:
        raise InputError(f"the takes do not overlap within {most} frames")
    return best


def _correlation(a: FloatArray, b: FloatArray) -> float:
    x, y = (v.astype(np.float64) - v.mean(dtype=np.float64) for v in (a, b))
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 1e-12 else -1.0
