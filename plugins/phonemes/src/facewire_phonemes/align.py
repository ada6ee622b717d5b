"""Words laid over a piece of sound: the phones of each, with stress, times and confidence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from facewire.types import FloatArray, Mark
from numpy.typing import NDArray

from facewire_phonemes import tables
from facewire_phonemes.lexicon import Lexicon, plain
from facewire_phonemes.recognizer import FRAME, Pcm, Phone, Recognizer, Word, prepare
from facewire_phonemes.text import read

# Mean acoustic score a frame: right texts reach -21 to -8 (median -12), wrong ones -71 to -28, on
# 73 recordings of asterisk, LibriVox and pocketsphinx' cards.
DOUBT = -24.0
# And over any ten phones in a row, which finds a sentence missing from a long text.
DOUBT_NEARBY = -40.0
NEARBY = 10
# Over half a second the words that a free search hears fit better than a right text by 0 to 19
# (5th to 95th percentile; a synthesiser's British voices reach 33), than one that lacks three words
# by 36 to 97.
_MUCH = 34.0
_HALF_SECOND = 50
# Noise where the text has nothing: words that it lacks are taken for noise of this length and more.
UNTOLD = 4800


class Aligned(NamedTuple):
    """One word's phones (marks), and the word's place among those given."""

    place: int
    phones: tuple[Mark, ...]

    @property
    def span(self) -> tuple[int, int]:
        """The word's first and last sample."""
        return self.phones[0].start, self.phones[-1].end


class Alignment(NamedTuple):
    """All words of a piece, whether the sound supports them, and the score of each 10 ms."""

    words: tuple[Aligned, ...]
    likely: bool
    scores: NDArray[np.float64]

    def contradicted(self, by: Alignment) -> bool:
        """Say whether other words fit the same sound much better somewhere."""
        better = by.scores - self.scores
        around = min(_HALF_SECOND, len(better))
        return bool(around and np.convolve(better, np.ones(around) / around, "valid").max() > _MUCH)


class Aligner:
    """Aligns words to pieces of one session's sound."""

    def __init__(self, recognizer: Recognizer, lexicon: Lexicon, floor: Pcm) -> None:
        self.recognizer, self.lexicon, self.floor = recognizer, lexicon, floor

    def ways(self, word: str, british: bool = False) -> list[tuple[str, ...]]:
        """Return the pronunciations of a word as the acoustic model names them."""
        said = [*self.lexicon.say(word), *(self.lexicon.british(word) if british else ())]
        return [tuple(plain(phone) for phone in way) for way in said]

    def spoken(self, text: str) -> str:
        """Return the words that are said for a word as written (``1999``), blanks between them."""
        script = read(text, self.lexicon.knows)
        return " ".join(word for token in script.tokens for word in token.spoken)

    def count(self, samples: FloatArray, start: int, words: Sequence[str]) -> int:
        """Return how many of ``words`` are said in a piece (n,) that begins at ``start``."""
        pcm = prepare(samples, start, self.floor)
        return self.recognizer.count(pcm, [self.ways(word) for word in words])

    def align(
        self, samples: FloatArray, start: int, words: Sequence[str], british: bool = False
    ) -> Alignment | None:
        """Align ``words`` to a piece (n,); None if they cannot be laid over it.

        ``british``: they may also be said without r, which the dictionary has in American alone.
        """
        pcm = prepare(samples, start, self.floor)
        found = self.recognizer.align(pcm, [self.ways(word, british) for word in words])
        if found is None:
            return None
        spoken = [word for word in found if word.place is not None]
        end = start + len(samples)
        marks = [self._marks(words[word.place or 0], word, start, end) for word in spoken]
        aligned = (Aligned(i, phones) for i, phones in enumerate(marks) if phones)
        likely = _likely(spoken) and not any(map(_untold, found))
        return Alignment(tuple(aligned), likely, _scores(found, len(samples) // FRAME))

    def within(self, samples: FloatArray, start: int, word: str) -> tuple[Mark, ...]:
        """Return the phones of one word that fills a piece (n,): from its first sample to its last.

        Where the sound is too short or unlike the word, its phones get their typical shares.
        """
        end = start + len(samples)
        words = word.split()
        result = self.align(samples, start, words) if len(samples) else None
        phones = [m for w in result.words for m in w.phones] if result and result.likely else []
        if not phones:
            return self.shares(word, start, end)
        first, last = phones[0], phones[-1]
        phones[0] = _mark(first.text, start, first.end, first.confidence)
        phones[-1] = _mark(last.text, phones[-1].start, end, last.confidence)
        return tuple(phones)

    def shares(self, word: str, start: int, end: int) -> tuple[Mark, ...]:
        """Divide a word's span among its phones by their typical durations."""
        phones = [phone for part in word.split() for phone in self.lexicon.say(part)[0]]
        lengths = np.array([tables.durations()[plain(phone)] for phone in phones])
        edges = np.concatenate([[0.0], np.cumsum(lengths / lengths.sum())]) * (end - start) + start
        at = np.rint(edges).astype(int)
        return tuple(
            _mark(phone, int(a), int(b), 0.3)
            for phone, a, b in zip(phones, at, at[1:], strict=False)
            if b > a
        )

    def _marks(self, word: str, found: Word, start: int, end: int) -> tuple[Mark, ...]:
        return marks(found.phones, self.stress(word, found.phones), start, end)

    def stress(self, word: str, phones: Sequence[Phone]) -> tuple[str, ...]:
        """Return the phones with the stress digits of the pronunciation that was found."""
        said = tuple(phone.text for phone in phones)
        for way in (*self.lexicon.say(word), *self.lexicon.british(word)):
            if tuple(plain(phone) for phone in way) == said:
                return way
        return said


def marks(phones: Sequence[Phone], names: Sequence[str], start: int, end: int) -> tuple[Mark, ...]:
    """Return phones of a piece as marks of the session, kept within ``start`` and ``end``."""
    out = []
    for phone, name in zip(phones, names, strict=True):
        a, b = max(phone.start + start, start), min(phone.end + start, end)
        if b > a:
            out.append(_mark(name, a, b, confidence(phone.score)))
    return tuple(out)


def confidence(score: float) -> float:
    """Map a mean acoustic score to 0..1: the usual -12 gives 0.7, a wrong word's -50 gives 0.2."""
    return round(math.exp(min(score, 0.0) / 30.0), 3)


def _scores(words: Iterable[Word], count: int) -> NDArray[np.float64]:
    scores = np.zeros(count)
    for word in words:
        for phone in word.phones:
            scores[max(phone.start // FRAME, 0) : max(phone.end // FRAME, 0)] = phone.score
    return scores


def _untold(word: Word) -> bool:
    noise = word.text.startswith(("[", "+"))
    return noise and word.phones[-1].end - word.phones[0].start >= UNTOLD


def _likely(words: Iterable[Word]) -> bool:
    phones = [phone for word in words for phone in word.phones]
    frames = np.array([phone.end - phone.start for phone in phones], float)
    scores = np.array([phone.score for phone in phones]) * frames
    if scores.sum() / frames.sum() < DOUBT:
        return False
    if len(phones) < NEARBY:
        return True
    window = np.ones(NEARBY)
    nearby = np.convolve(scores, window, "valid") / np.convolve(frames, window, "valid")
    return bool(nearby.min() > DOUBT_NEARBY)


def _mark(text: str, start: int, end: int, confidence: float) -> Mark:
    return Mark("phone", text, start, end, confidence=confidence)
