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
HEAD, GAZE = slice(70, 73), slice(73, 75)
FAINT = 0.4
"""Below this intensity the weights tend to neutral."""
QUICK_GAZE = 0.6
"""Seconds that the eyes take at most to where an emotion looks."""
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
        if len(self._parts) == 1 and self._parts[0][1].still:
            return self._parts[0][0]
        return None

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

    def read(self, times: Sequence[float]) -> tuple[list[Feeling], Doubles]:
        """Return the feelings (m) and their intensities (n, m) at times that never fall."""
        feelings = [one for one, _ in self._parts]
        found = np.array([[i.settle(time) for _, i in self._parts] for time in times])
        self._parts = [
            (one, i) for one, i in self._parts if not (i.still and i.goal == 0.0)
        ]
        return feelings, found.reshape(len(times), len(feelings))


def _which(one: Feeling) -> Doubles:
    return np.concatenate([one.weights, _FAMILIES[one.family]])


def _mixed(feelings: Sequence[Feeling], found: Doubles) -> Doubles:
    """Return VAD, weights and families (n, 35) of intensities (n, m).

    The weights say which emotion, VAD how much of it: the weights are the feelings' shares, and
    neutral's only where hardly anything is felt.
    """
    felt = [i for i, one in enumerate(feelings) if not one.neutral]
    out = np.empty((len(found), 35))
    if not felt:
        out[:, VAD], out[:, 3:] = _REST, _NEUTRAL
        return out
    much = found[:, felt]  # (n, felt)
    offsets = np.array([feelings[i].vad for i in felt]) - _REST
    np.clip(_REST + much @ offsets, 0.0, 1.0, out=out[:, VAD])
    total = much.sum(axis=1, keepdims=True)
    sure = np.minimum(total / FAINT, 1.0)
    sure = sure * sure * (3.0 - 2.0 * sure)
    which = np.array([_which(feelings[i]) for i in felt])  # (felt, 32)
    shares = (much / np.maximum(total, 1e-12)) @ which
    out[:, 3:] = _NEUTRAL + sure * (shares - _NEUTRAL)
    return out


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
        self._face, self._brow = Way(first), Way(first)
        self._head, self._gaze = Way(first), Way(first)
        self._resting: tuple[Feeling, Doubles] | None = None

    @property
    def still(self) -> Feeling | None:
        """The feeling that is there in full; None while anything moves."""
        found = self._face.still
        ways = (self._brow, self._gaze, self._head)
        return found if found is not None and all(way.still == found for way in ways) else None

    def change(self, to: Feeling, start: float, seconds: float | None) -> None:
        """Go to a feeling from ``start`` on by smoothstep; on the live spring without seconds."""
        self._resting = None
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

    def rows(self, times: Sequence[float]) -> Doubles:
        """Return the rows (n, 75) at times."""
        one = self._resting[0] if self._resting else self.still
        if one is not None:
            if self._resting is None:
                self._resting = one, settled(one)
            return np.repeat(self._resting[1][None], len(times), axis=0)
        out = np.empty((len(times), WIDTH))
        out[:, MAIN] = _mixed(*self._face.read(times))
        out[:, BROWS] = _mixed(*self._brow.read(times))
        heads, found = self._head.read(times)
        out[:, HEAD] = found @ np.array([one.pose[:3] for one in heads])
        gazes, found = self._gaze.read(times)
        out[:, GAZE] = found @ np.array([one.pose[3:] for one in gazes])
        return out
