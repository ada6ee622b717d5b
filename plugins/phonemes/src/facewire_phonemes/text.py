"""A transcript as it is spoken: tokens as written, and the words that are said for each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from facewire_phonemes import numbers, tables

_TOKEN = re.compile(r"\S+")
_ASIDE = re.compile(r"\[[^\]\n]*\]|<[^>\n]*>|\([^)\n]*\)(?=\s|$)")
_PIECE = re.compile(
    r"[^\W\d_]+(?:'[^\W\d_]+)*'?|[$£€]?\d[\d,]*(?:[.:]\d+)?(?:st|nd|rd|th|s|%)?|[&+@%=#]"
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]?\.?|[A-Z]{2,4}\.?\d*")


class Token(NamedTuple):
    """One word as written, its span in the text, and the words spoken for it (lower case)."""

    text: str
    chars: tuple[int, int]
    spoken: tuple[str, ...]


class Script(NamedTuple):
    """What is said in a transcript, and what was left out of it because it is not speech."""

    tokens: tuple[Token, ...]
    skipped: tuple[str, ...]


def _nothing(word: str) -> bool:
    return False


def read(text: str, known: Callable[[str], bool] = _nothing) -> Script:
    """Split a transcript into tokens.

    What stands in brackets, and tokens without letters, digits or spoken symbols, are skipped.
    Capitals of up to four letters are spelled unless ``known`` says they are a word.
    """
    plain, asides = without_asides(text)
    skipped = [*asides]
    tokens = []
    for found in _TOKEN.finditer(plain):
        spoken = tuple(_spoken(found.group(), known))
        if spoken:
            tokens.append(Token(found.group().strip('.,;:!?"“”'), found.span(), spoken))
        elif any(not unicodedata.category(c).startswith("P") for c in found.group()):
            skipped.append(found.group())
    return Script(tuple(tokens), tuple(skipped))


def without_asides(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a transcript with blanks for what stands in brackets, as long as before, and that."""
    skipped = tuple(found.group() for found in _ASIDE.finditer(text))
    return _ASIDE.sub(lambda found: " " * len(found.group()), text), skipped


def _spoken(token: str, known: Callable[[str], bool]) -> list[str]:
    table = tables.text()
    token = unicodedata.normalize("NFC", token).replace("\u2019", "'")
    bare = token.strip('.,;:!?"“”()[]*_~').lower()
    if bare in table["abbreviations"] and (token.endswith(".") or "." in bare or len(bare) > 4):
        return str(table["abbreviations"][bare]).split()
    if _INITIALS.fullmatch(token.rstrip(",;:!?")) and not known(bare):
        return _spelled(bare)
    words: list[str] = []
    for piece in _PIECE.findall(token):
        number = numbers.spoken(piece.rstrip(","))
        words += number or [table["symbols"].get(piece, piece.lower())]
    return words


def _spelled(bare: str) -> list[str]:
    words: list[str] = []
    for part in re.findall(r"[^\W\d_]|\d+", bare):
        words += numbers.digits(part) if part.isdigit() else [f"{part}."]
    return words
