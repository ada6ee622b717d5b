"""Turns to be spoken: templates written for this corpus, expanded and balanced over sounds."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from facewire.emotion import LABELS
from facewire.errors import InputError
from facewire.yaml_loader import load_yaml

DRAWS = 6
"""Turns that are drawn for each that is taken: the one whose sounds are rarest so far."""
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence or two with one emotion at one level."""

    text: str
    emotion: str
    level: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What one voice says without being interrupted; ``dialogue`` ties turns of one together."""

    lines: tuple[Line, ...]
    dialogue: str = ""


def languages() -> tuple[str, ...]:
    """Return the languages that have texts."""
    folder = files("facewire_trajectory").joinpath("data/texts")
    return tuple(sorted(p.name.removesuffix(".yaml") for p in folder.iterdir()))


@cache
def book(lang: str) -> Mapping[str, Any]:
    """Return a language's slots, lines, dialogues and monologues, checked."""
    path = Path(str(files("facewire_trajectory").joinpath("data/texts", f"{lang}.yaml")))
    data = load_yaml(path, path.name)
    spoken = [text for lines in data["lines"].values() for text in lines]
    for part in ("dialogues", "monologues"):
        spoken += [line["text"] for each in data.get(part, ()) for line in each]
    for text in [*spoken, *(word for words in data["slots"].values() for word in words)]:
        for slot in _SLOT.findall(str(text)):
            if slot not in data["slots"]:
                raise InputError(f"{path.name}: '{text}': {{{slot}}} is no slot")
    for emotion in data["lines"]:
        if emotion != "any" and emotion not in LABELS:
            raise InputError(f"{path.name}: lines: '{emotion}' is no emotion")
    found: Mapping[str, Any] = data
    return found


def fill(text: str, slots: Mapping[str, Sequence[str]], random: np.random.Generator) -> str:
    """Return text with each {slot} filled in, and its first letter a capital."""
    while match := _SLOT.search(text):
        words = slots[match[1]]
        word = str(words[int(random.integers(len(words)))])
        text = text[: match.start()] + word + text[match.end() :]
    return text[:1].upper() + text[1:]


def sounds(text: str) -> list[str]:
    """Return the pairs of letters of a text, across words: a measure of its sounds."""
    letters = [c for c in unicodedata.normalize("NFD", text.lower()) if c.isalpha()]
    return [a + b for a, b in pairwise(letters)]


class Expander:
    """Draws turns of a language. The same generator gives the same turns."""

    def __init__(
        self,
        lang: str,
        random: np.random.Generator,
        heard: Callable[[str], list[str]] = sounds,
    ) -> None:
        self._book, self._random, self._heard = book(lang), random, heard
        self._count: Counter[str] = Counter()
        self._dialogues = 0
        self._left = 0  # turns until the emotions have all been drawn
        self._order: list[str] = []
        self.lang = lang

    def single(self, most: int = 2) -> Turn:
        """Return a turn of one to ``most`` sentences with one emotion; emotions come in turn."""
        if not self._order:
            self._order = [LABELS[i] for i in self._random.permutation(len(LABELS))]
        emotion = self._order.pop()
        count = 1 + int(self._random.random() < 0.35) * (most > 1)
        own, common = self._book["lines"].get(emotion, ()), self._book["lines"]["any"]
        drawn = []
        for _ in range(DRAWS):
            pools = [own if own and self._random.random() < 0.5 else common for _ in range(count)]
            texts = [pool[int(self._random.integers(len(pool)))] for pool in pools]
            drawn.append(" ".join(self._fill(text) for text in dict.fromkeys(texts)))
        return Turn((Line(self._rarest(drawn), emotion, self._level()),))

    def monologue(self) -> Turn:
        """Return a turn whose emotion changes."""
        choices = self._book.get("monologues") or self._book.get("dialogues")
        if choices:
            lines = choices[int(self._random.integers(len(choices)))]
            return Turn(tuple(self._line(line) for line in lines))
        parts = [self.single(1).lines[0] for _ in range(int(self._random.integers(2, 5)))]
        return Turn(tuple(parts))

    def dialogue(self) -> Iterator[Turn]:
        """Yield the turns of a dialogue."""
        choices = self._book.get("dialogues", ())
        if not choices:
            return
        self._dialogues += 1
        name = f"{self.lang}-{self._dialogues:04d}"
        for line in choices[int(self._random.integers(len(choices)))]:
            yield Turn((self._line(line),), name)

    def _line(self, line: Mapping[str, str]) -> Line:
        text = self._fill(line["text"])
        self._count.update(self._heard(text))
        return Line(text, line["emotion"], self._level())

    def _fill(self, text: str) -> str:
        return fill(text, self._book["slots"], self._random)

    def _level(self) -> int:
        return int(self._random.integers(1, 6))

    def _rarest(self, texts: Sequence[str]) -> str:
        """Return the text whose sounds were heard least so far, and count it."""

        def rarity(text: str) -> float:
            heard = self._heard(text)
            new = sum(1.0 / (1 + self._count[s]) for s in heard)
            return float(new / max(len(heard), 1) ** 0.5)

        best = max(texts, key=rarity)
        self._count.update(self._heard(best))
        return best
