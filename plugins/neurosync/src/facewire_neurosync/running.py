"""Statistics of a speaker that are learned while the sound comes in.

The published features are normalised over the whole clip; live there is none yet. What stands in
for it: the loudest band so far (slowly forgotten), the peak so far, and the mean and variance of
each cepstral coefficient, of the columns that are not silent, begun from a first guess.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from facewire.types import FloatArray

from facewire_neurosync.features import TINY, Clip
from facewire_neurosync.mel import COEFFICIENTS, FLOOR, RANGE, Array, cosines
from facewire_neurosync.spool import Spool


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """What is assumed of a speaker before any sound: dB of the loudest band, peak, mean, spread.

    ``weight`` is how many columns (120 a second) of sound it counts for.
    """

    loudest: float
    peak: float
    mean: Array
    spread: Array
    weight: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """See data/live.json: columns a guess counts for and the running mean remembers, dB."""

    guess_columns: float
    calibrated_columns: float
    memory_columns: float
    silence: float
    pause_columns: float
    forgetting: float


@cache
def _table() -> tuple[Numbers, Guess]:
    table = json.loads(files("facewire_neurosync").joinpath("data/live.json").read_text("utf-8"))
    numbers = Numbers(**{name: float(table[name]) for name in Numbers.__dataclass_fields__})
    mean, spread = np.array(table["mean"]), np.array(table["spread"])
    if mean.shape != (COEFFICIENTS,) or spread.shape != mean.shape or not (spread > 0).all():
        raise ValueError("live.json: expected 23 means and 23 spreads above 0")
    guess = Guess(table["loudest"], table["peak"], mean, spread, numbers.guess_columns)
    return numbers, guess


def numbers() -> Numbers:
    """Return the constants of live runs."""
    return _table()[0]


def usual() -> Guess:
    """Return the guess for a speaker nobody knows."""
    return _table()[1]


def measured(samples: FloatArray) -> Guess:
    """Return the guess that a recording of the speaker at 88.2 kHz gives."""
    spool = Spool()
    spool.append(samples)
    cepstra, loudest = Clip(spool).cepstra(normalised=False)
    spread = np.maximum(cepstra.std(axis=0), 1e-3)
    weight = numbers().calibrated_columns
    return Guess(loudest, max(spool.peak, 1e-5), cepstra.mean(axis=0), spread, weight)


class Running:
    """Normalises columns one after the other, each by what was heard up to it."""

    def __init__(self, guess: Guess) -> None:
        self._loudest, self._peak = guess.loudest, guess.peak
        self._mean, self._variance = guess.mean.copy(), guess.spread**2
        self._count, self._quiet = guess.weight, 0.0  # columns learned, and silent ones since
        self._fall = numbers().forgetting / 120

    def push(self, mel: Array, peaks: FloatArray) -> tuple[Array, Array, Array]:
        """Take columns of mel power in dB (n, 128), not normalised, and of peaks (n,).

        Returns their cepstra, and the mean and spread that hold at each: three of (n, 23).
        """
        cepstra, means, spreads = (np.empty((len(mel), COEFFICIENTS)) for _ in range(3))
        for i, (bands, peak) in enumerate(zip(mel, peaks, strict=True)):
            self._peak = max(self._peak, float(peak))
            top = float(bands.max())
            self._loudest = max(self._loudest - self._fall, top)
            least = 10 * np.log10(FLOOR) + 20 * np.log10(self._peak)
            floor = max(self._loudest - RANGE, least)
            cepstra[i] = np.maximum(bands, floor) @ cosines()
            self._quiet = 0.0 if top > self._loudest - numbers().silence else self._quiet + 1
            if self._quiet < numbers().pause_columns:
                self._learn(cepstra[i])
            means[i], spreads[i] = self._mean, np.sqrt(self._variance) + TINY
        return cepstra, means, spreads

    def _learn(self, cepstrum: Array) -> None:
        self._count = min(self._count + 1, numbers().memory_columns)
        share = 1 / self._count
        away = cepstrum - self._mean
        self._mean = self._mean + share * away
        self._variance = (1 - share) * (self._variance + share * away**2)
