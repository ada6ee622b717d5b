"""Which rows get keys: those that straight lines cannot explain, or the apexes of phones.

Channels of a region share their times, so that what an animator moves stays together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from .clip import Mark
from .lips import closed_runs

_FLAT = 0.01
"""A gap that moves less than this within a phone has no apex of its own."""
_WINDOW = 120
"""Rows that are split at once: a line over a whole take would be split in vain many times."""
_PAUSE = 0.1
"""Seconds between two phones after which the mouth is keyed where it comes to rest and leaves."""


def simplified(
    columns: Sequence[Sequence[float]], tolerance: float, held: Iterable[int] = ()
) -> list[int]:
    """Return the rows to key, so that straight lines are within ``tolerance`` in every column.

    Splits at the worst row (Douglas and Peucker, 1973, with the distance along the value alone);
    first, last and ``held`` rows stay. Splitting begins within windows, whose ends go again where
    they are not needed.
    """
    last = len(columns[0]) - 1
    needed = {0, last} | {row for row in held if 0 <= row <= last}
    kept = needed | set(range(0, last, _WINDOW))
    todo = list(pairwise(sorted(kept)))
    moving = [column for column in columns if max(column) - min(column) > tolerance / 8]
    while todo:
        a, b = todo.pop()
        off, worst = _worst(moving, a, b)
        if off > tolerance:
            kept.add(worst)
            todo += [(a, worst), (worst, b)]
    for row in sorted(set(range(0, last, _WINDOW)) - needed):
        before, after = _beside(kept, row)
        if _worst(moving, before, after)[0] <= tolerance:
            kept.discard(row)
    return sorted(kept)


def _beside(kept: set[int], row: int) -> tuple[int, int]:
    before, after = row - 1, row + 1
    while before not in kept:
        before -= 1
    while after not in kept:
        after += 1
    return before, after


def _worst(columns: Sequence[Sequence[float]], a: int, b: int) -> tuple[float, int]:
    """Return how far, at most, a straight line is from the rows between, and where."""
    found = (0.0, a)
    for column in columns if b - a > 1 else ():
        base = column[a]
        slope = (column[b] - base) / (b - a)
        off = [abs(value - base - slope * k) for k, value in enumerate(column[a + 1 : b], 1)]
        most = max(off)
        if most > found[0]:
            found = (most, a + 1 + off.index(most))
    return found


def pinned(gap: Sequence[float]) -> set[int]:
    """Return the rows that keep closures: the ends of each, its tightest, and the rows beside."""
    rows: set[int] = set()
    for a, z in closed_runs(gap):
        rows |= {a - 1, a, min(range(a, z + 1), key=gap.__getitem__), z, z + 1}
    return {row for row in rows if 0 <= row < len(gap)}


def apexes(gap: Sequence[float], marks: Iterable[Mark], fps: Fraction) -> list[int]:
    """Return the rows of phones' apexes, of pauses' ends and of closures; first and last too.

    Where the lips move within a phone, its apex is where they are farthest from the way that leads
    from its beginning to its end; where they do not, its middle.
    """
    last = len(gap) - 1
    kept = {0, last} | {row for run in closed_runs(gap) for row in run}
    phones = sorted((m.start, m.end) for m in marks if m.kind == "phone")
    for start, end in phones:
        a, b = (max(0, min(round(time * fps), last)) for time in (start, end))
        off, worst = _worst([gap], a, b)
        kept.add(worst if off > _FLAT else (a + b) // 2)
    for (_, end), (start, _) in pairwise([(0.0, 0.0), *phones, (1e9, 1e9)]):
        if start - end > _PAUSE:
            kept |= {row for row in (round(end * fps), round(start * fps)) if 0 < row < last}
    return sorted(kept)
