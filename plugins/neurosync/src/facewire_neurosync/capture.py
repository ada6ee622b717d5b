"""Takes of the Live Link Face app (CSV), played in a loop."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import FloatArray
from numpy.typing import NDArray

FPS = 60  # of the app's takes
_BESIDE = ("Timecode", "BlendshapeCount")
_MOST = 1_000_000  # rows, 4.6 hours


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """Rows of a take, (n, channels) at 60 fps, and what the columns are called (``jawOpen``)."""

    path: Path
    channels: tuple[str, ...]
    values: FloatArray

    def onto(self, rig: Rig) -> FloatArray:
        """Return the rows in a rig's columns, (n, len(rig)); what the take lacks is 0."""
        out = np.zeros((len(self.values), len(rig)), np.float32)
        for column, channel in enumerate(self.channels):
            if channel in rig:
                out[:, rig.index(channel)] = self.values[:, column]
        return out


def read(path: Path) -> Capture:
    """Read a take; InputError says in which line it is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            columns = [i for i, name in enumerate(header) if name.strip() not in _BESIDE]
            names = [header[i].strip() for i in columns]
            if "Timecode" not in header or not names or not all(names):
                raise InputError(f"{path}: line 1 is no header of a Live Link Face take")
            values = [_row(path, rows.line_num, row, columns) for row in rows if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a Live Link Face take ({error})") from None
    if not values or len(values) > _MOST:
        raise InputError(f"{path}: has {len(values)} rows, expected 1 to {_MOST}")
    channels = tuple(_channel(name) for name in names)
    return Capture(path, channels, np.array(values, np.float32))


def _channel(name: str) -> str:
    """Return our name of a column: JawOpen is jawOpen, the player's Angry is emotionAngry."""
    emotion = f"emotion{name[0].upper()}{name[1:]}"
    return emotion if emotion in Rig.named("neurosync68") else name[0].lower() + name[1:]


def _row(path: Path, line: int, row: list[str], columns: list[int]) -> list[float]:
    try:
        values = [float(row[i]) for i in columns]
    except (ValueError, IndexError):
        raise InputError(f"{path}: line {line} has not a number in every column") from None
    if not np.isfinite(values).all():
        raise InputError(f"{path}: line {line} holds a value that is not a finite number")
    return values


class Loop:
    """Plays rows (n, c) at 60 fps for ever; its end is cross-faded into its beginning."""

    def __init__(self, values: FloatArray, fps: Fraction, fade: int) -> None:
        fade = max(0, min(fade, len(values) // 2))
        part = (np.arange(1, fade + 1, dtype=np.float32) / (fade + 1))[:, None]
        self._period = len(values) - fade
        # the first time round it begins plainly, later with the end faded in
        joint = values[self._period :] * (1 - part) + values[:fade] * part
        self._first, self._again = values, np.concatenate([joint, values[fade : self._period]])
        self._step = Fraction(FPS) / fps

    def _at(self, rows: NDArray[np.int64]) -> FloatArray:
        early = self._first[np.minimum(rows, self._period - 1)]
        late = self._again[(rows - self._period) % self._period]
        return np.asarray(np.where((rows < self._period)[:, None], early, late))

    def rows(self, start: int, count: int) -> FloatArray:
        """Return the rows of frames ``start`` and following, linearly between the take's."""
        num, den = self._step.numerator, self._step.denominator
        at = np.arange(start, start + count, dtype=np.int64) * num
        low, part = at // den, ((at % den) / den).astype(np.float32)[:, None]
        out: FloatArray = self._at(low) * (1 - part) + self._at(low + 1) * part
        return out
