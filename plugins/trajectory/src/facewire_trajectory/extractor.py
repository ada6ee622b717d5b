"""The features: log-mel rows, with the phones a voice marked, or that were found in the sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np
from facewire.errors import FacewireError, InputError
from facewire.resample import AudioResampler
from facewire.stages import FeatureExtractor
from facewire.types import Audio, Context, Features, FloatArray, Mark

from facewire_trajectory.config import MelConfig
from facewire_trajectory.mel import BANDS, BEFORE, HOP, RATE, WINDOW, Mel

FPS = Fraction(60)
_RESAMPLED = 1200  # samples, 50 ms: what resampling and a window keep back


class MelExtractor(FeatureExtractor):
    """64 values a row: log(power + 1e-6) of mel bands from 50 to 7600 Hz. Marks are passed on."""

    rate, fps, dim = RATE, FPS, BANDS
    lookahead: int | None = WINDOW - BEFORE

    def __init__(self) -> None:
        self._mel = Mel()
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._mel.reset()
        self._row = 0
        self._marks: list[Mark] = []

    def push(self, audio: Audio) -> Features:
        """Return the rows that are final."""
        self._marks += audio.marks
        return self._hand_on(self._mel.push(audio.samples))

    def flush(self) -> Iterator[Features]:
        """Yield the remaining rows."""
        yield self._hand_on(self._mel.flush(), last=True)

    def _hand_on(self, values: FloatArray, last: bool = False) -> Features:
        start, self._row = self._row, self._row + len(values)
        due = tuple(m for m in self._marks if last or m.start < self._row * HOP)
        if due:
            self._marks = [m for m in self._marks if not last and m.start >= self._row * HOP]
        return Features(values, FPS, start, RATE, due)


class PhonedExtractor(MelExtractor):
    """The same rows with the phones that the plugin ``phonemes`` finds in the sound.

    Rows wait for their phones: with a transcript until the end of the sound. Where it cannot be
    aligned (``report`` says why) they come without.
    """

    def __init__(self, phones: FeatureExtractor) -> None:
        self._phones = phones
        self.lookahead = None
        if phones.lookahead is not None:
            self.lookahead = _RESAMPLED + phones.lookahead * RATE // phones.rate
        super().__init__()

    def reset(self) -> None:
        """Forget all input."""
        super().reset()
        self._phones.reset()
        self._resampler = AudioResampler(RATE, self._phones.rate, FPS)
        self._waiting: list[FloatArray] = []
        self._given: dict[Mark, Mark] = {}  # as the recogniser names them: as they came
        self._known = 0
        self._why = ""

    def push(self, audio: Audio) -> Features:
        """Return the rows whose phones are known: none, unless the voice marked them."""
        self._waiting.append(self._mel.push(audio.samples))
        self._given |= {mark.rescaled(RATE, self._phones.rate): mark for mark in audio.marks}
        self._listen(lambda: [self._phones.push(self._resampler.push(audio))])
        return self._due()

    def flush(self) -> Iterator[Features]:
        """Yield the remaining rows."""
        self._waiting.append(self._mel.flush())
        self._listen(lambda: [self._phones.push(self._resampler.flush())])
        self._listen(self._phones.flush)
        self._known = self._row + sum(len(rows) for rows in self._waiting)
        yield self._due(last=True)

    def report(self) -> Sequence[str]:
        """Return what the alignment says, or why there is none."""
        failed = f"warning: the transcript was not aligned: {self._why}"
        return [failed] if self._why else self._phones.report()

    def _listen(self, heard: Callable[[], Iterable[Features]]) -> None:
        """Take phones and the rows that are final; an input that cannot be aligned has none."""
        if self._why:
            return
        try:
            for features in heard():
                self._known += len(features)
                for mark in features.marks:
                    given = self._given.pop(mark, None)  # exact: a sample may move a lip
                    self._marks.append(given or mark.rescaled(features.rate, RATE))
        except InputError as error:
            self._why, self._marks = str(error), []

    def _due(self, last: bool = False) -> Features:
        rows = np.concatenate([np.zeros((0, BANDS), np.float32), *self._waiting])
        count = len(rows) if self._why else min(len(rows), self._known - self._row)
        self._waiting = [rows[count:]] if count < len(rows) else []
        return self._hand_on(rows[:count], last)


def make(config: MelConfig, context: Context) -> MelExtractor:
    """Return the extractor: one that finds phones where a run waits for them.

    Without a transcript they are heard in English alone.
    """
    if config.mode == "marks" or (context.causal and config.mode != "live"):
        return MelExtractor()
    told = bool(context.transcript and context.transcript.strip()) and not context.causal
    if not (told or context.english):
        return MelExtractor()
    try:
        phones = context.build("features", "phonemes")
    except FacewireError:  # not installed
        return MelExtractor()
    assert isinstance(phones, FeatureExtractor)
    return PhonedExtractor(phones)
