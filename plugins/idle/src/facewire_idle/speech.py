"""What the character's own sound tells: when it speaks, when a turn or a phrase ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, log10
from typing import Literal, NamedTuple, get_args

import numpy as np
from facewire.errors import InputError, nearest
from facewire.types import Audio
from numpy.typing import NDArray

from facewire_idle.numbers import load
from facewire_idle.plugin import State

HOPS = 50
"""Hops a second. Hop h is the sound from h/50 to (h + 1)/50 s, whatever the rate."""
Doing = Literal["idle", "speaking", "listening", "thinking"]


@dataclass(frozen=True, slots=True)
class SpeechNumbers:
    """See data/speech.yaml."""

    over_floor: float
    quietest: float
    lowest_floor: float
    floor_rise: float
    begin: float
    end: float
    early: float


@dataclass(frozen=True, slots=True)
class AccentNumbers:
    """See data/speech.yaml."""

    smoothing: float
    dip: float
    longest_rise: float
    faint: float
    memory: float
    level_unit: float
    pitch_unit: float
    pitch_most: float
    threshold: float
    voiced: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """See data/speech.yaml."""

    speech: SpeechNumbers
    accents: AccentNumbers


class Hop(NamedTuple):
    """One hop of sound: its number, its samples and their level in dB of full scale, -100 to 20."""

    number: int
    samples: NDArray[np.float64]
    level: float


@dataclass(frozen=True, slots=True)
class Change:
    """From second ``time`` on the character is ``doing`` something else than ``before``.

    ``lasted``: for how many seconds it had been doing that.
    """

    time: float
    doing: Doing
    before: Doing
    lasted: float


def level(samples: NDArray[np.float64]) -> float:
    """Return the level of samples (n,) in dB of full scale, -100 to 20; inf if they are broken."""
    power = float(np.dot(samples, samples)) / max(1, len(samples))
    if not power < inf:
        return inf
    return min(10.0 * log10(power), 20.0) if power > 1e-10 else -100.0


class Ear:
    """Cuts sound into hops on the grid of the session's clock."""

    def __init__(self) -> None:
        self._held: NDArray[np.float64] | None = None
        self._from = 0
        self._hop = 0

    def push(self, audio: Audio) -> list[Hop]:
        """Return the hops that are complete."""
        if not len(audio):
            return []
        if self._held is None:
            self._held, self._from = np.zeros(0), audio.start
            self._hop = -(-audio.start * HOPS // audio.rate)
        held = np.concatenate([self._held, audio.samples], dtype=np.float64)
        hops = []
        rate, last, first = audio.rate, audio.end, self._from
        begin = self._hop * rate // HOPS
        while (end := (self._hop + 1) * rate // HOPS) <= last:
            samples = held[begin - first : end - first]
            if (loudness := level(samples)) == inf:
                samples, loudness = np.zeros(end - begin), -100.0
            hops.append(Hop(self._hop, samples, loudness))
            self._hop, begin = self._hop + 1, end
        used = min(max(0, begin - first), len(held))
        self._held, self._from = held[used:], self._from + used
        return hops


class Turns:
    """Tells what the character is doing: what it was told, or else speaking where there is sound.

    ``look`` is how many hops beyond the frame in hand are heard. A change takes effect no earlier
    than that before it is known, so that any cut of the stream gives the same.
    """

    def __init__(self, state: State, look: int = 0) -> None:
        self._numbers = load("speech", Numbers).speech
        self._look = look
        self._told: State = state
        self._heard: Doing = "idle"
        self.doing: Doing = self._wanted()
        self._since = 0.0
        self._floor = -40.0
        self._loud = self._quiet = 0
        self._row = 0
        self._coming: deque[tuple[int, Doing]] = deque()

    def _wanted(self) -> Doing:
        return self._heard if self._told == "auto" else self._told

    def tell(self, state: State) -> None:
        """Set what the character does from the next row on; InputError if the word is unknown."""
        if state not in get_args(State):
            known = get_args(State)
            hint = f"{nearest(state, known)} (known: {', '.join(known)})"
            raise InputError(f"idle: state '{state}' is unknown{hint}")
        self._told = state

    def hear(self, hops: Iterable[Hop]) -> None:
        """Take the hops of the character's own sound."""
        numbers = self._numbers
        for hop in hops:
            floor = min(hop.level, self._floor + numbers.floor_rise / HOPS)
            self._floor = max(floor, numbers.lowest_floor)
            if hop.level > max(self._floor + numbers.over_floor, numbers.quietest):
                self._loud, self._quiet = self._loud + 1, 0
            else:
                self._loud, self._quiet = 0, self._quiet + 1
            heard: Doing = self._coming[-1][1] if self._coming else self._heard
            if heard == "idle" and self._loud == round(numbers.begin * HOPS):
                began = hop.number + 1 - self._loud
                self._expect(hop, began - round(numbers.early * HOPS), "speaking")
            elif heard == "speaking" and self._quiet == round(numbers.end * HOPS):
                self._expect(hop, hop.number + 1 - self._quiet, "idle")

    def _expect(self, hop: Hop, at: int, heard: Doing) -> None:
        self._coming.append((max(at, hop.number + 1 - self._look), heard))

    def until(self, time: float) -> list[Change]:
        """Return the changes up to second ``time`` that were not returned before."""
        changes = self._change(self._row / HOPS)
        while self._coming and self._coming[0][0] / HOPS <= time:
            at, self._heard = self._coming.popleft()
            changes += self._change(at / HOPS)
        self._row = int(time * HOPS) + 1
        return changes

    def _change(self, time: float) -> list[Change]:
        if (doing := self._wanted()) == self.doing:
            return []
        time = max(time, self._since)
        change = Change(time, doing, self.doing, time - self._since)
        self.doing, self._since = doing, time
        return [change]
