"""Where a client that plays what it gets is by now."""

from __future__ import annotations

import time
from collections.abc import Callable


class Playhead:
    """Seconds produced and seconds played: a clock that waits where nothing is left to play.

    A position that the client reports corrects it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._produced = self._played = 0.0
        self._at = clock()
        self._begins: dict[int, float] = {}  # turn -> seconds produced before it

    def begin(self, turn: int) -> None:
        """Begin a turn, after what was produced so far."""
        self._begins = {k: v for k, v in self._begins.items() if k >= turn - 8}
        self._begins[turn] = self._produced

    def add(self, seconds: float) -> None:
        """Count what was produced."""
        self._move()
        self._produced += seconds

    def report(self, turn: int, seconds: float) -> None:
        """Note that the client has played so much of a turn."""
        if turn in self._begins:
            self._move()
            self._played = min(self._produced, self._begins[turn] + max(0.0, seconds))

    def drop(self) -> None:
        """Forget what was produced and not played: it never will be."""
        self._move()
        self._produced = self._played

    @property
    def ahead(self) -> float:
        """Seconds that were produced and not played yet."""
        self._move()
        return self._produced - self._played

    def _move(self) -> None:
        now = self._clock()
        self._played = min(self._produced, self._played + now - self._at)
        self._at = now
