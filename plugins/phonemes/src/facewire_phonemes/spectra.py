"""Cepstra that two voices can be compared by: a recording's, and a recital's of the same text."""

from __future__ import annotations

from functools import cache

import numpy as np
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_phonemes.recognizer import RATE
from facewire_phonemes.transcript import Spool

Array = NDArray[np.float64]

HOP = 160
"""Samples a frame, 10 ms; frame k is the sound around sample 160 k + 80."""
_WINDOW = 400
_FFT = 512
_BANDS = 26
_LOW, _HIGH = 100.0, 7000.0
_CEPSTRA = 9
_ROWS = 1024  # frames at a time: 5 MB
_LEAST = 1e-3  # of a band's usual power, 30 dB down: what is under that differs by chance
_RANGE_DB = 60.0  # below the loudest: what is quieter is as good as silence
_QUIET = 0.25  # of the way from the floor to the top of the level


@cache
def _filters(size: float) -> Array:
    """Return triangles (257, 26) that are even in mel (O'Shaughnessy, 1987), at 1 / ``size``."""
    ends = 1127.0 * np.log1p(np.array([_LOW, _HIGH]) / 700.0)
    edges = 700.0 * np.expm1(np.linspace(ends[0], ends[1], _BANDS + 2) / 1127.0)
    bins = np.arange(_FFT // 2 + 1)[:, None] * (RATE / _FFT) * size
    up = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    shape: Array = np.maximum(np.minimum(up, down), 0.0)
    return shape


@cache
def _cosines() -> Array:
    """Return the discrete cosine transform (26, 9), orthonormal; column 0 is the level."""
    at = (np.arange(_BANDS)[:, None] + 0.5) * np.arange(_CEPSTRA)
    return np.asarray(np.cos(np.pi * at / _BANDS) * np.sqrt(2.0 / _BANDS), np.float64)


def powers(sound: Spool, centres: NDArray[np.intp], size: float = 1.0) -> FloatArray:
    """Return the power in each band around ``centres`` (n,), ascending: (n, 26).

    With ``size`` above 1 as if the speaker's formants were so many times as high: a shorter vocal
    tract (Lee and Rose, IEEE Trans. Speech and Audio Processing, 1998).
    """
    parts = [np.zeros((0, _BANDS), np.float32)]
    for at in range(0, len(centres), _ROWS):
        here = centres[at : at + _ROWS] - _WINDOW // 2
        first, end = int(here[0]), int(here[-1]) + _WINDOW
        read = sound.read(max(first, 0), end)
        held = np.zeros(end - first, np.float32)
        held[max(-first, 0) :][: len(read)] = read
        windows = np.lib.stride_tricks.sliding_window_view(held, _WINDOW)[here - first]
        spectrum = np.fft.rfft(windows * np.hanning(_WINDOW), _FFT)
        parts.append(((spectrum.real**2 + spectrum.imag**2) @ _filters(size)).astype(np.float32))
    return np.concatenate(parts)


def levels(power: FloatArray) -> Array:
    """Return how loud frames are: 0 at the recording's floor, 1 at its top, (n,)."""
    db = 10.0 * np.log10(power.sum(axis=1, dtype=np.float64) + 1e-10)
    floor, top = np.percentile(db, [5, 95]) if len(db) else (0.0, 0.0)
    floor = max(floor, top - _RANGE_DB)
    return np.asarray(np.clip((db - floor) / max(top - floor, 1.0), 0.0, 1.0), np.float64)


def silent(level: Array) -> NDArray[np.bool_]:
    """Say which frames hold no speech, by their level (n,)."""
    return level < _QUIET


def comparable(
    recording: FloatArray, quiet: NDArray[np.bool_], recital: FloatArray
) -> tuple[Array, Array]:
    """Return the features of both, (n, 18) and (m, 18).

    Each band is taken against its usual power in speech, which takes out the room, the microphone
    and the voice's timbre. What the recording's noise would hide is hidden in the recital too.
    """
    speech = ~quiet if (~quiet).any() else np.ones(len(recording), bool)
    usual = recording[speech].mean(axis=0, dtype=np.float64) + 1e-12
    noise = np.percentile(recording, 10, axis=0) / usual
    noise = np.clip(noise, _LEAST, 1.0)
    heard = _cepstra(recording / usual + noise)
    said = _cepstra(recital / (recital.mean(axis=0, dtype=np.float64) + 1e-12) + noise)
    at_heard = heard[speech].mean(axis=0), heard[speech].std(axis=0) + 1e-3
    at_said = said.mean(axis=0), said.std(axis=0) + 1e-3
    return (
        _with_slopes((heard - at_heard[0]) / at_heard[1]),
        _with_slopes((said - at_said[0]) / at_said[1]),
    )


def _cepstra(power: Array) -> Array:
    return np.asarray(np.log(power) @ _cosines(), np.float64)


def _with_slopes(rows: Array) -> Array:
    """Append how each value changes over five frames (Furui, 1986), scaled alike."""
    if not len(rows):
        return np.concatenate([rows, rows], axis=1)
    padded = np.pad(rows, ((2, 2), (0, 0)), mode="edge")
    slopes = (2 * (padded[4:] - padded[:-4]) + padded[3:-1] - padded[1:-3]) / 10.0
    return np.concatenate([rows, 1.5 * slopes], axis=1)
