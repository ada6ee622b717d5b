"""How words are pronounced: pocketsphinx' dictionary, then the session's voice, then rules."""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from facewire_phonemes import tables

Pronunciation = tuple[str, ...]
"""Phones in ARPAbet, vowels with a stress digit."""
Pronounce = Callable[[str], list[str] | None]

_STRESS = {"ˈ": "1", "ˌ": "2", "'": "1", ",": "2"}


def plain(phone: str) -> str:
    """Return a phone without its stress digit."""
    return phone.rstrip("012")


def stressed(phones: Sequence[str], digits: str) -> Pronunciation:
    """Give the vowels their stress digits, one each; where ``digits`` ends, 0."""
    left = iter(digits)
    return tuple(p + next(left, "0") if p in tables.VOWELS else p for p in phones)


class Dictionary:
    """The English dictionary: 3 MB of bytes, searched when asked (reading it whole costs 50 MB)."""

    def __init__(self) -> None:
        from pocketsphinx import get_model_path

        self._words = b"\n" + Path(get_model_path("en-us/cmudict-en-us.dict")).read_bytes()
        packed = files("facewire_phonemes").joinpath("lexdata/stress.txt.gz").read_bytes()
        self._stress = gzip.decompress(packed)
        if not self._stress.startswith(b"\n"):
            raise ValueError("stress.txt.gz is damaged: reinstall facewire-phonemes")

    def find(self, word: str) -> list[Pronunciation]:
        """Return a word's pronunciations, the usual one first; none if it is not known."""
        if not word or not re.fullmatch(r"[^\s()]+", word):
            return []
        lines = self._entry(word)
        digits = self._digits(word)
        return [stressed(line, _column(digits, i)) for i, line in enumerate(lines)]

    def _entry(self, word: str) -> list[list[str]]:
        key, found, at = word.encode(), [], -1
        for number in range(1, 20):
            name = key if number == 1 else b"%s(%d)" % (key, number)
            at = self._words.find(b"\n" + name + b" ", max(at, 0))
            if at < 0:
                break
            line = self._words[at + 1 : self._words.find(b"\n", at + 1)]
            found.append(line.decode().split()[1:])
        return found

    def _digits(self, word: str) -> list[str]:
        key = b"\n" + word.encode() + b" "
        at = self._stress.find(key)
        if at < 0:
            return []
        return self._stress[at + len(key) : self._stress.find(b"\n", at + 1)].decode().split()


class Lexicon:
    """Pronunciations for one session: the dictionary, the session's voice, the rules."""

    def __init__(self, dictionary: Dictionary, pronounce: Pronounce) -> None:
        self._dictionary = dictionary
        self._pronounce = pronounce
        self._known: dict[str, list[Pronunciation]] = {}
        self.guessed: list[str] = []
        """Words that were neither in the dictionary nor known to the voice."""

    def say(self, word: str) -> list[Pronunciation]:
        """Return how a lower-case word may be said: at least one way. ``a.`` is a letter's name."""
        if word not in self._known:
            self._known[word] = self._look_up(word)
        return self._known[word]

    def british(self, word: str) -> list[Pronunciation]:
        """Return the ways of ``say`` that a speaker without r before consonants says otherwise."""
        ways = self.say(word)
        return [other for way in ways if (other := without_r(way)) not in ways]

    def knows(self, word: str) -> bool:
        """Say whether the dictionary has the word."""
        return bool(self._dictionary.find(word))

    def _look_up(self, word: str) -> list[Pronunciation]:
        if word.endswith(".") and word[:-1] in tables.letters():
            return [stressed(tables.letters()[word[:-1]], "1")]
        found = self._dictionary.find(word) or self._dictionary.find(word.rstrip("'"))
        if found:
            return found
        if word.endswith("'s") and (base := self._dictionary.find(word[:-2])):
            return [(*phones, _possessive(phones[-1])) for phones in base]
        told = arpabet(self._pronounce(word) or ())
        if told:
            return [told]
        self.guessed.append(word)
        return self._compound(word) or [guess(word)]

    def _compound(self, word: str) -> list[Pronunciation]:
        """Put a word together from two of the dictionary (unmute, voicemail), the longest first."""
        for at in sorted(range(2, len(word) - 2), key=lambda at: -max(at, len(word) - at)):
            first, second = word[:at], word[at:]
            if (ends := self._dictionary.find(second)) and (begins := self._dictionary.find(first)):
                return [(*begins[0], *end) for end in ends]
        return []


def without_r(way: Pronunciation) -> Pronunciation:
    """Return a pronunciation as in the south of England.

    R is dropped but before vowels, a weak ER is a schwa, and *bath* has the vowel of *father*
    (Wells, Accents of English, 1982, sections 3.1.3 and 3.2.2).
    """
    out: list[str] = []
    for i, phone in enumerate(way):
        after = plain(way[i + 1]) if i + 1 < len(way) else ""
        if phone == "ER0":
            out += ["AH0", "R"] if after in tables.VOWELS else ["AH0"]
        elif phone == "AE1" and after in ("F", "S", "TH"):
            out.append("AA1")
        elif (
            phone != "R" or not out or plain(out[-1]) not in tables.VOWELS or after in tables.VOWELS
        ):
            out.append(phone)
    return tuple(out)


def arpabet(phones: Sequence[str]) -> Pronunciation:
    """Map phones in ARPAbet or IPA, stress marks included, to those of the acoustic model.

    Symbols without a counterpart (pauses, glottal stops, tones) are left out.
    """
    out: list[str] = []
    stress = "0"
    for phone in phones:
        if plain(phone) in tables.PHONES:
            out.append(stressed([phone], "0")[0])
            continue
        stress = next((_STRESS[c] for c in phone if c in _STRESS), stress)
        for name in _mapped(_bare(phone), "ipa.yaml"):
            out.append(name + stress if name in tables.VOWELS else name)
            stress = "0" if name in tables.VOWELS else stress
    return tuple(out)


def guess(word: str) -> Pronunciation:
    """Spell a word by rules of English letters: the last resort. Never empty."""
    bare = _bare(word)
    if bare and not re.search("[aeiouy]", bare):
        named = [p for letter in bare for p in tables.letters().get(letter, ())]
    else:
        named = list(_mapped(f"^{bare}$", "letters.yaml"))
    return stressed(named or ["AH"], "1")


def _possessive(last: str) -> str:
    if last in ("P", "T", "K", "F", "TH"):
        return "S"
    return "Z"


def _column(digits: list[str], index: int) -> str:
    if not digits:
        return "1" * 9
    column = digits[min(index, len(digits) - 1)]
    return "1" if column == "-" else column


def _bare(text: str) -> str:
    """Drop accents, length and tone marks, and split what is composed (é is e)."""
    parts = unicodedata.normalize("NFD", text.lower())
    return "".join(c for c in parts if unicodedata.category(c) in ("Ll", "Lo"))


@cache
def _widths(name: str) -> tuple[int, ...]:
    return tuple(sorted({len(key) for key in tables.spellings(name)}, reverse=True))


def _mapped(text: str, name: str) -> Sequence[str]:
    """Replace the longest spellings that fit, from left to right."""
    table = tables.spellings(name)
    out: list[str] = []
    at = 0
    while at < len(text):
        width = next((w for w in _widths(name) if text[at : at + w] in table), 0)
        if width:
            out += table[text[at : at + width]]
        at += max(width, 1)
    return out
