"""The extractor of whole clips: exact, and silent until the clip has ended."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from facewire.stages import FeatureExtractor
from facewire.types import Audio, Features, Mark

from facewire_neurosync.architecture import WINDOW
from facewire_neurosync.features import DIM, Clip
from facewire_neurosync.mel import RATE
from facewire_neurosync.spool import Spool

FPS = Fraction(60)


class ClipExtractor(FeatureExtractor):
    """Gives the published features; they are normalised over the clip, so all of it is needed."""

    rate, fps, dim, lookahead = RATE, FPS, DIM, None

    def __init__(self) -> None:
        self._spool = Spool()
        self._marks: list[Mark] = []

    def reset(self) -> None:
        """Forget all input."""
        self._spool.close()
        self._spool = Spool()
        self._marks = []

    def push(self, audio: Audio) -> Features:
        """Keep the audio; no row is final yet. Marks come with the first rows."""
        self._spool.append(audio.samples)
        self._marks.extend(audio.marks)
        return Features(np.zeros((0, DIM), np.float32), FPS, 0, RATE)

    def flush(self) -> Iterator[Features]:
        """Yield ceil((1 + samples // 735) / 2) rows, a window's worth at a time."""
        at, marks = 0, tuple(self._marks)
        if len(self._spool):
            for rows in Clip(self._spool).rows(WINDOW):
                yield Features(rows, FPS, at, RATE, marks)
                at, marks = at + len(rows), ()
        self.reset()
