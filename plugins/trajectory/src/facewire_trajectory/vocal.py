"""Synthesised vocal sounds that are not speech: laughs, sobs, screams, efforts, breaths, hums.

Everything is harmonics and noise under the resonances of a vocal tract, at 24 kHz.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from facewire.articulation import PhoneTime
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_trajectory.mel import RATE
from facewire_trajectory.sound import at_level, padded, unit

Doubles = NDArray[np.float64]
Random = np.random.Generator
NOTE, PERIOD = 0.075, 0.21
"""Seconds of a laugh's note, and from one to the next (Provine & Yong, Ethology, 1991)."""
_STEP = 60  # samples in which a gain hardly changes
# Resonances in Hz of an open, a front and a rounded vowel (Peterson & Barney, 1952), and of a hum.
# Their fourth is a usual one.
OPEN, FRONT, ROUND, NASAL = (
    (730, 1090, 2440, 3400), (530, 1840, 2480, 3500),
    (440, 1020, 2240, 3200), (260, 1100, 2300, 3000),
)  # fmt: skip


VOWELS = {
    "IY": (270, 2290, 3010, 3600), "EH": FRONT, "AE": (660, 1720, 2410, 3400),
    "AH": (640, 1190, 2390, 3400), "AA": OPEN, "AO": (570, 840, 2410, 3300),
    "UW": (300, 870, 2240, 3200), "ER": (490, 1350, 1690, 3300),
}  # fmt: skip
"""Resonances in Hz of vowels, of men (Peterson & Barney, 1952)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who makes the sounds: usual pitch in Hz, and a scale of the resonances."""

    pitch: float
    tract: float
    tilt: float = 1.6
    """How fast the voice's harmonics fall: 1 is 6 dB an octave."""

    @staticmethod
    def drawn(random: Random) -> Person:
        """Draw a man, a woman or a child."""
        pitch = float(random.choice([115.0, 200.0, 280.0]) * np.exp(random.normal(0, 0.15)))
        tract = float((pitch / 150.0) ** 0.3 * np.exp(random.normal(0, 0.05)))
        return Person(pitch, tract, float(random.uniform(0.2, 1.8)))


def tract(hertz: Doubles, formants: tuple[int, ...], scale: float) -> Doubles:
    """Return the gain of a vocal tract's resonances at frequencies of any shape."""
    gain = np.ones_like(hertz)
    for centre in formants:
        f, wide = centre * scale, 50.0 + 0.06 * centre * scale
        gain = gain * f * f / np.sqrt((f * f - hertz**2) ** 2 + (wide * hertz) ** 2 + 1.0)
    return gain


