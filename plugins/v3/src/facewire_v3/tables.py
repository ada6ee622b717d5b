"""Read and check the tables of numbers under ``data``. Errors are one line and say where."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from facewire.emotion import NEUTRAL_VAD
from facewire.errors import InputError, nearest
from facewire.rig import Rig
from facewire.yaml_loader import load_yaml

RIG = Rig.named("arkit52")
CHANNELS: tuple[str, ...] = RIG.channels
SIDES = ("Left", "Right")
AXES = ("valence", "arousal", "dominance")
REST = NEUTRAL_VAD


def load(name: str) -> Any:
    """Return what ``data/<name>`` holds, parsed and not yet checked."""
    return load_yaml(Path(str(files("facewire_v3").joinpath("data", name))), name)


def table(found: Any, keys: Collection[str], where: str) -> dict[str, Any]:
    """Return a mapping that has exactly ``keys``; InputError otherwise."""
    if not isinstance(found, dict):
        raise InputError(f"{where}: found {found!r}, expected a table of {', '.join(keys)}")
    for key in keys:
        if key not in found:
            raise InputError(f"{where}: '{key}' is missing (expected: {', '.join(keys)})")
    for key in found:
        if key not in keys:
            raise InputError(f"{where}: '{key}' is unknown{nearest(str(key), keys)}")
    return found


def number(found: Any, where: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number from ``low`` to ``high``; InputError otherwise."""
    real = isinstance(found, int | float) and not isinstance(found, bool)
    if not real or not math.isfinite(found) or not low <= found <= high:
        bounds = f" from {low:g} to {high:g}" if math.isfinite(high - low) else ""
        raise InputError(f"{where}: found {found!r}, expected a number{bounds}")
    return float(found)


def numbers(
    found: Any, count: int, where: str, low: float = -math.inf, high: float = math.inf
) -> list[float]:
    """Return ``count`` finite numbers from ``low`` to ``high``; InputError otherwise."""
    if not isinstance(found, list) or len(found) != count:
        raise InputError(f"{where}: found {found!r}, expected {count} numbers")
    return [number(value, where, low, high) for value in found]


def columns(name: str, where: str) -> list[int]:
    """Return the columns of a channel, or of both sides of one; InputError if there is none.

    ``mouthSmile`` is mouthSmileLeft and mouthSmileRight.
    """
    if name in RIG:
        return [RIG.index(name)]
    if name + SIDES[0] in RIG:
        return [RIG.index(name + side) for side in SIDES]
    raise InputError(f"{where}: '{name}' is no ARKit channel{nearest(name, CHANNELS)}")


def spread(rows: Mapping[str, Any], where: str) -> dict[int, Any]:
    """Return column -> value of a table by channel; InputError for a channel that is set twice."""
    out: dict[int, Any] = {}
    for name, value in rows.items():
        for column in columns(str(name), where):
            if column in out:
                raise InputError(f"{where}: channel {CHANNELS[column]} is set twice")
            out[column] = value
    return out
