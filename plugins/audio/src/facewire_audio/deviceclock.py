"""A clock that runs as fast as a sound device does."""

from __future__ import annotations

import math
import threading

from facewire.stages import Clock

BANDWIDTH = 0.5  # Hz, of the loop at first; a device's crystal wanders far slower
SETTLED = 0.05  # Hz, once it runs: call times jitter by milliseconds, and frames shall not
SETTLING = 10.0  # seconds from the one to the other
STALL = 0.25  # seconds off that are no jitter: the device stood still, or samples were lost
CLOSE = 1e-7  # seconds that are no sleep


class DeviceClock:
    """Seconds as a sound device counts them; before it runs, those of the world.

    The times at which the device asks for (or brings) blocks jitter, so that they go through a
    delay-locked loop of second order (Adriaensen, Using a DLL to filter time, LAC 2005). Its
    bandwidth falls from 0.5 to 0.05 Hz within ten seconds. Where the device stands still the clock
    goes on, and ``tick`` returns later times from then on.
    """

    def __init__(self, world: Clock) -> None:
        self.world = world
        self.threaded = getattr(world, "threaded", True)
        self._lock = threading.Lock()
        self._at = self._time = world.now()  # at the world's ``_at`` this clock shows ``_time``
        self._speed = 1.0  # seconds here in one of the world's
        self._shown = -math.inf
        self._next = 0.0  # where the next block begins
        self._ran, self._began = False, self._at
        self.stalls = 0

    @property
    def ppm(self) -> float:
        """How much faster than the world's clock the device runs, in millionths."""
        return 1e6 * (self._speed - 1)

    def silent(self) -> float:
        """Return how many of the world's seconds ago the last block was, 0 before the first."""
        return self.world.now() - self._at if self._ran else 0.0

    def tick(self, seconds: float, now: float) -> float:
        """Note a block of that length at the world's ``now``; return the time at its begin here.

        Blocks are taken as contiguous: each begins where the one before it ended, but for stalls.
        """
        with self._lock:
            if not self._ran:
                self._ran, self._began = True, now
                self._time, self._at = self._read(now), now
                self._next = self._time + seconds
                return self._time
            error = (self._next - self._read(now)) / self._speed  # > 0: the device is early
            begin = self._next
            if abs(error) > STALL:
                self.stalls += 1
                self._time, self._at = self._read(now), now
                begin = self._time
            else:
                self._follow(error, now, seconds)
            self._next = begin + seconds
            return begin

    def _follow(self, error: float, now: float, seconds: float) -> None:
        settled = min(1.0, (now - self._began) / SETTLING)
        bandwidth = BANDWIDTH * (SETTLED / BANDWIDTH) ** settled
        omega = min(0.5, 2 * math.pi * bandwidth * seconds)
        self._time, self._at = self._read(now) + math.sqrt(2) * omega * error, now
        self._speed += omega * omega * error / seconds
        self._speed = min(1.02, max(0.98, self._speed))

    def _read(self, now: float) -> float:
        return self._time + (now - self._at) * self._speed

    def now(self) -> float:
        """Return the time in seconds; it never runs backwards."""
        with self._lock:
            self._shown = max(self._shown, self._read(self.world.now()))
            return self._shown

    def sleep_until(self, at: float) -> None:
        """Return at ``at``, or at once if it has passed."""
        while (left := at - self.now()) > CLOSE:
            self.world.sleep_until(self.world.now() + left / self._speed)
        with self._lock:
            self._shown = max(self._shown, at)  # who slept until then shall read then
