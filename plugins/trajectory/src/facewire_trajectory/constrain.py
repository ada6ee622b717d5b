"""Phones as constraints on the network's shape: closures, lip to teeth, rounding.

The phones' curves (the core's solver) say where the lips must meet and where they may not; between
these the network, which heard the sound, says how far the mouth opens. Phones that a recogniser
heard in the sound alone are doubted: they close no mouth that the network has wide open, have
less of a say in how far it opens, and none where they do not fit the sound (``agreement``).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from facewire.articulation import CURVES, PLANNED, Solver, Sound, Spoken, Window, read_phone
from facewire.types import FloatArray, Mark
from numpy.typing import NDArray

from facewire_trajectory.agreement import Agreement
from facewire_trajectory.mel import FLOOR, filters
from facewire_trajectory.sizes import SOUND
from facewire_trajectory.steady import LIKELY, OTHER, UNLIKELY, rising

Doubles = NDArray[np.float64]
FPS = Fraction(60)
VOCAL = SOUND.index("vocal")
GAP, PROTRUSION, TEETH, PRESS = (
    CURVES.index(name) for name in ("gap", "protrusion", "teeth", "press")
)
SHARE = 0.5
"""Of the network in open phones: the mean of two estimates is nearer than either."""
SHARE_HEARD = 0.75
"""The same beside phones that are doubted."""
OPEN, WIDE = 0.25, 0.30
"""Doubted phones close a gap of the network's below ``OPEN``, and none beyond ``WIDE``."""
NEAR, FAR = 0.02, 0.10
"""Where the phones' gap is at most ``NEAR`` they have their way; beyond ``FAR`` it is shared."""
APART = 0.045
"""The gap that a phone which does not close the lips keeps, where the phones' own is as wide."""
RANGE_DB = 60.0
SOON = 40.0
"""Rows without a mouth's sound, up to which heard phones have their say; after twice as many, and
before the first such sound, they have none. Stops are shorter, and held vowels that are taken for
noise, as "uh" over a hum, hardly longer."""
LATE, RAMP = 60.0, 14.0
"""Rows after a phone in which phones tell what the mouth does, and over how many that ends."""


