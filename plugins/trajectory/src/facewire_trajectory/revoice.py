"""The same words in another voice source: a whisper, a creak. The vocal tract stays."""

from __future__ import annotations

import numpy as np
import soxr
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_trajectory.mel import RATE

Random = np.random.Generator
_SIZE, _STEP = 512, 128
_SMOOTH = 36  # cepstral coefficients kept: the tract, not the pitch


def _frames(samples: FloatArray) -> NDArray[np.complex128]:
    padded = np.concatenate([np.zeros(_SIZE), samples, np.zeros(2 * _SIZE)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_STEP]
    return np.fft.rfft(windows * np.hanning(_SIZE))


def revoiced(samples: FloatArray, source: FloatArray) -> FloatArray:
    """Return the source (n,) under the changing spectral envelope of samples (n,)."""
    log = np.log(np.abs(_frames(samples)) + 1e-5)
    cepstrum = np.fft.irfft(log)  # (frames, 512)
    cepstrum[:, _SMOOTH : _SIZE - _SMOOTH + 1] = 0.0
    envelope = np.exp(np.fft.rfft(cepstrum).real)
    other = _frames(source)
    power = np.sqrt((np.abs(other) ** 2).mean(axis=1, keepdims=True))
    pieces = np.fft.irfft(other / np.maximum(power, 1e-6) * envelope) * np.hanning(_SIZE)
    out = np.zeros(_STEP * len(pieces) + _SIZE)
    for k in range(_SIZE // _STEP):
        part = pieces[:, k * _STEP : (k + 1) * _STEP].reshape(-1)
        out[k * _STEP : k * _STEP + len(part)] += part
    made = out[_SIZE : _SIZE + len(samples)]
    loud = np.sqrt(np.square(samples, dtype=np.float64).mean() / max((made**2).mean(), 1e-12))
    return np.asarray(made * loud, np.float32)


def whispered(samples: FloatArray, random: Random) -> FloatArray:
    """Speak on breath alone, 6 to 18 dB quieter, with little below 500 Hz."""
    air = np.diff(random.normal(size=len(samples) + 1)).astype(np.float32)
    return revoiced(samples, air) * np.float32(10.0 ** (-random.uniform(6.0, 18.0) / 20.0))


def creaky(samples: FloatArray, random: Random) -> FloatArray:
    """Speak on single pulses, 25 to 70 a second and irregular, with some breath."""
    rate = random.uniform(25.0, 70.0)
    gaps = RATE / rate * np.exp(random.normal(0, 0.15, int(len(samples) / RATE * rate * 1.6) + 2))
    at = np.cumsum(gaps).astype(np.int64)
    pulses = 0.03 * random.normal(size=len(samples))
    pulses[at[at < len(samples)]] += random.uniform(0.6, 1.0)
    return revoiced(samples, pulses.astype(np.float32))


_HOP, _GRAIN, _SEARCH = 240, 720, 120


def stretched(samples: FloatArray, factor: float) -> FloatArray:
    """Return samples that last ``factor`` times as long at the same pitch.

    Overlapping grains, each taken where it fits the one before best (WSOLA: Verhelst & Roelands,
    1993): 10 ms steps, moved by 5 ms at most.
    """
    count = round(len(samples) * factor)
    padded = np.concatenate([np.zeros(_GRAIN), samples, np.zeros(2 * _GRAIN + _SEARCH)])
    window = np.hanning(_GRAIN + 1)[:_GRAIN]
    steps = count // _HOP + 2
    out, weight = np.zeros(steps * _HOP + _GRAIN), np.zeros(steps * _HOP + _GRAIN)
    at = _GRAIN
    for k in range(steps):
        wanted = min(_GRAIN + round(k * _HOP / factor), len(padded) - _GRAIN - _SEARCH - 1)
        if k:
            follows = padded[at + _HOP : at + _HOP + _GRAIN]
            near = padded[wanted - _SEARCH : wanted + _SEARCH + _GRAIN]
            at = wanted - _SEARCH + int(np.argmax(np.correlate(near, follows, "valid")))
            at = min(at, len(padded) - _GRAIN - _HOP - 1)
        out[k * _HOP : k * _HOP + _GRAIN] += window * padded[at : at + _GRAIN]
        weight[k * _HOP : k * _HOP + _GRAIN] += window
    return (out / np.maximum(weight, 0.1))[:count].astype(np.float32)


def respoken(samples: FloatArray, size: float, pace: float) -> FloatArray:
    """Return samples at 24 kHz by another person: time t becomes t / ``pace``.

    ``size`` scales pitch and formants, as a shorter vocal tract does.
    """
    longer = stretched(samples, size / pace) if abs(size / pace - 1.0) > 1e-3 else samples
    return np.asarray(soxr.resample(longer, RATE * size, RATE, quality="HQ"), np.float32)
