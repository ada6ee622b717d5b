"""Emotion rows before the model: transitions, monologue and strength."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
from facewire.emotion import EmotionCurve
from facewire.errors import ProfileError
from facewire.types import Context, Emotion
from numpy.typing import NDArray

from facewire_v3.boundaries import FADE, Change, Changes, Planner, times_of
from facewire_v3.config import V3Config
from facewire_v3.feelings import Face, Feeling, feeling
from facewire_v3.monologue import Damper, Monologue, Smoother, monologues
from facewire_v3.strength import scale
from facewire_v3.timeline import BROWS, VAD, WIDTH, Timeline

Doubles = NDArray[np.float64]


def check(config: V3Config, causal: bool) -> None:
    """Raise ProfileError for an option that is out of range, or that a live run cannot have."""
    for name, value, most in (
        ("strength", config.strength, 2.0),
        ("transition", config.transition, 60.0),
        ("fade", config.fade, 10.0),
        ("smooth", config.smooth, 5.0),
    ):
        if value is not None and not 0.0 <= value <= most:
            raise ProfileError(f"layer v3: {name}: found {value:g}, expected 0 to {most:g}")
        if causal and value is not None and name in ("fade", "smooth"):
            raise ProfileError(
                f"layer v3: {name}: found {value:g}, but this run is live and {name} needs to know "
                f"what comes; remove '{name}' or run on a file without --live"
            )


def _arc(config: V3Config, context: Context) -> Monologue | None:
    name = config.monologue
    if name == "auto":
        name = "gentle" if context.turns == "monologue" else "off"
    return None if name == "off" else monologues()[name]


class Shaper:
    """Takes wanted emotion, piecewise constant, and gives it as it moves: rows (n, 75).

    ``lookahead`` is how many rows later a row comes out.
    """

    def __init__(self, config: V3Config, context: Context, face: Face | None) -> None:
        self._config, self._context, self._face = config, context, face
        arc = _arc(config, context)
        self._arc = arc
        fade = config.fade if config.fade is not None else arc.fade if arc else FADE
        sigma = config.smooth if config.smooth is not None else arc.sigma if arc else 0.0
        self._fade, self._sigma = fade, 0.0 if context.causal else sigma
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        config, context = self._config, self._context
        curve: EmotionCurve | None = context.curve
        fps = float(context.fps)
        self._changes = Changes(curve, config.hear)
        self._damper = Damper(self._arc) if self._arc else None
        self._planner = Planner(context.causal, config.transition, self._fade)
        self._timeline: Timeline | None = None
        columns = [*range(VAD.start, VAD.stop), *range(BROWS.start, BROWS.start + 3)]
        self._smoother = Smoother(self._sigma, fps, columns) if self._sigma else None
        self._ahead = 0 if context.causal else ceil(self._planner.horizon * fps) + 1
        self.lookahead = self._ahead + (self._smoother.lookahead if self._smoother else 0)
        self._known = self._next = self._given = 0

    def push(self, emotion: Emotion) -> Doubles:
        """Take rows, each once and in order; return the rows (n, 75) that are final."""
        for change in self._changes.push(emotion):
            self._take(change)
        self._known = emotion.start + len(emotion)
        ready = max(0, self._known - self._ahead - self._next)
        rows = self._rows(ready)
        if self._smoother is not None:
            rows = self._smoother.push(rows)
        self._given += len(rows)
        return rows

    @property
    def start(self) -> int:
        """The index of the next row that comes out."""
        return self._given

    def _take(self, change: Change) -> None:
        if self._damper and (change.source != "neutral" or self._damper.begun):  # silence: no turn
            damped = self._damper.take(np.concatenate([change.vad, change.weights]))
            vad, weights = damped[:3].astype(np.float32), damped[3:].astype(np.float32)
            change = replace(change, vad=vad, weights=weights)
        if self._timeline is None:
            self._planner.begin(change)
            self._timeline = Timeline(self._feeling(change))
        else:
            self._planner.add(change)

    def _feeling(self, change: Change) -> Feeling:
        played = scale(change.vad, self._config.strength)
        return feeling(change.vad, change.weights, played, self._face)

    def _rows(self, count: int) -> Doubles:
        if not count:
            return np.zeros((0, WIDTH))
        assert self._timeline is not None
        times = times_of(self._next, count, self._context.fps)
        self._next += count
        if self._planner.idle:
            return self._timeline.rows(times)
        pieces, at = [], 0
        for row, time in enumerate(times):
            while (move := self._planner.due(time)) is not None:
                if row > at:
                    pieces.append(self._timeline.rows(times[at:row]))
                    at = row
                self._timeline.change(self._feeling(move.change), move.start, move.seconds)
        return np.concatenate([*pieces, self._timeline.rows(times[at:])])
