"""Synthesised sounds and augmentation: right in rhythm, level and band, and never out of time."""

from __future__ import annotations

import numpy as np
import pytest
from facewire.types import FloatArray
from facewire_trajectory import augment, noises, vocal
from facewire_trajectory.corpus.voices import Manner, espeak
from facewire_trajectory.mel import RATE
from facewire_trajectory.revoice import respoken, stretched
from facewire_trajectory.sound import at_level, loud_rms, rms


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def speech() -> FloatArray:
    return espeak("Bring my blue umbrella.", "en-us", Manner()).samples


def share(samples: FloatArray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(power[(hertz >= low) & (hertz < high)].sum() / power.sum())


@pytest.mark.parametrize("name", vocal.MAKERS)
def test_vocal_sounds(name: str) -> None:
    person = vocal.Person.drawn(rng())
    made = [vocal.make(name, person, rng(seed)) for seed in range(4)]
    assert np.array_equal(made[1], vocal.make(name, person, rng(1)))
    for sound in made:
        assert 0.1 < len(sound) / RATE < 5.0
        assert np.isfinite(sound).all() and 0.001 < rms(sound) < 0.5
        assert np.abs(sound).max() <= 1.0


@pytest.mark.parametrize("name", vocal.VOWELS)
def test_a_sustained_vowel_is_loudest_near_its_resonances(name: str) -> None:
    person = vocal.Person(40.0, 1.0, tilt=0.0)  # many harmonics, all as loud
    sound = vocal.sustained_vowel(name, person, rng(2))
    assert 0.25 <= len(sound) / RATE <= 1.2 and rms(sound) > 0.02
    first, second = vocal.VOWELS[name][:2]
    between = (0.62 * second, 0.8 * second) if second > 2 * first else (3900.0, 5000.0)
    for at in (first, second):
        near = share(sound, 0.85 * at, 1.15 * at) / (0.3 * at)
        assert near > 2 * share(sound, *between) / (between[1] - between[0])


def test_laughs_pulse_at_their_rate() -> None:
    """Provine & Yong: every 210 ms, so the envelope has its peak near 4.8 Hz."""
    peaks = []
    for seed in range(12):
        sound = vocal.make("laugh", vocal.Person(180.0, 1.0), rng(seed))
        frames = sound[: len(sound) // 240 * 240].reshape(-1, 240)
        envelope = np.sqrt((frames**2).mean(axis=1))
        spectrum = np.abs(np.fft.rfft(envelope - envelope.mean(), 2048))
        hertz = np.fft.rfftfreq(2048, 240 / RATE)
        found = (hertz > 3.0) & (hertz < 8.0)
        peaks.append(hertz[found][spectrum[found].argmax()])
    assert 4.2 < float(np.median(peaks)) < 5.4


def test_a_scene_says_when_its_sounds_are() -> None:
    samples, times = vocal.scene(rng(3))
    for one in times:
        span = samples[int(one.start * RATE) : int(one.end * RATE)]
        assert rms(span) > 1e-3
    silent = np.ones(len(samples), bool)
    for one in times:
        silent[int(one.start * RATE) : int(one.end * RATE) + 1] = False
    assert rms(samples[silent]) < 1e-6


@pytest.mark.parametrize("name", noises.MAKERS)
def test_noises_have_their_level(name: str) -> None:
    made = noises.make(name, 30000, rng())
    assert len(made) == 30000
    assert rms(made) == pytest.approx(0.1, rel=1e-3)
    assert np.array_equal(made, noises.make(name, 30000, rng()))


@pytest.mark.parametrize("step", augment.STEPS, ids=lambda step: step[0])
def test_no_augmentation_changes_a_time(step: tuple[str, float, object]) -> None:
    change = augment.STEPS[[s[0] for s in augment.STEPS].index(step[0])][2]
    sound = speech()
    heard = change(sound, rng(1))
    assert heard.shape == sound.shape and heard.dtype == np.float32
    assert np.isfinite(heard).all()
    envelopes = [
        np.convolve(np.abs(x[: len(x) // 240 * 240]).reshape(-1, 240).mean(axis=1), np.ones(5))
        for x in (sound, heard)
    ]
    lags = range(-8, 9)  # of 10 ms
    fits = [np.corrcoef(np.roll(envelopes[0], k), envelopes[1])[0, 1] for k in lags]
    assert abs(lags[int(np.argmax(fits))]) <= 1
    for empty in (np.zeros(0, np.float32), np.zeros(3000, np.float32)):
        if len(empty) or step[0] not in ("noise", "whisper", "creak", "telephone", "narrow"):
            assert np.isfinite(change(empty, rng())).all()


def test_noise_keeps_its_ratio() -> None:
    sound = speech()
    noise = noises.make("coloured", len(sound), rng())
    added = augment.mixed(sound, noise, 10.0) - sound
    assert 20 * np.log10(loud_rms(sound) / rms(added)) == pytest.approx(10.0, abs=0.2)


def test_a_telephone_is_narrow() -> None:
    heard = augment.telephone(noises.make("coloured", 48000, rng(2)), rng())
    assert share(heard, 4000, 12000) < 0.01
    assert share(heard, 0, 200) < 0.05


def test_a_whisper_has_no_pitch() -> None:
    sound = speech()
    whisper = augment.whispered(sound, rng())
    assert share(whisper, 60, 300) < 0.2 * share(sound, 60, 300)


def test_the_same_seed_augments_alike() -> None:
    one, other = (augment.augment(speech(), rng(5)) for _ in range(2))
    assert one[1] == other[1] and np.array_equal(one[0], other[0])


def test_stretching_keeps_the_pitch_and_size_changes_it() -> None:
    tone = np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE).astype(np.float32)
    for factor in (0.8, 1.25):
        longer = stretched(tone, factor)
        assert len(longer) == round(RATE * factor)
        assert share(longer[2000:-2000], 200, 240) > 0.95
    higher = respoken(tone, 1.2, 1.0)
    assert abs(len(higher) - RATE) <= 2
    assert share(higher[2000:-2000], 250, 280) > 0.95
    assert abs(len(respoken(tone, 1.0, 1.25)) - RATE / 1.25) <= 2


def test_levels() -> None:
    assert 20 * np.log10(loud_rms(at_level(speech(), -24.0))) == pytest.approx(-24.0, abs=0.3)
    assert rms(np.zeros(0, np.float32)) == 0.0
    assert not at_level(np.zeros(10, np.float32), -20.0).any()
