"""Audio to phone marks and loudness, by the best way there is.

1. A voice's phone marks are passed on, exact and without delay.
2. Word marks alone: each word's phones are aligned within the word.
3. A transcript (not live): aligned to the whole recording, in pieces. In another language than
   English by a recital: a voice with phone marks says it, and is matched with the recording.
4. Otherwise phones are decoded from sound, in windows on the absolute sample grid.

Which way is taken is decided for every span of the grid from marks near it, so that it does not
depend on how the audio was cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from facewire.errors import InputError
from facewire.stages import FeatureExtractor
from facewire.types import (
    Audio,
    Context,
    Features,
    FloatArray,
    Mark,
    first_sample,
    frames_within,
)

from facewire_phonemes import languages, recognizer
from facewire_phonemes.align import Aligner
from facewire_phonemes.config import ExtractorConfig
from facewire_phonemes.laid import RecitedAligner
from facewire_phonemes.lexicon import Dictionary, Lexicon
from facewire_phonemes.log import Log, listed
from facewire_phonemes.loudness import WINDOW as LEVEL_WINDOW
from facewire_phonemes.loudness import Loudness
from facewire_phonemes.recital import Recital
from facewire_phonemes.spans import Spans
from facewire_phonemes.text import read, without_asides
from facewire_phonemes.transcript import Spool, TranscriptAligner, halved
from facewire_phonemes.window import (
    AHEAD,
    HOP_FILE,
    HOP_LIVE,
    WINDOW_FILE,
    WINDOW_LIVE,
    Grid,
    WindowDecoder,
)

RATE = recognizer.RATE
FPS = Fraction(60)
_BATCH = 1024  # rows a piece of the flushed tail
_CHUNK = 10 * RATE  # samples that are read back at a time
_PATIENCE = RATE  # samples without a mark after which a transcript must be aligned


class PhoneExtractor(FeatureExtractor):
    """Phones (ARPAbet, or the voice's own IPA) and words as marks, loudness as the one column.

    Loudness is the RMS level over 25 ms around the frame's beginning: 0 is -60 dBFS or less, 1 is
    0 dBFS.
    """

    rate = RATE
    fps = FPS
    dim = 1

    def __init__(self, config: ExtractorConfig, context: Context) -> None:
        self._mode = config.mode
        self._lang, self._english, self._recite = context.lang, context.english, context.recite
        text = context.transcript if config.mode == "auto" and not context.causal else None
        self._transcript = text if text and text.strip() else None
        self._given = context.transcript is not None and self._transcript is None
        if context.causal:
            self._grid = Grid(HOP_LIVE, WINDOW_LIVE, words=False)
        else:
            self._grid = Grid(HOP_FILE, WINDOW_FILE, words=self._english)
        self.lookahead: int | None = self._grid.hop + AHEAD
        if self._transcript is not None:
            self.lookahead = None
        if config.mode == "marks":
            self.lookahead = LEVEL_WINDOW // 2
        self._aligner = _aligner(context)
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._log = Log()
        self._loudness = Loudness(RATE, FPS)
        self._levels = np.zeros(0, np.float32)
        self._row = 0  # the next row to hand on
        self._total = 0
        self._marks: list[Mark] = []
        self._spool = Spool() if self._transcript is not None else None
        self._voice: Iterator[Audio] | None = None  # about to recite the transcript
        decoder = None if self._mode == "marks" else WindowDecoder(self._aligner, self._grid)
        self._spans = Spans(self._aligner, self._grid, decoder, self._log)

    def push(self, audio: Audio) -> Features:
        """Take audio at 16 kHz; return the rows that are final, with their marks."""
        samples = np.nan_to_num(audio.samples, nan=0.0, posinf=0.0, neginf=0.0)
        self._levels = np.concatenate([self._levels, self._loudness.push(samples)])
        self._total += len(samples)
        marks = () if self._mode == "decode" else audio.marks
        self._marks += marks
        if self._transcript is not None:  # so that it does not matter when marks come
            samples = halved(samples).astype(np.float32)
        if self._spool is not None:
            self._spool.push(samples)
            if not any(mark.kind in ("phone", "word") for mark in marks):
                if not self._english and self._total >= _PATIENCE:
                    self._ask_the_voice()
                return self._release(0)
        self._spans.take(marks)
        if self._spool is not None:
            samples = self._unspool(self._spool)
        self._marks += self._spans.push(samples)
        return self._release(self._spans.final)

    def flush(self) -> Iterator[Features]:
        """Yield the remaining rows: with a transcript all of them, piece by piece."""
        self._levels = np.concatenate([self._levels, self._loudness.flush()])
        if self._spool is not None:
            yield from self._transcribed(self._spool)
        else:
            self._marks += self._spans.flush()
        yield from self._rest()

    def report(self) -> Sequence[str]:
        """Say which ways phones were found, for how long, and what is not to be trusted."""
        lines = self._log.lines(self._lang)
        if not self._english and self._log.aligned:
            lines.append(languages.told(self._lang))
        if not self._english and self._log.heard:
            lines.append(
                f"warning: phones were decoded with an English model, but the language is "
                f"'{self._lang}': they are unmeasured; a voice's marks are exact in any language"
            )
        if self._aligner.lexicon.guessed:
            lines.append(f"spelled by rule: {listed(self._aligner.lexicon.guessed)}")
        if self._mode == "marks" and self._total and not self._log.told:
            lines.append("warning: no phones came with the audio; mode 'marks' needs a voice's")
        if self._given and self._log.heard and self._mode == "auto":
            lines.append("the transcript was not used: a live run cannot wait for the end")
        return lines

    def _ask_the_voice(self) -> Iterator[Audio]:
        """Return the transcript's recital, not begun; InputError where no voice can."""
        if self._voice is None:
            try:
                self._voice = self._recite(without_asides(self._transcript or "")[0])
            except InputError as error:
                raise InputError(f"transcript in '{self._lang}': {error}") from error
        if self._voice is None:
            raise InputError(
                f"transcript in '{self._lang}': found no voice to recite it, expected one with "
                "phone marks (the acoustic model is English); add 'pronounce: espeak' to the "
                "profile, or leave the transcript out"
            )
        return self._voice

    def _unspool(self, spool: Spool) -> FloatArray:
        """Go on as without a transcript, with what was kept: marks came after all."""
        self._spool = None
        for at in range(0, spool.length - _CHUNK, _CHUNK):
            self._marks += self._spans.push(spool.read(at, at + _CHUNK))
        rest = spool.read(max(0, (spool.length - 1) // _CHUNK) * _CHUNK, spool.length)
        spool.close()
        return rest

    def _transcribed(self, spool: Spool) -> Iterator[Features]:
        if self._english:
            script = read(self._transcript or "", self._aligner.lexicon.knows)
            work: TranscriptAligner | RecitedAligner = TranscriptAligner(self._aligner, script)
            skipped = script.skipped
        else:
            plain, skipped = without_asides(self._transcript or "")
            work = RecitedAligner(self._aligner, Recital(self._ask_the_voice()), plain)
        start = 0
        for piece in work.pieces(spool):
            self._marks += piece.marks
            self._log.piece(piece, start)
            start = piece.end
            yield self._release(piece.end)
        spool.close()
        self._log.script(skipped, work.missed)

    def _rest(self) -> Iterator[Features]:
        until = frames_within(self._total, RATE, FPS)
        for row in range(self._row, until, _BATCH):
            yield self._hand_on(min(row + _BATCH, until), last=row + _BATCH >= until)
        if self._marks:  # what begins behind the last row
            yield self._hand_on(until, last=True)

    def _release(self, final: int) -> Features:
        """Hand on the rows that end before sample ``final`` and whose level is known."""
        rows = min(final, self._total) * FPS.numerator // (RATE * FPS.denominator)
        return self._hand_on(min(rows, self._row + len(self._levels)))

    def _hand_on(self, until: int, last: bool = False) -> Features:
        count = max(until - self._row, 0)
        values, self._levels = self._levels[:count, None], self._levels[count:]
        start, self._row = self._row, self._row + count
        end = first_sample(self._row, RATE, FPS)
        ready = [mark for mark in self._marks if last or mark.start < end]
        if ready:
            self._marks = [mark for mark in self._marks if not last and mark.start >= end]
            ready.sort(key=lambda mark: (mark.start, mark.kind != "word", mark.end))
        return Features(values, FPS, start, RATE, tuple(ready))


def _aligner(context: Context) -> Aligner:
    dictionary = context.shared("facewire_phonemes.dictionary", Dictionary)
    lexicon = Lexicon(dictionary, context.pronounce)
    floor = recognizer.noise(context.random("phonemes.noise"))
    return Aligner(recognizer.shared(context.shared), lexicon, floor)
