"""Closed-form curves from VAD to channels: the parametric face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import radians
from typing import Any

import numpy as np
from facewire.errors import InputError
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.tables import AXES, CHANNELS, REST, columns, load, number, numbers

Doubles = NDArray[np.float64]
HEAD = ("headYaw", "headPitch", "headRoll")
FULL: tuple[str, ...] = (*CHANNELS, *HEAD)
"""The columns of a whole face: ARKit's 52 channels, then the head in radians."""
MAX_GAIN = 30.0  # degrees of a head; channels are held to 1


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Terms: smooth steps from ``start`` (t, 3), ``slope`` (t, 3) apart, into columns by ``gains``.

    ``gains`` is (t, 55); a channel is at most ``limit``. An axis that a term does not name has a
    step that is always 1.
    """

    start: Doubles
    slope: Doubles
    gains: Doubles
    limit: float = 1.0

    def __call__(self, vad: FloatArray | Doubles) -> Doubles:
        """Return whole faces (n, 55) of VAD (n, 3): 52 channels in [0, 1], then the head."""
        return self.at(np.minimum(np.maximum(vad, 0.0), 1.0))

    def at(self, vad: FloatArray | Doubles) -> Doubles:
        """Return the same of VAD that is known to be within [0, 1]."""
        steps = (vad[:, None] - self.start) * self.slope  # (n, t, 3)
        np.minimum(np.maximum(steps, 0.0, out=steps), 1.0, out=steps)
        steps *= steps * (3.0 - 2.0 * steps)
        full: Doubles = (steps[:, :, 0] * steps[:, :, 1] * steps[:, :, 2]) @ self.gains
        return np.minimum(full, self.limit)

    def only(self, columns: NDArray[np.intp], share: float) -> Curves:
        """Return curves of the 52 channels that are ``share`` of these in some, 0 in the others."""
        gains = np.zeros((len(self.gains), len(CHANNELS)))
        gains[:, columns] = share * self.gains[:, columns]
        used = gains.any(axis=1)
        return Curves(self.start[used], self.slope[used], gains[used], share)


def _columns(name: str, where: str) -> list[int]:
    return [FULL.index(name)] if name in HEAD else columns(name, where)


def _term(term: Any, name: str, where: str) -> tuple[list[float], list[float], float]:
    """Return a term's starts and slopes for the three axes, and its gain."""
    if not isinstance(term, dict) or not {"gain"} < set(term) <= {"gain", *AXES}:
        raise InputError(f"{where}: found {term!r}, expected gain and {', '.join(AXES)}")
    limit = MAX_GAIN if name in HEAD else 1.0
    gain = number(term["gain"], f"{where}: gain", -limit if name in HEAD else 0.0, limit)
    start, slope, rests = [-1.0] * 3, [1.0] * 3, False
    for axis, rest in enumerate(REST):
        if AXES[axis] in term:
            low, high = numbers(term[AXES[axis]], 2, f"{where}: {AXES[axis]}", 0.0, 1.0)
            if low == high:
                raise InputError(f"{where}: {AXES[axis]}: found a step without width")
            start[axis], slope[axis] = low, 1.0 / (high - low)
            rests = rests or (rest - low) * slope[axis] <= 0.0
    if not rests:
        raise InputError(f"{where}: the term is not 0 at neutral; begin one of its steps later")
    return start, slope, radians(gain) if name in HEAD else gain


def load_curves(data: Any = None, where: str = "response.yaml") -> Curves:
    """Read response curves, the plugin's own by default; InputError in one line otherwise."""
    rows = load("response.yaml") if data is None else data
    if not isinstance(rows, dict):
        raise InputError(f"{where}: found {rows!r}, expected a table by channel")
    starts, slopes, gains = [], [], []
    for name, terms in rows.items():
        for i, term in enumerate(terms if isinstance(terms, list) else [terms]):
            start, slope, gain = _term(term, str(name), f"{where}: {name}[{i}]")
            row = np.zeros(len(FULL))
            row[_columns(str(name), where)] = gain
            starts.append(start)
            slopes.append(slope)
            gains.append(row)
    return Curves(np.array(starts), np.array(slopes), np.array(gains))


@cache
def curves() -> Curves:
    """Return the plugin's response curves."""
    return load_curves()
