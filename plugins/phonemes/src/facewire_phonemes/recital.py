"""A transcript as a voice recites it: sound, phones and words, and the frames to compare by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from facewire.resample import AudioResampler
from facewire.types import Audio, Mark
from numpy.typing import NDArray

from facewire_phonemes.recognizer import RATE
from facewire_phonemes.transcript import Spool

_FPS = Fraction(60)
_GAP = 400  # samples between two phones that are not a pause yet


class States(NamedTuple):
    """Where a recital is compared: samples (n,), ascending, and which of them end a word."""

    centres: NDArray[np.intp]
    last: NDArray[np.bool_]


class Recital:
    """All that the voice said, at 16 kHz; ``phones`` and ``words`` in the order of time."""

    def __init__(self, pieces: Iterable[Audio]) -> None:
        self.sound = Spool()
        marks: list[Mark] = []
        resampler: AudioResampler | None = None
        for piece in pieces:
            resampler = resampler or AudioResampler(piece.rate, RATE, _FPS)
            marks += self._kept(resampler.push(piece))
        if resampler:
            marks += self._kept(resampler.flush())
        marks.sort(key=lambda mark: mark.start)
        self.phones = _apart([mark for mark in marks if mark.kind == "phone"])
        self.words = [mark for mark in marks if mark.kind == "word" and mark.end > mark.start]
        self.spoken = sum(phone.end - phone.start for phone in self.phones)

    def states(self, hop: float) -> States:
        """Return a state for every ``hop`` samples of speech; pauses have none."""
        starts = {word.start for word in self.words}
        runs: list[list[int]] = []
        for phone in self.phones:
            if runs and phone.start - runs[-1][1] <= _GAP and phone.start not in starts:
                runs[-1][1] = phone.end
            else:
                runs.append([phone.start, phone.end])
        counts = [max(round((end - start) / hop), 1) for start, end in runs]
        centres = [
            start + (np.arange(count) + 0.5) * ((end - start) / count)
            for (start, end), count in zip(runs, counts, strict=True)
        ]
        last = np.zeros(sum(counts), bool)
        last[np.cumsum(counts) - 1] = True
        return States(np.concatenate(centres).astype(np.intp), last)

    def close(self) -> None:
        """Let the sound go."""
        self.sound.close()

    def _kept(self, audio: Audio) -> Sequence[Mark]:
        self.sound.push(audio.samples)
        return audio.marks


def _apart(phones: list[Mark]) -> list[Mark]:
    """Return the phones that have a length, none beginning before the last one's end."""
    out: list[Mark] = []
    for phone in phones:
        start = max(phone.start, out[-1].end if out else 0)
        if phone.end > start:
            out.append(Mark("phone", phone.text, start, phone.end, confidence=phone.confidence))
    return out
