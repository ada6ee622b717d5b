"""What a head does without any occasion: sway, breathing, the way it is held."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from facewire.types import Context

from facewire_idle.beats import Triple
from facewire_idle.motion import Ahead, Doubles, Noise, Steps, lognormal
from facewire_idle.numbers import Range
from facewire_idle.speech import Doing


@dataclass(frozen=True, slots=True)
class StateNumbers:
    """See data/head.yaml."""

    sway: Triple
    held: Triple


@dataclass(frozen=True, slots=True)
class PostureNumbers:
    """See data/head.yaml."""

    knot: float
    memory: float
    fade: Range
    breath: Range
    breath_spread: float
    breath_pitch: float
    states: dict[str, StateNumbers]


class Breath(Ahead):
    """How far the head is lowered by breathing, in degrees: (n, 1)."""

    def __init__(self, random: np.random.Generator, fps: Fraction, numbers: PostureNumbers) -> None:
        super().__init__(fps)
        self._random, self._numbers = random, numbers
        self._path = Steps(axes=1)
        self._next, self._rising = 0.0, True

    def _make(self, times: Doubles) -> Doubles:
        numbers = self._numbers
        while self._next <= times[-1]:
            mean = numbers.breath[0 if self._rising else 1]
            duration = lognormal(self._random, mean, numbers.breath_spread)
            height = numbers.breath_pitch if self._rising else -numbers.breath_pitch
            self._path.add(self._next, duration, [-height])
            self._next, self._rising = self._next + duration, not self._rising
        return self._path.at(times)


class Posture:
    """Sway, breathing and the way the head is held, per state."""

    def __init__(self, context: Context, numbers: PostureNumbers) -> None:
        self._random, self._numbers = context.random("head"), numbers
        noise, fps = context.random("head sway"), context.fps
        self._noise = Noise(noise, fps, axes=3, knot=numbers.knot, memory=numbers.memory)
        self._breath = Breath(context.random("breath"), fps, numbers)
        self._held: Triple = (0.0, 0.0, 0.0)
        self._size: Triple = (0.0, 0.0, 0.0)
        self._sizes = Steps(axes=3)

    def take(self, time: float, doing: Doing, path: Steps, at_once: bool = False) -> None:
        """Sway and hold the head as in a state from a second on, or ``at_once`` (the start)."""
        state = self._numbers.states[doing]
        duration = 1e-6 if at_once else self._random.uniform(*self._numbers.fade)
        start = time - duration if at_once else time
        self._sizes.add(start, duration, _difference(state.sway, self._size))
        self._size = state.sway
        sides = self._random.choice([-1.0, 1.0], 2)
        yaw, pitch, roll = state.held
        held = (yaw * float(sides[0]), pitch, roll * float(sides[1]))
        path.add(start, duration, (*_difference(held, self._held), 0.0))
        self._held = held

    def sway(self, times: Doubles, start: int) -> Doubles:
        """Return sway and breath of frames from index ``start`` at times (n,): (n, 3) degrees."""
        angles = self._sizes.at(times) * self._noise.at(start, len(times))
        angles[:, 1:2] += self._breath.at(start, len(times))
        return angles


def _difference(new: Triple, old: Triple) -> Triple:
    return (new[0] - old[0], new[1] - old[1], new[2] - old[2])
