"""Timecodes ``HH:MM:SS:FF.mmm`` and the rate of a row of them, without numpy.

Times are ticks: thousandths of a sixtieth of a second. The rules are those of Facewire's own reader
(facewire_files.timecode), which says why; the two are tested against each other.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Sequence
from fractions import Fraction

TICKS = 60_000
DAY = 24 * 3600 * TICKS
BASES = (60, 30, 25, 24)
_FORM = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?")
_CLOCK = 4e-4
_NTSC = tuple(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120))


def parse(text: str) -> tuple[int, int]:
    """Return a timecode's whole seconds and thousandths of a frame; ValueError if it is none."""
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError("is no timecode like 00:00:01:31.000")
    hours, minutes, seconds, frame = (int(part) for part in found.groups()[:4])
    if hours > 23 or minutes > 59 or seconds > 59 or frame > 59:
        raise ValueError("is no time of day (at most 23:59:59:59.999)")
    return (hours * 60 + minutes) * 60 + seconds, frame * 1000 + round(
        1000 * float("0." + (found[5] or "0"))
    )


def ticks(codes: Sequence[tuple[int, int]]) -> list[int]:
    """Return ticks that go on past midnight."""
    base = base_of(codes)
    out: list[int] = []
    midnights = 0
    last: int | None = None
    for second, part in codes:
        tick = round(second * TICKS + part * Fraction(60, base))
        if last is not None and tick - last < -DAY // 2:
            midnights += 1
        last = tick
        out.append(tick + DAY * midnights)
    return out


def base_of(codes: Sequence[tuple[int, int]]) -> int:
    """Return how many frames a second FF counts: 60, 30, 25 or 24."""
    most = max(part for _, part in codes)
    if len(codes) < 2 or most >= 30_000:
        return 60

    def unevenness(base: int) -> int:
        at = [second * base * 1000 + part for second, part in codes]
        steps = [b - a for a, b in itertools.pairwise(at)]
        middle = statistics.median(steps)
        return int(sum(abs(step - middle) for step in steps))

    return min((base for base in BASES if most < base * 1000), key=unevenness)


def spacing(given: Sequence[int]) -> float:
    """Return the ticks between neighbouring rows, 0 if there is one row alone (least squares)."""
    steps = [b - a for a, b in itertools.pairwise(given)]
    if not steps:
        return 0.0
    middle = statistics.median(steps)
    near = [(step, n) for step in steps if (n := max(1, round(step / middle))) <= 4]
    index = grid(given, sum(step for step, _ in near) / sum(n for _, n in near))
    mean_i, mean_t = statistics.fmean(index), statistics.fmean(given)
    above = sum((i - mean_i) * (t - mean_t) for i, t in zip(index, given, strict=True))
    return above / sum((i - mean_i) ** 2 for i in index)


def rate_of(step: float, rows: int) -> Fraction:
    """Return the frame rate of rows ``step`` ticks apart, over ``rows`` steps; 60 for one row."""
    if not step:
        return Fraction(60)
    rate = TICKS / step
    rounding = 1.5 / (step * max(1, rows)) + 1e-9
    usual = min((Fraction(max(1, round(rate))), *_NTSC), key=lambda fps: abs(float(fps) - rate))
    if abs(float(usual) / rate - 1) <= max(_CLOCK, min(rounding, 1e-3)):
        return usual
    for below in range(1, 1002):
        fps = Fraction(max(1, round(rate * below)), below)
        if abs(float(fps) / rate - 1) <= rounding:
            return fps
    return Fraction(rate).limit_denominator(1001)


def grid(given: Sequence[int], step: float) -> list[int]:
    """Return each row's index on an even grid of ``step`` ticks, from 0 and rising."""
    out: list[int] = []
    for tick in given:
        at = round((tick - given[0]) / step) if step > 0 else 0
        out.append(max(at, out[-1] + 1) if out else at)
    return out
