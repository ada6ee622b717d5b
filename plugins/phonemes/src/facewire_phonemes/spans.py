"""Which way phones come about, span by span: a voice's marks, a voice's words, or listening."""

from __future__ import annotations

import numpy as np
from facewire.types import FloatArray, Mark

from facewire_phonemes.align import Aligner
from facewire_phonemes.log import Log
from facewire_phonemes.recognizer import RATE
from facewire_phonemes.window import AHEAD, Grid, WindowDecoder

_AFTER = RATE  # a voice is still taken to be speaking 1 s after its last mark
_LONGEST_WORD = 3 * RATE  # a longer one (a spelled number, an error) is not waited for


class Spans:
    """Decides and works through the spans of the grid as sound and marks come in."""

    def __init__(
        self, aligner: Aligner, grid: Grid, decoder: WindowDecoder | None, log: Log
    ) -> None:
        self._aligner, self._grid, self._decoder, self._log = aligner, grid, decoder, log
        self._wait = min(_LONGEST_WORD, grid.hop + AHEAD)
        self._held = np.zeros(0, np.float32)
        self._from = 0
        self._span = 0
        self._voice: list[Mark] = []  # a voice's phones and words that may still matter
        self._words: list[Mark] = []  # its words whose phones are not yet known

    @property
    def _total(self) -> int:
        return self._from + len(self._held)

    @property
    def final(self) -> int:
        """The sample before which no further phone of ours will begin."""
        spans = self._total if self._decoder is None else self._span * self._grid.hop
        return min([spans, *(word.start for word in self._words)])

    def take(self, marks: tuple[Mark, ...]) -> None:
        """Take marks of a voice, in samples."""
        known = [mark for mark in marks if mark.kind in ("phone", "word")]
        self._voice += known
        self._words += [mark for mark in known if mark.kind == "word"]
        self._log.phones(sum(mark.end - mark.start for mark in known if mark.kind == "phone"))

    def push(self, samples: FloatArray) -> list[Mark]:
        """Take sound; return the phones that were found by it."""
        self._held = np.concatenate([self._held, samples])
        return self._work(ended=False)

    def flush(self) -> list[Mark]:
        """Return the phones of what is left."""
        return self._work(ended=True)

    def _work(self, ended: bool) -> list[Mark]:
        found = self._pronounced(ended)
        while self._decoder is not None and self._span * self._grid.hop < self._total:
            marks = self._decided(self._decoder, ended)
            if marks is None:
                break
            found += marks
            self._span += 1
        self._forget()
        return found

    def _decided(self, decoder: WindowDecoder, ended: bool) -> tuple[Mark, ...] | None:
        """Return the phones of the next span, or None if it is too early to say."""
        start, end = self._span * self._grid.hop, (self._span + 1) * self._grid.hop
        if any(m.start < end + AHEAD and m.end + _AFTER > start for m in self._voice):
            decoder.skip(end)
            return ()
        if self._total < end + AHEAD and not ended:
            return None
        a, b = self._grid.window(self._span, self._total if ended else None)
        stop = min(end, self._total)
        samples = self._held[a - self._from : b - self._from]
        marks = decoder.span(self._span, samples, a, stop)
        self._log.decoded(stop - start, bool(marks))
        return marks

    def _pronounced(self, ended: bool) -> list[Mark]:
        """Return the phones of words that are complete and for which the voice has none."""
        found: list[Mark] = []
        left = []
        for word in self._words:
            if any(m.kind == "phone" and word.start <= m.start < word.end for m in self._voice):
                continue
            long = word.end - word.start > self._wait
            if not long and self._total < word.end and not ended:
                left.append(word)
                continue
            found += self._phones(word, long)
        self._words = left
        return found

    def _phones(self, word: Mark, long: bool) -> tuple[Mark, ...]:
        text = self._aligner.spoken(word.text)
        start, end = word.start, min(word.end, max(self._total, word.start))
        if not text or word.end <= word.start:
            return ()
        self._log.words(word.end - word.start)
        if long or word.end > self._total:
            return self._aligner.shares(text, start, word.end)
        return self._aligner.within(self._held[start - self._from : end - self._from], start, text)

    def _forget(self) -> None:
        """Drop sound and marks that no span and no word needs any more."""
        span = self._total if self._decoder is None else self._span * self._grid.hop
        oldest = min([self._total, *(word.start for word in self._words)])
        if self._decoder is not None:
            oldest = min(oldest, span + self._grid.hop + AHEAD - self._grid.length)
        keep = max(oldest - self._wait, self._from)  # a word may be told of a little late
        if keep - self._from > RATE:
            self._held, self._from = self._held[keep - self._from :].copy(), keep
        self._voice = [m for m in self._voice if m.end + _AFTER > min(span, self._total) - RATE]
