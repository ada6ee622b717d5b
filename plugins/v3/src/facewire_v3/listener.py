"""What the layer knows of the speech under its frames: from phone times, or from the mouth."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import inf
from typing import NamedTuple

from facewire.types import FloatArray, Mark

from facewire_v3.gate import Activity, Gate, Lips, gate_numbers, ramp
from facewire_v3.mouth import Around, Pause, Phones
from facewire_v3.protect import Need

ACTIVE = 0.3
"""From this activity on, a mouth without phone times speaks."""


class Heard(NamedTuple):
    """The speech in one row, 0 to 1.

    ``speech`` closes the gate; ``pause`` gives the lips to the emotion, and ``quiet`` the rest of
    the lower face; ``need`` is what has to be protected.
    """

    speech: float
    pause: float
    quiet: float
    need: Need


class Listener:
    """Listens to the model's mouth and to phone marks, ``look`` rows ahead of what comes out."""

    def __init__(self, fps: Fraction, look: int) -> None:
        self._fps, self._look = fps, look
        rate = float(fps)
        self._numbers = gate_numbers()
        self._activity, self._gate = Activity(rate), Gate(rate, look)
        self._phones = Phones(fps)
        pause = self._numbers.pause
        self._pause, self._quiet = (
            Pause(rate, look / rate, pause[least]) for least in ("least", "quiet")
        )
        self._lips: list[Lips] = []  # of rows not out yet
        self._next = 0
        self._heard = 0
        self._spoke = -inf  # when the mouth last was active
        self._speak = self._close = self._bite = 1.0  # what a stream begins with is not unforeseen
        self._rise = 1.0 / (self._numbers.closing["quick"] * rate)

    def hear(self, model: FloatArray, start: int, marks: Iterable[Mark], rate: int) -> None:
        """Take the model's mouth (n, 52), rows from ``start``, and the marks of the same rows."""
        if not self._lips:
            self._next = self._heard = max(self._next, start)
        self._lips += self._activity.push(model)
        self._phones.hear(marks, rate)

    def rows(self, count: int) -> list[Heard]:
        """Return the next ``count`` rows."""
        found = [self._row(i) for i in range(count)]
        del self._lips[:count]
        self._next += count
        self._phones.forget(self._next * self._fps.denominator / self._fps.numerator)
        return found

    def _row(self, i: int) -> Heard:
        row, known = self._next + i, self._next + i + self._look
        last = min(known, self._next + len(self._lips) - 1)
        while self._heard <= last:
            self._gate.hear(self._lips[self._heard - self._next].activity)
            self._heard += 1
        time = row * self._fps.denominator / self._fps.numerator
        around = self._phones.at(time, known)
        if not self._phones.seen:
            around = self._seen(i, time)
        speech = self._gate.step(row)
        pause = self._pause.step(time, around.last, around.following)
        quiet = self._quiet.step(time, around.last, around.following)
        return Heard(speech, pause, quiet, self._need(speech, around, self._lips[i]))

    def _need(self, speech: float, around: Around, lips: Lips) -> Need:
        """Return what the lips need; where a phone comes unforeseen, within a moment."""
        self._speak = min(max(speech, self._gate.wanted, around.speak), self._speak + self._rise)
        self._close = min(around.close, self._close + self._rise)
        self._bite = min(around.bite, self._bite + self._rise)
        if self._phones.seen:
            numbers = self._numbers.closing
            close = self._close and self._close * ramp(lips.gap, numbers["open"], numbers["shut"])
            return Need(self._speak, close, self._bite)
        numbers = self._numbers.unmarked
        close = self._speak * ramp(lips.gap, numbers["open"], numbers["shut"])
        bite = self._speak * ramp(lips.teeth, numbers["far"], numbers["near"])
        bite *= ramp(lips.gap, 0.5 * numbers["shut"], numbers["shut"])  # closures are not f or v
        return Need(self._speak, close, bite)

    def _seen(self, i: int, time: float) -> Around:
        """Return when the mouth moved last and moves next, where no phone times say more."""
        if self._lips[i].activity > ACTIVE:
            self._spoke = time
        step, following = 1.0 / float(self._fps), inf
        for k, lips in enumerate(self._lips[i + 1 : i + 1 + self._look], 1):
            if lips.activity > ACTIVE:
                following = time + k * step
                break
        return Around(self._spoke, following, 0.0, 0.0, 0.0)
