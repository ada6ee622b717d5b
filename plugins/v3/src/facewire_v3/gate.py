"""The speech gate: how much of an emotion the mouth keeps while the model speaks.

It reads the model's channels, never what comes out of the layer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cache
from math import exp
from typing import NamedTuple

import numpy as np
from facewire.articulation.lips import weights as measure
from facewire.types import FloatArray

from facewire_v3.groups import SHARED
from facewire_v3.tables import RIG, load, number, spread, table
from facewire_v3.transition import smoothstep

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


def ramp(value: float, zero: float, one: float) -> float:
    """Return a value on a smoothstep that is 0 at ``zero`` and 1 at ``one`` (below or above it)."""
    return smoothstep((value - zero) / (one - zero))


def _lips() -> FloatArray:
    columns = [measure(name, RIG) for name in ("gap", "protrusion", "teeth")]
    close = np.zeros(len(RIG), np.float32)
    close[RIG.index("mouthClose")] = 1.0
    return np.stack([*columns, close], axis=1)


_LIPS = _lips()


class Lips(NamedTuple):
    """What the model's lips do in one row; ``activity`` is whether they speak, 0 to 1."""

    gap: float
    teeth: float
    activity: float


class Activity:
    """Whether the model's mouth speaks: 0 to 1 for each row, from its gap and what moves."""

    def __init__(self, fps: float) -> None:
        self._numbers = gate_numbers().activity
        self._step = max(1, round(self._numbers["step"] * fps))
        self._scale = fps / self._step
        self._past: deque[tuple[float, float, float]] = deque(maxlen=self._step)

    def push(self, model: FloatArray) -> list[Lips]:
        """Take the model's rows (n, 52) within [0, 1]; return the lips of each."""
        return [self._row(*row) for row in (model @ _LIPS).tolist()]

    def _row(self, gap: float, protrusion: float, teeth: float, close: float) -> Lips:
        numbers, past = self._numbers, self._past
        before = past[0] if past else (gap, protrusion, close)
        past.append((gap, protrusion, close))
        moved = abs(gap - before[0]) + 0.5 * abs(protrusion - before[1]) + abs(close - before[2])
        opened = (gap - numbers["shut"]) / (numbers["open"] - numbers["shut"])
        slow, fast = numbers["slow"], numbers["fast"]
        active = max(opened, (moved * self._scale - slow) / (fast - slow))
        return Lips(gap, teeth, 0.0 if active < 0.0 else 1.0 if active > 1.0 else active)


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
