"""The source ``files.json``: frames as ``files.json`` or Audio2Face writes them.

For large takes there is npz.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from facewire.errors import InputError
from facewire.types import Frames

from facewire_files.a2f import from_json, is_a2f
from facewire_files.take import Take, length, rate_of, readable, rig_of

_MAX_BYTES = 64 << 20  # some 20 minutes at 60 fps; four times that in memory


class JsonTake(Take):
    """Read frames, from index 0 whatever ``start`` the file names; the file is read whole."""

    def blocks(self) -> Iterator[Frames]:
        """Yield the frames; InputError if the file is not as it should be."""
        take = self._load()
        if is_a2f(take):
            values, rig, fps = from_json(self.path, take)
            yield from self.cut(self.checked(values, rig, 0), rig, fps, 0)
            return
        missing = [key for key in ("fps", "channels", "values") if key not in take]
        if missing:
            raise InputError(f"{self.path}: has no '{missing[0]}'")
        if not isinstance(take["channels"], list) or not isinstance(take["values"], list):
            raise InputError(f"{self.path}: channels and values are to be lists")
        rig = rig_of(self.path, take["channels"])
        fps = rate_of(self.path, take["fps"], take.get("fps_fraction"))
        rows = take["values"]
        length(self.path, len(rows), fps)
        for number, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != len(rig):
                raise InputError(f"{self.path}: frame {number}: expected {len(rig)} numbers")
            if not all(type(value) in (int, float) for value in row):
                raise InputError(f"{self.path}: frame {number}: a value is no number")
        yield from self.cut(self.checked(_array(rows), rig, 0), rig, fps, 0)

    def _load(self) -> dict[str, Any]:
        with readable(self.path):
            size = self.path.stat().st_size
            if size > _MAX_BYTES:
                raise InputError(f"{self.path}: is {size >> 20} MB, expected 64 at most; use .npz")
            raw = self.path.read_bytes()
        try:
            take = json.loads(raw.decode("utf-8-sig"))
        except RecursionError:
            raise InputError(f"{self.path}: is not JSON of this kind: nested too deep") from None
        except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are
            raise InputError(f"{self.path}: is not JSON: {str(error)[:120].lower()}") from error
        if not isinstance(take, dict):
            raise InputError(f"{self.path}: expected an object with fps, channels and values")
        return take


def _array(rows: list[list[float]]) -> Any:
    try:
        return np.array(rows, np.float64)
    except OverflowError:  # an integer of 400 digits
        return np.full((1, len(rows[0])), np.inf)
