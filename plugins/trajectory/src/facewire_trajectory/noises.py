"""Sounds that no mouth makes: noises and music, synthesised at 24 kHz with an RMS of 0.1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_trajectory.mel import RATE
from facewire_trajectory.sound import padded, unit

Doubles = NDArray[np.float64]
Random = np.random.Generator
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9))
_CHORDS = ((0, 4, 7), (0, 3, 7), (0, 5, 7), (0, 4, 7, 11), (0, 3, 7, 10))


def coloured(count: int, random: Random, slope: float | None = None) -> Doubles:
    """Return noise whose amplitude falls with frequency to the power of ``slope``."""
    slope = random.uniform(0.0, 1.2) if slope is None else slope
    size = padded(count)
    hertz = np.fft.rfftfreq(size, 1.0 / RATE)
    spectrum = np.fft.rfft(random.normal(size=size)) / np.maximum(hertz, 40.0) ** slope
    made: Doubles = np.fft.irfft(spectrum, size)[:count]
    return made


def slow(count: int, random: Random, hertz: float) -> Doubles:
    """Return a curve (count,) in 0..1 that wanders at about ``hertz``."""
    knots = random.random(int(count / RATE * hertz) + 3)
    at = np.linspace(0, len(knots) - 1, count)
    curve: Doubles = np.interp(at, np.arange(len(knots)), knots)
    return curve


def wind(count: int, random: Random) -> Doubles:
    """Return noise in gusts."""
    return coloured(count, random, 1.0) * slow(count, random, 0.7) ** 2


def syllabic(count: int, random: Random) -> Doubles:
    """Return noise with the rhythm of speech: rhythm alone makes no speech."""
    return coloured(count, random) * slow(count, random, random.uniform(4.0, 9.0)) ** 3


def engine(count: int, random: Random) -> Doubles:
    """Return a mains hum or an engine: low harmonics and some noise."""
    pitch = random.choice([50.0, 60.0, 100.0, random.uniform(25.0, 140.0)])
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.05 * slow(count, random, 0.5))) / RATE
    tone = sum(random.random() / k * np.sin(k * phase + random.random()) for k in range(1, 12))
    return np.asarray(tone + 0.1 * random.random() * unit(coloured(count, random)))


def knocks(count: int, random: Random) -> Doubles:
    """Return keys, knocks, steps or drops: decaying bursts."""
    out = np.zeros(count)
    for start in np.flatnonzero(random.random(count) < random.uniform(1.0, 8.0) / RATE):
        length = min(int(RATE * random.uniform(0.02, 0.15)), count - int(start))
        at = np.arange(length) / RATE
        ring = np.sin(2 * np.pi * random.uniform(80.0, 3000.0) * at)
        burst = (ring + random.normal(size=length)) * np.exp(-at * random.uniform(30.0, 150.0))
        out[start : start + length] += burst * random.uniform(0.2, 1.0)
    return out + 1e-4 * random.normal(size=count)


def beeps(count: int, random: Random) -> Doubles:
    """Return a siren, a ringing or key tones."""
    gate = np.repeat(random.random(count // 2400 + 1) < 0.6, 2400)[:count]
    low = random.uniform(300.0, 1500.0)
    swept = low * (1.0 + random.choice([0.0, 0.5]) * slow(count, random, 1.0))
    tone = np.sin(2 * np.pi * np.cumsum(swept) / RATE)
    return np.asarray(tone * np.convolve(gate, np.ones(48) / 48, "same"), np.float64)


def _note(hertz: float, count: int, random: Random, partials: Doubles, decay: float) -> Doubles:
    at = np.arange(count) / RATE
    tone = np.zeros(count)
    for k, loud in enumerate(partials, 1):
        if k * hertz < 9000.0:
            tone += loud * np.sin(2 * np.pi * k * hertz * at + random.random())
    attack = np.minimum(at / 0.01, 1.0) * np.minimum((count / RATE - at) / 0.02, 1.0)
    return np.asarray(tone * attack * np.exp(-decay * at))


def music(count: int, random: Random) -> Doubles:
    """Return chords, a melody and drums in one key and tempo."""
    beat = int(RATE * 60.0 / random.uniform(60.0, 160.0))
    root, scale = random.uniform(100.0, 220.0), _SCALES[int(random.integers(len(_SCALES)))]
    partials = random.random(5) / np.arange(1, 6)
    decay, drums, lead = random.uniform(0.2, 6.0), random.random(), random.random()
    out = np.zeros(count + 8 * beat)
    for k in range(0, count // beat + 1):
        if k % 4 == 0:
            base = scale[int(random.integers(len(scale)))]
            for tone in _CHORDS[int(random.integers(len(_CHORDS)))]:
                hertz = root * 2 ** ((base + tone) / 12)
                out[k * beat : (k + 4) * beat] += 0.4 * _note(
                    hertz, 4 * beat, random, partials, 0.5 * decay
                )
        if random.random() < 0.8 * lead:
            hertz = 2.0 * root * 2 ** (scale[int(random.integers(len(scale)))] / 12)
            out[k * beat : (k + 1) * beat] += _note(hertz, beat, random, partials, decay)
        if drums > 0.4:
            hit = random.normal(size=beat) * np.exp(-np.arange(beat) / RATE * 40.0)
            out[k * beat : (k + 1) * beat] += drums * hit * (1.0 if k % 2 else 0.4)
    return out[:count] + 1e-5 * random.normal(size=count)


MAKERS: dict[str, Callable[[int, Random], Doubles]] = {
    "coloured": coloured, "wind": wind, "syllabic": syllabic, "engine": engine,
    "knocks": knocks, "beeps": beeps, "music": music,
}  # fmt: skip
"""What makes each kind of noise."""


def make(name: str, count: int, random: Random) -> FloatArray:
    """Return ``count`` samples of a kind of ``MAKERS``, with an RMS of 0.1."""
    made: FloatArray = (0.1 * unit(MAKERS[name](count, random))).astype(np.float32)
    return made


def drawn(count: int, random: Random) -> tuple[str, FloatArray]:
    """Return a kind, one in three music, and ``count`` samples of it."""
    name = "music" if random.random() < 0.33 else str(random.choice(list(MAKERS)))
    return name, make(name, count, random)
