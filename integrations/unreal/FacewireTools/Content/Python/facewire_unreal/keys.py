"""Fewer keys: channels that stand still, and keys that a straight line explains.

Keys are thinned with a tolerance on each curve and on the lips' gap, so that no closure is lost.
Curves between kept keys are straight.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from facewire_unreal.clip import Clip, Row
from facewire_unreal.face import CLOSED, lip_gap

ALWAYS = frozenset({"HeadControlSwitch", "MHFDSVersion"})
"""Switches: they stand still and are needed."""


def moving(clip: Clip, still: float = 1e-4) -> Clip:
    """Return the clip without the channels that are 0 throughout, within ``still``."""
    kept = [
        i
        for i, name in enumerate(clip.channels)
        if name in ALWAYS or any(abs(row[i]) > still for row in clip.rows)
    ]
    rows = [[row[i] for i in kept] for row in clip.rows]
    return Clip(tuple(clip.channels[i] for i in kept), rows, clip.fps, clip.words)


def reduced(values: Sequence[float], tolerance: float, held: Sequence[int] = ()) -> list[int]:
    """Return the rows to keep, so that straight lines are within ``tolerance`` of ``values``.

    Splits at the worst row (Douglas and Peucker, 1973, with the distance along the value alone);
    first, last and ``held`` rows stay.
    """
    last = len(values) - 1
    kept = {0, last} | {k for k in held if 0 <= k <= last}
    todo = list(pairwise(sorted(kept)))
    while todo:
        a, b = todo.pop()
        off = [abs(values[k] - line(values, a, b, k)) for k in range(a + 1, b)]
        if off and max(off) > tolerance:
            worst = a + 1 + off.index(max(off))
            kept.add(worst)
            todo += [(a, worst), (worst, b)]
    return sorted(kept)


def line(values: Sequence[float], a: int, b: int, k: int) -> float:
    """Return the straight line from row ``a`` to row ``b`` at row ``k``."""
    return values[a] + (values[b] - values[a]) * ((k - a) / (b - a))


def drawn(values: Sequence[float], kept: Sequence[int]) -> list[float]:
    """Return (n,) what the kept rows and straight lines give."""
    out = [values[kept[0]]]
    for a, b in pairwise(kept):
        out += [line(values, a, b, k) for k in range(a + 1, b)] + [values[b]]
    return out


def closures(gap: Sequence[float]) -> list[int]:
    """Return the first and last closed row of each closure, and the open rows beside them."""
    shut = [value < CLOSED for value in gap]
    edges = [k for k in range(1, len(shut)) if shut[k] != shut[k - 1]]
    return sorted({row for k in edges for row in (k - 1, k)})


def held_rows(clip: Clip, tolerance: float, gap_tolerance: float) -> list[int]:
    """Return the rows that every mouth curve keeps.

    With them, channels thinned one by one leave the gap of ARKit rows within ``gap_tolerance``.
    """
    gap = lip_gap(clip.channels, clip.rows)
    held = set(closures(gap))
    while True:
        off = [abs(a - b) for a, b in zip(gap, _gap(clip, tolerance, sorted(held)), strict=True)]
        wrong = _peaks(off, gap_tolerance)
        if not wrong - held:
            return sorted(held)
        held |= wrong


def _gap(clip: Clip, tolerance: float, held: Sequence[int]) -> list[float]:
    columns = []
    for name in clip.channels:
        values = clip.column(name)
        columns.append(drawn(values, reduced(values, tolerance, held)))
    rows: list[Row] = [list(row) for row in zip(*columns, strict=True)]
    return lip_gap(clip.channels, rows)


def _peaks(off: Sequence[float], tolerance: float) -> set[int]:
    """Return the worst row of each run of rows beyond the tolerance."""
    peaks: set[int] = set()
    run: list[int] = []
    for k, value in enumerate([*off, 0.0]):
        if value > tolerance:
            run.append(k)
        elif run:
            peaks.add(max(run, key=lambda j: off[j]))
            run = []
    return peaks
