"""Words and phones of a whole run, and how they become intervals that do not overlap."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from facewire.types import Audio
from numpy.typing import NDArray


class Interval(NamedTuple):
    """A span in samples and what is heard there; nothing if ``text`` is empty."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class Marks:
    """The marks of a run, held until its end: some 150 bytes each."""

    rate: int
    _kinds: dict[str, list[Interval]] = field(default_factory=dict)

    def add(self, audio: Audio) -> None:
        """Take the marks of one block."""
        self.rate = audio.rate
        for mark in audio.marks:
            text = sys.intern(_clean(mark.text))  # the same few words and phones recur
            start = max(0, mark.start)
            interval = Interval(start, max(start, mark.end), text)
            self._kinds.setdefault(mark.kind, []).append(interval)

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))

    def end(self) -> int:
        """Return the sample at which the last mark ends."""
        return max((mark.end for kind in self._kinds.values() for mark in kind), default=0)

    def table(self) -> list[tuple[str, str, float, float]]:
        """Return (kind, text, start, end) in seconds, in order of time."""
        rows = [
            (mark.start, mark.end, kind, mark.text)
            for kind, marks in self._kinds.items()
            for mark in marks
        ]
        rows.sort()
        return [(kind, text, start / self.rate, end / self.rate) for start, end, kind, text in rows]

    def array(self) -> NDArray[np.void]:
        """Return ``table`` as a structured array; its text fields are as wide as they must be."""
        table = self.table()
        kind = max((len(row[0]) for row in table), default=1)
        text = max((len(row[1]) for row in table), default=1) or 1
        fields = [("kind", f"<U{kind}"), ("text", f"<U{text}"), ("start", "<f8"), ("end", "<f8")]
        return np.array(table, dtype=fields)

    def apart(self, kind: str) -> list[Interval]:
        """Return the marks of one kind in order of time, none overlapping another.

        Where two overlap the first ends where the second begins: when a sound starts is what is
        heard and seen best. Marks that have no length left, and those without text, are left out.
        """
        given = self._kinds.get(kind, ())
        marks = sorted(mark for mark in given if mark.text and mark.end > mark.start)
        following = [mark.start for mark in marks[1:]] + [sys.maxsize]
        cut = (
            mark._replace(end=min(mark.end, after))
            for mark, after in zip(marks, following, strict=False)
        )
        return [mark for mark in cut if mark.end > mark.start]

    def tier(self, kind: str, end: int) -> list[Interval]:
        """Return intervals from 0 to ``end`` without gaps: marks of a kind, silence between."""
        tier: list[Interval] = []
        at = 0
        for mark in self.apart(kind):
            if mark.start > at:
                tier.append(Interval(at, mark.start, ""))
            tier.append(mark)
            at = mark.end
        if end > at:
            tier.append(Interval(at, end, ""))
        return tier


def _clean(text: str) -> str:
    # Half a surrogate pair cannot be written as UTF-8, and numpy drops a NUL at the end.
    whole = text.replace("\0", "").encode("utf-8", "replace").decode()
    return " ".join(whole.split())
