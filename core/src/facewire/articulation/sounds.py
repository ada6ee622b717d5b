"""Vocal sounds that are not speech (laugh, sob, scream, effort, breath, hum): loudness opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from facewire.articulation.phones import CURVES
from facewire.articulation.spline import Array
from facewire.articulation.tables import load_numbers
from facewire.articulation.targets import GAP, JAW, LOWER, UPPER, WIDTH, Style

SOUNDS = ("laugh", "sob", "scream", "effort", "breath", "hum")
FIELDS = {"loud", "range", "low_gap", "high_gap", "jaw", "width", "upper", "lower"}
TAPER = 3.0
"""Rows over which a sound's targets set in and end."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound and when it is heard, in rows; what is not in ``SOUNDS`` leaves the mouth shut."""

    start: float
    end: float
    name: str


@cache
def sounds() -> dict[str, dict[str, float]]:
    """Return sound -> what the mouth does, from ``data/articulation/sounds.yaml``."""
    text = files("facewire").joinpath("data/articulation/sounds.yaml").read_text("utf-8")
    table = load_numbers(text, "sounds.yaml", SOUNDS)
    for name, row in table.items():
        if set(row) != FIELDS:
            raise ValueError(f"sounds.yaml: {name}: expected {', '.join(sorted(FIELDS))}")
    return table


def sounded(
    found: Sequence[Sound], rows: Array, levels: Array, style: Style
) -> tuple[Array, Array]:
    """Return weight and weighted target, both (curves, rows), of the sounds.

    ``levels`` (rows,) is the loudness 0..1 of the same rows.
    """
    weight, pull = np.zeros((len(CURVES), len(rows))), np.zeros((len(CURVES), len(rows)))
    for sound in found:
        row = sounds()[sound.name]
        inside = np.clip(np.minimum(rows - sound.start, sound.end - rows) / TAPER + 1, 0, 1)
        heard = levels[inside >= 1]
        loud = max(row["loud"], float(heard.max()) if len(heard) else 0.0)
        drive = np.clip(1 + (levels - loud) / row["range"], 0, 1)
        gap = row["low_gap"] + (row["high_gap"] - row["low_gap"]) * drive
        target = np.zeros_like(weight)
        target[JAW] = gap * row["jaw"] * style.jaw
        target[GAP] = target[JAW] + gap * (1 - row["jaw"]) * style.lip
        for curve, name in ((WIDTH, "width"), (UPPER, "upper"), (LOWER, "lower")):
            target[curve] = row[name] * style.lip * (0.4 + 0.6 * drive)
        weight += 2 * inside
        pull += 2 * inside * target
    return weight, pull
