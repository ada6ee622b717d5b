"""Takes of the Live Link Face app: rows put on an even grid by their timecodes.

The same rules as Facewire's own reader; where rows were dropped the face goes straight from the one
before to the one after.
"""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Sequence

from . import timecode
from .channels import ARKIT
from .clip import LARGEST, MAX_FPS, Clip
from .errors import AddonError

_GAP = 10 * timecode.TICKS


def parse(text: str, name: str, where: str) -> Clip:
    """Return the clip in ARKit's channels; AddonError names the line that is wrong."""
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise AddonError(f"{where}: the file is empty")
    header = [cell.strip() for cell in lines[0][1].split(",")]
    at = _columns(header, where)
    if len(lines) < 2:
        raise AddonError(f"{where}: the take has a header and no rows")
    codes, rows = [], []
    for number, line in lines[1:]:
        cells = line.split(",")
        if len(cells) != len(header):
            raise AddonError(
                f"{where}, line {number}: {len(cells)} cells, expected {len(header)}; "
                "was the take cut? remove the line"
            )
        codes.append(_code(cells[0], f"{where}, line {number}"))
        rows.append(_numbers(cells, at, f"{where}, line {number}"))
    clip = _placed(codes, rows, name, where)
    return Clip(name, clip.fps, clip.channels, clip.columns, notes=_notes(text, header))


def _columns(header: Sequence[str], where: str) -> list[int]:
    """Return the column of each ARKit channel, -1 where there is none."""
    names = [name.lower() for name in header]
    if names[:2] != ["timecode", "blendshapecount"]:
        raise AddonError(f"{where}, line 1: expected Timecode,BlendShapeCount,...")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise AddonError(f"{where}, line 1: column '{twice}' is there twice")
    at = [names.index(name.lower()) if name.lower() in names else -1 for name in ARKIT]
    if max(at) < 0:
        raise AddonError(f"{where}, line 1: no column is one of the app's, like JawOpen")
    return at


def _notes(text: str, header: Sequence[str]) -> tuple[str, ...]:
    found = {name.lower() for name in header}
    missing = [name for name in ARKIT if name.lower() not in found]
    notes = [f"the file has no {', '.join(missing)}"] if missing else []
    if not text.endswith("\n"):
        notes.append("the last line does not end; was the take cut within its last number?")
    return tuple(notes)


def _code(cell: str, where: str) -> tuple[int, int]:
    try:
        return timecode.parse(cell.strip())
    except ValueError as error:
        raise AddonError(f"{where}: timecode {cell[:30]!r} {error}") from None


def _numbers(cells: list[str], at: list[int], where: str) -> list[float]:
    try:
        row = [float(cells[column]) if column >= 0 else 0.0 for column in at]
        if math.fsum(map(abs, row)) <= LARGEST:
            return row
    except ValueError:
        pass
    for name, column in zip(ARKIT, at, strict=True):
        if column >= 0 and not _number(cells[column]):
            found = cells[column].strip()[:30]
            raise AddonError(f"{where}: {name} is {found!r}, expected a number")
    raise AddonError(f"{where}: the numbers are too large")


def _number(cell: str) -> bool:
    try:
        return abs(float(cell)) <= LARGEST
    except ValueError:
        return False


def _placed(codes: list[tuple[int, int]], rows: list[list[float]], name: str, where: str) -> Clip:
    ticks = timecode.ticks(codes)
    for k, (a, b) in enumerate(itertools.pairwise(ticks)):
        if not 0 < b - a <= _GAP:
            raise AddonError(f"{where}: row {k + 2}: timecodes are to rise, by 10 s at most")
    step = timecode.spacing(ticks)
    index = timecode.grid(ticks, step)
    fps = timecode.rate_of(step, index[-1])
    if not 1 <= fps <= MAX_FPS:
        raise AddonError(f"{where}: its timecodes are {float(fps):g} fps, expected 1 to {MAX_FPS}")
    columns = [array("f", column) for column in zip(*rows, strict=True)]
    if index[-1] + 1 > len(rows):
        columns = [_filled(index, column) for column in columns]
    return Clip(name, fps, ARKIT, tuple(columns))


def _filled(index: list[int], column: array[float]) -> array[float]:
    out = array("f", column[:1])
    for a, b, one, other in zip(index, index[1:], column, column[1:], strict=False):
        for k in range(a + 1, b):
            part = (k - a) / (b - a)
            out.append(one * (1 - part) + other * part)
        out.append(other)
    return out
