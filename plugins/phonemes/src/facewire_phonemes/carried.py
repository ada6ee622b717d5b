"""A recital's phones and words carried over to the recording, with times that are possible."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from facewire.types import Mark
from numpy.typing import NDArray

from facewire_phonemes.recital import Recital
from facewire_phonemes.recited import Placed
from facewire_phonemes.spectra import HOP

Ints = NDArray[np.intp]

_PAUSE = 3  # frames between two of speech that part the phones there
_SHORTEST = 240  # samples of a phone, 15 ms: the least that closes lips
_HEARD = 2  # frames that a word must have


class Carried(NamedTuple):
    """One word of the recital in the recording: its place, its phones, its first and last frame."""

    place: int
    phones: tuple[Mark, ...]
    frames: tuple[int, int]

    @property
    def span(self) -> tuple[int, int]:
        """Its first and last sample."""
        return self.phones[0].start, self.phones[-1].end


def carried(recital: Recital, placed: Placed) -> list[Carried]:
    """Return the words that are in the recording, in order, their phones apart."""
    at = np.flatnonzero(~placed.path.paused)
    if not len(at) or not recital.words:
        return []
    told = placed.centres[placed.path.states[at]]
    starts = np.array([word.start for word in recital.words])
    begun = np.array([phone.start for phone in recital.phones])
    owner = np.maximum(np.searchsorted(starts, begun, "right") - 1, 0)
    edges = np.append(begun, recital.phones[-1].end)
    first = np.searchsorted(told, edges)  # the first frame of each phone
    heard = np.bincount(owner, np.diff(first), len(starts)) >= _HEARD
    kept = np.flatnonzero(heard[owner])
    spans = _spans(recital, kept, at, told)
    phones: dict[int, list[Mark]] = {}
    frames: dict[int, tuple[int, int]] = {}
    for i, (start, end) in zip(kept.tolist(), spans.tolist(), strict=True):
        word, near = int(owner[i]), at[first[i] : first[i + 1]]
        costs = placed.unlike[near] if len(near) else np.ones(1)
        mark = replace(recital.phones[i], start=start, end=end, confidence=_sure(costs))
        phones.setdefault(word, []).append(mark)
        if len(near):
            frames[word] = (frames.get(word, (int(near[0]), 0))[0], int(near[-1]) + 1)
    return [Carried(word, tuple(marks), frames[word]) for word, marks in phones.items()]


def _sure(unlike: NDArray[np.float64]) -> float:
    """Map how unlike a phone is to 0..1: the usual 0.7 gives 0.7, what is chance 0.5."""
    return round(math.exp(-0.7 * float(unlike.mean()) ** 2), 3)


def _spans(recital: Recital, kept: Ints, at: Ints, told: Ints) -> Ints:
    """Return the phones' first and last samples (n, 2), in order and none too short to be said."""
    marks = [recital.phones[i] for i in kept]
    starts = _moment(np.array([mark.start for mark in marks]), at, told, ends=False)
    ends = _moment(np.array([mark.end for mark in marks]), at, told, ends=True)
    spans = np.stack([starts, np.maximum(ends, starts)], axis=1)
    spans[1:, 0] = np.maximum(spans[1:, 0], spans[:-1, 1])
    spans[:, 1] = np.maximum(spans[:, 0], spans[:, 1])
    parted = np.flatnonzero(spans[1:, 0] > spans[:-1, 1]) + 1
    for group in np.split(np.arange(len(spans)), parted):
        if len(group):
            edges = _stretched(np.append(spans[group, 0], spans[group[-1], 1]))
            spans[group] = np.stack([edges[:-1], edges[1:]], axis=1)
    return spans


def _moment(times: Ints, at: Ints, told: Ints, ends: bool) -> Ints:
    """Return the recording's samples at times of the recital.

    Where it pauses there, a phone ends at the pause's beginning and begins at its end.
    """
    after = np.clip(np.searchsorted(told, times), 1, len(told) - 1) if len(told) > 1 else None
    if after is None:
        return np.full(len(times), (at[0] + ends) * HOP)
    before = after - 1
    length = np.maximum(told[after] - told[before], 1)
    share = np.clip((times - told[before]) / length, 0.0, 1.0)
    moments = (at[before] + 0.5 + share * (at[after] - at[before])) * HOP
    pause = at[after] - at[before] > _PAUSE
    moments = np.where(pause, (at[before] + 1 if ends else at[after]) * HOP, moments)
    moments = np.where(times <= told[0], at[0] * HOP, moments)
    moments = np.where(times > told[-1], (at[-1] + 1) * HOP, moments)
    return np.rint(moments).astype(np.intp)


def _stretched(edges: Ints) -> Ints:
    """Return edges (n + 1,) of touching phones moved as little as gives each its least length."""
    count = len(edges) - 1
    least = min(_SHORTEST, (edges[-1] - edges[0]) // count)
    if least < _SHORTEST:
        return np.linspace(edges[0], edges[-1], count + 1).astype(np.intp)
    steps = np.arange(count + 1) * least
    forward = np.maximum.accumulate(edges - steps) + steps
    limit = edges[-1] - steps[::-1]
    return np.asarray(np.minimum(forward, limit), np.intp)