class Phones:
    """Curves of the phones that come as marks, ``lookahead`` rows later.

    They tell what the mouth does from ``lookahead - 1`` rows before a phone, for no more is known
    ahead however the stream is cut.
    """

    def __init__(self, window: Window = PLANNED) -> None:
        self.lookahead = window.lookahead
        self._early = float(window.lookahead - 1)
        self._solver = Solver(float(FPS), window)
        widths = 1.0 / np.square(filters()).sum(axis=0)  # of the bands, in bins
        self._shares = (widths / widths.sum()).astype(np.float32)
        self._agreement = Agreement()
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._solver.reset()
        self._agreement.reset()
        self._spans: list[tuple[float, float, bool]] = []
        self._ready = np.zeros((0, len(CURVES)))
        self.count = self.doubted = self._next = 0
        self._silent = 2.0 * SOON

    def push(self, marks: Iterable[Mark], rate: int, mel: FloatArray, known: bool) -> None:
        """Take the marks, counted at ``rate``, and the log-mel (n, 64) of the next rows.

        ``known``: what is said is known, so that phones of any confidence are not doubted.
        """
        heard = [self._timed(mark, rate, known) for mark in marks if mark.kind != "word"]
        power = np.exp(np.minimum(mel, 60.0)) @ self._shares
        levels = 1.0 + 10.0 * np.log10(np.maximum(power, FLOOR)) / RANGE_DB
        found = self._solver.push(heard, np.clip(levels.astype(np.float64), 0.0, 1.0))
        self._ready = np.concatenate([self._ready, found])

    def flush(self) -> None:
        """Settle the remaining rows."""
        self._ready = np.concatenate([self._ready, self._solver.flush()])

    def hold(self, curves: Doubles, sound: Doubles) -> Doubles:
        """Return the network's next curves (n, 15) held to the phones.

        Around phones they are; a second away from the last and half a second before the next,
        whatever sounds there is not theirs. ``sound`` (n, 3) are the probabilities of its classes:
        phones heard where no mouth sounds for a while, as in music, have no say.
        """
        count = len(curves)
        rows, self._ready = self._ready[:count], self._ready[count:]
        at = self._next + np.arange(count)
        told = {True: np.zeros(count), False: np.zeros(count)}  # by whether they are sure
        for start, end, sure in self._spans:
            early = (at - start + self._early) / (self._early / 2.0)
            near = np.minimum(early, (end + LATE - at) / RAMP)
            told[sure] = np.maximum(told[sure], np.clip(near, 0.0, 1.0))
        self._next += count
        self._spans = [span for span in self._spans if span[1] + LATE > self._next]
        vocal = sound[:, VOCAL]
        held = constrained(curves, rows, vocal)
        trust = self._agreement.push(curves[:, GAP], rows[:, GAP], told[False])
        trust = trust * np.clip((SOON + SOON - self._others(sound[:, OTHER])) / SOON, 0.0, 1.0)
        if told[False].any():
            heard = doubted(curves, constrained(curves, rows, vocal, SHARE_HEARD), trust)
            held = np.where((told[True] >= told[False])[:, None], held, heard)
        return np.asarray(curves + np.maximum(*told.values())[:, None] * (held - curves))

    def _others(self, likely: Doubles) -> Doubles:
        """Return for how many rows no mouth has sounded: (n,). Rows in doubt change nothing."""
        out = np.zeros(len(likely))
        for row, other in enumerate(likely.tolist()):
            if other < UNLIKELY:
                self._silent = 0.0
            elif other > LIKELY:
                self._silent += 1.0
            out[row] = self._silent
        return out

    @property
    def ready(self) -> int:
        """How many rows ``hold`` can take."""
        return len(self._ready)

    @property
    def strange(self) -> bool:
        """Whether the phones that were heard, taken together, do not fit the sound."""
        return self._agreement.strange

    def _timed(self, mark: Mark, rate: int, known: bool) -> Spoken | Sound:
        start, end = (float(Fraction(at * FPS, rate)) for at in (mark.start, mark.end))
        if mark.kind == "sound":
            return Sound(start, end, mark.text)
        symbol = read_phone(mark.text)
        if symbol.shapes:
            self.count += 1
            sure = known or mark.confidence >= 1.0
            self.doubted += not sure
            self._spans.append((start, end, sure))
        return Spoken(start, end, symbol)


def doubted(network: Doubles, held: Doubles, trust: Doubles | float = 1.0) -> Doubles:
    """Return what is left (n, 15) of ``held`` where phones were heard in the sound alone.

    ``trust`` (n,), 0 to 1: how far the phones fit the sound.
    """
    closes = held[:, GAP] < network[:, GAP]
    believed = np.clip((WIDE - network[:, GAP]) / (WIDE - OPEN), 0.0, 1.0)
    share = (trust * np.where(closes, believed, 1.0))[:, None]
    return np.asarray(network + share * (held - network))


def constrained(network: Doubles, phones: Doubles, vocal: Doubles, share: float = SHARE) -> Doubles:
    """Return the network's curves (n, 15) held to the phones' (n, 15).

    ``vocal`` (n,) is the probability of vocal non-speech, which no phone tells of: there the
    network has its way where the phones rest. ``share`` is the network's in open phones.
    """
    asked = phones[:, GAP]
    held = 1.0 - rising(asked, NEAR, FAR)  # (n,): 1 where the phones have their way
    resting = np.abs(phones).max(axis=1) < NEAR
    held = np.where(resting, held * (1.0 - vocal), held)[:, None]
    out = phones + share * (network - phones)
    floor = np.minimum(asked, APART)
    out[:, GAP] = np.maximum(out[:, GAP], floor)
    out[:, PROTRUSION] = np.maximum(out[:, PROTRUSION], SHARE * phones[:, PROTRUSION])
    mixed: Doubles = held * phones + (1.0 - held) * out
    resting_rows = resting & (vocal > 0.0)
    mixed[resting_rows] = (
        vocal[resting_rows, None] * network[resting_rows]
        + (1.0 - vocal[resting_rows, None]) * phones[resting_rows]
    )
    mixed[:, TEETH] = phones[:, TEETH]
    mixed[:, PRESS:] = phones[:, PRESS:]  # and the tongue
    return mixed
