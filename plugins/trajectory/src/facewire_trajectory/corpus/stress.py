"""Stress for phones that a synthesiser gives without: the dictionary's, by matching phones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cache

from facewire.articulation import PhoneTime
from facewire_phonemes.lexicon import Dictionary, Lexicon, plain
from facewire_phonemes.tables import VOWELS

_REDUCED = {"AX": "AH", "IX": "IH", "AXR": "ER"}
"""Vowels that are never stressed, and what the dictionary writes for them."""


@cache
def _lexicon() -> Lexicon:
    return Lexicon(Dictionary(), lambda word: None)


def stressed(text: str, phones: Sequence[PhoneTime]) -> list[PhoneTime]:
    """Return phones (ARPAbet without digits) of an English text with the dictionary's stress.

    A vowel whose phone the dictionary does not have at that place stays without a digit.
    """
    words = re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())
    wanted = [phone for word in words for phone in _lexicon().say(word)[0]]
    names = [_REDUCED.get(phone.text, phone.text) for phone in phones]
    digits = {k: "0" for k, phone in enumerate(phones) if phone.text in _REDUCED}
    matcher = SequenceMatcher(None, [plain(phone) for phone in wanted], names, autojunk=False)
    for first, second, size in matcher.get_matching_blocks():
        for k in range(size):
            if names[second + k] in VOWELS:
                digits[second + k] = wanted[first + k][-1]
    return [replace(phone, text=phone.text + digits.get(k, "")) for k, phone in enumerate(phones)]
