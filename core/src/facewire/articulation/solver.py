"""Phones in, articulatory curves out: a receding window that moves in fixed steps of rows."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from facewire.articulation.loudness import Loudness
from facewire.articulation.phones import CURVES, VOWELS
from facewire.articulation.sounds import SOUNDS, Sound, sounded
from facewire.articulation.spline import Array, bounded, spline
from facewire.articulation.targets import (
    GAP,
    JAW,
    Segment,
    Spoken,
    Style,
    asked,
    bounds,
    segments,
    styled,
)
from facewire.articulation.timing import timing

BOUNDED = np.array([GAP, JAW])
IDLE = 0.02
"""Weight towards rest where no phone asks for anything, so that nothing drifts."""


@dataclass(frozen=True, slots=True)
class Window:
    """How far ahead a row's curves look, and how many rows are settled at once."""

    step: int = 6
    ahead: int = 24

    @property
    def lookahead(self) -> int:
        """How many rows later a row comes out."""
        return self.step + self.ahead - 1


PLANNED = Window()
"""0.5 s at 60 fps: what comes later changes nothing that is seen."""
ORDINARY = Style()
CAUSAL = Window(step=3, ahead=9)
"""0.2 s at 60 fps: onsets are cut short, closures are kept."""


class Solver:
    """Solves the curves of a stream of phones; ``fps`` rows a second, from row 0.

    The rows ``[k step, (k + 1) step)`` are solved together once ``ahead`` further rows are known,
    going on from the two rows before: any cut of the input gives the same curves.
    """

    def __init__(
        self, fps: float = 60.0, window: Window = PLANNED, style: Style = ORDINARY
    ) -> None:
        self.fps, self.window, self.style = fps, window, style
        table = timing()["stiffness"]
        scale = (fps / 60.0) ** 4
        self._stiffness = scale * np.array([table.get(c, table["tongue"]) for c in CURVES])
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._known = 0
        self._done = 0
        self._phones: list[Spoken] = []
        self._segments: list[Segment] = []
        self._sounds: list[Sound] = []
        self._waiting: list[tuple[float, float, int, Spoken | Sound]] = []
        self._arrived = 0
        self._past = np.zeros((len(CURVES), 2))
        self._loudness = Loudness(self.fps)

    def push(self, phones: Iterable[Spoken | Sound], levels: Array) -> Array:
        """Take loudness 0..1 (n,) of the next n rows and the phones and sounds that begin there.

        Return the curves (m, curves) that are final.
        """
        for phone in phones:
            heapq.heappush(self._waiting, (phone.start, phone.end, self._arrived, phone))
            self._arrived += 1
        self._loudness.push(levels)
        self._known += len(levels)
        pieces = []
        while self._known >= self._done + self.window.step + self.window.ahead:
            pieces.append(self._solve(self.window.step + self.window.ahead)[: self.window.step])
            self._settle(pieces[-1])
        return np.concatenate(pieces) if pieces else np.zeros((0, len(CURVES)))

    def flush(self) -> Array:
        """Return the remaining curves (m, curves)."""
        pieces = []
        while self._done < self._known:
            rows = min(self.window.step, self._known - self._done)
            pieces.append(self._solve(self.window.step + self.window.ahead)[:rows])
            self._settle(pieces[-1])
        return np.concatenate(pieces) if pieces else np.zeros((0, len(CURVES)))

    def _settle(self, rows: Array) -> None:
        """Note rows as final, and forget what no later row needs."""
        self._past = np.concatenate([self._past, rows.T], axis=1)[:, -2:]
        first, self._done = self._done, self._done + len(rows)
        keep = self._done - self.fps  # nothing of a phone is left a second after its end
        at = first + np.arange(len(rows))
        voiced = np.zeros(len(rows), bool)
        for s in self._segments:
            if s.kind in VOWELS:
                voiced |= (at >= s.phone.start) & (at < s.phone.end)
        self._segments = [s for s in self._segments if s.phone.end > keep]
        self._sounds = [s for s in self._sounds if s.end > keep]
        self._loudness.settle(
            first, voiced, int(min([keep, *(s.phone.start for s in self._segments)]))
        )
        if self._phones and self._phones[0].end <= keep:
            recent = [p for p in self._phones if p.end > keep]
            self._phones = recent or self._phones[-1:]

    def _admit(self, end: int) -> None:
        """Take up the phones that begin before row ``end``, in order."""
        cut = timing()["silence"]["cut"] * self.fps
        while self._waiting and self._waiting[0][0] < end:
            phone = heapq.heappop(self._waiting)[-1]
            if isinstance(phone, Sound):
                self._sounds.extend([phone] if phone.name in SOUNDS else [])
                continue
            if not phone.symbol.shapes or phone.end <= phone.start:
                continue
            after_pause = not self._phones or phone.start - self._phones[-1].end >= cut
            self._phones.append(phone)
            self._segments.extend(segments(phone, after_pause, self.fps))

    def _solve(self, count: int) -> Array:
        """Return curves (count, curves) from the first row that is not yet final."""
        self._admit(self._done + count)
        rows = self._done + np.arange(count, dtype=np.float64)
        weight, pull = self._rest(rows)
        heard = self._loudness.rows(self._done, count)
        if self._sounds:
            more, towards = sounded(self._sounds, rows, heard, self.style)
            weight, pull = weight + more, pull + towards
        low = high = np.zeros((2, 0))
        if self._segments:
            kinds = [s.kind for s in self._segments]
            value = styled(
                np.array([s.value for s in self._segments]), kinds, self._gains(), self.style
            )
            decay = timing()["decay"]["usual"] * self.fps
            more, towards = asked(self._segments, value, rows, decay)
            weight, pull = weight + more, pull + towards
            low, high = bounds(self._segments, value, self._done, count, self.fps)
            shut = high[0] < np.inf
            weight[GAP, shut] += timing()["closure"]["firm"]
            pull[GAP, shut] += timing()["closure"]["firm"] * timing()["closure"]["gap"]
        curves = spline(weight, pull, self._stiffness, self._past)
        if np.isfinite(low).any():
            curves[BOUNDED] = bounded(
                weight[BOUNDED],
                pull[BOUNDED],
                self._stiffness[BOUNDED],
                self._past[BOUNDED],
                low,
                high,
            )
        return curves.T

    def _rest(self, rows: Array) -> tuple[Array, Array]:
        """Return weight and pull (curves, rows) of the rest position: all curves 0 in silences."""
        times = timing()["silence"]
        spans = [(p.start, p.end) for p in self._phones] + [(s.start, s.end) for s in self._sounds]
        busy = sorted(spans)
        ends = [-np.inf, *(end for _, end in busy)]
        starts = [*(start for start, _ in busy), rows[-1] + self.fps]
        inside = np.zeros(len(rows))
        reach = -np.inf
        for end, start in zip(ends, starts, strict=True):
            reach = max(reach, end)
            if start - reach >= times["cut"] * self.fps:
                settled = (rows - reach) / (times["settle"] * self.fps)
                left = (start - rows) / (times["prepare"] * self.fps)
                rest = np.clip(np.minimum(settled, 4 * (left - 1) + 1), 0.0, 1.0) ** 3
                inside = np.maximum(inside, rest)
        weight = np.tile(IDLE + times["weight"] * inside, (len(CURVES), 1))
        return weight, np.zeros_like(weight)

    def _gains(self) -> Array:
        """Return the opening's scale of each segment (n,): stress, duration and loudness.

        Loudness opens vowels; what is quiet opens consonants less too.
        """
        end = self._done + self.window.step + self.window.ahead
        gains = []
        for s in self._segments:
            loud = self._loudness.gain(s.phone.start, min(s.phone.end, end))
            gains.append(s.gain * (loud if s.kind in VOWELS else min(loud, 1.0) ** 0.5))
        return np.array(gains)
