"""The extractor of live sound: the published features, normalised by running statistics.

Row k needs sound up to 50 ms after its beginning (four columns of derivatives and half a window).
Any cut of the sound gives the same rows; only the normalisation differs from a clip's.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from facewire.errors import InputError
from facewire.stages import FeatureExtractor
from facewire.types import Audio, Context, Features, FloatArray
from numpy.lib.stride_tricks import sliding_window_view

from facewire_neurosync.autocorrelation import LAGS, autocorrelation, mend_edges
from facewire_neurosync.features import DIM, columns_in, pairs, rows_in
from facewire_neurosync.mel import COEFFICIENTS, HALF, HOP, RATE, SIZE, decibels, inner_derivatives
from facewire_neurosync.plugin import ExtractorConfig
from facewire_neurosync.running import Guess, Running, measured, usual

FPS = Fraction(60)
_LEAST = 1e-14  # power: -140 dB, below what 24 bits hold
_CEPSTRA, _MEANS, _SPREADS = (slice(i * COEFFICIENTS, (i + 1) * COEFFICIENTS) for i in range(3))


def calibrated(path: Path) -> Guess:
    """Return the guess of a recording; InputError if it is not one or is silent."""
    from facewire.resample import AudioResampler
    from facewire.sources import AudioFile

    source = AudioFile(path)
    resampler = AudioResampler(source.rate or RATE, RATE, FPS)
    pieces = [
        resampler.push(block).samples for block in source.blocks() if isinstance(block, Audio)
    ]
    samples = np.concatenate([*pieces, resampler.flush().samples])
    if len(samples) < RATE or not np.abs(samples).max() > 1e-4:
        raise InputError(f"{path}: expected a second of speech or more to calibrate with")
    return measured(samples)


class LiveExtractor(FeatureExtractor):
    """Gives rows 50 ms after their sound, normalised by what was heard so far."""

    rate, fps, dim = RATE, FPS, DIM
    lookahead = (HALF + 2) * HOP
    exact_streaming = False  # it differs from the clip's features, though not by the cut

    def __init__(self, config: ExtractorConfig, context: Context) -> None:
        if config.calibration:
            path = Path(context.base, config.calibration)
            self._guess = context.shared(f"neurosync {path.resolve()}", lambda: calibrated(path))
        else:
            self._guess = usual()
        self.reset()

    def reset(self) -> None:
        """Forget all input; the calibration stays."""
        self._running = Running(self._guess)
        self._samples = np.zeros(HOP, np.float32)  # from the next column's window on
        self._total = self._heard = self._given = 0  # samples, columns heard, rows given
        # cepstra, means and spreads of the last columns; lags of those not given yet
        self._told = np.zeros((0, 3 * COEFFICIENTS))
        self._lags = np.zeros((0, LAGS))

    def push(self, audio: Audio) -> Features:
        """Return the rows whose sound, and 50 ms more, is there."""
        self._samples = np.concatenate([self._samples, audio.samples])
        self._total += len(audio)
        if self._heard or len(self._samples) > SIZE:  # the first window needs one sample more
            self._hear(len(self._samples) // HOP - 1)
        rows = max(0, self._heard - HALF) // 2 - self._given
        return self._give(max(0, rows), audio)

    def _hear(self, count: int) -> None:
        """Compute the next columns, as many as there is sound for, or 192 at a time."""
        while count > 0:
            size = min(count, 192)
            windows = sliding_window_view(self._samples, SIZE)[::HOP][:size]
            mel = decibels(windows, _LEAST)
            told = self._running.push(mel, np.abs(windows).max(axis=1))
            self._told = np.concatenate([self._told, np.concatenate(told, axis=1)])
            lags = autocorrelation(windows)
            if self._heard == 0:
                lags[:1] = autocorrelation(self._mirrored()[None])
            self._lags = np.concatenate([self._lags, lags])
            self._samples = self._samples[size * HOP :]
            self._heard += size
            count -= size

    def _mirrored(self) -> FloatArray:
        """Return the first window with its beginning mirrored, if there is sound enough."""
        sound = self._samples[HOP:]
        if len(sound) <= HOP:
            return self._samples[:SIZE]
        return np.concatenate([sound[HOP:0:-1], sound[:HOP]])

    def _give(self, rows: int, audio: Audio) -> Features:
        first = self._given
        values = self._rows(rows) if rows else np.zeros((0, DIM), np.float32)
        self._given += rows
        return Features(values, FPS, first, RATE, audio.marks)

    def _rows(self, rows: int) -> FloatArray:
        """Return the next rows; ``_told`` begins four columns before them (at first: at them)."""
        columns = min(2 * rows, len(self._lags))
        told = self._told
        if self._given == 0:
            told = np.pad(told, ((HALF, 0), (0, 0)), "edge")
            mend_edges(self._lags, first=True, last=False)
        missing = columns + 2 * HALF - len(told)
        told = np.pad(told, ((0, max(0, missing)), (0, 0)), "edge")
        cepstra = told[: columns + 2 * HALF, _CEPSTRA]
        newest = told[2 * HALF : columns + 2 * HALF]  # what is known four columns later
        spread = newest[:, _SPREADS]
        slope, bend = inner_derivatives(cepstra)
        plain = (cepstra[HALF : HALF + columns] - newest[:, _MEANS]) / spread
        parts = (plain, slope / spread, bend / spread, self._lags[:columns])
        self._told, self._lags = told[columns:], self._lags[columns:]
        return np.concatenate([pairs(part) for part in parts], axis=1).astype(np.float32)

    def flush(self) -> Iterator[Features]:
        """Yield the remaining rows; beyond its end the sound is silent."""
        left = columns_in(self._total) - self._heard if self._total else 0
        if left > 0:
            self._samples = np.pad(self._samples, (0, SIZE + HOP))
            self._hear(left)
        if self._total:
            yield self._give(rows_in(self._total) - self._given, Audio(self._samples[:0], RATE))
        self.reset()
