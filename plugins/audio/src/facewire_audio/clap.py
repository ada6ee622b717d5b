"""How far a beep and the jaw flash of the same moment are apart, through the real path."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from facewire.delivery import MARGIN, Delivery
from facewire.emotion import neutral
from facewire.pipeline import Built
from facewire.rig import Rig
from facewire.stages import Clock, Sink
from facewire.types import Audio, Block, FloatArray, Frames, RunInfo, first_sample

from facewire_audio.devices import Fill, Output
from facewire_audio.simulated import SimulatedOutput, Traits, World
from facewire_audio.speaker import Speaker

RIG, FPS = Rig.named("arkit61"), Fraction(60)
JAW = RIG.index("jawOpen")
RATE = 48000
EVERY = 60  # frames from clap to clap
FLASH = 6  # frames that the jaw is open, and the beep sounds
LOUD = 0.1
MEAN, DRIFT = 0.020, 0.010  # seconds that are still good: over the whole, and in ten minutes


@dataclass(frozen=True, slots=True, eq=False)
class Claps:
    """Offsets (n,) in seconds, > 0 where the sound is behind the face, and how many were missed."""

    offsets: FloatArray
    missed: int
    ppm: float

    @property
    def mean(self) -> float:
        """The mean offset in seconds."""
        return float(self.offsets.mean()) if len(self.offsets) else math.nan

    @property
    def drift(self) -> float:
        """Seconds by which the last tenth of the claps differs from the first (medians)."""
        tenth = max(1, len(self.offsets) // 10)
        if not len(self.offsets):
            return math.nan
        first, last = self.offsets[:tenth], self.offsets[-tenth:]
        return float(np.median(last) - np.median(first))

    @property
    def good(self) -> bool:
        """Whether sound and face are one to an eye."""
        return abs(self.mean) <= MEAN and abs(self.drift) <= DRIFT


class Flashes(Sink):
    """Notes when the jaw opens, on the world's clock: a receiver's eye."""

    live = True
    rig = RIG

    def __init__(self, world: Clock) -> None:
        self._world, self._was = world, 0.0
        self.times: list[float] = []

    def open(self, info: RunInfo) -> None:
        """Begin."""

    def push(self, block: Block) -> None:
        """Look at the jaw."""
        jaw = float(block.frames.values[-1, JAW])
        if jaw > 0.5 >= self._was:
            self.times.append(self._world.now())
        self._was = jaw

    def close(self) -> None:
        """End."""


class Ear:
    """A device that plays through another one, and notes when a beep gets to the ear."""

    def __init__(self, device: Output) -> None:
        self._device = device
        self.name, self.world, self.latency = device.name, device.world, device.latency
        self.times: list[float] = []
        self._quiet = 1 << 30  # samples since the last loud one

    def start(self, rate: int, fill: Fill) -> int:
        """Begin to play."""
        self._rate = rate

        def listen(count: int, now: float) -> FloatArray:
            samples = fill(count, now)
            self._hear(samples, now)
            return samples

        self._rate = self._device.start(rate, listen)
        return self._rate

    def stop(self) -> None:
        """Stop."""
        self._device.stop()

    def _hear(self, samples: FloatArray, now: float) -> None:
        loud = np.flatnonzero(np.abs(samples) > LOUD)
        if not len(loud):
            self._quiet += len(samples)
            return
        if self._quiet + loud[0] > self._rate // 4:
            self.times.append(now + loud[0] / self._rate + self.latency)
        self._quiet = len(samples) - int(loud[-1]) - 1


def blocks(seconds: int) -> Iterator[Block]:
    """Yield a clap a second, from the first full second on: an open jaw and a beep of 0.1 s."""
    at = np.arange(first_sample(EVERY, RATE, FPS))
    length = first_sample(FLASH, RATE, FPS)
    beep = np.where(at < length, 0.5 * np.cos(2 * np.pi * 1000 * at / RATE), 0).astype(np.float32)
    rows = np.zeros((EVERY, len(RIG)), np.float32)
    rows[:FLASH, JAW] = 1
    for start in range(0, (seconds + 1) * EVERY, EVERY):
        on = start > 0
        sound = Audio(beep if on else beep * 0, RATE, first_sample(start, RATE, FPS))
        frames = Frames(rows if on else rows * 0, RIG, FPS, start)
        yield Block(frames, neutral(EVERY, start, FPS), sound)


def clap(device: Output, seconds: int, offset: float = 0.0, loose: Clock | None = None) -> Claps:
    """Clap once a second through a delivery into the device, and measure each.

    ``loose``: let frames follow that clock and not the device's, to see what it is good for.
    """
    ear = Ear(device)
    speaker, eye = Speaker(ear, offset), Flashes(device.world)
    clock = speaker.clock
    if loose is not None:
        speaker.clock = None  # type: ignore[assignment]
    sinks: list[Built[Sink]] = [
        Built(eye, "clap.eye", "sink"),
        Built(speaker, "audio", "sink"),
    ]
    delivery = Delivery(sinks, (RIG, FPS), loose, tell=lambda line: None)
    speaker.clock = clock
    try:
        delivery.start(RunInfo("clap", RIG, FPS, RATE, time.time()), -MARGIN)
        for block in blocks(seconds):
            delivery.push(block)
        delivery.finish()
    except BaseException:
        delivery.abort()
        raise
    return _matched(ear.times, eye.times, seconds, clock.ppm)


def _matched(heard: list[float], seen: list[float], wanted: int, ppm: float) -> Claps:
    """Pair each flash with the beep nearest to it."""
    if not heard or not seen:
        return Claps(np.zeros(0, np.float32), wanted, ppm)
    beeps = np.array(heard)
    nearest = [beeps[np.abs(beeps - at).argmin()] - at for at in seen]
    offsets = np.array([by for by in nearest if abs(by) < 0.4])
    return Claps(offsets, max(0, wanted - len(offsets)), ppm)


def simulated(seconds: int, ppm: float, offset: float = 0.0) -> Claps:
    """Clap on a simulated device: ``ppm`` off, called up to 3 ms late; takes no real time."""
    world = World()
    traits = Traits(ppm=ppm, jitter=0.003)
    return clap(SimulatedOutput(world, traits), seconds, offset)
