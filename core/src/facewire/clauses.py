r"""Cut text into clauses while it is written: what can be spoken before the sentence is there.

A clause ends after ``. ! ? …``, after ``, ; : —`` if it has a few words by then, and with a line;
the marks of other scripts count too. A mark counts only where a blank, a line's end or a tag
follows it, so that 3.14, 12:30 and addresses stay whole (CJK marks and the dash need none).
Nothing is cut inside a tag, after an abbreviation ("Dr.") or after a list's number ("2.").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from facewire.emotion.tags import MAX_TAG
from facewire.types import Text

LEAST = 8
"""Letters and digits that a clause has where a comma or the like ends it."""
MOST = 300
"""Characters after which a clause ends with its last word, mark or no mark."""

_HARD = ".!?…。！？｡؟۔।॥።፧։។။"
_SOFT = ",;:—،؛፣、，；：､"
_TIGHT = "—。！？｡、，；：､"
_CLOSERS = "\"'”’»)）」』】》"
_END = re.compile(rf"([{_HARD}{_SOFT}]+)[{_CLOSERS}]*$")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_WEIGHT = 3  # letters of an alphabet that a character of those scripts stands for
# A single letter ("J. Smith"), letters with points ("e.g.") or a short number ("2.", "3. Oktober").
_SHORT = re.compile(r"(?:^|[\W_])(?:(?:[^\W\d_]\.)*[^\W\d_]|\d{1,2})$")
_TAG = re.compile(r"(?<!\\)\[[^\[\]\n]*\]")
_ABBREVIATION = re.compile(
    r"(?<![^\W\d_])(?:adj|al|approx|apr|apt|art|aug|ave|bd|bldg|blvd|bzw|ca|capt|cf|chap|cmdr|co|col|corp|"
    r"dec|dept|dr|ed|eds|eg|est|etc|evtl|exc|exp|feb|fig|figs|fr|gen|gov|hr|hrs|ie|inc|"
    r"inkl|jan|jr|jul|jun|lt|ltd|maj|mar|max|mfg|mgr|min|misc|mme|mr|mrs|ms|mt|nov|nr|oct|"
    r"op|pp|pres|prof|pt|rep|rev|sen|sep|sept|sgt|sr|sra|srta|st|str|tel|ud|uds|ust|usw|"
    r"vgl|vol|vs|zb)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause(Text):
    """A clause of a text that goes on: what follows in its sentence may be said with it."""


class ClauseStream:
    """Takes text in any pieces, gives clauses, the same for every cut.

    Clauses keep tags, marks and blanks as they were written, but for blanks before a clause.
    ``waiting``: what was written since the last clause.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what waits."""
        self.waiting = ""
        self._tag = -1  # where an open tag begins in what waits
        self._escape = False  # whether the last character was a backslash
        self._gap = 0  # where what waits can be cut if no mark comes

    def push(self, piece: str) -> list[str]:
        """Take a piece of text; return the clauses that ended in it."""
        return [clause for char in piece for clause in self._take(char)]

    def flush(self) -> list[str]:
        """Return the rest: the text ends here, or nothing came for long."""
        return self._cut(len(self.waiting))

    def words(self) -> list[str]:
        """Return what can be spoken if nothing more comes for a while.

        That is all where a clause seems to be whole, else whole words (all, if there is but one);
        nothing of a tag that is open.
        """
        if self.in_tag:
            return self._cut(self._tag) if self._tag else []
        return self._cut(len(self.waiting) if self.ready or not self._gap else self._gap)

    @property
    def ready(self) -> bool:
        """Whether what waits is a clause unless what follows shows otherwise: 3. may be 3.14."""
        return self._tag < 0 and self._ends() and not re.search(r"\d[.,:]$", self.waiting)

    @property
    def in_tag(self) -> bool:
        """Whether a bracket is open that may become a tag."""
        return self._tag >= 0

    def _take(self, char: str) -> list[str]:
        if self._tag >= 0 and self._within_tag(char):
            return []
        out: list[str] = []
        if char == "\n" or (self._may_end_before(char) and self._ends()):
            if char.isspace():
                self.waiting += char
                return self._cut(len(self.waiting))
            out = self._cut(len(self.waiting))
        self._add(char)
        if len(self.waiting) > MOST and self._tag < 0 and not self._escape:
            out += self._cut(self._gap or len(self.waiting))
        return out

    def _within_tag(self, char: str) -> bool:
        """Take a character of a tag; False if it shows that the bracket began none."""
        if char in "[\\\n" or len(self.waiting) - self._tag > MAX_TAG:
            self._tag = -1
            return False
        self.waiting += char
        if char == "]":
            self._tag = -1
        return True

    def _may_end_before(self, char: str) -> bool:
        if char.isspace() or (char == "[" and not self._escape):
            return True
        last = self.waiting.rstrip(_CLOSERS)[-1:]
        return last != "" and last in _TIGHT and char not in _HARD + _SOFT + _CLOSERS

    def _ends(self) -> bool:
        """Whether a clause ends with what waits, if a blank follows."""
        found = _END.search(self.waiting)
        if not found or self.waiting.count("\\[") > self.waiting.count("]"):
            return False
        before = _TAG.sub(" ", self.waiting[: found.start()])
        if set(found[1]) <= set(_SOFT):
            return _weight(before) >= LEAST
        if found[1] == "." and _abbreviated(before):
            return False
        return _weight(before) > 0

    def _add(self, char: str) -> None:
        if char.isspace() and not self.waiting:
            return
        if char == "[" and not self._escape:
            self._tag = len(self.waiting)
        self._escape = char == "\\" and not self._escape
        self.waiting += char
        if char.isspace():
            self._gap = len(self.waiting)

    def _cut(self, at: int) -> list[str]:
        clause, rest = self.waiting[:at], self.waiting[at:]
        self.reset()
        for char in rest:
            self._add(char)
        return [clause] if clause.strip() else []


def ends_sentence(clause: str) -> bool:
    """Whether a sentence or a line ends with the clause, rather than a part of it."""
    found = _END.search(clause.rstrip())
    return clause.endswith("\n") or bool(found and not set(found[1]) <= set(_SOFT))


def _weight(text: str) -> int:
    return sum(_WEIGHT if _DENSE.match(char) else 1 for char in text if char.isalnum())


def _abbreviated(before: str) -> bool:
    """Whether a point after this is no full stop."""
    return bool(_SHORT.search(before) or _ABBREVIATION.search(before))
