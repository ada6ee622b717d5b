"""A clip as its file holds it: a column for each channel, and the words and phones spoken."""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from .errors import AddonError, cause

MAX_FPS = 1000
MAX_CHANNELS = 1024
LARGEST = 3.4028234e38
SUFFIXES = (".csv", ".json", ".npz")


@dataclass(frozen=True)
class Mark:
    """A word, phone or sound and when it is heard, in seconds from row 0."""

    kind: str
    text: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Clip:
    """Columns, each (n,) single precision, at ``fps``; row k is at k / fps seconds.

    Rotations are radians. ``sound`` is the path of a WAV file beside the clip, "" if there is none.
    ``notes`` is what the reader has to say.
    """

    name: str
    fps: Fraction
    channels: tuple[str, ...]
    columns: tuple[array[float], ...]
    marks: tuple[Mark, ...] = ()
    sound: str = ""
    notes: tuple[str, ...] = ()
    path: str = ""

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    @property
    def seconds(self) -> float:
        """Seconds from the first row to the last."""
        return float((len(self) - 1) / self.fps)

    def column(self, channel: str) -> array[float]:
        """Return a channel's values (n,); KeyError if the clip lacks it."""
        try:
            return self.columns[self.channels.index(channel)]
        except ValueError:
            raise KeyError(channel) from None

    def value(self, channel: str, row: int) -> float:
        """Return one value."""
        return self.column(channel)[row]

    def moves(self, channel: str) -> bool:
        """Return whether a channel is anything but 0."""
        return channel in self.channels and any(self.column(channel))

    def cut(self, begin: int, end: int) -> Clip:
        """Return the rows from ``begin`` up to ``end``; marks count from the new row 0."""
        first, last = float(begin / self.fps), float(end / self.fps)
        marks = tuple(
            replace(mark, start=mark.start - first, end=mark.end - first)
            for mark in self.marks
            if mark.end > first and mark.start < last
        )
        columns = tuple(column[begin:end] for column in self.columns)
        return replace(self, columns=columns, marks=marks)


def made(
    name: str,
    fps: Fraction,
    channels: Sequence[str],
    rows: Iterable[Sequence[float]],
    marks: Sequence[Mark] = (),
) -> Clip:
    """Return a clip of rows of values; AddonError if they do not fit the channels."""
    columns = [array("f", column) for column in zip(*rows, strict=True)]
    if not columns:
        columns = [array("f") for _ in channels]
    if len(columns) != len(channels):
        raise AddonError(f"{name}: rows of {len(columns)}, expected {len(channels)} values")
    return Clip(name, Fraction(fps), tuple(channels), tuple(columns), tuple(marks))


def read(path: str | os.PathLike[str]) -> Clip:
    """Read a clip by its suffix; AddonError in one line if it is not as it should be."""
    from . import read_csv, read_json, read_npz

    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise AddonError(f"{file.name}: expected a clip that ends in {' or '.join(SUFFIXES)}")
    try:
        if not file.is_file():
            raise AddonError(f"{file}: there is no such file")
        if suffix == ".npz":
            clip = read_npz.read(file)
        else:
            text = file.read_bytes().decode("utf-8-sig")
            clip = (read_csv if suffix == ".csv" else read_json).parse(text, file.stem, file.name)
    except OSError as error:
        raise AddonError(f"{file}: cannot be read: {cause(error)}") from error
    except UnicodeDecodeError:
        raise AddonError(f"{file.name}: is no text, expected a clip") from None
    if not len(clip):
        raise AddonError(f"{file.name}: the clip has no frames")
    return replace(clip, sound=_sound(file), path=str(file))


def _sound(file: Path) -> str:
    for suffix in (".wav", ".WAV", ".flac", ".ogg", ".mp3"):
        if file.with_suffix(suffix).is_file():
            return str(file.with_suffix(suffix))
    return ""


def rate_of(fps: Any, fraction: Any, where: str) -> Fraction:
    """Return the rate that a file names as a number, or exactly as two integers."""
    try:
        if fraction is None:
            rate = Fraction(float(fps)).limit_denominator(1001)
        else:
            above, below = fraction
            rate = Fraction(int(above), int(below))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise AddonError(f"{where}: fps is {str(fps)[:40]}, expected a number") from None
    if not 1 <= rate <= MAX_FPS:
        raise AddonError(f"{where}: fps is {float(rate):g}, expected 1 to {MAX_FPS}")
    return rate


def names_of(names: Any, where: str) -> tuple[str, ...]:
    """Return channel names; AddonError if they are none."""
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_CHANNELS:
        raise AddonError(f"{where}: channels: expected a list of names")
    for name in names:
        if not isinstance(name, str) or not name:
            raise AddonError(f"{where}: channel {str(name)[:40]!r} is no name")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise AddonError(f"{where}: channel '{twice}' is there twice")
    return tuple(names)


def finite(column: array[float], channel: str, where: str) -> array[float]:
    """Return the column; AddonError names the first value that is not finite."""
    if not math.isfinite(math.fsum(map(abs, column))):
        for row, value in enumerate(column):
            if not math.isfinite(value):
                raise AddonError(f"{where}: frame {row}: {channel} is {value}, expected a number")
    return column


def marks_of(marks: Any, where: str) -> tuple[Mark, ...]:
    """Return marks in order of time, from objects with kind, text, start and end."""
    try:
        found = [
            Mark(str(m["kind"]), str(m["text"]), float(m["start"]), float(m["end"])) for m in marks
        ]
    except (TypeError, KeyError, ValueError, OverflowError):
        raise AddonError(f"{where}: marks: expected kind, text, start and end in each") from None
    if not all(math.isfinite(mark.start) and math.isfinite(mark.end) for mark in found):
        raise AddonError(f"{where}: marks: a time is not finite")
    return tuple(sorted(found, key=lambda mark: (mark.start, mark.end)))
