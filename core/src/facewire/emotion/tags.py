r"""Take emotion tags out of text, whole or in pieces.

``[happy:80] Great to see you. [sad:40] But I must go.``: a tag is a name or alias in brackets,
with a strength if wanted (``:80``, ``:80%``, ``:L4``). ``\[`` and ``\]`` are brackets that are
spoken. The blanks after a tag go with it where the tag follows a blank or begins the text, so that
taking tags out leaves single spaces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from facewire.emotion.state import State, parse_named
from facewire.errors import InputError

MAX_TAG = 64
"""Characters a tag may have between its brackets: how long a stream waits for the second one."""

_PLAIN = re.compile(r"[^\[\]\\]+")
_HINT = r"write \[ for a bracket that is spoken"


@dataclass(frozen=True, slots=True)
class Tag:
    """From character ``at`` of the plain text on, the emotion is ``state``."""

    at: int
    state: State


class Tagged(NamedTuple):
    """Plain text, and the tags that were in it, by character of the plain text."""

    text: str
    tags: tuple[Tag, ...]


class TagParser:
    """Takes tagged text in any pieces; gives plain text and tags, the same for every cut.

    What is in brackets and is no tag raises InputError with the character it is at (counted from 1
    in the text as written); if ``lenient``, it is spoken as it stands. A closing bracket is waited
    for over at most 64 characters.
    """

    def __init__(self, lenient: bool = False, where: str = "text") -> None:
        self.lenient, self.where = lenient, where
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._read = 0  # characters of the text as written
        self._said = 0  # characters of plain text
        self._blank = True  # whether plain text ends in a blank, or is empty
        self._eat = False  # whether blanks that come next belong to a tag
        self._escape = False  # whether the last character was a backslash
        self._spoken = 0  # escaped opening brackets that wait for their partner
        self._tag: str | None = None  # what has come of a tag
        self._text: list[str] = []
        self._tags: list[Tag] = []

    def push(self, text: str) -> Tagged:
        """Take a piece; return the plain text and tags that are certain, tags by absolute char."""
        at = 0
        while at < len(text):
            plain = None if self._escape or self._tag is not None else _PLAIN.match(text, at)
            piece = plain.group() if plain else text[at]
            at += len(piece)
            self._read += len(piece)
            if plain:
                self._say(piece)
            else:
                self._take(piece)
        return self._taken()

    def flush(self) -> Tagged:
        """Return what was held back: the input ends here. InputError if a tag is still open."""
        if self._escape:
            self._say("\\")
        if self._tag is not None:
            self._broken("is never closed")
        self._escape = False
        return self._taken()

    def _taken(self) -> Tagged:
        out = Tagged("".join(self._text), tuple(self._tags))
        self._text, self._tags = [], []
        return out

    def _say(self, text: str) -> None:
        if self._eat:
            text = text.lstrip(" \t")
        if text:
            self._eat = False
            self._blank = text[-1].isspace()
            self._said += len(text)
            self._text.append(text)

    def _take(self, char: str) -> None:
        if self._tag is not None:
            self._take_in_tag(char)
        elif self._escape:
            self._take_escaped(char)
        elif char == "\\":
            self._escape = True
        elif char == "[":
            self._tag = ""
        elif char == "]":
            self._take_stray()
        else:
            self._say(char)

    def _take_escaped(self, char: str) -> None:
        self._escape = False
        if char not in "[]":
            self._say("\\")
            self._take(char)
            return
        self._spoken += 1 if char == "[" else -min(1, self._spoken)
        self._say(char)

    def _take_stray(self) -> None:
        if self._spoken:  # the partner of an escaped bracket needs no backslash
            self._spoken -= 1
        elif not self.lenient:
            raise InputError(
                f"{self._place(0)}: found ']' without '[', expected a tag such as [joy:80]; "
                r"write \] for a bracket that is spoken"
            )
        self._say("]")

    def _take_in_tag(self, char: str) -> None:
        assert self._tag is not None
        if char == "]":
            self._close(self._tag)
        elif char in "[\\\n":
            self._broken(f"is not closed before {char!r}", 1)
            self._take(char)
        elif len(self._tag) == MAX_TAG:
            self._broken(f"is not closed within {MAX_TAG} characters", 1)
            self._take(char)
        else:
            self._tag += char

    def _close(self, body: str) -> None:
        self._tag = None
        try:
            state = parse_named(body, self._place(len(body) + 1))
        except InputError as error:
            if not self.lenient:
                raise InputError(f"{error}; {_HINT}, or set tags: lenient") from None
            self._say(f"[{body}]")
            return
        self._eat = self._blank
        self._tags.append(Tag(self._said, state))

    def _broken(self, problem: str, since: int = 0) -> None:
        """Give up on the open tag; ``since``: characters that were read after it."""
        body, self._tag = self._tag or "", None
        if not self.lenient:
            place = self._place(len(body) + since)
            raise InputError(f"{place}: '[' {problem}; {_HINT}, or set tags: lenient")
        self._say(f"[{body}")

    def _place(self, back: int) -> str:
        return f"{self.where}, character {self._read - back}"


def parse_tags(text: str, lenient: bool = False, where: str = "text") -> Tagged:
    """Take the tags out of a text. InputError as ``TagParser`` says."""
    parser = TagParser(lenient, where)
    first, last = parser.push(text), parser.flush()
    return Tagged(first.text + last.text, first.tags + last.tags)
