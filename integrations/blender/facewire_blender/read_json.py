"""Clips of Facewire's sink ``files.json``: fps, channels, values and marks."""

from __future__ import annotations

import json
from array import array
from typing import Any

from .clip import Clip, finite, marks_of, names_of, rate_of
from .errors import AddonError


def parse(text: str, name: str, where: str) -> Clip:
    """Return the clip; AddonError if a key is missing or a value is no finite number."""
    try:
        take = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AddonError(f"{where}: is not JSON: {str(error)[:120].lower()}") from None
    if not isinstance(take, dict):
        raise AddonError(f"{where}: expected an object with fps, channels and values")
    for key in ("fps", "channels", "values"):
        if key not in take:
            raise AddonError(f"{where}: has no '{key}', expected a clip of the sink files.json")
    channels = names_of(take["channels"], where)
    fps = rate_of(take["fps"], take.get("fps_fraction"), where)
    if not isinstance(take["values"], list) or not take["values"]:
        raise AddonError(f"{where}: the clip has no frames")
    columns = _columns(take["values"], channels, where)
    return Clip(name, fps, channels, columns, marks_of(take.get("marks") or [], where))


def _columns(rows: list[Any], channels: tuple[str, ...], where: str) -> tuple[array[float], ...]:
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(channels):
            raise AddonError(f"{where}: frame {number}: expected {len(channels)} numbers")
        if not all(type(value) in (int, float) for value in row):
            raise AddonError(f"{where}: frame {number}: a value is no number")
    try:
        columns = [array("f", column) for column in zip(*rows, strict=True)]
    except OverflowError:  # an integer of 400 digits
        raise AddonError(f"{where}: a value is too large") from None
    return tuple(
        finite(column, name, where) for name, column in zip(channels, columns, strict=True)
    )
