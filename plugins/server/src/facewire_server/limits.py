"""Limits: how often an address may call, and how many places there are."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

KEPT = 10_000  # addresses that are remembered


class Buckets:
    """A token bucket for each address: ``rate`` a second, ``burst`` at once."""

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> int:
        """Take one; return 0, or after how many seconds to come again."""
        now = self._clock()
        left, since = self._left.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        enough = left >= 1
        self._left[address] = (left - enough, now)
        if len(self._left) > KEPT:
            self._left.popitem(last=False)
        return 0 if enough else max(1, math.ceil((1 - left) / self._rate))


class Seats:
    """So many places; ``take`` says whether one was free."""

    def __init__(self, count: int) -> None:
        self.count, self.taken = count, 0

    def take(self) -> bool:
        """Take a place if there is one."""
        if self.taken >= self.count:
            return False
        self.taken += 1
        return True

    def leave(self) -> None:
        """Give a place back."""
        self.taken -= 1
