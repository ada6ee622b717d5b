"""The expression system by itself: set an emotion, advance time, put it on a face."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from facewire.emotion import NEUTRAL, State, parse
from facewire.emotion.state import parse_strength
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import Emotion, FloatArray

from facewire_v3.config import Mode
from facewire_v3.face import Draw
from facewire_v3.feelings import feeling
from facewire_v3.strength import MAX_STRENGTH, checked, scale
from facewire_v3.timeline import BROWS, VAD, WEIGHTS, Timeline
from facewire_v3.transition import ONSET, Intensity
from facewire_v3.wearer import Wearer

Wanted = str | State | Sequence[float]
"""An emotion: a name or alias ("joy", "joy:80"), a state, or valence, arousal, dominance."""


def state_of(emotion: Wanted, level: int | str | None = None) -> State:
    """Return what is meant by an emotion, at a level 1 to 5 or "80%" if given.

    InputError if the emotion is unknown, or numbers are out of range or not finite.
    """
    if isinstance(emotion, State):
        state = emotion
    elif isinstance(emotion, str):
        state = parse(emotion)
    else:
        state = State.of(np.asarray(emotion, np.float64))
    if level is None:
        return state
    if state.name is None or (isinstance(emotion, str) and ":" in emotion):
        raise InputError(f"emotion: {emotion!r} already says how much; leave out level {level}")
    words = f"L{level}" if isinstance(level, int) else level
    return State.named(state.name, parse_strength(words, "emotion: level"))


class V3Controller:
    """Plays emotions on a face, without an engine around it.

    ``draw``: "expression" for a face whose model carries no emotion, with the mouth protected while
    it speaks, or "overlay" for one that does. Call ``update``, then ``apply``, once a frame; all
    that happens is causal. Errors are InputError in one line.
    """

    def __init__(
        self,
        strength: float = 1.0,
        draw: Draw = "expression",
        compiler: Mode = "expressive",
        rig: Rig | None = None,
        fps: Fraction | int = 60,
    ) -> None:
        self.rig = rig or Rig.named("arkit52")
        self.fps = Fraction(fps)
        self._draw: Draw = draw
        self._compiler: Mode = compiler
        self._full = checked(strength)
        self._strength = Intensity(strength / MAX_STRENGTH)
        self.state = NEUTRAL
        self.time = 0.0
        self._begin(NEUTRAL)

    def _begin(self, state: State) -> None:
        self._wearer = Wearer(self._draw, self._compiler, True, self.rig, self.fps, 0)
        self._timeline = Timeline(self._feeling(state))
        self._frame = 0

    def reset(self) -> None:
        """Go back to second 0, to the emotion that is set, without a transition."""
        self.time = 0.0
        self._strength = Intensity(self._full / MAX_STRENGTH)
        self._begin(self.state)

    def _feeling(self, state: State) -> Any:
        vad = np.array(state.vad, np.float32)
        played = scale(vad, self._full)
        return feeling(vad, np.array(state.weights, np.float32), played, self._wearer.feeling)

    def set_emotion(
        self,
        emotion: Wanted,
        level: int | str | None = None,
        transition: float | None = None,
        at: float | None = None,
    ) -> None:
        """Want an emotion from now on, or from second ``at``, a frame ago at most.

        ``level`` is 1 to 5 or a percentage. It comes on the live spring, or in ``transition``
        seconds.
        """
        if transition is not None and not 0.0 <= transition <= 60.0:
            raise InputError(f"emotion: transition: found {transition:g}, expected 0 to 60 seconds")
        self.state = state_of(emotion, level)
        start = self.time if at is None else at
        self._timeline.change(self._feeling(self.state), start, transition)

    def set_strength(self, strength: float) -> None:
        """Play emotions this far from neutral from now on: 0 to 2; the change takes a moment."""
        self._full = checked(strength)
        self._strength.move(self.time, strength / MAX_STRENGTH, ONSET, spring=True)

    def update(self, dt: float | None = None, frame: int | None = None) -> Emotion:
        """Go on by ``dt`` seconds (a frame if not given), or to a frame; return the emotion there.

        It is one row, at strength: what a model is conditioned with.
        """
        if frame is not None:
            time = float(frame / self.fps)
        else:
            time = self.time + (float(1 / self.fps) if dt is None else dt)
        if not self.time <= time < np.inf:
            raise InputError(f"update: found second {time:g} after {self.time:g}; go forward")
        self.time = time
        self._frame = round(time * self.fps) if frame is None else frame
        rows = self._timeline.rows([time]).copy()
        strength = MAX_STRENGTH * self._strength.settle(time)
        for start in (VAD.start, BROWS.start):
            part = slice(start, start + 3)
            rows[:, part] = scale(rows[:, part], strength)
        self._rows = rows
        vad, weights = rows[:, VAD].astype(np.float32), rows[:, WEIGHTS].astype(np.float32)
        return Emotion(vad, weights, self.fps, self._frame)

    def apply(self, values: FloatArray, rig: Rig | None = None) -> FloatArray:
        """Return a frame (channels,) with the emotion of the last ``update`` on it.

        ``rig`` may be named to be sure; InputError if it is not the controller's, or the frame has
        another number of channels.
        """
        row = np.asarray(values, np.float32)
        if (rig is not None and rig != self.rig) or row.shape != (len(self.rig),):
            found = rig.name if rig is not None and rig != self.rig else f"shape {row.shape}"
            raise InputError(
                f"apply: found {found}, expected one frame of {len(self.rig)} channels of "
                f"{self.rig.name}; give V3Controller the rig"
            )
        if not hasattr(self, "_rows"):
            self.update(0.0)
        self._wearer.hear(row[None], self._frame, (), 48000)
        worn: FloatArray = self._wearer.wear(row[None], self._rows)[0]
        return worn
