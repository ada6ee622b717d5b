"""Clocks that live frames fall due on."""

from __future__ import annotations

import time


class MonotonicClock:
    """The system's monotonic clock (``time.perf_counter_ns``), in seconds."""

    def now(self) -> float:
        """Return the time in seconds."""
        return time.perf_counter_ns() * 1e-9

    def sleep_until(self, at: float) -> None:
        """Return at ``at``, or at once if it has passed."""
        wait = at - self.now()
        if wait > 0:
            time.sleep(wait)
