"""From the times of characters to marks of words, as a stream brings them."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from facewire.types import Audio, FloatArray, Mark

# Scripts that put no spaces between words count by the character.
_SINGLE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# In a text's shape (see _shape) a word is a run of letters and digits; an apostrophe or a hyphen
# may be inside it, and a point, comma or colon before a digit.
_WORD = re.compile(r"S|[LD]+(?:['’\-][LD]+|[.,:]D[LD]*)*")
_AHEAD = 24  # characters of the text that an alignment may leave out at once


def word_spans(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text are, without the punctuation around them."""
    return [found.span() for found in _WORD.finditer("".join(map(_shape, text)))]


def _shape(char: str) -> str:
    """Return S for a word of its own, D for a digit, L for a letter or mark, else what it is."""
    if _SINGLE.match(char):
        return "S"
    category = unicodedata.category(char)
    if category[0] in "LM":
        return "L"
    return "D" if category[0] == "N" else char if char in "'’-.,:" else " "


@dataclass(slots=True)
class _Word:
    span: tuple[int, int]
    start: float | None = None
    end: float = 0.0


class Aligner:
    """Follows the service's characters through the text that was sent; times are in seconds.

    ``places``: which character of the text each one that was sent is, -1 in an audio tag. The
    characters may leave out such tags and what the service does not say.
    """

    def __init__(self, sent: str, places: Sequence[int], text: str) -> None:
        self._sent, self._places, self._at = sent, places, 0
        self._words = [_Word(span) for span in word_spans(text)]
        self._done = 0
        self.reached = 0.0

    @property
    def open(self) -> _Word | None:
        """The word that has begun and not ended."""
        word = self._words[self._done] if self._done < len(self._words) else None
        return word if word and word.start is not None else None

    @property
    def said(self) -> int:
        """Characters of the text before the next word that has not ended."""
        if self._done < len(self._words):
            return self._words[self._done].span[0]
        return self._words[-1].span[1] if self._words else 0

    def push(
        self, chars: Sequence[str], starts: Sequence[float], ends: Sequence[float]
    ) -> list[_Word]:
        """Take characters with their times; return the words that ended."""
        ended: list[_Word] = []
        # A service may send arrays of different lengths: what is there in all of them counts.
        for group, start, end in zip(chars, starts, ends, strict=False):
            for char in group:
                ended += self._take(char, float(start), float(end))
            self.reached = max(self.reached, float(end))
        return ended

    def finish(self) -> list[_Word]:
        """Return the words that began and whose end did not come."""
        return [word for word in self._words[self._done :] if word.start is not None]

    def _take(self, char: str, start: float, end: float) -> list[_Word]:
        at = self._find(char)
        if at is None:
            return []
        self._at = at + 1
        place, ended = self._places[at], []
        for word in itertools.islice(self._words, self._done, None):
            first, last = word.span
            if place >= last:  # the characters went past it
                ended.append(word)
                continue
            if first <= place:
                word.start = start if word.start is None else word.start
                word.end = max(word.end, end)
                if place == last - 1:
                    ended.append(word)
            break
        self._done += len(ended)
        return [word for word in ended if word.start is not None]

    def _find(self, char: str) -> int | None:
        at = self._at
        if at < len(self._sent) and self._places[at] < 0 and self._sent[at] != char:
            while self._places[at] < 0:  # the tag is not among the characters
                at += 1
            at -= 1  # but the blank after it may be
        found = self._sent.find(char, at, at + _AHEAD)
        return None if found < 0 else found


class Assembler:
    """Puts sound and words together: sound is given out up to where the words in it are known.

    ``chars``: where the text begins in the utterance; ``at``: the sample that its sound begins at.
    ``given``: samples that were given out.
    """

    def __init__(self, aligner: Aligner, text: str, rate: int, chars: int, at: int) -> None:
        self._aligner, self._text, self._rate = aligner, text, rate
        self._chars, self._at = chars, at
        self._held = np.zeros(0, np.float32)
        self._marks: list[Mark] = []
        self.given = 0

    @property
    def said(self) -> int:
        """Characters of the text whose words were given out."""
        return self._aligner.said

    def push(self, samples: FloatArray, alignment: dict[str, Sequence[float]] | None) -> Audio:
        """Take a piece and the times of characters, which count from the stream's beginning."""
        self._held = np.concatenate([self._held, samples])
        if alignment:
            self._marks += self._marked(
                self._aligner.push(
                    alignment.get("characters") or (),  # type: ignore[arg-type]
                    alignment.get("character_start_times_seconds") or (),
                    alignment.get("character_end_times_seconds") or (),
                )
            )
        word = self._aligner.open
        known = self._aligner.reached if word is None else word.start or 0.0
        return self._give(round(known * self._rate) - self.given)

    def finish(self) -> Audio:
        """Return the rest."""
        self._marks += self._marked(self._aligner.finish())
        end = self._at + self.given + len(self._held)
        self._marks = [
            Mark(m.kind, m.text, min(m.start, end), min(m.end, end), m.chars) for m in self._marks
        ]
        return self._give(len(self._held), last=True)

    def _marked(self, words: Sequence[_Word]) -> list[Mark]:
        marks = []
        for word in words:
            a, b = word.span
            first = self._at + max(0, round((word.start or 0.0) * self._rate))
            last = max(first, self._at + round(word.end * self._rate))
            chars = (self._chars + a, self._chars + b)
            marks.append(Mark("word", self._text[a:b], first, last, chars))
        return marks

    def _give(self, count: int, last: bool = False) -> Audio:
        count = min(max(0, count), len(self._held))
        out, self._held = self._held[:count], self._held[count:]
        start = self._at + self.given
        due = [m for m in self._marks if last or m.start < start + count]
        self._marks = [m for m in self._marks if not last and m.start >= start + count]
        self.given += count
        return Audio(out, self._rate, start, tuple(due))
