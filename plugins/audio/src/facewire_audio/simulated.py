"""A sound device that is not there: drift, blocks, latency, jitter and stalls as one likes."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from facewire.stages import Clock
from facewire.types import FloatArray

from facewire_audio.devices import Fill, Take


class World:
    """A time that moves only when somebody sleeps, and wakes devices on its way."""

    threaded = False

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        """Return the time in seconds."""
        return self._now

    def call_at(self, at: float, work: Callable[[], None]) -> None:
        """Call ``work`` when time comes to ``at``."""
        heapq.heappush(self._events, (at, next(self._order), work))

    def sleep_until(self, at: float) -> None:
        """Move to ``at``, and do on the way what falls due."""
        while self._events and self._events[0][0] <= at:
            due, _, work = heapq.heappop(self._events)
            self._now = max(self._now, due)
            work()
        self._now = max(self._now, at)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a simulated device is like.

    ``ppm``: how much faster than the world it runs. ``latency``: seconds from hand-over to the
    ear. ``jitter``: seconds that calls come late, evenly spread. ``stalls``: (at, seconds) times
    at which it stands still. ``rate``: the only one it takes; None takes any.
    """

    ppm: float = 0.0
    block: int = 480
    latency: float = 0.03
    jitter: float = 0.0
    stalls: Sequence[tuple[float, float]] = ()
    rate: int | None = None


class _Simulated:
    name = "a simulated sound device"

    def __init__(self, world: World, traits: Traits | None = None) -> None:
        self.world: Clock = world
        self._world, self.traits = world, traits or Traits()
        self.latency = self.traits.latency
        self._random = np.random.default_rng(0)
        self._running = False
        self._stalls: list[tuple[float, float]] = []

    def _begin(self, rate: int) -> int:
        self.rate, self._running = self.traits.rate or rate, True
        self._stalls = sorted(self.traits.stalls)
        self._seconds = self.traits.block / self.rate / (1 + 1e-6 * self.traits.ppm)
        self._schedule(self.world.now() + self._seconds)
        return self.rate

    def _schedule(self, at: float) -> None:
        if self._stalls and at >= self._stalls[0][0]:
            at += self._stalls.pop(0)[1]
        late = self._random.uniform(0, self.traits.jitter)
        self._world.call_at(at + late, lambda: self._call(at))

    def _call(self, at: float) -> None:
        if self._running:
            self.work(at)
            self._schedule(at + self._seconds)

    def work(self, at: float) -> None:
        """Do a block's work, due at the world's ``at``."""

    def stop(self) -> None:
        """Stop."""
        self._running = False


class SimulatedOutput(_Simulated):
    """Keeps what it plays: ``heard`` holds (the world's time at the ear, samples) of each block."""

    def __init__(self, world: World, traits: Traits | None = None) -> None:
        super().__init__(world, traits)
        self.heard: list[tuple[float, FloatArray]] = []

    def start(self, rate: int, fill: Fill) -> int:
        """Begin to play."""
        self._fill = fill
        return self._begin(rate)

    def work(self, at: float) -> None:
        """Play a block."""
        samples = self._fill(self.traits.block, self.world.now())
        self.heard.append((at + self.latency, samples))


class SimulatedInput(_Simulated):
    """Brings a sound (n,), then silence; ``overflow`` are the blocks before which some is lost."""

    def __init__(
        self,
        world: World,
        sound: FloatArray,
        traits: Traits | None = None,
        overflow: Sequence[int] = (),
    ) -> None:
        super().__init__(world, traits)
        self._sound, self._overflow, self._block = sound, frozenset(overflow), 0

    def start(self, rate: int | None, channel: int, take: Take) -> int:
        """Begin to bring the sound."""
        self._take = take
        return self._begin(rate or 48000)

    def work(self, at: float) -> None:
        """Bring a block."""
        begin = self._block * self.traits.block
        samples = np.zeros(self.traits.block, np.float32)
        piece = self._sound[begin : begin + self.traits.block]
        samples[: len(piece)] = piece
        lost = self._block in self._overflow
        self._block += 1
        self._take(samples, self.world.now(), lost)
