"""The emotion curve: who wants which emotion when, and the rows that come of it.

Keys come from several sources; at any time the one with precedence decides (design, "Emotion
rows"). The curve is piecewise constant: a key holds until the next of its source, and the way from
one emotion to the next is a layer's business.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from facewire.emotion.state import NEUTRAL, State, seconds
from facewire.errors import InputError, nearest
from facewire.types import Emotion, FloatArray

SOURCES = ("live", "tags", "track", "option", "text", "heard")
"""Who may set the emotion, the strongest first. Where none does, it is neutral."""

MAX_TRANSITION = 60.0
"""Seconds that a change may be asked to take."""

PAGE_ROWS = 256
"""Rows that are painted at once: sampling one row at a time costs no more than a slice."""

KEPT_KEYS = 1024
KEPT_SECONDS = 60
"""A source's keys are kept at least this many, or this long after their rows were sampled."""


@dataclass(frozen=True, slots=True)
class Key:
    """From ``time`` (seconds) on, ``source`` wants ``state``; None lets go.

    ``transition`` is how many seconds the change shall take; None leaves it to the layer.
    """

    time: Fraction
    state: State | None
    source: str
    transition: float | None = None


class _Lane:
    """The keys of one source, in order of time."""

    def __init__(self) -> None:
        self.times: list[Fraction] = []
        self.keys: list[Key] = []
        self.full = KEPT_KEYS

    def put(self, key: Key) -> None:
        at = bisect_left(self.times, key.time)
        if at < len(self.times) and self.times[at] == key.time:
            self.keys[at] = key
        else:
            self.times.insert(at, key.time)
            self.keys.insert(at, key)

    def forget(self, before: Fraction) -> None:
        """Drop keys that ended before a time; now and then, so that it costs nothing on average."""
        if len(self.times) < self.full:
            return
        held = max(0, bisect_right(self.times, before) - 1)
        del self.times[:held], self.keys[:held]
        self.full = max(KEPT_KEYS, 2 * len(self.times))

    def paint(self, vad: FloatArray, weights: FloatArray, start: int, fps: Fraction) -> None:
        """Write this source's states over rows (n, 3) and (n, 16), the first at frame ``start``."""
        at = bisect_right(self.times, start / fps) - 1
        row, rows = 0, len(vad)
        while row < rows:
            after = at + 1
            stop = rows
            if after < len(self.times):  # the first row that is not before the next key
                stop = min(rows, math.ceil(self.times[after] * fps) - start)
            state = self.keys[at].state if at >= 0 else None
            if state is not None and stop > row:
                vad[row:stop], weights[row:stop] = state.vad, state.weights
            row, at = max(row, stop), after


