"""The lips' gap and the MetaHuman's controls, by the tables that Facewire itself uses.

``tables.json`` is made from Facewire's own tables by ``make_tables.py``; never edit it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facewire_unreal.clip import Clip, Row

TABLES: dict[str, Any] = json.loads(Path(__file__).with_name("tables.json").read_text("utf-8"))
ARKIT: tuple[str, ...] = tuple(TABLES["arkit61"])
GAP: Mapping[str, float] = TABLES["gap"]
CLOSED: float = TABLES["closed"]
"""A gap below this is closed (jawOpen alone = 1)."""
_OPEN = 2 * CLOSED
_STILL = 1e-3
_LARGEST = 1e30


def lip_gap(channels: tuple[str, ...], rows: list[Row]) -> list[float]:
    """Return the lips' distance (n,) of ARKit rows; channels that are missing count 0."""
    used = [(i, GAP[name]) for i, name in enumerate(channels) if name in GAP]
    return [math.fsum(row[i] * weight for i, weight in used) for row in rows]


def is_arkit(clip: Clip) -> bool:
    """Return whether a clip has ARKit's channels, so that it can be made a MetaHuman's."""
    return "jawOpen" in clip.channels and "mouthClose" in clip.channels


def to_metahuman(clip: Clip) -> Clip:
    """Return the clip in raw ``CTRL_expressions_*`` curves; what is no ARKit clip stays."""
    if not is_arkit(clip):
        return clip
    table: dict[str, dict[str, Any]] = TABLES["metahuman"]
    rows = []
    for row in clip.rows:
        held = [max(-_LARGEST, min(_LARGEST, value)) for value in row]
        inputs = dict(zip(clip.channels, held, strict=True))
        inputs["gap"] = max(0.0, lip_gap(clip.channels, [held])[0])
        rows.append([_made(inputs, how) for how in table.values()])
    return Clip(tuple(table), rows, clip.fps, clip.words)


def _made(inputs: Mapping[str, float], how: Mapping[str, Any]) -> float:
    made, moving = _mixed(inputs, how["from"]), True
    low: float | None = how["low"]
    high: float | None = how["high"]
    if how["ratio"]:
        above, below = (inputs.get(name, 0.0) for name in how["ratio"])
        moving = below >= _STILL
        made = above / below if moving else 0.0
    made = made * float(how["gain"]) + float(how["offset"])
    made = max(made, low) if low is not None else made
    made = min(made, high) if high is not None else made
    if how["closed"] is None or not moving:
        return made
    shut = max(0.0, min(1.0, (_OPEN - inputs["gap"]) / (_OPEN - CLOSED)))
    return made + shut * (float(how["closed"]) - made)


def _mixed(inputs: Mapping[str, float], mix: Mapping[str, float]) -> float:
    return math.fsum(inputs.get(name, 0.0) * weight for name, weight in mix.items())
