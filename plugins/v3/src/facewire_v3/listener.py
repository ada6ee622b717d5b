"""What the layer knows of the speech under its frames: from phone times, or from the mouth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np
from facewire.types import FloatArray, Mark
from numpy.typing import NDArray

from facewire_v3.gate import Activity, Gate, gate_numbers
from facewire_v3.mouth import Around, Pause, Phones

Doubles = NDArray[np.float64]
ACTIVE = 0.3
"""From this activity on, a mouth without phone times speaks."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """The speech at rows (n,), 0 to 1.

    ``speech`` closes the gate; ``pause`` gives the lips to the emotion, and ``quiet`` the
    rest of the lower face; ``speak`` is where the gap
    is protected; ``close`` and ``bite`` where a closing phone, and f or v is: None without phone
    times.
    """

    speech: Doubles
    pause: Doubles
    quiet: Doubles
    speak: Doubles
    close: Doubles | None
    bite: Doubles | None


class Listener:
    """Listens to the model's mouth and to phone marks, ``look`` rows ahead of what comes out."""

    def __init__(self, fps: Fraction, look: int) -> None:
        self._fps, self._look = fps, look
        rate = float(fps)
        self._activity, self._gate = Activity(rate), Gate(rate, look)
        self._phones = Phones(fps)
        numbers = gate_numbers().pause
        self._pause, self._quiet = (
            Pause(rate, look / rate, numbers[least]) for least in ("least", "quiet")
        )
        self._active: list[float] = []  # of rows not out yet
        self._next = 0
        self._heard = 0
        self._spoke = -inf  # when the mouth last was active
        self._speak = self._close = self._bite = 1.0  # what a stream begins with is not unforeseen
        self._rise = 1.0 / (gate_numbers().closing["quick"] * rate)

    def hear(self, model: FloatArray, start: int, marks: Iterable[Mark], rate: int) -> None:
        """Take the model's mouth (n, 52), rows from ``start``, and the marks of the same rows."""
        if not self._active:
            self._next = self._heard = max(self._next, start)
        self._active += self._activity.push(model).tolist()
        self._phones.hear(marks, rate)

    def rows(self, count: int) -> Heard:
        """Return the next ``count`` rows."""
        found = np.array([self._row(i) for i in range(count)]).reshape(count, 6)
        del self._active[:count]
        self._next += count
        self._phones.forget(self._next / float(self._fps))
        speech, pause, quiet, speak, close, bite = found.T
        if not self._phones.seen:
            return Heard(speech, pause, quiet, speak, None, None)
        return Heard(speech, pause, quiet, speak, close, bite)

    def _row(self, i: int) -> tuple[float, ...]:
        row, known = self._next + i, self._next + i + self._look
        last = min(known, self._next + len(self._active) - 1)
        while self._heard <= last:
            self._gate.hear(self._active[self._heard - self._next])
            self._heard += 1
        time = row * self._fps.denominator / self._fps.numerator
        around = self._phones.at(time, known)
        if not self._phones.seen:
            around = self._seen(i, time)
        speech = self._gate.step(row)
        pause = self._pause.step(time, around.last, around.following)
        quiet = self._quiet.step(time, around.last, around.following)
        wanted = max(speech, self._gate.wanted, around.speak)
        self._speak = min(wanted, self._speak + self._rise)
        self._close = min(around.close, self._close + self._rise)
        self._bite = min(around.bite, self._bite + self._rise)
        return speech, pause, quiet, self._speak, self._close, self._bite

    def _seen(self, i: int, time: float) -> Around:
        """Return when the mouth moved last and moves next, where no phone times say more."""
        if self._active[i] > ACTIVE:
            self._spoke = time
        ahead = self._active[i + 1 : i + 1 + self._look]
        step = 1.0 / float(self._fps)
        moves = (time + (k + 1) * step for k, value in enumerate(ahead) if value > ACTIVE)
        return Around(self._spoke, next(moves, inf), 0.0, 0.0, 0.0)