def voiced(
    pitch: Doubles, formants: tuple[int, ...], person: Person, random: Random, scale: float = 1.0
) -> Doubles:
    """Return a person's harmonics (n,) of a pitch in Hz (n,), with jitter."""
    scale = scale * person.tract
    jitter = np.repeat(random.normal(0, 0.012, len(pitch) // 120 + 1), 120)[: len(pitch)]
    pitch = pitch * (1.0 + jitter)
    phase = 2.0 * np.pi * np.cumsum(pitch) / RATE
    out = np.zeros(len(pitch))
    slow = pitch[::_STEP]
    for k in range(1, max(2, int(7000.0 / max(pitch.min(initial=100.0), 60.0)))):
        gain = tract(k * slow, formants, scale) / k**person.tilt * (k * slow < 10000.0)
        out += np.repeat(gain, _STEP)[: len(pitch)] * np.sin(k * phase + k * k)
    return out


def noisy(count: int, formants: tuple[int, ...], scale: float, random: Random) -> Doubles:
    """Return noise (count,) under a vocal tract's resonances."""
    size = padded(count)
    hertz = np.fft.rfftfreq(size, 1.0 / RATE).astype(np.float64)
    shaped = np.fft.rfft(random.normal(size=size)) * tract(hertz, formants, scale) * hertz / 1500.0
    found: Doubles = np.fft.irfft(shaped, size)[:count]
    return found


def _shape(count: int, rise: float, fall: float) -> Doubles:
    """Return an envelope (count,) that rises and falls over shares of its length."""
    at = (np.arange(count) + 0.5) / max(count, 1)
    edge = np.minimum(at / max(rise, 1e-3), (1.0 - at) / max(fall, 1e-3))
    swept: Doubles = np.sin(0.5 * np.pi * np.clip(edge, 0.0, 1.0)) ** 2
    return swept


def _air(count: int, person: Person, random: Random) -> Doubles:
    """Return air (count,) through an open mouth: resonances, or a broad band over a rush."""
    if random.random() < 0.4:
        return noisy(count, OPEN if random.random() < 0.5 else FRONT, person.tract, random)
    size = padded(count)
    hertz = np.maximum(np.fft.rfftfreq(size, 1.0 / RATE).astype(np.float64), 20.0)
    centre, octaves = person.tract * random.uniform(800.0, 3000.0), random.uniform(0.4, 1.3)
    gain = np.exp(-0.5 * (np.log2(hertz / centre) / octaves) ** 2)
    gain += random.uniform(0.0, 0.4) / (1.0 + hertz / random.uniform(600.0, 5000.0))
    found: Doubles = np.fft.irfft(np.fft.rfft(random.normal(size=size)) * gain, size)[:count]
    return found


def breath(person: Person, random: Random) -> Doubles:
    """Return an inhaling or exhaling."""
    count = int(RATE * random.uniform(0.25, 1.3))
    rise = random.uniform(0.2, 0.8)  # inhaling swells to its end
    return _air(count, person, random) * _shape(count, rise, 1.0 - rise)


def laugh(person: Person, random: Random) -> Doubles:
    """Return notes of about 75 ms every 210 ms that fade, more or less voiced, air after some."""
    notes, rate = int(random.integers(3, 11)), PERIOD * np.exp(random.normal(0, 0.08))
    formants = (OPEN, FRONT, ROUND)[int(random.integers(3))]
    top, falls = person.pitch * random.uniform(1.1, 2.0), random.uniform(0.75, 1.0)
    breathy = 1.0 if random.random() < 0.2 else random.uniform(0.0, 0.5)
    airy = 1 if random.random() < 0.4 else 2  # lengths of a note: its air ends with it, or later
    fades, edge = random.uniform(0.86, 0.98), random.uniform(0.2, 0.5)
    out = np.zeros(int(RATE * (notes + 1) * rate * 1.2))
    for k in range(notes):
        count = int(RATE * NOTE * np.exp(random.normal(0, 0.15)))
        start = int(RATE * max(0.0, k * rate + random.normal(0, 0.01)))
        tone = voiced(np.linspace(top, falls * top, count), formants, person, random)
        air = _air(airy * count, person, random) * _shape(airy * count, 0.3, 0.5)
        loud = fades**k * np.exp(random.normal(0, 0.15))
        shaped = (1.0 - breathy) * unit(tone) * _shape(count, edge, 0.5)
        out[start : start + count] += loud * shaped
        out[start : start + airy * count] += 0.5 * loud * breathy * unit(air)[: len(out) - start]
        top *= 0.97
    return out


def sob(person: Person, random: Random) -> Doubles:
    """Return falling voiced gasps, with shuddering breaths between them."""
    parts = []
    for _ in range(int(random.integers(2, 6))):
        count = int(RATE * random.uniform(0.12, 0.4))
        high = person.pitch * random.uniform(1.3, 2.2)
        tone = voiced(np.linspace(high, 0.7 * high, count), ROUND, person, random)
        parts += [unit(tone) * _shape(count, 0.15, 0.6) * np.exp(random.normal(0, 0.25))]
        count = int(RATE * random.uniform(0.1, 0.35))
        air = unit(noisy(count, FRONT, person.tract, random)) * _shape(count, 0.6, 0.2)
        shudder = 1.0 + 0.8 * np.sin(2 * np.pi * 9.0 * np.arange(count) / RATE)
        parts += [0.25 * air * shudder]
    return np.concatenate(parts)


def scream(person: Person, random: Random) -> Doubles:
    """Return a loud, high, rough voice."""
    count = int(RATE * random.uniform(0.5, 1.8))
    at = np.arange(count) / RATE
    high = np.clip(person.pitch * random.uniform(2.5, 4.5), 400.0, 1200.0)
    bend = _shape(count, 0.2, 0.6)
    tone = voiced(high * (0.8 + 0.2 * bend), OPEN, person, random, 1.15)
    rough = 1.0 + 0.5 * np.sin(2 * np.pi * random.uniform(30.0, 80.0) * at)
    air = noisy(count, OPEN, person.tract, random)
    return (unit(tone) * rough + 0.3 * unit(air)) * _shape(count, 0.08, 0.2)


def effort(person: Person, random: Random) -> Doubles:
    """Return a grunt: a hard onset, a pressed low voice, a breath out."""
    count = int(RATE * random.uniform(0.15, 0.6))
    low = person.pitch * random.uniform(0.7, 1.3)
    tone = voiced(np.linspace(low, 0.8 * low, count), ROUND, person, random)
    air = noisy(count, FRONT, person.tract, random) * _shape(count, 0.7, 0.3)
    return unit(tone) * _shape(count, 0.05, 0.6) + 0.3 * unit(air)


def hum(person: Person, random: Random) -> Doubles:
    """Return a melody or a murmur with the lips together."""
    parts = []
    for _ in range(int(random.integers(1, 6))):
        count = int(RATE * random.uniform(0.15, 0.7))
        first, last = person.pitch * np.exp(random.normal(0, 0.15, 2))
        tone = voiced(np.linspace(first, last, count), NASAL, person, random)
        parts.append(unit(tone) * _shape(count, 0.15, 0.25))
    return np.concatenate(parts)


def sustained_vowel(name: str, person: Person, random: Random) -> FloatArray:
    """Return one of ``VOWELS`` held for .25 to 1.2 s, as in hesitating or singing, at -25 dBFS."""
    count = int(RATE * random.uniform(0.25, 1.2))
    first = person.pitch * np.exp(random.normal(0, 0.15))
    pitch = first * np.linspace(1.0, np.exp(random.normal(-0.05, 0.08)), count)
    swing = random.uniform(0.0, 0.02) * np.sin(2 * np.pi * 5.5 * np.arange(count) / RATE)
    tone = unit(voiced(pitch * (1.0 + swing), VOWELS[name], person, random))
    air = random.uniform(0.0, 0.1) * unit(noisy(count, VOWELS[name], person.tract, random))
    return at_level((tone + air) * _shape(count, random.uniform(0.05, 0.2), 0.2), -25.0)


MAKERS: dict[str, tuple[Callable[[Person, Random], Doubles], float, float]] = {
    "laugh": (laugh, -22.0, 5.0), "sob": (sob, -25.0, 5.0), "scream": (scream, -14.0, 3.0),
    "effort": (effort, -24.0, 4.0), "breath": (breath, -34.0, 9.0), "hum": (hum, -28.0, 5.0),
}  # fmt: skip
"""Each sound: what makes it, its usual RMS in dBFS and that one's deviation."""


def make(name: str, person: Person, random: Random) -> FloatArray:
    """Return one sound (n,) of ``facewire.articulation.SOUNDS`` at 24 kHz."""
    maker, usual, spread = MAKERS[name]
    return at_level(maker(person, random), usual + spread * random.normal())


def scene(random: Random, most: int = 4) -> tuple[FloatArray, list[PhoneTime]]:
    """Return some sounds of one person in a row with pauses, and when they are heard, in seconds.

    A laugh or a sob often ends with a breath.
    """
    person = Person.drawn(random)
    names: list[str] = []
    for _ in range(int(random.integers(1, most + 1))):
        name = str(random.choice(list(MAKERS), p=[0.3, 0.12, 0.1, 0.14, 0.2, 0.14]))
        names += [name, "breath"] if name in ("laugh", "sob") and random.random() < 0.4 else [name]
    parts, times, at = [np.zeros(int(RATE * random.uniform(0.2, 0.8)), np.float32)], [], 0
    at = len(parts[0])
    for name in names:
        sound = make(name, person, random)
        pause = np.zeros(int(RATE * random.choice([0.08, 0.3, 0.9])), np.float32)
        times.append(PhoneTime(name, at / RATE, (at + len(sound)) / RATE))
        parts += [sound, pause]
        at += len(sound) + len(pause)
    return np.concatenate(parts), times
