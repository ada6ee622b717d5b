"""Phones decoded from sound alone, in windows on the absolute sample grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from facewire.types import FloatArray, Mark

from facewire_phonemes import tables
from facewire_phonemes.align import Aligner, marks
from facewire_phonemes.loudness import SILENT
from facewire_phonemes.recognizer import Phone, Word, prepare

WINDOW_FILE = 48000  # 3 s: words need their neighbours
WINDOW_LIVE = 19200  # 1.2 s: free phones are heard as well as in 3 s, at half the cost
AHEAD = 6400  # 0.4 s: what a span of phones needs to know of the sound after it
HOP_LIVE = 4800  # 0.3 s
HOP_FILE = 32000  # 2 s
_STEADY_DB = 6.0  # speech varies by 20 dB and more within a window, steady noise by 1 to 3
_UNSURE = 0.5  # confidence of a phone heard without words: two of three are right


class Grid(NamedTuple):
    """Where windows lie. Span k, [k hop, (k+1) hop), takes its phones from one window of sound."""

    hop: int
    length: int
    """Of a window, in samples."""
    words: bool
    """Whether the wheel's words help to find phones (English, not live), or phones are free."""

    def window(self, span: int, total: int | None = None) -> tuple[int, int]:
        """Return a span's window; ``total`` is the input's length once it is known."""
        end = (span + 1) * self.hop + AHEAD
        return max(0, end - self.length), end if total is None else min(end, total)


class WindowDecoder:
    """Hears the phones of one span after the other; each window is decoded afresh.

    Phones of neighbouring windows are joined: a phone is taken by the window of the span it
    begins in, and none begins before the one taken last has ended.
    """

    def __init__(self, aligner: Aligner, grid: Grid) -> None:
        self.grid = grid
        self._aligner = aligner
        self._covered = 0
        self._last = ""

    def skip(self, end: int) -> None:
        """Go on to sample ``end`` without listening."""
        self._covered, self._last = max(self._covered, end), ""

    def span(self, span: int, samples: FloatArray, start: int, stop: int) -> tuple[Mark, ...]:
        """Return the phones that begin in a span before ``stop``; ``samples`` is its window."""
        found: list[Mark] = []
        if _speechlike(samples, max(span * self.grid.hop - start, 0)):
            for mark in self._heard(samples, start):
                if mark.start >= stop:
                    break
                if self._taken(mark):
                    continue
                begin = max(mark.start, self._covered)
                found.append(Mark("phone", mark.text, begin, mark.end, confidence=mark.confidence))
                self._covered, self._last = mark.end, mark.text
        if self._covered < stop:
            self.skip(stop)
        return tuple(found)

    def _taken(self, mark: Mark) -> bool:
        middle = (mark.start + mark.end) // 2
        if middle <= self._covered:
            return True
        # The same phone, cut elsewhere by the next window.
        return self._last == mark.text and mark.start < self._covered - (mark.end - mark.start) // 4

    def _heard(self, samples: FloatArray, start: int) -> tuple[Mark, ...]:
        pcm = prepare(samples, start, self._aligner.floor)
        recognizer = self._aligner.recognizer
        if self.grid.words:
            return hear(self._aligner, samples, start, recognizer.words(pcm))
        return free(recognizer.phones(pcm), samples, start)


def hear(
    aligner: Aligner, samples: FloatArray, start: int, words: Sequence[Word]
) -> tuple[Mark, ...]:
    """Return the phones of words heard in a piece (n,), with the dictionary's stress."""
    found: list[Mark] = []
    for word in words:
        if word.place is not None:
            names = aligner.stress(word.text.split("(")[0], word.phones)
            found += marks(word.phones, names, start, start + len(samples))
    return tuple(found)


def free(phones: Sequence[Phone], samples: FloatArray, start: int) -> tuple[Mark, ...]:
    """Return phones heard without words.

    Vowels no quieter than the piece's median vowel count as stressed.
    """
    speech = [phone for phone in phones if phone.text in tables.PHONES]
    loud = {phone: _power(samples, phone) for phone in speech if phone.text in tables.VOWELS}
    usual = float(np.median(list(loud.values()))) if loud else 0.0
    names = [
        phone.text + ("1" if loud[phone] >= usual else "0") if phone in loud else phone.text
        for phone in speech
    ]
    found = marks(speech, names, start, start + len(samples))
    return tuple(Mark("phone", m.text, m.start, m.end, confidence=_UNSURE) for m in found)


def _power(samples: FloatArray, phone: Phone) -> float:
    part = samples[max(phone.start, 0) : max(phone.end, 0)].astype(np.float64)
    return float(np.mean(part * part)) if len(part) else 0.0


def _speechlike(samples: FloatArray, new: int) -> bool:
    """Say whether a window may hold speech: sound in its new part, and more than steady noise."""
    if float(np.abs(samples[new:]).max(initial=0.0)) < SILENT:
        return False
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320).astype(np.float64)
    if len(frames) < 10:
        return True
    db = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12)
    low, high = np.percentile(db, [10, 95])
    return bool(high - low >= _STEADY_DB)
