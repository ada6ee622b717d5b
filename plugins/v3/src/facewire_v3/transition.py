"""One transition: how far two emotions are from each other, and how an intensity gets there.

Intensities are closed forms of time, so that every frame rate reads the same curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp

import numpy as np
from facewire.emotion import NEUTRAL_VAD
from numpy.typing import NDArray

from facewire_v3.mead import mead_weights

Doubles = NDArray[np.float64]
Vad = tuple[float, float, float]

ONSET, OFFSET, QUICKEST = 0.15, 0.40, 0.11
"""Time constants of a live change in seconds: towards an emotion, back to neutral, the least."""
AROUSED = 0.4
"""The share by which a time constant is shorter at the greatest arousal."""
OVERLAP = 0.2
"""The share of a full detour in which one emotion still falls and the other rises already."""
SPRING_DELAY = 3.0
"""How many time constants the second emotion waits for the first on a full detour."""
FOREIGN = 0.295
"""How far no class of MEAD but neutral may rise above both ends on the way (the bound is .30)."""
DETOURS = (0.0, 0.25, 0.5, 0.75, 1.0)
AT_ONCE = 1e-6
"""Seconds of a change that was asked to take none."""
DONE = 5e-4
"""An intensity this near to its goal is there."""

_REST = np.array(NEUTRAL_VAD)


def smoothstep(x: float) -> float:
    """Return 3x^2 - 2x^3, x clamped to [0, 1]."""
    x = 0.0 if x < 0.0 else 1.0 if x > 1.0 else x
    return x * x * (3.0 - 2.0 * x)


def time_constant(arousal: float, rising: bool) -> float:
    """Return seconds of the spring towards an emotion with this arousal, or back to neutral."""
    above = max(0.0, (arousal - NEUTRAL_VAD[1]) / (1.0 - NEUTRAL_VAD[1]))
    return max(QUICKEST, (ONSET if rising else OFFSET) * (1.0 - AROUSED * above))


@dataclass(frozen=True, slots=True)
class Ease:
    """From second ``start`` on, an intensity goes to ``goal`` by smoothstep in ``seconds``.

    ``at`` and ``speed`` are what it had; the speed it had dies away within the transition.
    """

    start: float
    at: float
    speed: float
    goal: float
    seconds: float

    def read(self, time: float) -> float:
        """Return the intensity at a time not before the start."""
        x = time - self.start
        value = self.at + (self.goal - self.at) * smoothstep(x / self.seconds)
        if self.speed:
            value += self.speed * x * exp(-x / min(0.06, self.seconds / 4.0))
        return value

    def over(self, time: float) -> bool:
        """Tell whether the goal is reached for good."""
        return time - self.start >= (2.0 * self.seconds if self.speed else self.seconds)


@dataclass(frozen=True, slots=True)
class Spring:
    """As ``Ease``, on a critically damped spring with the time constant ``seconds``."""

    start: float
    at: float
    speed: float
    goal: float
    seconds: float

    def read(self, time: float) -> float:
        """Return the intensity at a time not before the start."""
        x, away = time - self.start, self.at - self.goal
        return self.goal + (away + (self.speed + away / self.seconds) * x) * exp(-x / self.seconds)

    def over(self, time: float) -> bool:
        """Tell whether the goal is reached for good."""
        return time - self.start > 2.0 * self.seconds and abs(self.read(time) - self.goal) < DONE


class Intensity:
    """How much of one emotion is on the face: 0 to 1, by one movement after another."""

    __slots__ = ("_moves", "_rest", "goal")

    def __init__(self, at: float) -> None:
        self._rest = self.goal = at
        self._moves: list[Ease | Spring] = []

    def move(
        self, start: float, goal: float, seconds: float, spring: bool, delay: float = 0.0
    ) -> None:
        """Go to ``goal`` from ``delay`` after ``start`` on; what was under way goes on until."""
        begin = start + delay
        if seconds < AT_ONCE:
            begin, seconds = begin - AT_ONCE, AT_ONCE  # over by the row it begins at
        self._moves = [move for move in self._moves if move.start <= begin]
        at, speed = self.at(begin), self._speed(begin)
        self.goal = goal
        kind = Spring if spring else Ease
        self._moves.append(kind(begin, at, speed, goal, seconds))

    def _speed(self, time: float) -> float:
        for move in reversed(self._moves):
            if time >= move.start:
                if not 0.0 < move.read(time) < 1.0:
                    return 0.0
                step = min(1e-4, time - move.start)
                return (
                    (move.read(time) - move.read(time - step)) / step if step > 1e-9 else move.speed
                )
        return 0.0

    def copy(self) -> Intensity:
        """Return an intensity of its own that moves the same."""
        other = Intensity(self._rest)
        other.goal, other._moves = self.goal, list(self._moves)
        return other

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Intensity) and (self._rest, self._moves, self.goal) == (
            other._rest,
            other._moves,
            other.goal,
        )

    __hash__ = None  # type: ignore[assignment]

    def at(self, time: float) -> float:
        """Return the intensity at a second."""
        for move in reversed(self._moves):
            if time >= move.start:
                value = move.read(time)
                return 0.0 if value < 0.0 else 1.0 if value > 1.0 else value
        return self._rest

    def settle(self, time: float) -> float:
        """Return the intensity at a second that never falls, and forget what is over."""
        moves = self._moves
        if not moves:
            return self._rest
        while len(moves) > 1 and moves[1].start <= time:
            del moves[0]
        if len(moves) == 1 and moves[0].over(time):
            self._rest = moves[0].goal
            moves.clear()
            return self._rest
        return self.at(time)

    @property
    def still(self) -> bool:
        """Whether nothing moves any more."""
        return not self._moves


def fall(detour: float) -> float:
    """Return the share of a transition in which the first emotion falls."""
    return 1.0 - (1.0 - OVERLAP) / 2.0 * detour


def way(first: Vad, second: Vad, detour: float, spring: bool = False, points: int = 25) -> Doubles:
    """Return VAD (points, 3) on the way between two emotions, both ends among them.

    Detour 0 is the straight line; at 1 intensity falls along the first one's ray to neutral and
    then rises along the second's, overlapping by a fifth (on a spring, as it swings).
    """
    u = np.linspace(0.0, 1.0, points)
    if spring:
        left, right = (np.maximum(14.0 * u - wait, 0.0) for wait in (0.0, SPRING_DELAY * detour))
        falling, rising = (1.0 - (1.0 + x) * np.exp(-x) for x in (left, right))
    else:
        share = fall(detour)
        left, right = (np.clip((u - wait) / share, 0.0, 1.0) for wait in (0.0, 1.0 - share))
        falling, rising = (x * x * (3.0 - 2.0 * x) for x in (left, right))
    one, other = np.array(first) - _REST, np.array(second) - _REST
    return np.asarray(_REST + (1.0 - falling)[:, None] * one + rising[:, None] * other)


@lru_cache(maxsize=1024)
def detour(first: Vad, second: Vad, spring: bool = False) -> float:
    """Return how far the way between two emotions must go round by neutral: 0 to 1.

    As little as keeps every class of MEAD but neutral within .30 of the larger of its two ends
    (specification of the expression system, section 5): joy to anger would else cross surprise.
    """
    best, least = 1.0, np.inf
    ends = mead_weights(np.array([first, second], np.float32))[:, 1:].max(axis=0)
    for share in DETOURS:
        points = way(first, second, share, spring, 50).astype(np.float32)
        excess = float((mead_weights(points)[:, 1:] - ends).max())
        if excess <= FOREIGN:
            return share
        if excess < least:
            best, least = share, excess
    return best
