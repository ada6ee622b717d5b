"""What all sources of this package share: checks of a file, a rate, names and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from facewire.errors import InputError
from facewire.rig import Rig, rigs
from facewire.stages import Source
from facewire.types import MAX_BLOCK_ROWS, FloatArray, Frames

from facewire_files.base import not_finite

MAX_FPS = 1000
MAX_CHANNELS = 1024
MAX_NAME = 128
MAX_HOURS = 24


class Take(Source):
    """A source that reads frames from one file."""

    brings = "frames"
    path: Path

    def __init__(self, path: Path) -> None:
        self.path = path
        self._closed = False

    def close(self) -> None:
        """Stop after the block that is being read."""
        self._closed = True

    def reset(self) -> None:
        """Forget what was read."""
        self._closed = False

    def cut(self, values: FloatArray, rig: Rig, fps: Fraction, start: int) -> Iterator[Frames]:
        """Yield ``values`` (n, channels) in pieces that a block can hold."""
        for at in range(0, len(values), MAX_BLOCK_ROWS):
            if self._closed:
                return
            yield Frames(values[at : at + MAX_BLOCK_ROWS], rig, fps, start + at)

    def checked(self, values: Any, rig: Rig, start: int) -> FloatArray:
        """Return ``values`` (n, channels) as float32; InputError if one is not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            rows = np.ascontiguousarray(values, np.float32)
        wrong = not_finite(rows)
        if wrong is not None:
            row, column = wrong
            raise InputError(
                f"{self.path}: frame {start + row}: {rig.channels[column]} is {rows[row, column]}, "
                "expected a finite number"
            )
        return rows


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Check that a path is a plain file with something in it; turn OSError into InputError."""
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder, expected a file")
        if not path.exists():
            raise InputError(f"{path}: there is no such file")
        if not path.is_file():
            raise InputError(f"{path}: is no plain file (a device or a pipe)")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty")
        yield
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise InputError(f"{path}: cannot be read: {cause}") from error


def rate_of(path: Path, fps: Any, fraction: Any) -> Fraction:
    """Return the rate that a file names as a number, and exactly as two integers if it does."""
    try:
        if fraction is None:
            rate = Fraction(float(fps)).limit_denominator(1001)
        else:
            numerator, denominator = fraction
            rate = Fraction(int(numerator), int(denominator))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        found = fps if fraction is None else fraction
        raise InputError(f"{path}: fps is {str(found)[:40]}, expected a number") from None
    if not 1 <= rate <= MAX_FPS:
        raise InputError(f"{path}: fps is {float(rate):g}, expected 1 to {MAX_FPS}")
    return rate


def rig_of(path: Path, names: Sequence[Any]) -> Rig:
    """Return the core's rig with these channels in this order, or one of the file's own."""
    if not 1 <= len(names) <= MAX_CHANNELS:
        raise InputError(f"{path}: {len(names)} channels, expected 1 to {MAX_CHANNELS}")
    for name in names:
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME or not name.isprintable():
            raise InputError(f"{path}: channel {str(name)[:40]!r} is not a name")
    channels = tuple(map(str, names))
    twice = next((name for name in channels if channels.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: channel '{twice}' is there twice")
    known = (rig for rig in rigs().values() if rig.channels == channels)
    return next(known, Rig("take", channels))


def length(path: Path, rows: int, fps: Fraction) -> int:
    """Return ``rows`` if a take may have that many: one at least, a day at most."""
    if rows < 1:
        raise InputError(f"{path}: the take has no frames")
    if rows > MAX_HOURS * 3600 * fps:
        hours = rows / float(fps) / 3600
        raise InputError(f"{path}: the take is {hours:.0f} h long, expected {MAX_HOURS} at most")
    return rows
