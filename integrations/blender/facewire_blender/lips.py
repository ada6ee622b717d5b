"""The lips' gap and its closures, by the tables that Facewire itself uses."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from fractions import Fraction

from .channels import TABLES
from .clip import Clip

GAP: Mapping[str, float] = TABLES["gap"]
CLOSED: float = TABLES["closed"]
"""A gap below this is closed (jawOpen alone = 1)."""
HOLD: float = TABLES["hold"]
"""Seconds that a closure lasts at least."""


def lip_gap(clip: Clip) -> array[float]:
    """Return the distance of the central lips (n,); channels that the clip lacks count 0."""
    total = [0.0] * len(clip)
    for name, column in zip(clip.channels, clip.columns, strict=True):
        weight = GAP.get(name)
        if weight is not None:
            total = [gap + weight * value for gap, value in zip(total, column, strict=True)]
    return array("f", total)


def closures(gap: Sequence[float], fps: Fraction | float) -> list[tuple[int, int]]:
    """Return the first and last row of each closure: gap < .03, on the screen for 33 ms or more."""
    least = HOLD * float(fps) - 1e-6
    return [(a, z) for a, z in closed_runs(gap) if z - a + 1 >= least]


def closed_runs(gap: Sequence[float]) -> list[tuple[int, int]]:
    """Return the first and last row of each run of rows with gap < .03."""
    runs: list[tuple[int, int]] = []
    begin = -1
    for row, value in enumerate(gap):
        if value < CLOSED:
            begin = row if begin < 0 else begin
        elif begin >= 0:
            runs.append((begin, row - 1))
            begin = -1
    return [*runs, (begin, len(gap) - 1)] if begin >= 0 else runs
