"""Where the sentences of a text are."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_SENTENCE = 240
"""Characters: a longer one is cut at a comma or a blank, so that the model sees all of it."""

# The end of a sentence: its signs with closing quotes or emoji after them, or a new line. The signs
# of East Asian scripts need no blank after them.
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’]*|[\r\n\u2028\u2029]+")
_SHORT = re.compile(r"\b(?:mr|mrs|ms|dr|st|prof|sgt|lt|col|gen|no|vs|etc|e\.g|i\.e)\.$", re.I)
_INITIAL = re.compile(r"(?:^|[\s.])[A-Z]\.$")
_GOES_ON = re.compile(r"\s+[a-z]")  # "Well... maybe" is one sentence
_PAUSE = re.compile(r"[,;:—–]\s+|\s+-\s+")
_BLANK = re.compile(r"\s+")


def spans(text: str) -> list[tuple[int, int]]:
    """Return the sentences of a text as (start, end), blanks around them left out."""
    return [
        part
        for begin, end in _sentences(text)
        for part in _short_enough(text, *_stripped(text, begin, end))
    ]


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for end in _END.finditer(text):
        if _is_end(text, begin, end):
            yield begin, end.end()
            begin = end.end()
    yield begin, len(text)


def _is_end(text: str, begin: int, end: re.Match[str]) -> bool:
    if end[0][0] not in ".…":
        return True
    if _GOES_ON.match(text, end.end()):
        return False
    # what ends here is short: no need to look at all of a long text
    before = text[max(begin, end.end() - 12) : end.end()]
    return not (_SHORT.search(before) or _INITIAL.search(before))


def _stripped(text: str, begin: int, end: int) -> tuple[int, int]:
    while begin < end and text[begin].isspace():
        begin += 1
    while begin < end and text[end - 1].isspace():
        end -= 1
    return begin, end


def _short_enough(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    while end - begin > MAX_SENTENCE:
        cut = _cut(text, begin)
        if part := _nonempty(text, begin, cut):
            yield part
        begin = cut
    if part := _nonempty(text, begin, end):
        yield part


def _cut(text: str, begin: int) -> int:
    """Return where to cut a long sentence: after the last pause or blank that is not too early."""
    last = begin + MAX_SENTENCE
    for sign in (_PAUSE, _BLANK):
        places = [found.end() for found in sign.finditer(text, begin + MAX_SENTENCE // 3, last)]
        if places:
            return places[-1]
    return last


def _nonempty(text: str, begin: int, end: int) -> tuple[int, int] | None:
    begin, end = _stripped(text, begin, end)
    return (begin, end) if begin < end else None
