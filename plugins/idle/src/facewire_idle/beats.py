"""Nods and brow raises at pitch accents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facewire_idle.accents import Accent, Accents
from facewire_idle.motion import Steps
from facewire_idle.numbers import Range
from facewire_idle.speech import HOPS, Hop

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class BeatNumbers:
    """See data/head.yaml."""

    nod_share: float
    nod_rest: float
    nod_lead: Range
    nod_angle: Range
    nod_down: Range
    nod_up: Range
    nod_aside: float
    brow_share: float
    brow_rest: float
    brow_lead: Range
    brow_height: Range
    brow_up: Range
    brow_hold: Range
    brow_down: Range
    strongest: float


class Beats:
    """Nods and brow raises at pitch accents; not at every one, and each a little before it.

    ``look`` is how many hops before an accent is known its movement may begin: 0 in a causal run,
    where accents are told while they rise.
    """

    def __init__(self, random: np.random.Generator, numbers: BeatNumbers, look: int) -> None:
        self._random, self._numbers, self._look = random, numbers, look
        self._accents = Accents(early=look == 0)
        self._nod_free = self._brow_free = 0.0

    def hear(self, hops: list[Hop], path: Steps) -> None:
        """Take hops of sound and add their beats to a path of yaw, pitch, roll, brows."""
        for accent in self._accents.hear(hops):
            self._nod(accent, path)
            self._raise(accent, path)

    def _begin(self, accent: Accent, lead: Range) -> float:
        return max(accent.time - self._random.uniform(*lead), accent.known - self._look / HOPS)

    def _strength(self, accent: Accent) -> float:
        return min(1.0, (accent.strength - 1.0) / (self._numbers.strongest - 1.0))

    def _nod(self, accent: Accent, path: Steps) -> None:
        numbers, random = self._numbers, self._random
        start = self._begin(accent, numbers.nod_lead)
        if random.random() >= numbers.nod_share or start < self._nod_free:
            return
        self._nod_free = start + numbers.nod_rest
        low, high = numbers.nod_angle
        pitch = low + (high - low) * self._strength(accent)
        yaw, roll = (pitch * float(random.normal(0.0, numbers.nod_aside)) for _ in range(2))
        down, up = random.uniform(*numbers.nod_down), random.uniform(*numbers.nod_up)
        nod(path, start, down, up, (yaw, pitch, roll))

    def _raise(self, accent: Accent, path: Steps) -> None:
        numbers, random = self._numbers, self._random
        start = self._begin(accent, numbers.brow_lead)
        if random.random() >= numbers.brow_share or start < self._brow_free:
            return
        self._brow_free = start + numbers.brow_rest
        low, high = numbers.brow_height
        height = low + (high - low) * self._strength(accent)
        up, hold = random.uniform(*numbers.brow_up), random.uniform(*numbers.brow_hold)
        path.add(start, up, (0.0, 0.0, 0.0, height))
        path.add(start + up + hold, random.uniform(*numbers.brow_down), (0.0, 0.0, 0.0, -height))


def nod(path: Steps, start: float, down: float, up: float, angles: Triple) -> None:
    """Add a nod to a path of yaw, pitch, roll and brows: there and back in so many seconds."""
    path.add(start, down, (*angles, 0.0))
    path.add(start + down, up, (*(-angle for angle in angles), 0.0))
