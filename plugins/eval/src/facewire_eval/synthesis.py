"""Sounds without words, made anew each time: laughter, breaths, held vowels, music, noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from facewire.types import Context
from numpy.typing import NDArray

from facewire_eval.items import Sound

Array = NDArray[np.float64]
RATE = 24000
NOTE, EVERY = 0.075, 0.210
"""Seconds of a laugh's note and from one to the next (Provine & Yong, Ethology, 1991)."""
FORMANTS = ((850.0, 1.0), (1450.0, 0.5), (2700.0, 0.25))
"""Hz and height of the resonances of an open vowel."""
CHORDS = (
    (220.0, 277.2, 329.6),
    (196.0, 246.9, 293.7),
    (174.6, 220.0, 261.6),
    (164.8, 207.7, 246.9),
)


def _random(what: str) -> np.random.Generator:
    return Context(name="synthesis").random(f"eval.{what}")


def pink(count: int, random: np.random.Generator) -> Array:
    """Return pink noise (count,), mean power 1."""
    spectrum = np.fft.rfft(random.standard_normal(max(count, 2)))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    made = np.fft.irfft(spectrum, max(count, 2))[:count]
    return np.asarray(made / np.sqrt(np.mean(made**2)))


def music(seconds: float = 12.0, rate: int = RATE) -> Sound:
    """Return chords of plucked strings, two a second, and a drum on each."""
    count = int(seconds * rate)
    out, drum = np.zeros(count), _random("drum")
    for beat, a in enumerate(range(0, count, rate // 2)):
        t = np.arange(min(rate, count - a)) / rate
        for tone in CHORDS[beat // 4 % 4]:
            partials = sum(np.sin(2 * np.pi * k * tone * t) / k**1.5 for k in range(1, 9))
            out[a : a + len(t)] += partials * np.exp(-3 * t)
        out[a : a + len(t)] += drum.standard_normal(len(t)) * np.exp(-40 * t)
    return Sound("music", _loud(out), rate)


def hiss(seconds: float = 8.0) -> Sound:
    """Return pink noise that swells and fades every two seconds."""
    made = pink(int(seconds * RATE), _random("noise"))
    return Sound("noise", _loud(made * (1.2 + np.sin(np.pi * np.arange(len(made)) / RATE))), RATE)


def silence(seconds: float = 4.0) -> Sound:
    """Return digital silence."""
    return Sound("silence", np.zeros(int(seconds * RATE), np.float32), RATE)


def laughter(bouts: int = 3, notes: int = 8) -> Sound:
    """Return laughs: notes of 75 ms every 210 ms, falling in pitch and level, a pause between."""
    random, pieces = _random("laughter"), [np.zeros(RATE)]
    for _ in range(bouts):
        for note in range(notes):
            pieces += [_note(random, 1 - note / notes), np.zeros(int((EVERY - NOTE) * RATE))]
        pieces.append(np.zeros(RATE))
    made = np.concatenate(pieces)
    return Sound("laughter", _loud(made + 1e-4 * random.standard_normal(len(made))), RATE)


def _note(random: np.random.Generator, height: float) -> Array:
    t = np.arange(int(NOTE * RATE)) / RATE
    pitch = (220 + 120 * height) * (1 + 0.02 * random.standard_normal()) * (1 - 0.8 * t)
    breath = 0.3 * random.standard_normal(len(t))
    return np.asarray((0.3 + 0.7 * height) * np.hanning(len(t)) * (_voiced(pitch) + breath))


def _voiced(pitch: Array) -> Array:
    """Return an open vowel (n,) at a pitch (n,) in Hz."""
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    partials = range(1, int(5000 // pitch.mean()))
    return np.asarray(sum(_resonance(k * pitch.mean()) * np.sin(k * phase) for k in partials))


def vowels(count: int = 4, seconds: float = 0.7) -> Sound:
    """Return an open vowel, held as in hesitating, at 110 to 220 Hz, pauses between."""
    random, pieces = _random("vowels"), [np.zeros(RATE)]
    for each in range(count):
        n = int(seconds * RATE)
        pitch = 110 * 2 ** (each / max(count - 1, 1)) * np.linspace(1.0, 0.92, n)
        level = np.minimum(np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.08 * RATE), 1.0)
        pieces += [level * _voiced(pitch), np.zeros(int(0.6 * RATE))]
    made = np.concatenate(pieces)
    return Sound("vowels", _loud(made + 1e-4 * random.standard_normal(len(made))), RATE)


def _resonance(rate: float) -> float:
    return float(sum(much / (1 + ((rate - at) / 120) ** 2) for at, much in FORMANTS))


def breaths(count: int = 4) -> Sound:
    """Return breaths of 0.9 s: noise that rises and falls in level and colour, pauses between."""
    random, pieces = _random("breath"), [np.zeros(RATE)]
    for _ in range(count):
        n = int(0.9 * RATE)
        white = np.fft.rfft(random.standard_normal(n))
        rates = np.fft.rfftfreq(n, 1 / RATE)
        shaped = np.fft.irfft(white / (1 + ((rates - 1800) / 1200) ** 2), n)
        pieces += [shaped * np.hanning(n), np.zeros(int(0.9 * RATE))]
    made = np.concatenate(pieces)
    return Sound(
        "breaths", np.float32(0.3) * _loud(made + 1e-4 * random.standard_normal(len(made))), RATE
    )


def _loud(samples: Array) -> NDArray[np.float32]:
    return np.asarray(0.5 * samples / max(float(np.abs(samples).max()), 1e-9), np.float32)


MOVES: dict[str, Callable[[], Sound]] = {
    "laughter": laughter,
    "breaths": breaths,
    "vowels": vowels,
}
"""Sounds that a mouth makes: it moves with them."""
RESTS: dict[str, Callable[[], Sound]] = {"music": music, "noise": hiss, "silence": silence}
"""Sounds that leave the mouth shut."""
