"""A stretch of mouth solved anew from moved marks: what is asked, and what is made of the answer.

The answer has the stretch solved from the marks as they are and as they were. What is added to the
take is the difference: loudness, emotion and hand work stay, and away from the moved marks nothing
changes, so that joins are exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .clip import Clip, Mark, made
from .errors import AddonError
from .lips import CLOSED, GAP

REACH = 0.5
"""Seconds beyond a phone within which it moves the mouth (onset, decay, rest after a pause)."""
LONGEST = 50.0
"""Seconds asked for at once; the server gives 60."""
_AROUND = 1.0  # seconds of marks sent on either side; the server uses half a second
_EDGE = Fraction(1, 100)  # of a frame: keeps rounding from moving a limit over a frame


@dataclass(frozen=True)
class Stretch:
    """Rows ``begin`` up to ``end`` of a take, at its own ``fps``."""

    begin: int
    end: int
    fps: Fraction

    @staticmethod
    def around(seconds: tuple[float, float], frames: int, fps: Fraction) -> Stretch | None:
        """Return the rows between two times, within a take of ``frames``; None if there is none."""
        begin = max(0, math.floor(seconds[0] * fps))
        end = min(frames, math.ceil(seconds[1] * fps) + 1)
        return Stretch(begin, end, fps) if end > begin else None

    def request(self, now: Sequence[Mark], was: Sequence[Mark]) -> dict[str, Any]:
        """Return the body of a request to ``/v1/resolve``."""
        return {
            "fps": float(self.fps),
            "begin": float(max(Fraction(0), (self.begin - _EDGE) / self.fps)),
            "end": float((self.end - _EDGE) / self.fps),
            "marks": self._near(now),
            "was": self._near(was),
        }

    def _near(self, marks: Sequence[Mark]) -> list[dict[str, Any]]:
        first = float(self.begin / self.fps) - _AROUND
        last = float(self.end / self.fps) + _AROUND
        return [
            {
                "kind": m.kind,
                "text": m.text,
                "start": m.start,
                "duration": max(0.0, m.end - m.start),
            }
            for m in sorted(marks, key=lambda mark: mark.start)
            if m.kind != "word" and m.end > first and m.start < last
        ]

    def clip(self, answer: Any, heard: Clip, strength: float = 1.0) -> Clip:
        """Return the stretch's new mouth; ``heard`` are the take's channels now.

        Where the answer shuts the lips and the sum would not, the answer's own mouth is taken.
        AddonError if the answer is not what was asked for.
        """
        names, frames, before = self._checked(answer)
        old = dict(zip(heard.channels, heard.columns, strict=True))
        there = [name for name in names if name in old]
        if len(heard) != len(frames):
            raise AddonError(f"the take has {len(heard)} rows where {len(frames)} were solved")
        rows = []
        for k, (frame, past) in enumerate(zip(frames, before, strict=True)):
            now, then = dict(zip(names, frame, strict=True)), dict(zip(names, past, strict=True))
            row = {n: _limited(old[n][k], strength * (now[n] - then[n])) for n in there}
            whole = {name: column[k] for name, column in old.items()} | row
            if _gap(now) < CLOSED <= _gap(whole) and now != then:
                row = {name: now[name] for name in there}
            rows.append([row[name] for name in there])
        return made("stretch", self.fps, there, rows)

    def _checked(self, answer: Any) -> tuple[list[str], list[Any], list[Any]]:
        try:
            names, start = list(answer["channels"]), answer["start"]
            frames, before = answer["frames"], answer["before"]
            count = self.end - self.begin
            right = start == self.begin and len(frames) == len(before) == count
            right = right and all(len(row) == len(names) for row in (*frames, *before))
            right = right and all(math.isfinite(v) for row in (*frames, *before) for v in row)
        except (KeyError, TypeError):
            right = False
        if not right:
            raise AddonError(
                "the server's answer is no solved stretch: use a Facewire of this version"
            )
        return names, frames, before


def _limited(old: float, change: float) -> float:
    """Return a sum that leaves 0 to 1 no further than it was."""
    if not change:
        return old
    return min(max(old + change, min(old, 0.0)), max(old, 1.0))


def _gap(row: Mapping[str, float]) -> float:
    return sum(weight * row.get(name, 0.0) for name, weight in GAP.items())
