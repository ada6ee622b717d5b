"""Recordings as they come: rooms, microphones, noise, codecs, levels. None changes a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr
from facewire.types import FloatArray

from facewire_trajectory import noises
from facewire_trajectory.mel import RATE
from facewire_trajectory.revoice import creaky, whispered
from facewire_trajectory.sound import LEAST, loud_rms, padded, rms

Random = np.random.Generator
LEAST_SNR = 5.0
"""Decibels; below it even people lip-read."""


def room(samples: FloatArray, random: Random) -> FloatArray:
    """Add the decaying echoes of a room with a reverberation time of 0.1 to 0.7 s."""
    time = random.uniform(0.1, 0.7)
    at = np.arange(int(RATE * time)) / RATE
    tail = random.normal(size=len(at)) * 10.0 ** (-3.0 * at / time)  # -60 dB at `time`
    tail[: int(RATE * random.uniform(0.001, 0.008))] = 0.0  # the first wall is a metre or more away
    tail *= 10.0 ** (-random.uniform(0.0, 15.0) / 20.0) / max(float(np.linalg.norm(tail)), 1e-9)
    tail[0] = 1.0
    size = padded(len(samples) + len(tail))
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return wet[: len(samples)].astype(np.float32)


def filtered(samples: FloatArray, hertz: list[float], db: list[float]) -> FloatArray:
    """Apply gains in dB at frequencies, straight lines over the logarithm between them."""
    size = padded(len(samples) + 2048)
    at = np.log(np.maximum(np.fft.rfftfreq(size, 1.0 / RATE), 10.0))
    gain = 10.0 ** (np.interp(at, np.log(hertz), db) / 20.0)
    made = np.fft.irfft(np.fft.rfft(samples, size) * gain, size)
    return made[: len(samples)].astype(np.float32)


def microphone(samples: FloatArray, random: Random) -> FloatArray:
    """Colour the sound as a microphone and its distance do."""
    corners = [40.0, 120.0, 300.0, 800.0, 2000.0, 4500.0, 9000.0]
    db = random.normal(0.0, 3.5, len(corners))
    db[0] -= random.uniform(0.0, 18.0)
    db[-1] -= random.uniform(0.0, 12.0)
    return filtered(samples, corners, db.tolist())


def mixed(samples: FloatArray, noise: FloatArray, snr: float) -> FloatArray:
    """Add noise (n,) at a ratio in dB to the loud half of the samples (n,)."""
    scale = loud_rms(samples) * 10.0 ** (-snr / 20.0) / max(rms(noise), LEAST)
    return np.asarray(samples + scale * noise, np.float32)


def noise(samples: FloatArray, random: Random) -> FloatArray:
    """Add noise or music at 5 to 30 dB."""
    _, made = noises.drawn(len(samples), random)
    return mixed(samples, made, random.uniform(LEAST_SNR, 30.0))


def telephone(samples: FloatArray, random: Random) -> FloatArray:
    """Pass 300 to 3400 Hz at 8 kHz in mu-law (ITU-T G.711) and back."""
    narrow = filtered(samples, [100, 250, 320, 3300, 3700, 4200], [-40, -15, 0, 0, -15, -60])
    heard = soxr.resample(narrow, RATE, 8000, quality="MQ")
    coded = np.log1p(255.0 * np.minimum(np.abs(heard), 1.0)) / np.log(256.0)
    steps = np.round(coded * 127.0) / 127.0
    back = np.sign(heard) * np.expm1(steps * np.log(256.0)) / 255.0
    wide = soxr.resample(back.astype(np.float32), 8000, RATE, quality="MQ")
    return _long_as(wide, len(samples))


def narrow(samples: FloatArray, random: Random) -> FloatArray:
    """Cut everything above 3 to 8 kHz, as old and cheap recorders do."""
    rate = int(random.integers(6000, 16000))
    heard = soxr.resample(samples, RATE, rate, quality="MQ")
    return _long_as(soxr.resample(heard, rate, RATE, quality="MQ"), len(samples))


def _long_as(samples: FloatArray, count: int) -> FloatArray:
    kept = samples[:count]
    return np.concatenate([kept, np.zeros(count - len(kept), np.float32)]).astype(np.float32)


def clipped(samples: FloatArray, random: Random) -> FloatArray:
    """Clip the loudest 1 to 10 percent of what is not silence."""
    level = np.abs(samples)
    heard = level[level > 0.02 * level.max(initial=0.0)]
    top = float(np.quantile(heard, random.uniform(0.9, 0.99))) if len(heard) else 1.0
    return np.asarray(np.clip(samples, -top, top), np.float32)


def gain(samples: FloatArray, random: Random) -> FloatArray:
    """Scale to a level of -45 to -12 dBFS; what is above full scale is cut off."""
    wanted = 10.0 ** (random.uniform(-45.0, -12.0) / 20.0)
    louder = samples * np.float32(wanted / max(rms(samples), 1e-6))
    return np.asarray(np.clip(louder, -1.0, 1.0), np.float32)


STEPS: tuple[tuple[str, float, Callable[[FloatArray, Random], FloatArray]], ...] = (
    ("whisper", 0.04, whispered),
    ("creak", 0.04, creaky),
    ("room", 0.5, room),
    ("noise", 0.6, noise),
    ("microphone", 0.6, microphone),
    ("clipped", 0.06, clipped),
    ("telephone", 0.12, telephone),
    ("narrow", 0.1, narrow),
    ("gain", 1.0, gain),
)
"""What may happen to a recording, how often, in the order of the way to the listener."""


def augment(samples: FloatArray, random: Random) -> tuple[FloatArray, str]:
    """Return samples (n,) at 24 kHz as if recorded elsewhere, and what was done to them."""
    done = []
    for name, chance, change in STEPS:
        if random.random() < chance:
            samples = change(samples, random)
            done.append(name)
    return samples, " ".join(done)
