"""Where the wanted emotion changes, and when and how long the transition there is."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from facewire.emotion import NEUTRAL, EmotionCurve, State
from facewire.types import Emotion, FloatArray

FADE = 1.6
"""Seconds of a centred transition at most: 0.8 each side of a boundary known beforehand."""
NEIGHBOUR = 0.6
"""The share of the shorter neighbour that a transition takes at most."""
SHORTEST = 0.42
"""Seconds: a boundary that leaves less is followed on the live spring, so that nothing pops."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """From second ``time`` on, vad (3,) and weights (16,) are wanted.

    ``transition`` is the duration asked for, ``source`` who asked; ``end`` is when the next change
    of the same curve is known to come.
    """

    time: float
    vad: FloatArray
    weights: FloatArray
    transition: float | None = None
    source: str = "track"
    end: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """A transition to a change: from ``start`` on, in ``seconds``; None is the live spring."""

    change: Change
    start: float
    seconds: float | None


class Changes:
    """Finds the changes in emotion rows; the curve tells their exact times."""

    def __init__(self, curve: EmotionCurve | None, hear: bool = False) -> None:
        self._curve, self._hear = curve, hear
        self._last: tuple[bytes, bytes] | None = None

    def push(self, emotion: Emotion) -> Iterator[Change]:
        """Yield the changes in rows that follow each other; the first row is one."""
        vad, weights = emotion.vad, emotion.weights
        if not len(vad):
            return
        rows = [0] if (vad[0].tobytes(), weights[0].tobytes()) != self._last else []
        if len(vad) > 1:
            differ = (vad[1:] != vad[:-1]).any(axis=1) | (weights[1:] != weights[:-1]).any(axis=1)
            rows += (np.flatnonzero(differ) + 1).tolist()
            self._last = vad[-1].tobytes(), weights[-1].tobytes()
        elif rows:
            self._last = vad[0].tobytes(), weights[0].tobytes()
        for row in rows:
            yield self._change(emotion, row)

    def _change(self, emotion: Emotion, row: int) -> Change:
        vad, weights = np.array(emotion.vad[row]), np.array(emotion.weights[row])
        at = Fraction(emotion.start + row) / emotion.fps
        plain = Change(float(at), vad, weights)
        if self._curve is None:
            return plain
        keys = self._curve.changes()
        i = bisect_right(keys, at, key=lambda key: key.time) - 1
        if i < 0:  # nobody has asked for anything yet
            return replace(plain, source="neutral")
        key = keys[i]
        # a key set into the past acts on the first row that nobody had sampled
        time = key.time if key.time > at - 1 / emotion.fps else at
        end = float(keys[i + 1].time) if i + 1 < len(keys) else None
        if key.source == "heard" and not self._hear:
            plain = replace(plain, vad=_vad(NEUTRAL), weights=_weights(NEUTRAL))
        return replace(
            plain, time=float(time), transition=key.transition, source=key.source, end=end
        )


def _vad(state: State) -> FloatArray:
    return np.array(state.vad, np.float32)


def _weights(state: State) -> FloatArray:
    return np.array(state.weights, np.float32)


class Planner:
    """Turns changes into transitions, in order.

    Causal: each begins at its key, in ``transition`` seconds, live ones on the spring. Otherwise
    boundaries are centred, ``fade`` seconds at most, and within .6 of the shorter neighbour.
    ``horizon`` is how many seconds of rows must be known beyond the row that comes out.
    """

    def __init__(self, causal: bool, transition: float, fade: float) -> None:
        self._causal, self._transition, self._fade = causal, transition, fade
        self.horizon = 0.0 if causal else fade / 2.0 + fade / NEIGHBOUR
        self._waiting: deque[Change] = deque()
        self._before = 0.0

    def begin(self, first: Change) -> None:
        """Take the change that the first row is."""
        self._before = first.time

    def add(self, change: Change) -> None:
        """Take the next change."""
        self._waiting.append(change)

    @property
    def idle(self) -> bool:
        """Whether no change waits."""
        return not self._waiting

    def due(self, time: float) -> Move | None:
        """Return the next transition if it begins at or before a second; its row is due then.

        All changes up to ``horizon`` after that second must have been added.
        """
        if not self._waiting:
            return None
        change = self._waiting[0]
        if change.time - (0.0 if self._causal else self._fade / 2.0) > time:
            return None
        move = self._live(change) if self._causal else self._planned(change)
        if move.start > time:
            return None
        self._waiting.popleft()
        self._before = change.time
        return move

    def _live(self, change: Change) -> Move:
        seconds = change.transition
        if seconds is None and change.source != "live":
            seconds = self._transition
        return Move(change, change.time, seconds)

    def _planned(self, change: Change) -> Move:
        if change.source == "live" and change.transition is None:
            return Move(change, change.time, None)
        room = NEIGHBOUR * min(change.time - self._before, self._length(change))
        if change.transition is not None:
            return Move(change, change.time, min(change.transition, room))
        seconds = min(self._fade, room)
        start = change.time - seconds / 2.0
        return Move(change, start, seconds if seconds >= SHORTEST else None)

    def _length(self, change: Change) -> float:
        """Return how long a change lasts as far as is known."""
        ends = [] if change.end is None or change.transition is None else [change.end]
        if len(self._waiting) > 1:
            after = self._waiting[1].time
            if after - change.time <= self._fade / NEIGHBOUR:  # no more is known in every cut
                ends.append(after)
        return min(ends) - change.time if ends else float("inf")


def times_of(start: int, rows: int, fps: Fraction) -> list[float]:
    """Return the times in seconds of rows from index ``start``."""
    over, under = fps.numerator, fps.denominator
    return [index * under / over for index in range(start, start + rows)]
