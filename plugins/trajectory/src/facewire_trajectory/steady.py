"""Calms the network's curves: lips stay shut where no mouth sounds, and there is less jitter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from facewire.articulation import CURVES
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_trajectory.runtime import Heard, joined
from facewire_trajectory.sizes import SOUND

GAP, OTHER = CURVES.index("gap"), SOUND.index("other")
UNLIKELY, LIKELY = 0.5, 0.9
"""Probabilities of ``other`` from which the lips are drawn together, and from which all the way."""
SMALL = 0.06
"""The gap that is never touched, jawOpen = 1. On voices never seen the leak of ``live`` is .012
without all of this and .006 with it, and the 95 % of its gap in noise .012 and .003."""


TAPS = ((0.4, 0.6), (0.25, 0.5, 0.25))
"""Shares of the row before, the row itself and the one after it. With all three a quarter is left
at 20 Hz, and below 8 Hz hardly anything is lost. Jitter is above 12 Hz: the first two leave seven
tenths of it, that of captured faces, and come 7 ms later."""


class Steady:
    """Calms a stream of rows by their neighbours, ``late`` rows late: 0, or 1 for both sides."""

    def __init__(self, late: int) -> None:
        self.late = late
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._kept = joined([])  # rows that the next ones need

    def push(self, heard: Heard) -> Heard:
        """Return the rows that are final."""
        heard = heard._replace(curves=resting(heard.curves, heard.sound))
        if not len(heard.curves):
            return heard
        if not len(self._kept.curves):
            self._kept = heard.cut(0, 1)  # before the first row is the same
        if self.late:
            return self._centred(joined([self._kept, heard]))
        rows = np.concatenate([self._kept.curves, heard.curves])  # quick: it comes row by row
        self._kept = heard.cut(-1)
        return heard._replace(curves=mixed(rows, TAPS[0]))

    def flush(self) -> Heard:
        """Return the remaining row, if one is late; after it is the same."""
        rows = self._kept
        waits = bool(self.late) and len(rows.curves) > 0
        rest = self._centred(joined([rows, rows.cut(-1)])) if waits else joined([])
        self.reset()
        return rest

    def _centred(self, rows: Heard) -> Heard:
        self._kept = rows.cut(-2)
        return rows.cut(1, -1)._replace(curves=mixed(rows.curves, TAPS[1]))


def mixed(rows: FloatArray, taps: Sequence[float]) -> FloatArray:
    """Return rows (n + t - 1, c) mixed by t taps that slide over them: (n, c)."""
    count = len(rows) - len(taps) + 1
    total = sum(tap * rows[i : i + count] for i, tap in enumerate(taps))
    return np.asarray(total, np.float32)


def rising(values: NDArray[Any], start: float, end: float) -> NDArray[Any]:
    """Return smoothstep (n,) of values (n,): 0 up to ``start``, 1 from ``end`` on."""
    x = np.clip((values - start) / (end - start), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))


def resting(curves: FloatArray, sound: FloatArray) -> FloatArray:
    """Return curves (n, 15) with small gaps shut where ``sound`` (n, 3) is probably no mouth's."""
    likely = np.clip((sound[:, OTHER] - UNLIKELY) / (LIKELY - UNLIKELY), 0.0, 1.0)
    left = np.maximum(1.0 - likely, rising(curves[:, GAP], 0.0, SMALL))
    return np.asarray(curves * left[:, None], np.float32)
