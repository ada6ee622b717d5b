"""The source ``files.livelink_csv``: a take of the Live Link Face app (``_cal``, ``_raw`` and all).

Rows are put on an even grid by their timecodes; where rows were dropped the face goes straight from
the one before to the one after. Columns are found by name.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import FloatArray, Frames

from facewire_files.livelink_csv import column
from facewire_files.take import MAX_CHANNELS, MAX_FPS, Take, length, readable
from facewire_files.timecode import (
    TICKS,
    Ticks,
    base_of,
    grid,
    parse,
    rate_of,
    spacing,
    timecode,
    unwrapped,
)

_LINE = 1 << 16  # bytes; the app's lines have 900
_ROWS = 64
_GAP = 10.0  # seconds that may be filled
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What the first reading of a take tells: where each row goes."""

    header: list[str]
    fps: Fraction
    index: Ticks
    notes: list[str]


class LiveLinkTake(Take):
    """Read a take in two passes: timecodes and cells are counted first, so errors come at once.

    ``fallback`` is the rate of a take of one row, whose timecode cannot tell it.
    """

    def __init__(self, path: Path, fallback: Fraction) -> None:
        super().__init__(path)
        self._rig = Rig.named("arkit61")
        self._fallback = fallback
        self._notes: list[str] = []

    def blocks(self) -> Iterator[Frames]:
        """Yield the frames at the take's own rate; InputError names the line that is wrong."""
        with readable(self.path):
            with open(self.path, "rb") as file:
                plan = self._plan(file)
            with open(self.path, "rb") as file:
                yield from self._frames(file, plan)

    def report(self) -> Sequence[str]:
        """Say which columns and rows were missing, and how the rate was found."""
        return self._notes

    def _plan(self, file: IO[bytes]) -> _Plan:
        lines = self._lines(file)
        header = self._header(next(lines, (1, b""))[1])
        seconds, thousandths, numbers, line = array("q"), array("q"), array("q"), b""
        for number, line in lines:
            self._check_cells(number, line, len(header))
            code = line[: line.index(b",")]
            try:
                second, part = parse(code.strip())
            except ValueError as error:
                raise self._error(number, f"timecode {_shown(code)} {error}") from None
            seconds.append(second)
            thousandths.append(part)
            numbers.append(number)
        if not numbers:
            raise InputError(f"{self.path}: the take has a header and no rows")
        whole, parts = np.array(seconds, np.int64), np.array(thousandths, np.int64)
        base = base_of(whole, parts)
        ticks = unwrapped(whole, parts, base)
        self._check_order(ticks, numbers)
        plan = self._placed(header, ticks, base)
        if not line.endswith(b"\n"):
            plan.notes.append(
                "the last line does not end; was the take cut within its last number?"
            )
        return plan

    def _placed(self, header: list[str], ticks: Ticks, base: int) -> _Plan:
        step = spacing(ticks)
        index = grid(ticks, step)
        fps = rate_of(step, int(index[-1])) if step else self._fallback
        if not 1 <= fps <= MAX_FPS:
            found = f"its timecodes are {float(fps):g} fps"
            raise InputError(f"{self.path}: {found}, expected 1 to {MAX_FPS}")
        rows = length(self.path, int(index[-1]) + 1, fps)
        drift = float((ticks[-1] - ticks[0]) / TICKS - (rows - 1) / fps)
        self._notes = self._columns_note(header)
        if base != 60:
            self._notes.append(f"the timecode counts {base} frames a second")
        if rows > len(ticks):
            self._notes.append(f"{rows - len(ticks)} dropped frames filled by interpolation")
        if abs(drift) >= 0.01:
            self._notes.append(f"read as {float(fps):g} fps; its clock ends {drift:+.3f} s off")
        return _Plan(header, fps, index, self._notes)

    def _columns_note(self, header: list[str]) -> list[str]:
        known = {column(channel).lower(): column(channel) for channel in self._rig.channels}
        found = {name.lower() for name in header[2:]}
        missing = [name for key, name in known.items() if key not in found]
        extra = [name for name in header[2:] if name.lower() not in known]
        if len(missing) == len(known):
            raise self._error(1, "no column is one of the app's, like JawOpen")
        notes = [f"missing columns are 0: {', '.join(missing)}"] if missing else []
        return notes + ([f"columns not used: {', '.join(extra)}"] if extra else [])

    def _frames(self, file: IO[bytes], plan: _Plan) -> Iterator[Frames]:
        lines = self._lines(file)
        next(lines, None)
        at = {name.lower(): i for i, name in enumerate(plan.header)}
        columns = [at.get(column(channel).lower(), -1) for channel in self._rig.channels]
        held: FloatArray | None = None
        for first in range(0, len(plan.index), _ROWS):
            index = plan.index[first : first + _ROWS]
            rows = self._rows(lines, columns, len(index), len(plan.header))
            start = 0 if held is None else int(plan.index[first - 1]) + 1
            yield from self.cut(_fill(held, rows, index, start), self._rig, plan.fps, start)
            if self._closed:
                return
            held = rows[-1:]

    def _rows(
        self, lines: Iterator[tuple[int, bytes]], columns: list[int], count: int, cells: int
    ) -> FloatArray:
        rows = np.zeros((count, len(columns)))
        for row in rows:
            number, line = next(lines, (0, b""))
            self._check_cells(number, line, cells)
            row[:] = self._numbers(number, line.split(b","), columns)
        with np.errstate(over="ignore"):
            return rows.astype(np.float32)

    def _numbers(self, number: int, cells: list[bytes], columns: list[int]) -> list[float]:
        values = []
        for channel, at in zip(self._rig.channels, columns, strict=True):
            try:
                value = float(cells[at]) if at >= 0 else 0.0
            except ValueError:
                value = np.nan
            if not abs(value) <= _LARGEST:
                found = f"{column(channel)} is {_shown(cells[at])}"
                raise self._error(number, f"{found}, expected a number")
            values.append(value)
        return values

    def _lines(self, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
        number = 0
        while line := file.readline(_LINE):
            number += 1
            if len(line) == _LINE:
                raise self._error(number, "has 64 KB, so this is no take")
            if line.strip():
                yield number, line

    def _header(self, line: bytes) -> list[str]:
        try:
            names = [name.strip() for name in line.decode("utf-8-sig").split(",")]
        except UnicodeDecodeError:
            raise self._error(1, "is no text, so this is no take") from None
        if [name.lower() for name in names[:2]] != ["timecode", "blendshapecount"]:
            raise self._error(
                1, f"{_shown(line)} is no header of a take, expected Timecode,BlendShapeCount,..."
            )
        if not 3 <= len(names) <= MAX_CHANNELS:
            raise self._error(1, f"{len(names)} columns, expected 3 to {MAX_CHANNELS}")
        lower = [name.lower() for name in names]
        twice = next((name for name in lower if lower.count(name) > 1), None)
        if twice is not None:
            raise self._error(1, f"column '{twice}' is there twice")
        return names

    def _check_cells(self, number: int, line: bytes, columns: int) -> None:
        cells = line.count(b",") + 1
        if cells != columns:
            raise self._error(
                number, f"{cells} cells, expected {columns}; was the take cut? remove the line"
            )
        if b",," in line or line.startswith(b",") or line.rstrip().endswith(b","):
            raise self._error(number, "a cell is empty, expected a number in each")

    def _check_order(self, ticks: Ticks, numbers: Sequence[int]) -> None:
        steps = np.diff(ticks)
        if (steps <= 0).any():
            row = int(np.argmax(steps <= 0)) + 1
            late = f"timecode {timecode(int(ticks[row]))} does not come after the one before"
            raise self._error(numbers[row], f"{late}; sort the rows, or remove this one")
        if (steps > _GAP * TICKS).any():
            row = int(np.argmax(steps > _GAP * TICKS)) + 1
            gap = f"the timecode jumps by {steps[row - 1] / TICKS:.1f} s"
            raise self._error(numbers[row], f"{gap}, expected {_GAP:g} at most; cut the take there")

    def _error(self, number: int, text: str) -> InputError:
        return InputError(f"{self.path}, line {number}: {text}")


def _fill(held: FloatArray | None, rows: FloatArray, index: Ticks, start: int) -> FloatArray:
    """Return ``rows`` (n, channels) at ``index``, and between them, from grid row ``start`` on.

    ``held`` (1, channels) is the row at ``start`` - 1. Rows that are there come out bit for bit.
    """
    known = rows if held is None else np.concatenate([held, rows])
    at = index if held is None else np.concatenate([[start - 1], index])
    grid_rows = np.arange(start, int(index[-1]) + 1)
    after = np.searchsorted(at, grid_rows)
    before = np.maximum(after - 1, 0)
    span = np.maximum(at[after] - at[before], 1)
    weight = np.where(at[after] == grid_rows, 1.0, (grid_rows - at[before]) / span)[:, None]
    filled = (1.0 - weight) * known[before] + weight * known[after]  # float64: 1e38 stays finite
    return np.ascontiguousarray(filled, np.float32)


def _shown(text: bytes) -> str:
    return ascii(text[:30].decode("utf-8", "replace").strip())
