"""What one curve alone tells: jitter, leak in silences, and how it follows vocal sounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from facewire.articulation import PhoneTime, read_phone
from facewire.articulation.closures import AFTER, BEFORE, LONG
from numpy.typing import NDArray

from facewire_eval.metrics.agreement import correlation, moments
from facewire_eval.metrics.bootstrap import (
    NOTHING,
    Array,
    Figure,
    block_sums,
    bootstrap,
    resampled,
)
from facewire_eval.metrics.filters import JITTER, above, curve

Span = tuple[float, float]
FLOOR = 60.0
"""dB below the loudest frame that count as silence in energies."""
QUIET = 40.0
"""dB below the loud frames (95th percentile) under which sound is a pause."""
WINDOW = 0.05
"""Seconds of sound that an energy is of."""
RANGE = (2.0, 98.0)
"""Percentiles that a range is between."""


def jitter(curves: Sequence[NDArray[np.floating]], fps: float) -> Figure:
    """Return the root of the mean power above 12 Hz of curves (n,) at their native rate.

    Never of resampled curves: linear interpolation filters. Nan at 24 fps and below, where
    there is nothing above 12 Hz.
    """
    if fps <= 2 * JITTER:
        return NOTHING
    rows = [np.stack([above(c, fps) ** 2, np.ones(len(c))], axis=1) for c in curves]
    table = [block_sums(each, fps) for each in rows]
    return bootstrap(
        np.concatenate(table) if table else np.zeros((0, 2)),
        lambda sums: np.asarray(np.sqrt(sums[:, 0] / sums[:, 1])),
    )


def silences(phones: Sequence[PhoneTime], seconds: float) -> list[Span]:
    """Return the spans longer than .5 s in which no phone is spoken, in seconds."""
    found, reach = [], 0.0
    spoken = sorted((p.start, p.end) for p in phones if read_phone(p.text).shapes)
    for start, end in [*spoken, (seconds, seconds)]:
        if start - reach > LONG:
            found.append((reach, start))
        reach = max(reach, end)
    return found


def quiet(samples: NDArray[np.floating], rate: int, seconds: float) -> list[Span]:
    """Return the spans longer than .5 s that are quiet, where no phones are known.

    Quiet is 40 dB below the 95th percentile of energy; noise counts as sound.
    """
    fps = 100.0
    levels = energy(samples, rate, round(seconds * fps), fps)
    if not len(levels):
        return []
    loud = np.concatenate([[True], levels > np.percentile(levels, 95) - QUIET, [True]])
    edges = np.flatnonzero(loud[1:] != loud[:-1]) / fps
    return [
        (float(a), float(z)) for a, z in zip(edges[::2], edges[1::2], strict=True) if z - a > LONG
    ]


def resting(spans: Sequence[Span], rows: int, fps: float) -> list[slice]:
    """Return the rows of silences in which a mouth must rest.

    Left out are 300 ms before and 200 ms after speech, where real mouths prepare and settle.
    """
    end = rows / fps
    found = []
    for a, z in spans:
        first, last = a + AFTER * (a > 0), z - BEFORE * (z < end - 1e-9)
        if last > first:
            found.append(slice(int(np.ceil(first * fps)), int(last * fps)))
    return found


def leak(gap: NDArray[np.floating], fps: float, spans: Sequence[Span]) -> Figure:
    """Return the 95th percentile of the gap (n,) in silences, over half seconds of it.

    The interval is over pieces of 1 s of the rows that count.
    """
    pieces = leak_pieces(gap, fps, spans)
    return pooled_leak(pieces)


def leak_pieces(gap: NDArray[np.floating], fps: float, spans: Sequence[Span]) -> list[Array]:
    """Return the gap in the rows of silences that count, in pieces of at most 1 s."""
    rows = [curve(gap)[rest] for rest in resting(spans, len(gap), fps)]
    size = max(1, round(fps))
    return [r[a : a + size] for r in rows for a in range(0, len(r), size) if len(r[a : a + size])]


def pooled_leak(pieces: Sequence[Array]) -> Figure:
    """Return the 95th percentile of pieces of several recordings."""
    if not pieces:
        return NOTHING
    order = np.arange(len(pieces), dtype=np.float64)

    def statistic(taken: Array) -> float:
        return float(np.percentile(np.concatenate([pieces[int(i)] for i in taken]), 95))

    return resampled(order, statistic)


def energy(samples: NDArray[np.floating], rate: int, rows: int, fps: float) -> Array:
    """Return the energy of sound (n,) around each of ``rows`` frames, in dB: (rows,).

    0 is the loudest frame, but -60 dBFS at least: what is quieter is silence. -60 is the floor.
    """
    power = np.concatenate([[0.0], np.cumsum(np.asarray(samples, np.float64) ** 2)])
    half = WINDOW / 2
    at = np.arange(rows) / fps
    low = np.clip(((at - half) * rate).astype(int), 0, len(samples))
    high = np.clip(((at + half) * rate).astype(int), 0, len(samples))
    mean = (power[high] - power[low]) / np.maximum(high - low, 1)
    level = 10 * np.log10(np.maximum(mean, 1e-12))
    return np.asarray(np.maximum(level - max(level.max(initial=-FLOOR), -FLOOR), -FLOOR))


def follows(
    gap: NDArray[np.floating], fps: float, samples: NDArray[np.floating], rate: int
) -> tuple[Figure, Figure]:
    """Return range of the gap (n,) and its r with the sound's energy in dB.

    For laughs, sobs, breaths and the like: a range of at least .15 and r of .5 are asked for. The
    range is between the 2nd and the 98th percentile.
    """
    made = curve(gap)
    sound = energy(samples, rate, len(made), fps)
    size = max(1, round(fps))
    pieces = [made[a : a + size] for a in range(0, len(made), size)]

    def extent(taken: Array) -> float:
        low, high = np.percentile(np.concatenate([pieces[int(i)] for i in taken]), RANGE)
        return float(high - low)

    reach = resampled(np.arange(len(pieces), dtype=np.float64), extent)
    return reach, bootstrap(moments(made, sound, fps), correlation)
