"""What the phone times say about the mouth: when it speaks, closes, and may be the emotion's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from facewire.articulation import read_phone
from facewire.types import Mark, frames_within

from facewire_v3.gate import gate_numbers

KEPT = 0.25
"""Seconds that a phone is remembered after its end."""


@dataclass(frozen=True, slots=True)
class Around:
    """The phones around a second: when the last ended and the next begins (inf: not known).

    ``speak``, ``close`` and ``bite`` are 1 where a phone, a closing phone, and f or v is near.
    """

    last: float
    following: float
    speak: float
    close: float
    bite: float


class Phones:
    """The phones heard so far, in seconds; silences are left out.

    A phone is known from the row on in which it begins, however the stream was cut.
    """

    def __init__(self, fps: Fraction) -> None:
        self._fps = fps
        # row, start and end in seconds, whether it closes the lips, whether it is f or v
        self._spans: list[tuple[int, float, float, bool, bool]] = []
        self.seen = False
        self._ended = -inf  # the last end among those forgotten

    def hear(self, marks: Iterable[Mark], rate: int) -> None:
        """Take marks counted at ``rate``."""
        for mark in marks:
            if mark.kind != "phone":
                continue
            symbol = read_phone(mark.text)
            if symbol.shapes:
                row = frames_within(mark.start + 1, rate, self._fps) - 1
                closes = any(shape.kind == "closure" for shape in symbol.shapes)
                bites = any(shape.name == "f" for shape in symbol.shapes)
                start, end = mark.start / rate, mark.end / rate
                self._spans.append((row, start, end, closes, bites))

    def forget(self, before: float) -> None:
        """Drop what ended long before a time."""
        while self._spans and self._spans[0][2] < before - KEPT:
            self._ended = max(self._ended, self._spans.pop(0)[2])

    def at(self, time: float, known: int) -> Around:
        """Return what is around a second; phones beginning after row ``known`` are not known."""
        numbers = gate_numbers().closing
        early, late, fade = numbers["early"], numbers["late"], numbers["fade"]
        last, following, speak, close, bite = self._ended, inf, 0.0, 0.0, 0.0
        for row, start, end, closes, bites in self._spans:
            if row > known:
                continue
            self.seen = True
            if start <= time:
                last = max(last, end)
            else:
                following = min(following, start)
            away = max(start - early - time, time - end - late, 0.0)
            if away < fade:
                near = 1.0 - away / fade
                speak = max(speak, near)
                close = max(close, near) if closes else close
                bite = max(bite, near) if bites else bite
        return Around(last, following, speak, close, bite)


class Pause:
    """How much of the lips belongs to the emotion: 1 in pauses, 0 while there is speech.

    A pause is longer than ``least`` seconds; ``look`` is how many are known ahead.
    """

    def __init__(self, fps: float, look: float, least: float) -> None:
        self._numbers, self._least = gate_numbers().pause, least
        self._look, self._step = look, 1.0 / fps
        self._now: float | None = None

    def step(self, time: float, last: float, following: float) -> float:
        """Return the share at a second, a frame after the one before.

        ``last`` and ``following`` are when speech ended and begins again; inf: not known.
        """
        numbers = self._numbers
        length = min(following, time + self._look) - last
        near = following - time <= numbers["before"]
        paused = last <= time and length > self._least - 1e-9 and not near
        if self._now is None:
            self._now = 1.0 if paused else 0.0
        if paused:
            self._now = min(1.0, self._now + self._step / numbers["rise"])
        else:
            self._now = max(0.0, self._now - self._step / numbers["fall"])
        return self._now * self._now * (3.0 - 2.0 * self._now)
