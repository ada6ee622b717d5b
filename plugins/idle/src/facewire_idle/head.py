"""Head: breathing sway, beats at pitch accents, a listener's nods; the eyes stay on the viewer."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
from facewire.types import Context, Frames
from numpy.typing import NDArray

from facewire_idle.beats import BeatNumbers, Beats, nod
from facewire_idle.eyes import HEAD_LIMIT, RADIANS, Eyes, columns, with_spare, within, without_spare
from facewire_idle.life import Living
from facewire_idle.motion import Doubles, Renewal, Steps
from facewire_idle.numbers import Range, load
from facewire_idle.plugin import HeadConfig
from facewire_idle.posture import Posture, PostureNumbers
from facewire_idle.speech import Change, Doing, Hop

_BROWS = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")
_LOWERED = ("browDownLeft", "browDownRight")


@dataclass(frozen=True, slots=True)
class ListenNumbers:
    """See data/head.yaml."""

    rate: float
    spread: float
    angle: Range
    down: Range
    up: Range
    again: float
    smaller: float
    apart: float


@dataclass(frozen=True, slots=True)
class LifeNumbers:
    """See data/head.yaml."""

    arousal: Range
    arousal_gain: float
    arousal_time: float
    counter: float
    brow_outer: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """See data/head.yaml."""

    posture: PostureNumbers
    beats: BeatNumbers
    listening: ListenNumbers
    life: LifeNumbers


class Head(Living):
    """Moves the head and the brows; the eyes counter the head's turn, so that they stay on target.

    Adds to head rotations, look channels, eye rotations and raised brows, whichever the rig has.
    """

    def __init__(self, config: HeadConfig, context: Context) -> None:
        self._config = config
        self._numbers = load("head", Numbers)
        self._eyes = Eyes(context.rig)
        self._turns_head = all(f"head{axis}" in context.rig for axis in ("Yaw", "Pitch", "Roll"))
        self._columns = columns(context.rig, "headYaw", "headPitch", "headRoll", *_BROWS, *_LOWERED)
        self._keep = exp(-1.0 / (float(context.fps) * self._numbers.life.arousal_time))
        super().__init__(config.state, context)

    def reset(self) -> None:
        """Forget all input."""
        super().reset()
        context, numbers = self._context, self._numbers
        self._path = Steps(axes=4)  # yaw, pitch, roll in degrees; brows
        self._beats = Beats(context.random("beats"), numbers.beats, self._look)
        self._posture = Posture(context, numbers.posture)
        self._posture.take(0.0, self._turns.doing, self._path, at_once=True)
        self._nodding = context.random("listening")
        intervals = context.random("listening intervals")
        self._nods = Renewal(intervals, numbers.listening.spread)
        self._nod_free = 0.0
        self._listen(0.0, self._turns.doing)
        self._arousal_now: float | None = None

    def _listen(self, time: float, doing: Doing) -> None:
        rate = self._numbers.listening.rate / 60.0
        self._nods.set_rate(time, rate if doing == "listening" else 0.0)

    def _hear(self, hops: list[Hop]) -> None:
        self._beats.hear(hops, self._path)

    def _change(self, change: Change) -> None:
        self._posture.take(change.time, change.doing, self._path)
        self._listen(change.time, change.doing)

    def _draw(self, until: float) -> None:
        for time in self._nods.until(until):
            self._nod_slowly(max(time, self._nod_free))

    def _nod_slowly(self, start: float) -> None:
        numbers, random = self._numbers.listening, self._nodding
        pitch, again = random.uniform(*numbers.angle), 0
        while again == 0 or (again < 3 and random.random() < numbers.again):
            down, up = random.uniform(*numbers.down), random.uniform(*numbers.up)
            nod(self._path, start, down, up, (0.0, pitch, 0.0))
            start, pitch, again = start + down + up, pitch * numbers.smaller, again + 1
        self._nod_free = start + numbers.apart

    def _render(self, frames: Frames, times: Doubles, arousal: NDArray[np.float32]) -> Frames:
        path = self._path.at(times)  # (n, 4)
        path[:, :3] += self._posture.sway(times, frames.start)
        path *= self._gain(arousal)
        values = with_spare(frames.values)
        taken = values[:, self._columns]  # (n, 8): head, brows up, brows down
        head = taken[:, :3]
        added = within(head, path[:, :3] * RADIANS, HEAD_LIMIT)
        head += added
        if np.count_nonzero(path[:, 3]):
            self._lift(taken[:, 3:6], taken[:, 6:8], path[:, 3])
        values[:, self._columns] = taken
        if self._turns_head:
            self._eyes.turn(values, -self._numbers.life.counter * added[:, :2])
        return without_spare(frames, values)

    def _lift(self, raised: Doubles, lowered: Doubles, height: Doubles) -> None:
        """Raise brows (n, 3) in place by what is left of the way up; frowning ones stay down."""
        outer = self._numbers.life.brow_outer * height
        room = np.clip(1.0 - raised, 0.0, 1.0)
        room *= np.clip(1.0 - lowered.max(axis=1, keepdims=True), 0.0, 1.0)
        raised += room * np.stack([height, outer, outer], axis=1)

    def _gain(self, arousal: NDArray[np.float32]) -> Doubles:
        """Return how lively the head is (n, 1): arousal's gain, followed with a time constant."""
        numbers = self._numbers.life
        low, high = numbers.arousal
        now = float(arousal[0]) if self._arousal_now is None else self._arousal_now
        gains = []
        for value in arousal.tolist():
            now = value + self._keep * (now - value)
            gain = 1.0 + numbers.arousal_gain * (now - 0.30)
            gains.append([self._config.amount * min(max(gain, low), high)])
        self._arousal_now = now
        return np.array(gains)
