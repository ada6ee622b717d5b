"""NeuroSync's features of a whole clip: 256 values a frame at 60 fps.

Columns 0-22 are cepstral coefficients, normalised over the clip, 23-45 and 46-68 their first and
second derivatives, 69-255 the autocorrelation at lags 1 to 187. They are computed at 120 columns a
second and averaged in pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
from facewire.types import FloatArray
from numpy.lib.stride_tricks import sliding_window_view

from facewire_neurosync.autocorrelation import autocorrelation, mend_edges
from facewire_neurosync.mel import (
    BANDS,
    COEFFICIENTS,
    FLOOR,
    HOP,
    RANGE,
    SIZE,
    Array,
    cosines,
    decibels,
    derivatives,
)
from facewire_neurosync.spool import Spool

DIM = 256
SHORTEST = 10 * HOP  # samples; the published pipeline refuses what is shorter
_COLUMNS = 192  # computed at once: what stays in a core's cache
LEAST_PEAK = 0.01  # of sound that is not normalised
TINY = 1e-10  # added to a standard deviation


def columns_in(samples: int) -> int:
    """Return how many columns that many samples have."""
    return 1 + samples // HOP


def rows_in(samples: int) -> int:
    """Return how many rows of features that many samples have."""
    return -(-columns_in(samples) // 2) if samples else 0


def pairs(columns: Array) -> Array:
    """Return the means of columns (2k, 2k + 1); a last one without a partner stays as it is."""
    even = len(columns) // 2 * 2
    means = (columns[0:even:2] + columns[1:even:2]) / 2
    return np.concatenate([means, columns[even:]])


def side_by_side(
    work: Callable[[FloatArray], Array], pieces: Iterable[FloatArray]
) -> Iterator[Array]:
    """Yield what ``work`` makes of each piece, in order; two at a time, on two threads."""
    rest = iter(pieces)
    with ThreadPoolExecutor(2) as pool:
        while pair := list(islice(rest, 2)):
            yield from pool.map(work, pair)


class Clip:
    """The features of the samples in a spool (at 88.2 kHz).

    ``cepstrum`` needs the whole clip; ``rows`` then yields the features piece by piece.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._peak = np.float32(spool.peak or 1)
        self.columns = columns_in(max(len(spool), SHORTEST))
        self.count = rows_in(len(spool))

    def _windows(self, first: int, count: int, reflect: bool) -> FloatArray:
        """Return the windows (count, 1470) centred on samples 735 * first and following ones."""
        start, end = (first - 1) * HOP, (first + count) * HOP
        length = len(self._spool)
        inside = self._spool.read(max(0, start), min(length, end)) / self._peak
        before, after = max(0, -start), max(0, end - length)
        if reflect and length >= SHORTEST:
            samples = np.pad(inside, (before, after), mode="reflect")
        else:
            samples = np.pad(inside, (before, after))
        return sliding_window_view(samples, SIZE)[::HOP]

    def _spans(self) -> Iterator[tuple[int, int]]:
        for first in range(0, self.columns, _COLUMNS):
            yield first, min(_COLUMNS, self.columns - first)

    def cepstra(self, normalised: bool = True) -> tuple[Array, float]:
        """Return the cepstra (columns, 23) and the dB of the clip's loudest band.

        ``normalised``: of the samples over their peak. All mel power must be known before its
        floor is, and ten minutes of it are 37 MB: it waits in a spool as well.
        """
        if not normalised:
            self._peak = np.float32(1)
        least = FLOOR if normalised else FLOOR * LEAST_PEAK**2
        mel, loudest = Spool(), -np.inf
        windows = (self._windows(*span, reflect=False) for span in self._spans())
        for bands in side_by_side(lambda given: decibels(given, least), windows):
            single = bands.astype(np.float32)
            loudest = max(loudest, float(single.max()))
            mel.append(single.reshape(-1))  # (count * 128,)
        floor, out = np.float32(loudest - RANGE), np.empty((self.columns, COEFFICIENTS))
        for first, count in self._spans():
            part = mel.read(first * BANDS, (first + count) * BANDS).reshape(-1, BANDS)
            out[first : first + count] = np.maximum(part, floor) @ cosines()
        mel.close()
        return out, loudest

    def cepstrum(self) -> FloatArray:
        """Return columns 0 to 68 of the features, (rows, 69)."""
        plain, _ = self.cepstra()
        spread = plain.std(axis=0)
        spread[np.ptp(plain, axis=0) == 0] = np.inf  # nothing but rounding would be left
        plain -= plain.mean(axis=0)
        plain /= spread + TINY
        out = np.empty((-(-self.columns // 2), 3 * COEFFICIENTS), np.float32)
        for i in range(COEFFICIENTS):  # one by one: together they would take three times the room
            column = plain[:, i : i + 1]
            for order, part in enumerate((column, *derivatives(column))):
                out[:, order * COEFFICIENTS + i] = pairs(part)[:, 0]
        return out[: self.count]

    def rows(self, size: int) -> Iterator[FloatArray]:
        """Yield the features (n, 256) in pieces of at most ``size`` rows."""
        cepstrum = self.cepstrum()
        for first in range(0, self.count, size):
            part = cepstrum[first : first + size]
            out = np.empty((len(part), DIM), np.float32)
            out[:, : 3 * COEFFICIENTS] = part
            out[:, 3 * COEFFICIENTS :] = self._lags(2 * first, 2 * len(part))[: len(part)]
            yield out

    def _lags(self, first: int, count: int) -> Array:
        """Return the autocorrelation of columns as rows; both clip edges mended."""
        # one column more than is asked for where an edge may need its neighbour
        low = max(0, first - 2)
        high = min(self.columns, first + count + (low == first))
        windows = self._windows(low, high - low, reflect=True)
        halves = (part for part in np.array_split(windows, 2) if len(part))
        lags = np.concatenate([*side_by_side(autocorrelation, halves)])
        mend_edges(lags, first=low == 0, last=high == self.columns)
        return pairs(lags[first - low : min(len(lags), first - low + count)])


def features(samples: FloatArray) -> FloatArray:
    """Return the features (rows, 256) of samples at 88.2 kHz."""
    spool = Spool()
    spool.append(samples)
    return np.concatenate([np.zeros((0, DIM), np.float32), *Clip(spool).rows(384)])
