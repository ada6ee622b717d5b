# SPDX-License-Identifier: GPL-3.0-or-later
"""Text before it is spoken: made harmless, and cut so that a long one can be streamed."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence

# espeak-ng takes a zero as the end and ctrl-A as the start of a command ("\x0150S" sets the rate);
# lone surrogates have no UTF-8.
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

# After a full stop only where a word of five letters or more ends: "Prof. Smith" is one sentence.
_SENTENCE_END = re.compile(r"(?:[^\W\d_]{5}\.|[!?…])[\"'”’»)\]]*\s+|[。！？]|\n\s*\n")
_LEAST, _MOST = 200, 800  # characters: about 13 s and 50 s of English


def harmless(text: str) -> str:
    """Return the text with control characters and lone surrogates as spaces, as long as before."""
    return _HARMFUL.sub(" ", text)


def parts(text: str) -> Iterator[tuple[int, str]]:
    """Yield (start, part): parts of 200 characters or more that end where a sentence does.

    Without such an end within 800 characters a part ends after a word, or anywhere.
    """
    start = 0
    while len(text) - start > _LEAST:
        found = _SENTENCE_END.search(text, start + _LEAST, start + _MOST)
        end = found.end() if found else _last_gap(text, start, start + _MOST)
        yield start, text[start:end]
        start = end
    if start < len(text):
        yield start, text[start:]


def _last_gap(text: str, start: int, end: int) -> int:
    if end >= len(text):
        return len(text)
    gap = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
    return gap + 1 if gap > start else end


def word_spans(text: str, heard: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return the span of written words that each word begins in that espeak-ng says.

    ``heard`` are where its words begin, in the order of time. It says "1998" as three words, with
    positions inside the number: they share one span. It says "was the" as one: the span is both.
    """
    starts: list[int] = []
    owner: dict[int, int] = {}
    for at in heard:
        start = _word_start(text, at)
        if not starts or (start > starts[-1] and not text[start : start + 1].isspace()):
            starts.append(start)
        owner[at] = len(starts) - 1
    edges = [*starts, len(text)]
    spans = [_trimmed(text, start, end) for start, end in itertools.pairwise(edges)]
    return {at: spans[index] for at, index in owner.items()}


def _word_start(text: str, at: int) -> int:
    at = min(max(at, 0), len(text))
    while 0 < at < len(text) and _within_word(text, at - 1) and _within_word(text, at):
        at -= 1
    return at


def _within_word(text: str, at: int) -> bool:
    """Tell whether a character is inside a word in a script that puts spaces between words."""
    char = text[at]
    if char in ".,:":
        return text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()
    category = unicodedata.category(char)
    return category[0] in "MN" or (category[0] == "L" and category != "Lo") or char in "'\u2019"


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out blanks and punctuation around a word; keep a sign that is all there is."""
    span = [at for at in range(start, end) if not text[at].isspace()]
    for keep in ("LMN", "LMNS", "LMNSP", "LMNSPC"):
        inside = [at for at in span if unicodedata.category(text[at])[0] in keep]
        if inside:
            return inside[0], inside[-1] + 1
    return start, start
