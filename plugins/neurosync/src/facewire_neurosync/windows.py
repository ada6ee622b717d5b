"""The published rule of windows: 128 rows every 96, each cross-faded into the one before.

NeuroSync spec, section 3. Windows are computed in batches; which ones share a batch depends on
their numbers alone, so any cut of the input gives the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from facewire.types import FloatArray

from facewire_neurosync.architecture import INPUTS, WINDOW

OVERLAP = 32
STRIDE = WINDOW - OVERLAP
Run = Callable[[FloatArray], FloatArray]


def filled(rows: FloatArray) -> FloatArray:
    """Return a window (128, c) of at most 128 rows; the last one is repeated."""
    return np.concatenate([rows, np.repeat(rows[-1:], WINDOW - len(rows), axis=0)])


class Windows:
    """Takes rows of features (n, 256), gives final rows of the network's output.

    The first window is computed alone, so that the first frames come early.
    """

    def __init__(self, run: Run, outputs: int, batch: int) -> None:
        self._run, self._outputs, self._batch = run, outputs, batch
        self._rows = np.zeros((0, INPUTS), np.float32)  # from the next window's start on
        self._tail = np.zeros((0, outputs), np.float32)  # what the next window fades into
        self._number = 0

    def push(self, rows: FloatArray) -> FloatArray:
        """Take rows; return the output rows that are final."""
        self._rows = np.concatenate([self._rows, rows])
        done: list[FloatArray] = []
        while len(self._rows) >= (self._group() - 1) * STRIDE + WINDOW:
            done.extend(self._compute(self._group()))
        return self._joined(done)

    def flush(self) -> Iterator[FloatArray]:
        """Yield the remaining output rows."""
        while len(self._rows):
            left = -(-len(self._rows) // STRIDE)
            yield self._joined(list(self._compute(min(left, self._group()))))
        yield self._tail

    def _group(self) -> int:
        return 1 if self._number == 0 else self._batch

    def _compute(self, count: int) -> Iterator[FloatArray]:
        """Run the next ``count`` windows; yield the rows that each makes final."""
        spans = [self._rows[i * STRIDE : i * STRIDE + WINDOW] for i in range(count)]
        found = self._run(np.stack([filled(span) for span in spans]))
        self._rows = self._rows[count * STRIDE :]
        self._number += count
        for span, values in zip(spans, found, strict=True):
            yield self._fade(values[: len(span)])

    def _fade(self, new: FloatArray) -> FloatArray:
        """Join a window's rows to the tail; return the rows that no later window touches."""
        size = min(OVERLAP, len(self._tail), len(new))
        if size:
            part = (np.arange(size, dtype=np.float32) / size)[:, None]
            self._tail[-size:] = self._tail[-size:] * (1 - part) + new[:size] * part
        rows = np.concatenate([self._tail, new[size:]])
        keep = max(0, len(rows) - OVERLAP)
        self._tail = rows[keep:].copy()
        return rows[:keep]

    def _joined(self, pieces: list[FloatArray]) -> FloatArray:
        return np.concatenate([np.zeros((0, self._outputs), np.float32), *pieces])
