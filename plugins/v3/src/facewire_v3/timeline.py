"""From wanted emotions to rows: every change is a transition, at any frame rate the same.

A timeline keeps one ``Way`` for what the face shows, one for the brows (two raised brows blend
directly where the rest of the face goes round by neutral), one for the eyes and one for the head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from facewire.emotion import NEUTRAL_VAD
from numpy.typing import NDArray

from facewire_v3.feelings import Feeling, swaps
from facewire_v3.transition import (
    SPRING_DELAY,
    Intensity,
    detour,
    fall,
    time_constant,
)

Doubles = NDArray[np.float64]
WIDTH = 75
"""Columns of a row: VAD, weights, family; the same for the brows; head, gaze."""
MAIN, BROWS = slice(0, 35), slice(35, 70)
VAD, WEIGHTS, FAMILY = slice(0, 3), slice(3, 19), slice(19, 35)
"""Columns of ``MAIN`` and of ``BROWS``: VAD, label weights, and shares of the families' faces."""
HEAD, GAZE, POSE = slice(70, 73), slice(73, 75), slice(70, 75)
FAINT = 0.4
"""Below this intensity the weights tend to neutral."""
QUICK_GAZE = 0.6
"""Seconds that the eyes take at most to where an emotion looks."""
SEEN = 2e-3
"""An intensity's difference that nobody sees."""
SHRUNK = 0.5
"""A change to less than this share of what is felt counts as easing off."""
_REST = np.array(NEUTRAL_VAD)
_FAMILIES = np.eye(16)
_NEUTRAL = np.tile(_FAMILIES[0], 2)


class Way:
    """The feelings that are on one part of the face, each with its intensity."""

    def __init__(self, first: Feeling) -> None:
        self._parts: list[tuple[Feeling, Intensity]] = [(first, Intensity(1.0))]

    @property
    def still(self) -> Feeling | None:
        """The one feeling that is there in full; None while anything moves."""
        there = [one for one, i in self._parts if not i.still or i.goal > 0.0]
        return there[0] if len(there) == 1 and all(i.still for _, i in self._parts) else None

    def go(
        self,
        to: Feeling,
        start: float,
        seconds: float,
        spring: bool,
        apart: Callable[[Feeling, Feeling], float],
        lag: float = 0.0,
    ) -> None:
        """Change to a feeling: within ``seconds``, or on a spring with that time constant.

        ``apart`` says how far the way from one feeling to another goes round by neutral.
        """
        wait, own = 0.0, None
        for one, intensity in self._parts:
            if one == to:
                own = intensity
                continue
            far = 0.0 if one.neutral or to.neutral else apart(one, to)
            wait = max(wait, far * intensity.at(start))
            if intensity.goal > 0.0:
                share = 1.0 if spring else fall(far)
                intensity.move(start, 0.0, seconds * share, spring)
        if own is None:
            own = Intensity(0.0)
            self._parts.append((to, own))
        delay = wait * SPRING_DELAY * seconds if spring else (1.0 - fall(wait)) * seconds
        own.move(start, 1.0, seconds if spring else seconds - delay, spring, delay + lag)

    def size(self, time: float) -> float:
        """Return how far from neutral the felt VAD is."""
        felt = [np.subtract(one.vad, _REST) * i.at(time) for one, i in self._parts]
        return float(np.linalg.norm(np.sum(felt, axis=0)))

    def read(self, times: Sequence[float]) -> Doubles:
        """Return the intensities (n, m) of the feelings at times that never fall.

        What is gone stays among them until the next ``go``.
        """
        return np.array([[i.settle(time) for _, i in self._parts] for time in times])

    def forget(self) -> None:
        """Drop what is gone."""
        gone = [i.still and i.goal == 0.0 for _, i in self._parts]
        if any(gone):
            self._parts = [part for part, over in zip(self._parts, gone, strict=True) if not over]

    def copy(self) -> Way:
        """Return a way of its own that goes the same."""
        other = Way(self._parts[0][0])
        other._parts = [(one, i.copy()) for one, i in self._parts]
        return other

    def near(self, other: Way, time: float) -> bool:
        """Tell whether another way has the same feelings and nobody would see the difference."""
        return self.feelings == other.feelings and all(
            abs(i.at(time) - o.at(time)) < SEEN
            for (_, i), (_, o) in zip(self._parts, other._parts, strict=True)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Way) and self._parts == other._parts

    __hash__ = None  # type: ignore[assignment]

    @property
    def feelings(self) -> list[Feeling]:
        """The feelings, in the order of ``read``."""
        return [one for one, _ in self._parts]


