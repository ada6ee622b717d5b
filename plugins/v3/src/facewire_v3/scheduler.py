"""Emotions on the audio clock: by hand, from tags in text, from a track, or live."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from facewire.emotion import EmotionCurve, Key, load_track, parse_tags
from facewire.errors import InputError
from facewire.types import Mark

from facewire_v3.controller import V3Controller, Wanted, state_of

PLANNED = 0.5
"""Seconds that a change takes that was placed beforehand (specification, section 5)."""


class Scheduler:
    """Places emotions on a curve: a pipeline's (``Scheduler(pipeline.curve)``), or one of its own.

    With a controller, ``update`` hands it what has come due. Errors are InputError in one line.
    """

    def __init__(
        self, curve: EmotionCurve | None = None, controller: V3Controller | None = None
    ) -> None:
        self.curve = curve or EmotionCurve()
        self._controller = controller
        self._done = -1.0

    def schedule(
        self,
        time: float,
        emotion: Wanted,
        level: int | str | None = None,
        transition: float | None = None,
    ) -> None:
        """Want an emotion from a second on: ``schedule(2.1, "embarrassment")``."""
        if not 0.0 <= time < float("inf"):
            raise InputError(f"schedule: found time {time:g}, expected 0 or more seconds")
        self.curve.set(time, state_of(emotion, level), "track", transition)

    def text(self, text: str, marks: Iterable[Mark], rate: int) -> str:
        """Place the tags of a text on the words as spoken; return the text without tags.

        ``marks`` are word marks with their characters, at ``rate`` samples a second. A tag after
        the last word begins at its end.
        """
        plain, tags = parse_tags(text)
        words = [mark for mark in marks if mark.kind == "word" and mark.chars]
        if tags and not words:
            raise InputError("schedule: found no word marks, expected those of the spoken text")
        for tag in tags:
            after = [w.start for w in words if w.chars and w.chars[1] > tag.at]
            start = min(after) if after else max(w.end for w in words)
            self.curve.set(start / rate, tag.state, "tags")
        return plain

    def track(self, path: str | Path) -> None:
        """Place the keys of a YAML track."""
        for key in load_track(path):
            self.curve.put(key)

    def live(self, emotion: Wanted, level: int | str | None = None) -> None:
        """Want an emotion from the first row that nobody has asked for yet, over all others."""
        self.curve.set(None, state_of(emotion, level), "live")

    def due(self, time: float) -> list[Key]:
        """Return the changes since the last call, up to and with a second."""
        keys = [key for key in self.curve.changes() if self._done < key.time <= time]
        self._done = max(self._done, time)
        return keys

    def update(self, time: float) -> None:
        """Hand the controller what has come due by a second, and bring it there."""
        if self._controller is None:
            raise InputError("scheduler: found no controller; give it one as controller=…")
        for key in self.due(time):
            if key.state is not None:
                seconds = key.transition
                if seconds is None and key.source != "live":
                    seconds = PLANNED
                at = max(float(key.time), self._controller.time)
                self._controller.set_emotion(key.state, transition=seconds, at=at)
        self._controller.update(time - self._controller.time)
