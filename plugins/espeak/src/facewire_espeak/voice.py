# SPDX-License-Identifier: GPL-3.0-or-later
"""The voice: text to audio with marks."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from facewire.errors import ProfileError
from facewire.stages import Voice
from facewire.types import Audio, Mark, Utterance
from facewire.voicing import VoiceEntry

from facewire_espeak.library import RATE, Library
from facewire_espeak.marks import ipa, marks_of
from facewire_espeak.plugin import EspeakConfig
from facewire_espeak.text import harmless, parts
from facewire_espeak.timing import without_echo
from facewire_espeak.voices import Choice, choose, choose_language, entries

_PIECE = RATE // 2  # samples in a piece of audio
_LIMITS = {"rate": (80, 450, " words a minute"), "pitch": (0, 99, "")}


class Espeak(Voice):
    """Speaks with espeak-ng. ProfileError on an unknown voice, or a rate or pitch out of range."""

    rate = RATE
    marks: Literal["phone", "word", "none"] = "phone"

    def __init__(self, config: EspeakConfig) -> None:
        self._options = {"rate": config.rate, "pitch": config.pitch}
        for name, (least, most, unit) in _LIMITS.items():
            if not least <= self._options[name] <= most:
                raise ProfileError(
                    f"espeak: {name} is {self._options[name]}, expected {least} to {most}{unit}"
                )
        self._choice = choose(config.voice)
        self._spoken: dict[str, None] = {}  # in order
        self._turn = threading.Lock()
        self._dictionary: Library | None = None
        self._look_up = functools.lru_cache(maxsize=1 << 16)(self._phones)

    def speak(self, utterance: Utterance) -> Iterator[Audio]:
        """Return pieces of at most half a second, each with the marks that begin in it.

        The same text gives the same bytes, whatever was said before or is said beside it. It ends
        with a pause of 0.3 s. Blank text yields nothing, text that has no sound (``...``) silence.
        InputError on a language that espeak-ng does not speak.
        """
        choice = choose_language(self._choice, utterance.lang)
        self._spoken[choice.listed.name] = None
        return self._speak(choice, harmless(utterance.text))

    def pronounce(self, word: str) -> list[str] | None:
        """Return a word's phones in IPA, with stress before vowels; None if it has no sound."""
        with self._turn:
            return list(self._look_up(harmless(word))) or None

    def voices(self) -> list[VoiceEntry]:
        """Return the languages that espeak-ng speaks, each by the name a profile takes."""
        return entries()

    def report(self) -> Sequence[str]:
        """Name the voices that spoke, or would."""
        names = self._spoken or [self._choice.listed.name]
        return tuple(f"espeak-ng's {name}" for name in names)

    def _speak(self, choice: Choice, text: str) -> Iterator[Audio]:
        if not text.strip():
            return
        start, echo = 0, choice.echo
        with Library(choice.identifier, **self._options) as library:
            for char, part in parts(text):
                samples, events = library.speak(part)
                heard = marks_of(part, without_echo(samples, *echo), events)
                marks = [_moved(mark, start, char) for mark in heard]
                sound = samples.astype(np.float32) / np.float32(32768)
                yield from _pieces(Audio(sound, RATE, start, tuple(marks)))
                start += len(samples)

    def _phones(self, word: str) -> tuple[str, ...]:
        # Looking up words of letters changes nothing in a library: 10,000 words of English, German
        # and French in two orders gave the same, so one copy serves all. A number does.
        if not re.fullmatch(r"[^\W\d_]+([-'\u2019][^\W\d_]+)*", word):
            with Library(self._choice.identifier) as library:
                return _ipa(library.phones(word))
        if self._dictionary is None:
            self._dictionary = Library(self._choice.identifier)
        return _ipa(self._dictionary.phones(word))


def _ipa(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(filter(None, map(ipa, names)))


def _moved(mark: Mark, samples: int, chars: int) -> Mark:
    span = mark.chars and (mark.chars[0] + chars, mark.chars[1] + chars)
    return replace(mark.moved(samples), chars=span)


def _pieces(audio: Audio) -> Iterator[Audio]:
    for start in range(0, len(audio), _PIECE):
        first, end = audio.start + start, audio.start + min(start + _PIECE, len(audio))
        marks = tuple(mark for mark in audio.marks if first <= mark.start < end)
        yield Audio(audio.samples[start : start + _PIECE], RATE, first, marks)
