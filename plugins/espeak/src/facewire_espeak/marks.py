# SPDX-License-Identifier: GPL-3.0-or-later
"""From what espeak-ng books to marks: phones that touch, and the written words they are of."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from facewire.types import Mark
from numpy.typing import NDArray

from facewire_espeak.library import Event
from facewire_espeak.text import word_spans
from facewire_espeak.timing import Phone, correct

_LANGUAGE_SWITCH = re.compile(r"\([\w-]*\)")
_NOT_IPA = re.compile(r"[^\w\u0300-\u036f]|[\d_]")
_MODIFIER = re.compile(r"[\u0300-\u036fʲʰʷˠˤːˑ]+")


def ipa(name: str) -> str:
    """Return a phone's name without what is not IPA: ``ts.h`` and ``ə-`` are ``tsh`` and ``ə``."""
    name = _NOT_IPA.sub("", _LANGUAGE_SWITCH.sub("", name))
    return name if name.strip("ˈˌ") else ""


def marks_of(text: str, samples: NDArray[np.float32], events: Sequence[Event]) -> list[Mark]:
    """Return the marks of words and phones, sorted by start; a word before its first phone.

    ``samples`` (n,) without echo, at any scale.
    """
    phones = _phones(events, len(samples))
    correct(phones, samples)
    phones = [phone for phone in phones if phone.end > phone.start]
    marks = [Mark("phone", phone.text, phone.start, phone.end) for phone in phones]
    words = _words(text, phones, [event.char for event in events if event.kind == "word"])
    return sorted(words + marks, key=lambda mark: (mark.start, mark.kind != "word"))


def _phones(events: Sequence[Event], end: int) -> list[Phone]:
    """Return the phones as they are booked: each lasts until the next one or a pause."""
    phones: list[Phone] = []
    word, pause = None, True
    for event in events:
        name = ipa(event.text)
        if event.kind == "word":
            word = event.char
        elif event.text and not name:
            continue  # a change of language
        elif _MODIFIER.fullmatch(name):
            if phones and not pause:
                phones[-1].text += name
        else:
            if not pause:
                phones[-1].end = event.at
            if name:
                phones.append(Phone(name, event.at, end, word, after_pause=pause))
            pause = not name
    return phones


def _words(text: str, phones: Sequence[Phone], heard: Sequence[int]) -> list[Mark]:
    spans = word_spans(text, heard)
    times: dict[tuple[int, int], tuple[int, int]] = {}
    for phone in phones:
        if phone.word is not None:
            span = spans[phone.word]
            start, end = times.get(span, (phone.start, phone.end))
            times[span] = min(start, phone.start), max(end, phone.end)
    return [Mark("word", text[a:b], *times[a, b], chars=(a, b)) for a, b in times if a < b]
