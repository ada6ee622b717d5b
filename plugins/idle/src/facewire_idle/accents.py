"""Pitch accents in a stream of sound: syllable nuclei that stand out by energy and F0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray

from facewire_idle.numbers import load
from facewire_idle.speech import HOPS, Hop, Numbers, level

RATE = 4000
"""Samples a second that pitch and nuclei are read from: keeps F0 and the first formant, and drops
the noise of fricatives, which is no nucleus."""
WINDOW = 2 * RATE // HOPS
LONGEST, SHORTEST = 60, 10
"""Lags in samples at ``RATE``: F0 from 67 to 400 Hz."""


@dataclass(frozen=True, slots=True)
class Accent:
    """An accent: when its nucleus is loudest and when that was known (seconds), how prominent.

    ``strength`` is 1 for one that is just prominent enough.
    """

    time: float
    known: float
    strength: float


def decimate(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a hop's samples (n,) as the means of RATE / HOPS equal parts: (80,)."""
    parts = RATE // HOPS
    if len(samples) % parts == 0:
        return np.asarray(
            np.add.reduce(samples.reshape(parts, -1), axis=1) * (parts / len(samples))
        )
    edges: NDArray[np.intp] = np.arange(parts) * len(samples) // parts
    sizes = np.maximum(np.diff(np.append(edges, len(samples))), 1)
    return np.asarray(np.add.reduceat(samples, edges) / sizes)


def pitch(window: NDArray[np.float64], voiced: float) -> float | None:
    """Return the F0 in Hz of the last 25 ms of a window (160,) at ``RATE``; None if unvoiced.

    Normalised cross-correlation (Talkin, 1995) of the newest 100 samples with those before; of
    nearly equal peaks the shortest lag wins, as multiples of the period correlate too.
    """
    size = WINDOW - LONGEST
    reference, past = window[-size:], window[: WINDOW - SHORTEST]
    products = np.correlate(past, reference, "valid")  # (51,): lags 60 down to 10
    energy = np.concatenate([[0.0], np.cumsum(past * past)])
    energy = (energy[size:] - energy[:-size]) * float(np.dot(reference, reference))
    correlation = products / np.sqrt(np.maximum(energy, 1e-12))
    best = float(correlation.max())
    if not best > voiced:
        return None
    at = int(np.flatnonzero(correlation >= 0.92 * best)[-1])
    while at > 0 and correlation[at - 1] > correlation[at]:
        at -= 1
    lag = float(LONGEST - at)
    if 0 < at < len(correlation) - 1:
        left, peak, right = (float(correlation[at + i]) for i in (-1, 0, 1))
        curve = left - 2.0 * peak + right
        lag -= 0.5 * (left - right) / curve if curve < 0.0 else 0.0
    return RATE / lag


class Mean:
    """A running mean that forgets: plain over the first few values, exponential from then on."""

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._mean, self._count = 0.0, 0

    def above(self, value: float) -> float:
        """Return how far a value lies above the mean; 0 before there is one."""
        return value - self._mean if self._count else 0.0

    def take(self, value: float) -> None:
        """Take a value in."""
        self._count += 1
        self._mean += max(self._memory, 1.0 / self._count) * (value - self._mean)


class Accents:
    """Finds accents while it hears hop after hop.

    A nucleus is a rise and fall of the running level by ``dip`` dB (after Mermelstein, 1975). With
    ``early`` an accent is told while its level still rises; otherwise once its peak is sure.
    """

    def __init__(self, early: bool) -> None:
        self._early = early
        self._numbers = load("speech", Numbers).accents
        self._parts = np.zeros(WINDOW)
        self._level = -100.0
        self._levels, self._pitches = Mean(self._numbers.memory), Mean(self._numbers.memory)
        self._valley = -100.0
        self._rest()

    def _rest(self) -> None:
        self._inside = self._told = False
        self._peak, self._at = -100.0, 0
        self._highest: float | None = None

    def hear(self, hops: Iterable[Hop]) -> list[Accent]:
        """Take hops; return the accents they make known, in order."""
        found = []
        for hop in hops:
            if (accent := self._hear(hop)) is not None:
                found.append(accent)
        return found

    def _hear(self, hop: Hop) -> Accent | None:
        numbers = self._numbers
        if hop.level < -60.0 and self._level < -60.0:
            return None
        part = decimate(hop.samples)
        self._parts = np.concatenate([self._parts[len(part) :], part])
        self._level += numbers.smoothing * (level(part) - self._level)
        if not self._inside:
            self._valley = min(self._valley, self._level)
            if self._level < self._valley + numbers.dip:
                return None
            self._inside = True
        return self._follow(hop)

    def _follow(self, hop: Hop) -> Accent | None:
        rising = self._level > self._peak
        faint = self._levels.above(self._level) < -self._numbers.faint
        hertz = None if faint else pitch(self._parts, self._numbers.voiced)
        semitones = None if hertz is None else 12.0 * log2(hertz)
        # A burst before the vowel has no pitch worth the name: the peak's counts, and after it.
        if rising or self._highest is None:
            self._highest = semitones
        elif semitones is not None:
            self._highest = max(semitones, self._highest)
        if rising:
            self._peak, self._at = self._level, hop.number
            return self._tell(hop) if self._early else None
        fallen = self._level < self._peak - self._numbers.dip
        late = hop.number - self._at >= round(self._numbers.longest_rise * HOPS)
        if not (fallen or late):
            return None
        accent = self._tell(hop)
        self._levels.take(self._peak)
        if self._highest is not None:
            self._pitches.take(self._highest)
        self._valley = self._level
        self._rest()
        return accent

    def _tell(self, hop: Hop) -> Accent | None:
        numbers = self._numbers
        if self._told or self._highest is None:
            return None
        score = self._levels.above(self._peak) / numbers.level_unit
        higher = self._pitches.above(self._highest)
        score += higher / numbers.pitch_unit if abs(higher) < numbers.pitch_most else 0.0
        if score < numbers.threshold:
            return None
        self._told = True
        time = (self._at + 0.5) / HOPS
        return Accent(time, (hop.number + 1) / HOPS, score / numbers.threshold)