class EmotionCurve:
    """Keys by source, sampled as rows. Safe to set from one thread while another samples.

    A set without a time acts on the first row that nobody has sampled yet. Rows that were sampled
    stay as they were handed out; keys that ended a minute before the last of them are forgotten
    once there are more than a thousand, so that a stream of hours needs no more memory.
    """

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._lock = threading.Lock()
        self._lanes = {source: _Lane() for source in SOURCES}
        self._sampled, self._fps = 0, Fraction(60)  # rows handed out so far
        self._page: tuple[int, Emotion | None] = (0, None)  # rows painted ahead, until a key comes
        for key in keys:
            self.put(key)

    def put(self, key: Key) -> None:
        """Add a key; it replaces one of the same source and time. InputError: unknown source."""
        self._put(key.time, key.state, key.source, key.transition)

    def set(
        self,
        time: Fraction | float | None,
        state: State,
        source: str = "live",
        transition: float | None = None,
    ) -> None:
        """Want ``state`` from ``time`` (seconds) on; None: from the first row not yet sampled."""
        self._put(time, state, source, transition)

    def release(
        self,
        time: Fraction | float | None = None,
        source: str = "live",
        transition: float | None = None,
    ) -> None:
        """Let go from ``time`` on, as in ``set``: the next source that wants something decides."""
        self._put(time, None, source, transition)

    def _put(
        self,
        time: Fraction | float | None,
        state: State | None,
        source: str,
        transition: float | None,
    ) -> None:
        if source not in self._lanes:
            hint = nearest(source, SOURCES)
            known = ", ".join(SOURCES)
            raise InputError(f"emotion: source '{source}' is unknown{hint} (known: {known})")
        if transition is not None and not 0 <= transition <= MAX_TRANSITION:
            wanted = f"expected 0 to {MAX_TRANSITION:g} seconds"
            raise InputError(f"emotion: transition: found {transition:g}, {wanted}")
        at = None if time is None else seconds(time, "emotion: time")
        lane = self._lanes[source]
        with self._lock:
            lane.put(Key(self._unsampled if at is None else at, state, source, transition))
            lane.forget(self._unsampled - KEPT_SECONDS)
            self._page = (0, None)

    def sample(self, start: int, n: int, fps: Fraction) -> Emotion:
        """Return rows ``start`` to ``start + n``; row k has the last key with time <= k / fps."""
        with self._lock:
            first, page = self._page
            same = page is not None and (page.fps is fps or page.fps == fps)
            if page is None or not same or start < first or start + n > first + len(page):
                first, page = start, self._paint(start, max(n, PAGE_ROWS), fps)
                self._page = first, page
            if n:
                same = fps is self._fps or fps == self._fps
                self._sampled = max(self._sampled, start + n) if same else start + n
                self._fps = fps
        rows = slice(start - first, start - first + n)
        return Emotion(page.vad[rows], page.weights[rows], fps, start)

    def _paint(self, start: int, n: int, fps: Fraction) -> Emotion:
        vad = np.empty((n, 3), np.float32)
        weights = np.empty((n, 16), np.float32)
        vad[:], weights[:] = NEUTRAL.vad, NEUTRAL.weights
        for lane in reversed(self._lanes.values()):  # the strongest last, over the others
            if lane.times:
                lane.paint(vad, weights, start, fps)
        vad.flags.writeable = weights.flags.writeable = False
        return Emotion(vad, weights, fps, start)

    def source(self, frame: int, fps: Fraction) -> str:
        """Return who decides the emotion of a row: a source, or ``"neutral"`` where none does."""
        time = frame / fps
        with self._lock:
            for source, lane in self._lanes.items():
                at = bisect_right(lane.times, time) - 1
                if at >= 0 and lane.keys[at].state is not None:
                    return source
        return "neutral"

    @property
    def _unsampled(self) -> Fraction:
        return self._sampled / self._fps

    def changes(self) -> list[Key]:
        """Return the changes of the emotion in force, in order: what precedence leaves of the keys.

        A key that lets go appears as the state that takes over, with its source (``"neutral"``
        where there is none) and the transition of the one that let go.
        """
        with self._lock:
            every = [key for lane in self._lanes.values() for key in lane.keys]
        every.sort(key=lambda key: (key.time, -SOURCES.index(key.source)))
        wanted: dict[str, Key] = {}
        changes: list[Key] = []
        for at, key in enumerate(every):
            wanted[key.source] = key
            if at + 1 < len(every) and every[at + 1].time == key.time:
                continue  # all keys of one time act together; the strongest is the cause
            now = _in_force(wanted, key)
            if not changes or (now.state, now.source) != (changes[-1].state, changes[-1].source):
                changes.append(now)
        return changes


def _in_force(wanted: dict[str, Key], cause: Key) -> Key:
    for source in SOURCES:
        key = wanted.get(source)
        if key is not None and key.state is not None:
            by_itself = key.time == cause.time
            return Key(cause.time, key.state, source, (key if by_itself else cause).transition)
    return Key(cause.time, NEUTRAL, "neutral", cause.transition)
