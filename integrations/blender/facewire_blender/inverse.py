"""Which value of a control makes a channel what it is to be: a driver turned round.

A driver gives a channel as a function of one control, over some scale that only the rig knows (a
slider bone moves by a few centimetres, a property from 0 to 100).
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Function = Callable[[float], float]
_SCALES = tuple(1e-4 * 2.0**k for k in range(31))  # up to 1e5
_POINTS = 257
_TOUCH = 1e-3


@dataclass(frozen=True)
class Inverse:
    """A table: the control at channel values that rise from 0. ``rest`` is the control at 0."""

    values: tuple[float, ...]
    controls: tuple[float, ...]

    @property
    def rest(self) -> float:
        """The control where the channel is 0."""
        return self.controls[0]

    @property
    def span(self) -> float:
        """How far the control goes for a channel of 1, or for as much as it can reach."""
        return self.controls[-1] - self.controls[0]

    @property
    def reach(self) -> float:
        """The most that the control can make of the channel."""
        return self.values[-1]

    def at(self, value: float) -> float:
        """Return the control for a value; beyond the table the last step goes on."""
        k = min(max(bisect.bisect_left(self.values, value), 1), len(self.values) - 1)
        low, high = self.values[k - 1], self.values[k]
        part = (value - low) / (high - low) if high > low else 0.0
        return self.controls[k - 1] + part * (self.controls[k] - self.controls[k - 1])


def invert(function: Function) -> Inverse | None:
    """Return the inverse around the control's rest at 0; None if the channel does not follow it.

    The channel is 0 at rest (and rises to 1 on one side), or 1 at rest and falls to 0.
    """
    start = _tried(function, 0.0)
    for aim in (1.0, 0.0):
        if start is None or abs(start - (1 - aim)) > _TOUCH:
            continue
        for side in (1.0, -1.0):
            far = _far(function, side, start, aim)
            if far is not None:
                return _table(function, far, aim)
    return None


def _tried(function: Function, control: float) -> float | None:
    try:
        value = function(control)
    except (ArithmeticError, ValueError, TypeError):
        return None
    return value if abs(value) < 1e30 else None


def _far(function: Function, side: float, start: float, aim: float) -> float | None:
    """Return the nearest control on a side where the channel comes as near to ``aim`` as it can."""
    best, far, before = _TOUCH, None, 0.0
    for scale in _SCALES:
        value = _tried(function, side * scale)
        if value is None:
            break
        gone = (value - start) if aim else (start - value)
        if gone > best * (1 + 1e-9):
            best, far = gone, _nearest(function, side, before, scale, start, aim, min(gone, 1.0))
        if gone >= 1:
            break
        before = scale
    return far


def _nearest(
    function: Function, side: float, low: float, high: float, start: float, aim: float, gone: float
) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        value = _tried(function, side * middle)
        moved = 0.0 if value is None else (value - start if aim else start - value)
        low, high = (low, middle) if moved >= gone - 1e-12 else (middle, high)
    return side * high


def _table(function: Function, far: float, aim: float) -> Inverse:
    controls = [far * k / (_POINTS - 1) for k in range(_POINTS)]
    if not aim:
        controls.reverse()
    kept: list[tuple[float, float]] = []
    for control in controls:
        value = _tried(function, control)
        if value is None:
            continue
        if kept and value <= kept[-1][0] + 1e-9:
            if value <= 1e-9:  # still at rest: the table begins where it leaves
                kept[-1] = (kept[-1][0], control)
            continue
        kept.append((value, control))
    return Inverse(tuple(value for value, _ in kept), tuple(control for _, control in kept))


def combined(pulls: Sequence[tuple[str, Inverse]], values: Mapping[str, float]) -> float:
    """Return the control that serves several channels: those of one side as their mean.

    A slider for ``jawLeft`` and ``jawRight`` goes to one side or to the other.
    """
    if len(pulls) == 1:
        return pulls[0][1].at(values.get(pulls[0][0], 0.0))
    sides: dict[bool, list[float]] = {}
    for channel, inverse in pulls:
        moved = inverse.at(values.get(channel, 0.0)) - inverse.rest
        sides.setdefault(inverse.span > 0, []).append(moved)
    return pulls[0][1].rest + sum(sum(moved) / len(moved) for moved in sides.values())
