"""Live Link Face timecodes, ``HH:MM:SS:FF.mmm``, and the rate that a row of them stands for.

The app counts 60 frames a second whatever the take's rate, so rows of a 30 Hz take are 2.000 apart;
``mmm`` are thousandths of such a frame. Unreal's importer (LiveLinkFaceImporter) counted 60 as well
and, since it knows 30, takes 60 only if some FF is above 30. Times here are ticks: thousandths of a
sixtieth of a second, as integers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from facewire.errors import ProfileError
from numpy.typing import NDArray

TICKS = 60_000
"""Ticks a second."""
DAY = 24 * 3600 * TICKS
BASES = (60, 30, 25, 24)
"""What FF may count a second: the app's first, it wins where nothing tells."""
_FORM = re.compile(rb"(\d{1,2}):(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?\s*")
# A phone's clock runs a few parts in ten thousand off; 30 and 29.97 differ by ten.
_CLOCK = 4e-4
_NTSC = tuple(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120))

Ticks = NDArray[np.int64]


def ticks_of(frame: int, fps: Fraction) -> int:
    """Return when frame ``frame`` is due, rounded half up to whole ticks. Exact: no drift."""
    return (2 * frame * TICKS * fps.denominator + fps.numerator) // (2 * fps.numerator)


def timecode(ticks: int) -> str:
    """Return ``HH:MM:SS:FF.mmm``; after midnight it begins at zero again."""
    seconds, ticks = divmod(ticks % DAY, TICKS)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    frame, thousandths = divmod(ticks, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}:{frame:02}.{thousandths:03}"


def parse(text: bytes) -> tuple[int, int]:
    """Return a timecode's whole seconds and thousandths of a frame; ValueError if it is none."""
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError("is no timecode like 00:00:01:31.000")
    hours, minutes, seconds, frame = (int(part) for part in found.groups()[:4])
    if hours > 23 or minutes > 59 or seconds > 59 or frame > 59:
        raise ValueError("is no time of day (at most 23:59:59:59.999)")
    thousandths = round(1000 * float(b"0." + (found[5] or b"0")))
    return (hours * 60 + minutes) * 60 + seconds, frame * 1000 + thousandths


def start_ticks(text: str) -> int:
    """Return the ticks of an option's timecode; ProfileError if it is none."""
    try:
        seconds, thousandths = parse(text.encode())
    except ValueError as error:
        raise ProfileError(f"start: '{text}' {error}") from None
    return seconds * TICKS + thousandths


def base_of(seconds: Ticks, thousandths: Ticks) -> int:
    """Return how many frames a second FF counts: 60, 30, 25 or 24.

    60 if any FF reaches 30, as in Unreal. Below that it is the base with which the rows are most
    evenly spaced where a second passes, and the app's 60 where none does.
    """
    if len(thousandths) < 2 or int(thousandths.max()) >= 30_000:
        return 60
    possible = [base for base in BASES if int(thousandths.max()) < base * 1000]
    steps = np.diff(thousandths), np.diff(seconds)

    def unevenness(base: int) -> int:
        step = steps[0] + steps[1] * base * 1000
        return int(np.abs(step - np.median(step)).sum())

    return min(possible, key=unevenness)  # min keeps the first of equals


def unwrapped(seconds: Ticks, thousandths: Ticks, base: int) -> Ticks:
    """Return ticks that go on past midnight."""
    ticks = seconds * TICKS + thousandths * (60 // base if 60 % base == 0 else 60 / base)
    ticks = np.rint(ticks).astype(np.int64)
    midnights = np.diff(ticks, prepend=ticks[:1]) < -DAY // 2
    return np.asarray(ticks + DAY * np.cumsum(midnights), np.int64)


def spacing(ticks: Ticks) -> float:
    """Return the ticks between neighbouring rows, 0 if there is one row alone.

    First the mean over neighbours, where a gap of dropped rows counts as the whole number of median
    steps nearest to it; long gaps are left out, their number of rows being unsure. Then the slope
    of the line through the rows on that grid (least squares): uneven timecodes hardly move it.
    """
    steps = np.diff(ticks)
    if not len(steps):
        return 0.0
    rows = np.maximum(1, np.rint(steps / np.median(steps)))
    near = rows <= 4
    index = grid(ticks, float(steps[near].sum() / rows[near].sum()))
    off = index - index.mean()
    return float((off * (ticks - ticks.mean())).sum() / (off * off).sum())


def rate_of(step: float, rows: int) -> Fraction:
    """Return the frame rate of rows ``step`` ticks apart, over ``rows`` steps.

    The nearest whole or NTSC rate where the difference is within what a device's clock or the
    rounding of the timecodes explains, else the simplest fraction that the rounding allows.
    """
    rate = TICKS / step
    # Half a tick of rounding in each row moves the slope of n rows by 1.5 / n ticks at most.
    rounding = 1.5 / (step * max(1, rows)) + 1e-9
    usual = min((Fraction(max(1, round(rate))), *_NTSC), key=lambda fps: abs(float(fps) - rate))
    if abs(float(usual) / rate - 1) <= max(_CLOCK, min(rounding, 1e-3)):
        return usual
    return next(
        (fps for fps in _simple(rate) if abs(float(fps) / rate - 1) <= rounding),
        Fraction(rate).limit_denominator(1001),
    )


def _simple(rate: float) -> Iterator[Fraction]:
    for denominator in range(1, 1002):
        yield Fraction(max(1, round(rate * denominator)), denominator)


def grid(ticks: Ticks, step: float) -> Ticks:
    """Return each row's index on an even grid of ``step`` ticks, from 0 and rising."""
    if step <= 0:
        return np.zeros(len(ticks), np.int64)
    nearest = np.rint((ticks - ticks[0]) / step).astype(np.int64)
    order = np.arange(len(ticks))
    return np.asarray(np.maximum.accumulate(nearest - order) + order, np.int64)
