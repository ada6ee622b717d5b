"""Figures with their intervals: a bootstrap over blocks of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from facewire.types import Context
from numpy.typing import NDArray

Array = NDArray[np.float64]
BLOCK = 1.0
"""Seconds of a block; neighbouring frames say the same, blocks this long hardly do."""
DRAWS = 1000
SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure and its 95 % interval; nan where there was nothing to measure.

    ``count`` is how many blocks (or cases) it rests on; with fewer than 3 there is no interval.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")
    count: int = 0

    def __str__(self) -> str:
        """Return the value and the interval, without noughts before the point."""
        if not np.isfinite(self.value):
            return "-"
        inside = f" [{short(self.low)}, {short(self.high)}]" if np.isfinite(self.low) else ""
        return f"{short(self.value)}{inside}"


NOTHING = Figure(float("nan"))


def short(value: float) -> str:
    """Return a number with three places, ``.125`` for 0.125."""
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def draws(count: int) -> Array:
    """Return how often each of ``count`` blocks is taken in each draw: (draws, count)."""
    random = Context(name="eval").random(f"bootstrap {count}")
    taken = random.integers(0, count, (DRAWS, count))
    rows = np.arange(DRAWS)[:, None] * count
    counts = np.bincount((taken + rows).ravel(), minlength=DRAWS * count)
    return np.asarray(counts.reshape(DRAWS, count), np.float64)


def bootstrap(blocks: NDArray[np.floating], statistic: Callable[[Array], Array]) -> Figure:
    """Return a statistic of sums over blocks, with its interval.

    ``blocks`` (count, k) are what each block adds; ``statistic`` takes sums (m, k) and returns m
    values. Blocks are drawn with replacement, 1000 times, always the same draws for a count.
    """
    table = np.asarray(blocks, np.float64)
    count = len(table)
    if not count:
        return NOTHING
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(statistic(table.sum(axis=0)[None])[0])
        if count < 3:
            return Figure(value, count=count)
        found = statistic(draws(count) @ table)
    return _figure(value, found, count)


def resampled(values: NDArray[np.floating], statistic: Callable[[Array], float]) -> Figure:
    """Return a statistic of cases (n,), such as a median, with its interval over the cases."""
    table = np.asarray(values, np.float64)
    if not len(table):
        return NOTHING
    if len(table) < 3:
        return Figure(statistic(table), count=len(table))
    taken = (
        Context(name="eval")
        .random(f"cases {len(table)}")
        .integers(0, len(table), (DRAWS, len(table)))
    )
    found = np.array([statistic(table[rows]) for rows in taken])
    return _figure(statistic(table), found, len(table))


def _figure(value: float, found: Array, count: int) -> Figure:
    known = found[np.isfinite(found)]
    if not np.isfinite(value) or len(known) < DRAWS // 2:
        return Figure(value, count=count)
    tail = (1 - SHARE) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return Figure(value, float(low), float(high), count)


def ratio(parts: NDArray[np.floating], wholes: NDArray[np.floating]) -> Figure:
    """Return the sum of ``parts`` (n,) over the sum of ``wholes`` (n,), with its interval."""
    blocks = np.stack([np.asarray(parts, np.float64), np.asarray(wholes, np.float64)], axis=1)
    return bootstrap(blocks, lambda sums: np.asarray(sums[:, 0] / sums[:, 1]))


def share(flags: NDArray[np.bool_] | list[bool]) -> Figure:
    """Return the share of cases (n,) that hold, with its interval over the cases."""
    held = np.asarray(flags, np.float64)
    return ratio(held, np.ones(len(held)))


def block_sums(rows: NDArray[np.floating], fps: float) -> Array:
    """Return sums over blocks of 1 s of rows (n, k): (blocks, k); a short rest joins the last."""
    table = np.asarray(rows, np.float64)
    size = max(1, round(BLOCK * fps))
    count = max(1, round(len(table) / size)) if len(table) else 0
    edges = np.minimum(np.arange(count) * size, len(table))
    return np.add.reduceat(table, edges, axis=0) if count else np.zeros((0, *table.shape[1:]))
