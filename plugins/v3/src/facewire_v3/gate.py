"""The speech gate: how much of an emotion the mouth keeps while the model speaks.

It reads the model's channels, never what comes out of the layer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cache
from math import exp

import numpy as np
from facewire.articulation import lip_gap, lip_protrusion
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.groups import SHARED
from facewire_v3.tables import RIG, load, number, spread, table

Doubles = NDArray[np.float64]
_CLOSE = RIG.index("mouthClose")
_KEYS = {
    "envelope": ("attack", "release", "slew"),
    "activity": ("shut", "open", "slow", "fast", "step", "held"),
    "pause": ("least", "rise", "before", "fall", "quiet"),
    "protect": ("gap", "shut", "teeth", "bite", "close"),
    "closing": ("shut", "open", "early", "late", "fade", "quick"),
    "unmarked": ("shut", "open", "near", "far"),
}


@dataclass(frozen=True, slots=True)
class GateNumbers:
    """See data/gate.yaml. ``floors`` (52,) is 1 but for the shared channels."""

    floors: FloatArray
    envelope: dict[str, float]
    activity: dict[str, float]
    pause: dict[str, float]
    protect: dict[str, float]
    closing: dict[str, float]
    unmarked: dict[str, float]


@cache
def gate_numbers() -> GateNumbers:
    """Return the numbers of the gate; InputError if the file is damaged."""
    data = table(load("gate.yaml"), ("floors", *_KEYS), "gate.yaml")
    floors = np.ones(len(RIG), np.float32)
    found = spread(data["floors"], "gate.yaml: floors")
    for channel in SHARED:
        where = f"gate.yaml: floors: {channel}"
        floors[RIG.index(channel)] = number(found.get(RIG.index(channel)), where, 0.0, 1.0)
    floors.flags.writeable = False
    parts = {}
    for name, keys in _KEYS.items():
        where = f"gate.yaml: {name}"
        row = table(data[name], keys, where)
        parts[name] = {key: number(row[key], f"{where}: {key}", 0.0, 10.0) for key in keys}
    return GateNumbers(floors, **parts)


def ramp(values: NDArray[np.floating], zero: float, one: float) -> Doubles:
    """Return values on a smoothstep that is 0 at ``zero`` and 1 at ``one`` (below or above it)."""
    x = np.clip((np.asarray(values, np.float64) - zero) / (one - zero), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))


def _linear(values: NDArray[np.floating], zero: float, one: float) -> Doubles:
    return np.asarray(np.clip((values - zero) / (one - zero), 0.0, 1.0), np.float64)


class Activity:
    """Whether the model's mouth speaks: 0 to 1 for each row, from its gap and what moves."""

    def __init__(self, fps: float) -> None:
        self._numbers = gate_numbers().activity
        self._step = max(1, round(self._numbers["step"] * fps))
        self._scale = fps / self._step
        self._past: Doubles | None = None

    def push(self, model: FloatArray) -> Doubles:
        """Take the model's rows (n, 52) within [0, 1]; return (n,)."""
        numbers = self._numbers
        gap, protrusion = lip_gap(model, RIG), lip_protrusion(model, RIG)
        lips = np.stack([gap, 0.5 * protrusion, model[:, _CLOSE]], axis=1)
        if self._past is None:
            self._past = np.repeat(lips[:1], self._step, axis=0)
        path = np.concatenate([self._past, lips])
        self._past = path[len(path) - self._step :]
        moved = np.abs(path[self._step :] - path[: -self._step]) * self._scale
        return np.maximum(
            _linear(gap, numbers["shut"], numbers["open"]),
            _linear(moved.sum(axis=1), numbers["slow"], numbers["fast"]),
        )


class Gate:
    """Follows speech: attack 70 ms, release 180 ms, and no channel faster than 4 a second.

    ``look`` rows of activity are known ahead. ``wanted`` is what it follows.
    """

    def __init__(self, fps: float, look: int) -> None:
        numbers = gate_numbers()
        envelope = numbers.envelope
        self._rise = 1.0 - exp(-1.0 / (envelope["attack"] * fps))
        self._fall = 1.0 - exp(-1.0 / (envelope["release"] * fps))
        self._slew = envelope["slew"] / fps / (1.0 - float(numbers.floors.min()))
        held = max(1, round(numbers.activity["held"] * fps))
        self._back = max(1, held - look)
        self._seen: deque[tuple[int, float]] = deque()  # falling maxima: (row, activity)
        self._row = 0
        self._now = 0.0
        self.wanted = 0.0

    def hear(self, activity: float) -> None:
        """Take the activity of the next row, ``look`` rows ahead of the one that comes out."""
        while self._seen and self._seen[-1][1] <= activity:
            self._seen.pop()
        self._seen.append((self._row, activity))
        self._row += 1

    def step(self, row: int) -> float:
        """Return how much speech there is at a row, the next: 0 to 1."""
        while self._seen and self._seen[0][0] < row - self._back:
            self._seen.popleft()
        self.wanted = wanted = self._seen[0][1] if self._seen else 0.0
        change = (wanted - self._now) * (self._rise if wanted > self._now else self._fall)
        self._now += min(self._slew, max(-self._slew, change))
        return self._now


def gates(speech: Doubles) -> FloatArray:
    """Return how much of an emotion each channel keeps (n, 52) at speech (n,), 0 to 1."""
    floors = gate_numbers().floors
    kept: FloatArray = (1.0 - speech[:, None] * (1.0 - floors)).astype(np.float32)
    return kept
