"""Gaze: fixations, small saccades and drift, looks away and back, and lids that follow."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, radians, sin

import numpy as np
from facewire.types import Context, Frames
from numpy.typing import NDArray

from facewire_idle.eyes import HEAD_LIMIT, RADIANS, Eyes, columns, with_spare, within, without_spare
from facewire_idle.life import Living
from facewire_idle.motion import Doubles, Noise, Steps, lognormal
from facewire_idle.numbers import Range, load
from facewire_idle.plugin import GazeConfig
from facewire_idle.speech import Change, Doing


@dataclass(frozen=True, slots=True)
class StateNumbers:
    """See data/gaze.yaml."""

    contact: float
    away: float
    angle: Range


@dataclass(frozen=True, slots=True)
class Numbers:
    """See data/gaze.yaml."""

    saccade: float
    saccade_degree: float
    fixation: float
    fixation_spread: float
    wander_yaw: float
    wander_pitch: float
    stay_spread: float
    drift: float
    drift_knot: float
    flatten: float
    away_at_turn: float
    turn_after: float
    head_from: float
    head_share: float
    head_time: Range
    head_delay: float
    directions: tuple[float, ...]
    thinking_directions: tuple[float, ...]
    states: dict[str, StateNumbers]


class Gaze(Living):
    """Looks at the viewer and away.

    Adds to look channels, eye rotations and, with large looks away, head rotations, whichever the
    rig has; the eyes turn back while the head catches up, so that gaze lands once.
    """

    def __init__(self, config: GazeConfig, context: Context) -> None:
        self._config = config
        self._numbers = load("gaze", Numbers)
        self._eyes = Eyes(context.rig)
        self._head = columns(context.rig, "headYaw", "headPitch")
        self._has_head = "headYaw" in context.rig and "headPitch" in context.rig
        super().__init__(config.state, context)

    def reset(self) -> None:
        """Forget all input."""
        super().reset()
        numbers, context = self._numbers, self._context
        self._random = context.random("gaze")
        drift = context.random("gaze drift")
        self._drift = Noise(drift, context.fps, axes=2, knot=numbers.drift_knot, memory=0.7)
        self._path = Steps(axes=4)  # yaw and pitch of the eyes, then of the head; degrees
        self._doing: Doing = self._turns.doing
        self._away = False
        self._spot = self._target = self._turned = (0.0, 0.0)
        self._shift_at = self._stay(0.0)
        self._small_at = self._fixation(0.0)

    def _stay(self, time: float) -> float:
        state = self._numbers.states[self._doing]
        mean = state.away if self._away else state.contact
        return time + lognormal(self._random, mean, self._numbers.stay_spread)

    def _fixation(self, time: float) -> float:
        numbers = self._numbers
        return time + lognormal(self._random, numbers.fixation, numbers.fixation_spread)

    def _draw(self, until: float) -> None:
        while (time := min(self._shift_at, self._small_at)) <= until:
            if self._shift_at <= self._small_at:
                self._shift(time, away=not self._away)
            else:
                self._wander(time)

    def _change(self, change: Change) -> None:
        self._doing = change.doing
        if change.doing == "thinking":
            self._shift(change.time, away=True)
        elif change.doing == "speaking":
            new_turn = change.before != "idle" or change.lasted >= self._numbers.turn_after
            if new_turn and self._random.random() < self._numbers.away_at_turn:
                self._shift(change.time, away=True)
        elif self._away:
            self._shift(change.time, away=False)

    def _shift(self, time: float, away: bool) -> None:
        """Look away, or back at the viewer, and stay there for a while."""
        self._away = away
        self._spot = self._elsewhere() if away else (0.0, 0.0)
        self._saccade(time, self._spot)
        self._shift_at = self._stay(time)
        self._small_at = self._fixation(time)

    def _elsewhere(self) -> tuple[float, float]:
        numbers, random = self._numbers, self._random
        thinking = self._doing == "thinking"
        shares = np.array(numbers.thinking_directions if thinking else numbers.directions)
        octant = int(random.choice(len(shares), p=shares / shares.sum()))
        direction = radians(45.0 * octant + random.uniform(-22.5, 22.5))
        angle = random.uniform(*numbers.states[self._doing].angle)
        return angle * cos(direction), -angle * sin(direction) * numbers.flatten

    def _wander(self, time: float) -> None:
        yaw = float(self._random.normal(0.0, self._numbers.wander_yaw))
        pitch = float(self._random.normal(0.0, self._numbers.wander_pitch))
        self._saccade(time, (self._spot[0] + yaw, self._spot[1] + pitch))
        self._small_at = self._fixation(time)

    def _saccade(self, time: float, target: tuple[float, float]) -> None:
        amount = self._config.amount
        target = (amount * target[0], amount * target[1])
        yaw, pitch = target[0] - self._target[0], target[1] - self._target[1]
        duration = self._numbers.saccade + self._numbers.saccade_degree * hypot(yaw, pitch)
        self._path.add(time, duration, (yaw, pitch, 0.0, 0.0))
        self._target = target
        self._follow(time)

    def _follow(self, time: float) -> None:
        """Let the head take its share of a large look away, and the eyes give as much back."""
        numbers = self._numbers
        far = hypot(*self._spot) * self._config.amount > numbers.head_from
        share = numbers.head_share * self._config.amount if far else 0.0
        turned = (share * self._spot[0], share * self._spot[1])
        yaw, pitch = turned[0] - self._turned[0], turned[1] - self._turned[1]
        if yaw or pitch:
            duration = self._random.uniform(*numbers.head_time)
            self._path.add(time + numbers.head_delay, duration, (-yaw, -pitch, yaw, pitch))
            self._turned = turned

    def _render(self, frames: Frames, times: Doubles, arousal: NDArray[np.float32]) -> Frames:
        path = self._path.at(times)  # (n, 4)
        size = self._numbers.drift * self._config.amount
        path[:, :2] += size * self._drift.at(frames.start, len(frames))
        path *= RADIANS
        values = with_spare(frames.values)
        if not self._has_head:
            path[:, :2] += path[:, 2:]  # the eyes do it alone
        self._eyes.turn(values, path[:, :2])
        if self._has_head and np.count_nonzero(path[:, 2:]):
            head = values[:, self._head]
            values[:, self._head] = head + within(head, path[:, 2:], HEAD_LIMIT)
        return without_spare(frames, values)
