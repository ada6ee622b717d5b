"""The threads that compute, and how many clips and streams share them in turns.

Streams give the pool one short slice of work at a time, and the pool's queue is first in, first
out: that is round robin. A clip is made by a run that cannot be cut from outside, so it has a
thread of its own, which waits between blocks until the pool lends it one of its workers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

VOICES = 32  # threads that mostly wait for a service


class Pool:
    """``workers`` threads for slices, and as many for clips that wait their turns."""

    def __init__(self, workers: int) -> None:
        self.slices = ThreadPoolExecutor(workers, "slice")
        self.clips = ThreadPoolExecutor(workers, "clip")
        self.voices = ThreadPoolExecutor(VOICES, "voice")
        self._loans: set[Loan] = set()
        self._closed = False

    def loan(self, stop: Callable[[], None]) -> Loan:
        """Return turns for a thread; ``stop`` ends its work when the pool closes."""
        loan = Loan(self, stop)
        self._loans.add(loan)
        return loan

    def give_back(self, loan: Loan) -> None:
        """Forget a loan that has ended."""
        self._loans.discard(loan)

    def close(self) -> None:
        """Stop what runs, and end the threads."""
        for loan in list(self._loans):
            loan.stop()
        self.clips.shutdown(wait=True, cancel_futures=True)
        self.voices.shutdown(wait=False, cancel_futures=True)
        self.slices.shutdown(wait=True, cancel_futures=True)


class Loan:
    """Turns that a thread of its own takes in the pool; used as a context."""

    def __init__(self, pool: Pool, stop: Callable[[], None]) -> None:
        self._pool, self.stop = pool, stop
        self._done: threading.Event | None = None

    def turn(self) -> None:
        """End the slice at hand and wait for the next."""
        self._end()
        ready, done = threading.Event(), threading.Event()
        self._done = done

        def lend() -> None:
            ready.set()
            done.wait()

        self._pool.slices.submit(lend)
        ready.wait()

    def _end(self) -> None:
        if self._done is not None:
            self._done.set()
            self._done = None

    def __enter__(self) -> Loan:
        self.turn()
        return self

    def __exit__(self, *error: object) -> None:
        self._end()
        self._pool.give_back(self)
