"""Two networks as one: a second, stopped early, has a say in how far an open mouth opens.

Captured faces are few. A network that learns from them for long knows closures best, and follows
the faces it has seen too closely; one that was stopped early knows less of both. On takes of which
neither had learnt, the mean of the two follows the captured gap better than either (the figures are
in docs/quality.md). The early one hardly knows laughs and breaths, and has no say in them.
"""

from __future__ import annotations

import numpy as np
from facewire.types import FloatArray

from facewire_trajectory.runtime import Heard, Stream, joined
from facewire_trajectory.sizes import SOUND
from facewire_trajectory.steady import GAP, rising

SHARE = 0.5
"""Of the early network where the mouth is open."""
VOCAL = SOUND.index("vocal")
NEAR, FAR = 0.02, 0.10
"""Gaps, jawOpen = 1, up to which it has no share, and from which all of it: closures are the
first's."""


class Pair:
    """Two streams of one variant; classes of sound and phones, and the face, are the first's."""

    def __init__(self, first: Stream, early: Stream) -> None:
        self._first, self._early = first, early
        self.lookahead = first.lookahead

    def reset(self) -> None:
        """Forget all input."""
        self._first.reset()
        self._early.reset()

    def push(self, mel: FloatArray, condition: FloatArray) -> Heard:
        """Take normalised mel (n, 64) and conditioning (n, 19); return the rows that are final."""
        return blended(self._first.push(mel, condition), self._early.push(mel, condition))

    def flush(self) -> Heard:
        """Return the remaining rows; what follows is silence."""
        return blended(self._first.flush(), self._early.flush())


def blended(first: Heard, early: Heard) -> Heard:
    """Return the first's rows with curves (n, 15) that are open moved towards the early ones'."""
    if not len(first.curves):
        return joined([])
    share = SHARE * rising(first.curves[:, GAP], NEAR, FAR) * (1.0 - first.sound[:, VOCAL])
    curves = first.curves + share[:, None] * (early.curves - first.curves)
    return first._replace(curves=np.asarray(curves, np.float32))
