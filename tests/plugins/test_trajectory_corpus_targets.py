"""Targets: closures at every p, b and m, rest in noise, and the mouth of laughs and hums."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from facewire.articulation import CURVES, PhoneTime, measure
from facewire.types import FloatArray
from facewire_phonemes.loudness import Loudness
from facewire_trajectory import vocal
from facewire_trajectory.corpus.stress import stressed
from facewire_trajectory.corpus.voices import Manner, espeak
from facewire_trajectory.mel import RATE
from facewire_trajectory.targets import CLASSES, SPEECH, VOCAL, levels, phone_class, solve

TEXT = "Please put the big map on my table. Five brown foxes jumped above the mossy pump."


@pytest.mark.parametrize("manner", [Manner(), Manner(1.4, 1.2, 1.15), Manner(0.8, 0.9, 0.85)])
def test_every_bilabial_closes(manner: Manner) -> None:
    said = espeak(TEXT, "en-us", manner)
    targets = solve(said.samples, said.phones)
    found = measure(targets.artic[:, 0].astype(np.float64), 60.0, said.phones)
    assert found.recall == 1.0
    assert found.precision >= 0.9
    assert found.timing < 0.017
    # a louder part stands out of the noise exactly where it is spoken
    inside = targets.phones > 0
    assert (targets.sound[inside] == SPEECH).all()
    assert levels(said.samples)[inside].mean() > levels(said.samples)[~inside].mean() + 0.2


def test_size_moves_phones_with_the_sound() -> None:
    plain, small = (espeak(TEXT, "en-us", Manner(size=size)) for size in (1.0, 1.2))
    assert abs(len(small.samples) / len(plain.samples) - 1) < 0.05  # the pace stays
    for said in (plain, small):
        loud = levels(said.samples)
        at = [p for p in said.phones if phone_class(p.text) == 4]
        rows = np.concatenate([np.arange(int(p.start * 60) + 1, int(p.end * 60)) for p in at])
        assert loud[rows].mean() > loud.mean()


def test_levels_are_the_phoneme_models() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 24000).astype(np.float32)
    sound *= np.linspace(0, 1, len(sound), dtype=np.float32)
    stage = Loudness(RATE, Fraction(60))
    theirs = np.concatenate([stage.push(sound), stage.flush()])  # over 17 ms, ours over 25
    assert len(levels(sound)) == len(theirs)
    assert np.abs(levels(sound) - theirs)[3:].max() < 0.03


@pytest.mark.parametrize(
    ("phone", "kind"),
    [("P", "closure"), ("m", "closure"), ("f", "teeth"), ("UW1", "round"), ("w", "round"),
     ("AA1", "open"), ("t", "other"), ("SIL", "none")],
)  # fmt: skip
def test_classes_of_phones(phone: str, kind: str) -> None:
    assert CLASSES[phone_class(phone)] == kind


def of_sound(name: str, seed: int = 4) -> tuple[FloatArray, FloatArray]:
    random = np.random.default_rng(seed)
    sound = vocal.make(name, vocal.Person(180.0, 1.05), random)
    pad = np.zeros(RATE // 4, np.float32)
    samples = np.concatenate([pad, sound, pad])
    targets = solve(samples, (), [PhoneTime(name, 0.25, 0.25 + len(sound) / RATE)])
    assert set(targets.sound.tolist()) == {0, VOCAL}
    return targets.artic[:, CURVES.index("gap")], levels(samples).astype(np.float32)


def test_a_laugh_moves_with_its_energy() -> None:
    gap, loud = of_sound("laugh")
    assert gap.max() - gap.min() >= 0.15
    assert np.corrcoef(gap, loud)[0, 1] >= 0.5


def test_scream_breath_and_hum_by_the_rules() -> None:
    assert of_sound("scream")[0].max() > 0.7
    assert 0.04 < of_sound("breath")[0].max() < 0.15
    assert np.abs(of_sound("hum")[0]).max() < 0.02


def test_nothing_said_leaves_the_mouth_at_rest() -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, 9000).astype(np.float32)
    targets = solve(noise)
    assert targets.artic.shape == (23, len(CURVES))
    assert not targets.artic.any() and not targets.sound.any() and not targets.phones.any()
    still = solve(noise, (), [PhoneTime("clap", 0.1, 0.2)])
    assert np.abs(still.artic).max() < 1e-6


def test_stress_comes_from_the_dictionary() -> None:
    spoken = ["DH", "AX", "B", "AX", "N", "AE", "N", "AX", "W", "AA", "Z", "Q"]
    phones = [PhoneTime(name, k / 10, (k + 1) / 10) for k, name in enumerate(spoken)]
    found = [phone.text for phone in stressed("The banana was", phones)]
    assert " ".join(found[:8]) == "DH AX0 B AX0 N AE1 N AX0"
    assert found[8:] == ["W", "AA1", "Z", "Q"] or found[9] == "AA"
    assert [p.start for p in stressed("The banana was", phones)] == [p.start for p in phones]
