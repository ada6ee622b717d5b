"""Takes of the Live Link Face app: rows put on an even grid by their timecodes.

The same rules as Facewire's own reader; where rows were dropped the face goes straight from the one
before to the one after.
"""

from __future__ import annotations

import itertools
import math

from facewire_unreal import timecode
from facewire_unreal.clip import MAX_FPS, Clip, ClipError, Row
from facewire_unreal.face import ARKIT

_GAP = 10 * timecode.TICKS


def parse(text: str, where: str) -> Clip:
    """Return the clip in ARKit's channels; ClipError names the line that is wrong."""
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) < 2:
        raise ClipError(f"{where}: expected a header and rows")
    at = _columns(lines[0][1], where)
    codes, rows = [], []
    for number, line in lines[1:]:
        cells = line.split(",")
        if len(cells) != len(lines[0][1].split(",")):
            raise ClipError(f"{where}, line {number}: {len(cells)} cells; was the take cut?")
        codes.append(_code(cells[0], f"{where}, line {number}"))
        rows.append(_numbers(cells, at, f"{where}, line {number}"))
    return _placed(codes, rows, where)


def _columns(header: str, where: str) -> list[int]:
    """Return the column of each ARKit channel, -1 where there is none."""
    names = [name.strip().lower() for name in header.split(",")]
    if names[:2] != ["timecode", "blendshapecount"]:
        raise ClipError(f"{where}, line 1: expected Timecode,BlendShapeCount,...")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ClipError(f"{where}, line 1: column '{twice}' is there twice")
    at = [names.index(name.lower()) if name.lower() in names else -1 for name in ARKIT]
    if max(at) < 0:
        raise ClipError(f"{where}, line 1: no column is one of the app's, like JawOpen")
    return at


def _code(cell: str, where: str) -> tuple[int, int]:
    try:
        return timecode.parse(cell.strip())
    except ValueError as error:
        raise ClipError(f"{where}: timecode {cell[:30]!r} {error}") from None


def _numbers(cells: list[str], at: list[int], where: str) -> Row:
    row = []
    for name, column in zip(ARKIT, at, strict=True):
        try:
            value = float(cells[column]) if column >= 0 else 0.0
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ClipError(f"{where}: {name} is {cells[column][:30]!r}, expected a number")
        row.append(value)
    return row


def _placed(codes: list[tuple[int, int]], rows: list[Row], where: str) -> Clip:
    ticks = timecode.ticks(codes)
    for k, (a, b) in enumerate(itertools.pairwise(ticks)):
        if not 0 < b - a <= _GAP:
            raise ClipError(f"{where}: row {k + 2}: timecodes are to rise, by 10 s at most")
    step = timecode.spacing(ticks)
    index = timecode.grid(ticks, step)
    fps = timecode.rate_of(step, index[-1])
    if not 1 <= fps <= MAX_FPS:
        raise ClipError(f"{where}: its timecodes are {float(fps):g} fps, expected 1 to {MAX_FPS}")
    return Clip(ARKIT, _filled(index, rows), fps)


def _filled(index: list[int], rows: list[Row]) -> list[Row]:
    out = [rows[0]]
    for a, b, one, other in zip(index, index[1:], rows, rows[1:], strict=False):
        for k in range(a + 1, b):
            part = (k - a) / (b - a)
            out.append([x * (1 - part) + y * part for x, y in zip(one, other, strict=True)])
        out.append(other)
    return out
