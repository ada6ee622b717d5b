"""The pieces of a recording: where its transcript is found by a recital, and where it is not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from facewire.types import Mark
from numpy.typing import NDArray

from facewire_phonemes.align import Aligner
from facewire_phonemes.carried import Carried, carried
from facewire_phonemes.loudness import SILENT
from facewire_phonemes.recital import Recital
from facewire_phonemes.recited import Placed, place
from facewire_phonemes.spectra import HOP
from facewire_phonemes.transcript import Piece, Spool
from facewire_phonemes.window import HOP_FILE, WINDOW_FILE, Grid, WindowDecoder

DOUBT = 0.87
"""From how unlike on sound and text do not match; 1 is frames taken at random, ``_UNSAID`` added.

Chosen on people's and synthesisers' sentences with their own transcript and another's; what either
gets is in docs/articulation.md, measured by benchmarks/languages.py.
"""
_UNSAID = 0.5  # what sound in a pause counts on top: a wrong text has much of it, here and there
_APART = 150  # but so many frames of it at once are something that the text has not
_AROUND = 400  # frames of speech, 4 s, by which is decided whether text and sound match
_UNTOLD = 50  # frames of speech in one gap that are more than a noise: 0.5 s


class RecitedAligner:
    """Lays a recited transcript over a recording; ``missed`` are words not heard in it."""

    def __init__(self, aligner: Aligner, recital: Recital, text: str) -> None:
        self._aligner, self._recital, self._text = aligner, recital, text
        self._said: set[int] = set()

    @property
    def missed(self) -> list[str]:
        """Words as written that were not found in the recording."""
        return [self._written(i) for i in range(len(self._recital.words)) if i not in self._said]

    def pieces(self, sound: Spool) -> Iterator[Piece]:
        """Yield the recording's marks in order."""
        placed = place(sound, self._recital)
        words = self._trusted(placed) if placed else []
        self._said.update(word.place for word in words)
        edges = [0, *(edge for word in words for edge in word.span), sound.length]
        gaps = list(zip(edges[::2], edges[1::2], strict=True))
        aligned: list[Mark] = []
        for (start, end), word in zip(gaps, [*words, None], strict=True):
            if self._untold(sound, placed, start, end):
                if start:
                    yield Piece(start, tuple(aligned), True)
                aligned = []
                yield Piece(end, self._heard(sound, start, end), False)
            if word:
                aligned += self._marks(word)
        yield Piece(sound.length, tuple(aligned), True)

    def _trusted(self, placed: Placed) -> list[Carried]:
        """Return the words around which sound and text match."""
        unlike = _around(placed)
        return [
            word
            for word in carried(self._recital, placed)
            if unlike[slice(*word.frames)].mean() <= DOUBT
        ]

    def _untold(self, sound: Spool, placed: Placed | None, start: int, end: int) -> bool:
        """Say whether between two trusted words there is speech that is none of theirs."""
        if placed is None:
            return float(np.abs(sound.read(start, end)).max(initial=0.0)) >= SILENT
        return int(placed.spoken[-(-start // HOP) : end // HOP].sum()) >= _UNTOLD

    def _heard(self, sound: Spool, start: int, end: int) -> tuple[Mark, ...]:
        grid = Grid(HOP_FILE, WINDOW_FILE, words=False)
        decoder = WindowDecoder(self._aligner, grid)
        decoder.skip(start)
        found: list[Mark] = []
        for span in range(start // grid.hop, -(-end // grid.hop)):
            first, last = grid.window(span, sound.length)
            samples = sound.read(first, last)
            found += decoder.span(span, samples, first, min((span + 1) * grid.hop, end))
        return tuple(_until(mark, end) for mark in found)

    def _marks(self, word: Carried) -> list[Mark]:
        chars = self._recital.words[word.place].chars
        mark = Mark("word", self._written(word.place), *word.span, chars)
        return [mark, *word.phones]

    def _written(self, place: int) -> str:
        word = self._recital.words[place]
        return self._text[slice(*word.chars)] if word.chars else word.text


def _around(placed: Placed) -> NDArray[np.float64]:
    """Return for each frame how unlike the speech around it is, ``_UNSAID`` included."""
    paused = placed.path.paused
    edges = np.flatnonzero(np.diff(paused.astype(np.int8), prepend=0, append=0))
    counted = placed.spoken.copy()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        counted[start:end] &= placed.spoken[start:end].sum() < _APART
    at = np.flatnonzero(counted)
    total = np.append(0.0, np.cumsum((placed.unlike + _UNSAID * paused)[at]))
    middle = np.searchsorted(at, np.arange(len(counted)))
    low = np.clip(middle - _AROUND // 2, 0, max(len(at) - _AROUND, 0))
    high = np.minimum(low + _AROUND, len(at))
    return np.asarray((total[high] - total[low]) / np.maximum(high - low, 1), np.float64)


def _until(mark: Mark, end: int) -> Mark:
    return Mark("phone", mark.text, mark.start, min(mark.end, end), confidence=mark.confidence)
