"""A whole recording and its transcript: phones of every word, in pieces of at most 30 s."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from facewire.types import FloatArray, Mark
from numpy.typing import NDArray

from facewire_phonemes.align import Aligned, Aligner, Alignment
from facewire_phonemes.loudness import SILENT
from facewire_phonemes.match import Said, merge
from facewire_phonemes.recognizer import RATE, Word, prepare
from facewire_phonemes.text import Script
from facewire_phonemes.window import hear

_LONGEST = 30 * RATE
_SHORTEST = 12 * RATE
_PAUSE = 4000  # 0.25 s: cuts are made in the middle of the quietest stretch of this length
_WORDS_A_SECOND = 8  # more than anybody says
_SEARCH = 2000  # words of text in which a piece that does not fit is looked for
_IN_MEMORY = 1 << 24
_LOUDEST = 1e4


class Spool:
    """Samples kept as 16-bit floats (115 MB an hour), in a temporary file when they get many."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self.length = 0
        weakref.finalize(self, self._file.close)  # a run may end without reading it

    def push(self, samples: FloatArray) -> None:
        """Take samples."""
        self._file.write(halved(samples).tobytes())
        self.length += len(samples)

    def read(self, start: int, end: int) -> FloatArray:
        """Return the samples ``start`` to ``end``, fewer at the end of what there is."""
        self._file.seek(2 * start)
        data = np.frombuffer(self._file.read(2 * max(end - start, 0)), np.float16)
        self._file.seek(0, 2)
        return data.astype(np.float32)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def halved(samples: FloatArray) -> NDArray[np.float16]:
    """Return samples as 16-bit floats; what is louder than any sound is brought down."""
    return np.clip(samples, -_LOUDEST, _LOUDEST).astype(np.float16)


class Piece(NamedTuple):
    """The marks of one stretch of sound; ``aligned``: the transcript was found in it."""

    end: int
    marks: tuple[Mark, ...]
    aligned: bool


class _Spoken(NamedTuple):
    word: str
    token: int


class TranscriptAligner:
    """Lays a transcript over a recording, piece by piece; ``missed`` are tokens not heard in it."""

    def __init__(self, aligner: Aligner, script: Script) -> None:
        self._aligner, self._script = aligner, script
        self._words = [_Spoken(w, i) for i, token in enumerate(script.tokens) for w in token.spoken]
        self._next = 0
        self._said: set[int] = set()

    @property
    def missed(self) -> list[str]:
        """Tokens that were not found in the recording so far."""
        return [t.text for i, t in enumerate(self._script.tokens) if i not in self._said]

    def pieces(self, sound: Spool) -> Iterator[Piece]:
        """Yield the recording's marks in order."""
        at = 0
        while at < sound.length:
            samples = sound.read(at, at + _LONGEST)
            last = at + len(samples) >= sound.length
            size = len(samples) if last else _cut(samples)
            yield self._piece(samples[:size], at, last)
            at += size

    def _piece(self, samples: FloatArray, start: int, last: bool) -> Piece:
        end = start + len(samples)
        if float(np.abs(samples).max(initial=0.0)) < SILENT:
            return Piece(end, (), True)
        words = self._following(samples, start, last)
        straight = self._laid(samples, start, words) if words else None
        if straight is not None and straight.likely:
            return Piece(end, self._taken(straight, len(words)), True)
        return self._searched(samples, start, straight, len(words))

    def _laid(self, samples: FloatArray, start: int, words: list[str]) -> Alignment | None:
        """Align the words as the dictionary says them, and where that fits badly, as in England."""
        straight = self._aligner.align(samples, start, words)
        if straight is not None and not straight.likely:
            other = self._aligner.align(samples, start, words, british=True)
            if other is not None and other.scores.mean() > straight.scores.mean():
                return other
        return straight

    def _following(self, samples: FloatArray, start: int, last: bool) -> list[str]:
        """Return the text's next words as far as the piece has them."""
        most = len(samples) * _WORDS_A_SECOND // RATE + 8
        words = [spoken.word for spoken in self._words[self._next : self._next + most]]
        if last and len(words) == len(self._words) - self._next:
            return words
        return words[: self._aligner.count(samples, start, words)]

    def _taken(self, straight: Alignment, count: int) -> tuple[Mark, ...]:
        marks = self._marks([(self._next + word.place, word) for word in straight.words])
        self._next += count
        return marks

    def _searched(
        self, samples: FloatArray, start: int, straight: Alignment | None, count: int
    ) -> Piece:
        """Listen first; if that contradicts the text, align what is in both and what is not."""
        end = start + len(samples)
        pcm = prepare(samples, start, self._aligner.floor)
        listened = self._aligner.recognizer.words(pcm)
        heard = [word for word in listened if word.place is not None]
        free = self._aligner.align(samples, start, [_entry(word) for word in heard])
        if straight is not None and not (free and straight.contradicted(free)):
            return Piece(end, self._taken(straight, count), True)
        ahead = self._words[self._next : self._next + _SEARCH]
        written = [self._aligner.ways(spoken.word)[0] for spoken in ahead]
        said = merge([tuple(p.text for p in w.phones) for w in heard], written)
        mixed = self._mixed(samples, start, said, heard)
        if mixed is not None:
            return Piece(end, mixed, True)
        return Piece(end, hear(self._aligner, samples, start, heard), False)

    def _mixed(
        self, samples: FloatArray, start: int, said: list[Said], heard: list[Word]
    ) -> tuple[Mark, ...] | None:
        """Align the text's words together with those that are only heard."""
        places = [self._next + item.place if item.written else -1 for item in said]
        if max(places, default=-1) < 0:
            return None
        words = [
            self._words[place].word if item.written else _entry(heard[item.place])
            for place, item in zip(places, said, strict=True)
        ]
        result = self._aligner.align(samples, start, words)
        if result is None:
            return None
        self._next = max(places) + 1
        return self._marks([(places[word.place], word) for word in result.words])

    def _marks(self, found: list[tuple[int, Aligned]]) -> tuple[Mark, ...]:
        """Return phones, and a mark for each token: from its first spoken word to its last."""
        spans: dict[int, tuple[int, int]] = {}
        marks: list[Mark] = []
        for place, word in found:
            marks += word.phones
            if place >= 0:
                of = self._words[place].token
                start, end = word.span
                spans[of] = (spans.get(of, (start, 0))[0], end)
        self._said.update(spans)
        for i, (start, end) in spans.items():
            token = self._script.tokens[i]
            marks.append(Mark("word", token.text, start, end, token.chars))
        return tuple(marks)


def _entry(word: Word) -> str:
    return word.text.split("(")[0]


def _cut(samples: FloatArray) -> int:
    """Return where a piece should end: in the middle of its quietest quarter second."""
    power = np.square(samples[_SHORTEST:].astype(np.float64))
    total = np.concatenate([[0.0], np.cumsum(power)])
    steps = np.arange(0, len(power) - _PAUSE, 160)
    quiet = total[steps + _PAUSE] - total[steps]
    # Rounded, so that of equally quiet places the last is taken: longer pieces are better.
    quiet = np.round(np.log10(quiet / _PAUSE + 1e-10), 1)
    best = len(quiet) - 1 - int(quiet[::-1].argmin())
    return _SHORTEST + int(steps[best]) + _PAUSE // 2