class Mixer:
    """Adds feelings up: intensities (n, m) to VAD, weights and families (n, 35).

    The weights say which emotion, VAD how much of it: the weights are the feelings' shares, and
    neutral's only where hardly anything is felt.
    """

    def __init__(self, feelings: Sequence[Feeling]) -> None:
        self._which = np.zeros((len(feelings), 35))
        self._felt = np.array([float(not one.neutral) for one in feelings])[:, None]
        for i, one in enumerate(feelings):
            if not one.neutral:
                self._which[i, VAD] = np.array(one.vad) - _REST
                self._which[i, 3:] = _which(one)

    def __call__(self, found: Doubles) -> Doubles:
        """Return the rows of intensities (n, m)."""
        out: Doubles = found @ self._which
        np.minimum(np.maximum(out[:, VAD] + _REST, 0.0), 1.0, out=out[:, VAD])
        total = np.maximum(found @ self._felt, 1e-12)  # (n, 1)
        sure = np.minimum(total / FAINT, 1.0)
        sure *= sure * (3.0 - 2.0 * sure)
        out[:, 3:] *= sure / total
        out[:, 3:] += (1.0 - sure) * _NEUTRAL
        return out


def _which(one: Feeling) -> Doubles:
    return np.concatenate([one.weights, _FAMILIES[one.family]])


def settled(one: Feeling) -> Doubles:
    """Return the row (75,) of a feeling that is there in full."""
    part = np.concatenate([one.vad, _which(one)])
    return np.concatenate([part, part, one.pose])


def _straight(one: Feeling, other: Feeling) -> float:
    return 0.0


def _eased(one: Feeling, other: Feeling) -> float:
    return detour(one.vad, other.vad)


def _sprung(one: Feeling, other: Feeling) -> float:
    return detour(one.vad, other.vad, spring=True)


def _brows(one: Feeling, other: Feeling) -> float:
    return 1.0 if swaps(one, other) else 0.0


class Timeline:
    """The emotion over time. Times are seconds and never fall."""

    def __init__(self, first: Feeling) -> None:
        self._face, self._brow, self._head, self._gaze = (Way(first) for _ in range(4))
        self._joined: tuple[bool, ...] = (True, True, True)
        self._resting: Doubles | None = settled(first)[None]
        self._prepare()

    @property
    def still(self) -> Feeling | None:
        """The feeling that is there in full; None while anything moves."""
        found = self._face.still
        if found is None or any(way.still != found for way in self._own()):
            return None
        return found

    def _own(self) -> list[Way]:
        """Return the ways that differ from the face's."""
        ways = (self._brow, self._head, self._gaze)
        return [way for way, joined in zip(ways, self._joined, strict=True) if not joined]

    def change(self, to: Feeling, start: float, seconds: float | None) -> None:
        """Go to a feeling from ``start`` on by smoothstep; on the live spring without seconds."""
        self._part(start)
        spring = seconds is None
        if seconds is None:
            rising = to.size >= SHRUNK * self._face.size(start) and not to.neutral
            seconds = time_constant(to.vad[1], rising)
        face, gaze, head = to.lags
        self._face.go(to, start, seconds, spring, _sprung if spring else _eased, face)
        self._brow.go(to, start, seconds, spring, _brows, face)
        looking = seconds if spring else min(seconds, QUICK_GAZE)
        self._gaze.go(to, start, looking, spring, _straight, gaze)
        self._head.go(to, start, seconds, spring, _straight, head)
        self._prepare()
        self._resting = None

    def _part(self, time: float) -> None:
        """Give each part of the face a way of its own again, and forget what is gone."""
        self._face.forget()
        for way in self._own():
            way.forget()
        ways = zip(self._joined, (self._brow, self._head, self._gaze), strict=True)
        brow, head, gaze = (joined or way.near(self._face, time) for joined, way in ways)
        self._brow = self._face.copy() if brow else self._brow
        self._head = self._face.copy() if head else self._head
        self._gaze = self._face.copy() if gaze else self._gaze

    def _prepare(self) -> None:
        """See which parts go the same way, and set up what adds the feelings up."""
        self._joined = tuple(way == self._face for way in (self._brow, self._head, self._gaze))
        faces, heads, gazes = (way.feelings for way in (self._face, self._head, self._gaze))
        self._main, self._brows = Mixer(faces), Mixer(self._brow.feelings)
        self._heads = np.array([one.pose[:3] for one in heads])
        self._gazes = np.array([one.pose[3:] for one in gazes])

    def rows(self, times: Sequence[float]) -> Doubles:
        """Return the rows (n, 75) at times; one row that rests is the same object each time."""
        if self._resting is None and (one := self.still) is not None:
            self._resting = settled(one)[None]
        if self._resting is not None:
            rests = self._resting
            return rests if len(times) == 1 else np.repeat(rests, len(times), axis=0)
        brow, head, gaze = self._joined
        found = self._face.read(times)
        out = np.empty((len(times), WIDTH))
        out[:, MAIN] = self._main(found)
        out[:, BROWS] = out[:, MAIN] if brow else self._brows(self._brow.read(times))
        out[:, HEAD] = (found if head else self._head.read(times)) @ self._heads
        out[:, GAZE] = (found if gaze else self._gaze.read(times)) @ self._gazes
        return out
