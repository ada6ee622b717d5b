"""Small documented degradations of a recording: what engines meet outside a studio."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr
from facewire.types import Context
from numpy.typing import NDArray

from facewire_eval.items import Sound
from facewire_eval.synthesis import music, pink

Array = NDArray[np.float64]
WINDOW = 0.032
LIFTER = 0.0018
"""Seconds of the cepstrum that are kept: the envelope without the voice's harmonics."""
CREAK = 40.0
"""Pulses a second of a creaky voice (Keating et al., Acoustic properties of creaky voice, 2015)."""
SNR = 5.0
"""dB of speech over noise."""
MUSIC_SNR = 10.0
TELEPHONE = (300.0, 3400.0)
"""Hz that an analogue telephone passes (ITU-T G.712)."""
MU = 255.0
CLIPPED = 12.0
"""dB by which clipped speech is too loud."""


def _random(sound: Sound, what: str) -> np.random.Generator:
    return Context(name=sound.name).random(f"eval.{what}")


def whisper(sound: Sound) -> Sound:
    """Replace the voice by noise: each window keeps its spectral envelope and level.

    The envelope is the cepstrum's first 1.8 ms.
    """
    x = sound.samples.astype(np.float64)
    size = 2 * round(WINDOW * sound.rate / 2)
    hop, window = size // 2, np.sqrt(np.hanning(size + 1)[:-1])
    noise = _random(sound, "whisper").standard_normal(len(x) + 2 * size)
    padded = np.pad(x, size)
    out = np.zeros(len(padded))
    keep = round(LIFTER * sound.rate)
    for a in range(0, len(padded) - size + 1, hop):
        part = padded[a : a + size] * window
        envelope = _envelope(np.abs(np.fft.rfft(part)), keep)
        made = np.fft.irfft(np.fft.rfft(noise[a : a + size] * window) * envelope, size)
        level = np.sqrt((part**2).sum() / max((made**2).sum(), 1e-12))
        out[a : a + size] += level * made * window
    return sound.heard(out[size : size + len(x)])


def _envelope(magnitude: Array, keep: int) -> Array:
    cepstrum = np.fft.irfft(np.log(magnitude + 1e-6))
    cepstrum[keep : len(cepstrum) - keep + 1] = 0
    return np.asarray(np.exp(np.fft.rfft(cepstrum).real))


def creak(sound: Sound) -> Sound:
    """Let through bursts alone: about 40 a second, irregular, each dying away in 6 ms."""
    random, rate = _random(sound, "creak"), sound.rate
    gain = np.zeros(len(sound.samples))
    shape = np.exp(-np.arange(int(0.03 * rate)) / (0.006 * rate))
    at = 0.0
    while at < len(gain):
        part = gain[int(at) : int(at) + len(shape)]
        np.maximum(part, shape[: len(part)], out=part)
        at += rate / CREAK * random.uniform(0.7, 1.3)
    return sound.heard(sound.samples * gain)


def telephone(sound: Sound) -> Sound:
    """Pass 300 to 3400 Hz at 8 kHz, in 8 bits of mu-law (ITU-T G.711)."""
    low = soxr.resample(sound.samples.astype(np.float64), sound.rate, 8000)
    spectrum, rates = np.fft.rfft(low), np.fft.rfftfreq(len(low), 1 / 8000)
    spectrum[(rates < TELEPHONE[0]) | (rates > TELEPHONE[1])] = 0
    passed = np.clip(np.fft.irfft(spectrum, len(low)), -1, 1)
    bent = np.sign(passed) * np.log1p(MU * np.abs(passed)) / np.log1p(MU)
    steps = np.round(bent * 127) / 127
    heard = np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(MU)) / MU
    return sound.heard(_length(soxr.resample(heard, 8000, sound.rate), len(sound.samples)))


def clipping(sound: Sound) -> Sound:
    """Make the recording's loudest sample 12 dB louder than full scale, and clip it."""
    loudest = float(np.abs(sound.samples).max()) or 1.0
    return sound.heard(np.clip(sound.samples / loudest * 10 ** (CLIPPED / 20), -1, 1))


def noise(sound: Sound) -> Sound:
    """Lay pink noise under the speech, 5 dB below it."""
    made = pink(len(sound.samples), _random(sound, "noise"))
    return sound.heard(_under(sound.samples, made, SNR))


def over_music(sound: Sound) -> Sound:
    """Lay synthesised music under the speech, 10 dB below it."""
    made = music(sound.seconds + 0.1, sound.rate).samples
    return sound.heard(_under(sound.samples, _length(made, len(sound.samples)), MUSIC_SNR))


def quiet(sound: Sound) -> Sound:
    """Make the recording 20 dB quieter."""
    return sound.heard(sound.samples / 10)


def _under(speech: NDArray[np.floating], other: NDArray[np.floating], snr: float) -> Array:
    power = np.mean(np.square(speech, dtype=np.float64)) / max(
        float(np.mean(np.square(other, dtype=np.float64))), 1e-12
    )
    return np.asarray(speech + other * np.sqrt(power / 10 ** (snr / 10)))


def _length(samples: NDArray[np.floating], count: int) -> Array:
    return np.asarray(np.pad(samples, (0, max(0, count - len(samples))))[:count])


DEGRADATIONS: dict[str, Callable[[Sound], Sound]] = {
    "whisper": whisper,
    "creak": creak,
    "telephone": telephone,
    "clipping": clipping,
    "noise 5 dB": noise,
    "music 10 dB": over_music,
    "20 dB quieter": quiet,
}
"""By name, what is done to each transcribed recording."""
