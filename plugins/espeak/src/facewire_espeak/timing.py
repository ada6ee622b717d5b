# SPDX-License-Identifier: GPL-3.0-or-later
"""When phones really begin: espeak-ng books some of them late.

Measured on twenty sentences (README): a stop is booked at its release, 20 to 49 ms after the sound
before it has ended; other consonants up to 13 ms late; a vowel after a nasal or a liquid at the end
of its first transition, about 20 ms after it has become audible. Everything else is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facewire_espeak.library import RATE

_VOWELS = frozenset("aeiouyæɐɑɒɔɘəɚɛɜɝɞɤɨɩɪɵøœɶɯʉʊʌʏᵻᵿε")
_NASALS = frozenset("mɱnɳɲŋɴ")
_LIQUIDS = frozenset("lɭʎʟɫɹɻrʀwjɥɰʋ")


def _samples(milliseconds: float) -> int:
    return round(milliseconds * RATE / 1000)


_QUIET = 1 / 150  # of the loudest sample: closures are zeros
_LEAST = _samples(5)  # what a phone keeps of its time
_CLOSED_AFTER_PAUSE = _samples(50)  # as long as espeak-ng's own closure before a word's first stop
_TRANSITION = _samples(50)  # no first transition of a vowel is longer
_USUAL_TRANSITION = _samples(20)
_WINDOW = _samples(8)  # a period of a low voice
_RISE = 2.0  # in power of the difference signal, from a nasal to its vowel


@dataclass(slots=True)
class Phone:
    """A phone and its samples. ``word`` is where its word begins in the text, as espeak-ng says."""

    text: str
    start: int
    end: int
    word: int | None
    after_pause: bool = False

    @property
    def sound(self) -> str:
        """The first letter of the phone, without its stress mark."""
        return self.text.lstrip("ˈˌ")[:1]


def without_echo(samples: NDArray[np.int16], delay: int, gain: float) -> NDArray[np.float32]:
    """Return (n,) without a voice's echo, which would fill the closures: espeak-ng adds it once."""
    dry = samples.astype(np.float32)
    if delay and gain:
        dry[delay:] -= samples[:-delay] * np.float32(gain)
    return dry


def correct(phones: list[Phone], samples: NDArray[np.float32]) -> None:
    """Move starts, and the ends of the phones before, to where ``samples`` (n,) say they are."""
    level = np.abs(samples)
    loud = level > level.max(initial=0) * _QUIET
    for index, phone in enumerate(phones):
        before = phones[index - 1] if index else None
        if phone.sound not in _VOWELS:
            phone.start = _closure(phone, before, loud)
        elif before and not phone.after_pause and before.sound in _NASALS | _LIQUIDS:
            phone.start = _onset(phone, before, samples)
        if before and not phone.after_pause:
            before.end = phone.start


def _closure(phone: Phone, before: Phone | None, loud: NDArray[np.bool_]) -> int:
    """Return where the silence before a consonant begins, or its start if there is none."""
    earliest = before.start + _LEAST if before else 0
    if phone.after_pause:
        pause = before.end if before else 0
        earliest = max(pause, phone.start - _CLOSED_AFTER_PAUSE)
    sound = np.flatnonzero(loud[earliest : phone.start])
    silence = earliest + int(sound[-1]) + 1 if len(sound) else earliest
    return min(silence, phone.start)


def _onset(phone: Phone, before: Phone, samples: NDArray[np.float32]) -> int:
    """Return where a vowel begins after a nasal or a liquid.

    After a nasal that is the steepest rise in power of the difference signal (which weighs the
    formants above the murmur). A liquid glides: there half of the transition is the vowel's.
    """
    earliest = max(before.start + _LEAST, phone.start - _TRANSITION)
    usual = max(earliest, phone.start - _USUAL_TRANSITION)
    first = earliest - _WINDOW
    if before.sound not in _NASALS or first < 0 or earliest >= phone.start:
        return min(usual, phone.start)
    window = samples[first : phone.start + _WINDOW].astype(np.float64)
    power = np.cumsum(np.diff(window, prepend=window[0]) ** 2)  # (n,)
    power = np.concatenate([[0.0], power])
    at = np.arange(_WINDOW, len(window) - _WINDOW + 1)
    rise = (power[at + _WINDOW] - power[at] + 1) / (power[at] - power[at - _WINDOW] + 1)
    best = int(np.argmax(rise))
    return earliest + best if rise[best] >= _RISE else min(usual, phone.start)
