"""The acoustic model of the pocketsphinx wheel: hear phones and words, and align words to sound.

One ``Recognizer`` serves all sessions of a process. Every piece is decoded afresh, so that equal
samples give equal phones whatever was decoded before: the feature front end is set anew each time
(without that, cepstral means leak from one utterance into the next). The mean over the piece is
computed first and the piece is then searched in short steps, because a call into pocketsphinx
holds Python's global lock: a window of 3 s searched in one call stops every other thread (a sink's
pacer among them) for 0.13 s, a step for 1 to 5 ms. The phones are the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from facewire.types import FloatArray
from numpy.typing import NDArray

RATE = 16000
FRAME = 160  # samples between the recogniser's frames
PAD = 4000  # 0.25 s of quiet noise before and after each piece
# Against the exact phone times of a synthesiser (flite slt, rms, awb; 523 phones) boundaries come
# out 5 ms early in the median.
_LATE = 80
_STEP = 320  # bytes: 10 ms
_SECOND = 32000
_PEAK = 0.5  # what a piece's peak is brought to, so that quiet recordings keep their bits
_MOST_GAIN = 300.0
_NOISE_LSB = 3  # digital silence has no spectrum; a few bits of noise give it one
_FILLERS = ("<", "[", "+", "(")  # silence, noise, and the grammar's empty arcs

Pcm = NDArray[np.int16]
Plain = tuple[str, ...]
"""A pronunciation in phones without stress digits."""


class Phone(NamedTuple):
    """A phone without stress digit, in samples of the piece.

    ``score`` is its mean acoustic log-likelihood a frame against the best the model has, in the
    decoder's units: 0 is perfect, -10 usual, -50 wrong. 0 where it is not known.
    """

    text: str
    start: int
    end: int
    score: float = 0.0


class Word(NamedTuple):
    """A word found in the sound, or silence or noise (``place`` None), with its phones.

    ``place`` counts the words from 0. ``text`` is the dictionary's entry (``can(2)``).
    """

    place: int | None
    text: str
    phones: tuple[Phone, ...]


def noise(generator: np.random.Generator) -> Pcm:
    """Return a stretch of noise of a few bits, (2**16,); it is laid on the absolute sample grid."""
    return generator.integers(-_NOISE_LSB, _NOISE_LSB + 1, 1 << 16).astype(np.int16)


def prepare(samples: FloatArray, start: int, floor: Pcm, pad: int = PAD) -> Pcm:
    """Bring a piece (n,) to the recogniser's level, pad it and add ``floor``: (n + 2 pad,) int16.

    The gain is the piece's own and the noise hangs on the absolute index ``start``, so neither
    depends on how the stream was cut.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    gain = min(_PEAK / peak, _MOST_GAIN) if peak > 0 else 1.0
    at = np.arange(start - pad, start + len(samples) + pad) % len(floor)
    out = floor[at].astype(np.float64)
    out[pad : pad + len(samples)] += samples.astype(np.float64) * (gain * 32767)
    return np.rint(out).astype(np.int16)


class Recognizer:
    """Decoders, each made when first used. Safe for several threads: each works in turn."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def phones(self, pcm: Pcm) -> list[Phone]:
        """Return the phones heard in a prepared piece; silence is SIL, noise begins with +."""
        with self._lock:
            self._search(self._allphone, pcm)
            return [
                _phone(seg.word, seg.start_frame, seg.end_frame + 1 - seg.start_frame)
                for seg in self._allphone.seg() or ()
            ]

    def words(self, pcm: Pcm) -> list[Word]:
        """Return the English words heard in a prepared piece, from the wheel's language model.

        Its phones are much better than free ones (see the package's README), at five times the
        cost.
        """
        with self._lock:
            self._dictation.activate_search()
            self._search(self._dictation, pcm)
            return self._in_detail(self._dictation, pcm)

    def align(self, pcm: Pcm, words: Sequence[Sequence[Plain]]) -> list[Word] | None:
        """Return when each of ``words`` (the ways to say it) is said in a prepared piece.

        None if the words cannot be laid over the sound at all.
        """
        if not words:
            return None
        with self._lock:
            self._grammar(self._aligner, words, len(words))
            self._search(self._aligner, pcm)
            found = self._in_detail(self._aligner, pcm)
        return found if sum(word.place is not None for word in found) == len(words) else None

    def count(self, pcm: Pcm, words: Sequence[Sequence[Plain]]) -> int:
        """Return how many of ``words``, from the first on, are said in a prepared piece."""
        if not words:
            return 0
        with self._lock:
            self._grammar(self._aligner, words, 1)
            self._search(self._aligner, pcm)
            return sum(not seg.word.startswith(_FILLERS) for seg in self._aligner.seg() or ())

    @cached_property
    def _allphone(self) -> Any:
        from pocketsphinx import get_model_path

        model = get_model_path("en-us/en-us-phone.lm.bin")
        # Of language weights 1 to 5 the one with the fewest errors. Beams of 1e-20 find no more
        # bilabials and cost a third more.
        return _decoder(allphone=model, lw=2.0, pip=0.3, beam=1e-10, pbeam=1e-10)

    @cached_property
    def _dictation(self) -> Any:
        # The second search over the lattice would run in one call at the end, holding the lock.
        return _decoder(fwdflat=False)

    @cached_property
    def _aligner(self) -> Any:
        # Beams wide enough that what is said unclearly still has a path.
        return _decoder(lm=None, dict=None, beam=1e-80, pbeam=1e-80, wbeam=1e-60)

    @cached_property
    def _means(self) -> Any:
        # Cepstral means alone are wanted of this one: one frame in 100,000 is scored.
        decoder = _decoder(lm=None, dict=None, ds=100_000)
        self._grammar(decoder, [[("SIL",)]], 1)
        return decoder

    def _grammar(self, decoder: Any, words: Sequence[Sequence[Plain]], end: int) -> None:
        arcs: list[tuple[Any, ...]] = [(i, len(words), 1.0) for i in range(max(end, 1), len(words))]
        for i, ways in enumerate(words):
            for phones in dict.fromkeys(ways):
                name = "_".join(phones)
                if decoder.lookup_word(name) is None:
                    decoder.add_word(name, " ".join(phones))
                arcs.append((i, i + 1, 1.0 / len(ways), name))
        decoder.add_fsg("words", decoder.create_fsg("words", 0, len(words), arcs))
        decoder.activate_search("words")

    def _search(self, decoder: Any, pcm: Pcm) -> None:
        data = pcm.tobytes()
        self._means.reinit_feat()
        self._means.start_utt()
        self._means.process_raw(data, no_search=True, full_utt=True)
        mean = self._means.get_cmn()
        self._means.end_utt()
        decoder.reinit_feat()
        decoder.start_utt()
        for at in range(0, len(data), _STEP):
            if at % _SECOND == 0:  # or the mean drifts away from the piece's after 3 s
                decoder.set_cmn(mean)
            decoder.process_raw(data[at : at + _STEP])
        decoder.end_utt()

    def _in_detail(self, decoder: Any, pcm: Pcm) -> list[Word]:
        """Search again for the phones of the words just found."""
        if not list(decoder.seg() or ()):
            return []
        try:
            decoder.set_alignment()
        except RuntimeError:
            return []
        self._search(decoder, pcm)
        return _words(decoder.get_alignment() or ())


def _decoder(**options: Any) -> Any:
    from pocketsphinx import Decoder

    return Decoder(bestpath=False, loglevel="FATAL", **options)


def _phone(text: str, start: int, frames: int, score: float = 0.0) -> Phone:
    at = start * FRAME - PAD + _LATE
    return Phone(text, at, at + frames * FRAME, score / max(frames, 1))


def _words(alignment: Any) -> list[Word]:
    out: list[Word] = []
    count = 0
    for entry in alignment:
        phones = tuple(_phone(p.name, p.start, p.duration, float(p.score)) for p in entry)
        speech = not entry.name.startswith(_FILLERS)
        out.append(Word(count if speech else None, entry.name, phones))
        count += speech
    return out


def shared(share: Callable[[str, Callable[[], Any]], Any]) -> Recognizer:
    """Return the process's recogniser, through a context's ``shared``."""
    recognizer: Recognizer = share("facewire_phonemes.recognizer", Recognizer)
    return recognizer
