"""Lips at phones: mouths made for known figures, and the core's measure as the judge of sums."""

from __future__ import annotations

import numpy as np
import pytest
from facewire.articulation import PhoneTime, measure
from facewire.rig import Rig
from facewire_eval.metrics import (
    Spoken,
    closed,
    closure_figures,
    displacements,
    distinctness,
    labiodental,
    preset_errors,
    protection,
    reproducibility,
    rounding,
    vowel_order,
)
from facewire_eval.metrics.lips import _counted, cut, joined

FPS = 60.0
RIG = Rig.named("arkit52")
WORD = ("P", "AA1", "T", "IY1", "M", "UW1", "S", "EH1", "F", "AO1")


def phones(words: int) -> list[PhoneTime]:
    """Return words of ten phones of 100 ms, a pause of 0.3 s after every third."""
    found, at = [], 0.5
    for word in range(words):
        for text in WORD:
            found.append(PhoneTime(text, at, at + 0.1))
            at += 0.1
        at += 0.3 * (word % 3 == 2)
    return found


def mouth(spoken: list[PhoneTime], shut: set[int], wrong: set[int] = frozenset()) -> np.ndarray:  # type: ignore[assignment]
    """Return a gap that is closed in the middle of the phones at these indices."""
    t = np.arange(int((spoken[-1].end + 0.5) * FPS)) / FPS
    gap = np.full(len(t), 0.2)
    for i in shut | set(wrong):
        gap[(t > spoken[i].start + 0.015) & (t < spoken[i].end - 0.015)] = -0.02
    return gap


def at(spoken: list[PhoneTime], *texts: str) -> list[int]:
    return [i for i, phone in enumerate(spoken) if phone.text in texts]


def test_a_mouth_that_closes_where_it_must() -> None:
    spoken = phones(12)
    found = closure_figures([Spoken(mouth(spoken, set(at(spoken, "P", "M"))), FPS, spoken)])
    assert found.recall.value == found.precision.value == 1.0
    assert found.rate.value == pytest.approx(1.0)
    assert found.timing.value < 0.02
    assert found.release.value == 1.0
    assert found.recall.low == found.recall.high == 1.0


def test_a_mouth_that_closes_half_and_closes_elsewhere() -> None:
    spoken = phones(12)
    lips, elsewhere = at(spoken, "P", "M"), at(spoken, "T", "S")
    gap = mouth(spoken, set(lips[::2]), set(elsewhere[:6]))
    found = closure_figures([Spoken(gap, FPS, spoken)])
    assert found.recall.value == 0.5
    assert found.precision.value == pytest.approx(12 / 18)
    assert found.rate.value == pytest.approx(18 / 24)
    assert found.recall.low < 0.5 < found.recall.high


def test_values_are_the_cores_and_blocks_add_up_to_them() -> None:
    random = np.random.default_rng(5)
    recordings = []
    for words in (4, 7, 9):
        spoken = phones(words)
        t = np.arange(int((spoken[-1].end + 0.5) * FPS)) / FPS
        gap = 0.15 + 0.14 * np.sin(2 * np.pi * 3.1 * t) + 0.03 * random.standard_normal(len(t))
        recordings.append(Spoken(gap, FPS, spoken))
    whole = joined(recordings)
    report, found = measure(*whole), closure_figures(recordings)
    assert found.recall.value == report.recall and found.precision.value == report.precision
    assert found.release.value == report.release and found.timing.value == report.timing
    blocks = [piece for one in recordings for piece in cut(joined([one]))]
    assert len(blocks) >= 10
    sums = np.array([_counted(block) for block in blocks]).sum(axis=0)
    assert sums[0] == len(at(whole.phones, "P", "M"))  # type: ignore[arg-type]
    assert sums[1] / sums[0] == pytest.approx(report.recall)
    assert sums[3] / sums[2] == pytest.approx(report.precision)
    # a frame at a vowel's very edge may count in one and not the other
    assert sums[5] / sums[4] == pytest.approx(report.release, abs=0.06)


def test_nothing_said_gives_no_figures() -> None:
    found = closure_figures([Spoken(np.zeros(600), FPS, [])])
    assert np.isnan(found.recall.value) and np.isnan(closure_figures([]).recall.value)


def test_labiodental_contact() -> None:
    spoken = phones(10)
    teeth = mouth(spoken, set(at(spoken, "F")[:7]))
    assert labiodental([Spoken(teeth, FPS, spoken)]).value == 0.7


def test_rounding_is_contrast_not_level() -> None:
    spoken = phones(10)
    forward = mouth(spoken, set()) * 0
    for i in at(spoken, "UW1"):
        a, z = (int(x * FPS) for x in (spoken[i].start, spoken[i].end))
        forward[a:z] = 0.5
    for level in (0.0, -0.4):
        size, sure = rounding([Spoken(forward + level, FPS, spoken)])
        assert size.value == pytest.approx(0.45, abs=0.01) and sure.value == 1.0
    assert rounding([Spoken(-forward, FPS, spoken)])[1].value == 0.0


def test_order_of_vowels() -> None:
    spoken = [
        PhoneTime(text, k / 5, k / 5 + 0.2) for k, text in enumerate(["AA1", "EH1", "IY1"] * 9)
    ]
    rows = np.repeat([0.4, 0.25, 0.1], 12)
    gap = np.tile(rows, 9)
    assert vowel_order([Spoken(gap, FPS, spoken)]).value == 1.0
    assert vowel_order([Spoken(-gap, FPS, spoken)]).value == 0.0
    assert vowel_order([Spoken(0 * gap, FPS, spoken)]).value == 0.5


def test_protection_counts_what_was_closed() -> None:
    spoken = phones(10)
    lips = at(spoken, "P", "M")
    calm, felt = mouth(spoken, set(lips[:10])), mouth(spoken, set(lips[2:]))
    found = protection(calm, felt, FPS, spoken)
    assert found.value == 0.8 and found.count == 10
    assert closed(calm, FPS, spoken[lips[0]]) and not closed(felt, FPS, spoken[lips[0]])


def test_presets_but_for_the_jaw() -> None:
    authored = np.full((3, 52), 0.5, np.float32)
    found = authored.copy()
    found[0, RIG.index("jawOpen")] = 0.0
    found[1, RIG.index("browInnerUp")] = 0.54
    found[2, RIG.index("mouthFunnel")] = 0.6
    errors = preset_errors(found, authored, RIG.channels)
    np.testing.assert_allclose(errors, [0, 0.04, 0.1], atol=1e-6)
    assert reproducibility(errors).value == pytest.approx(2 / 3)


def test_distinctness_is_of_the_skin() -> None:
    """Eyes and tongue alone make no other face."""
    faces = {name: np.zeros(52, np.float32) for name in ("rest", "look", "tongue", "smile")}
    faces["look"][RIG.index("eyeLookUpLeft")] = 1.0
    faces["tongue"][RIG.index("tongueOut")] = 1.0
    faces["smile"][RIG.indices("mouthSmileLeft", "mouthSmileRight")] = 0.8
    apart = distinctness(faces, RIG)
    assert apart[("rest", "tongue")] == 0.0
    assert apart[("rest", "look")] < 0.2
    assert apart[("rest", "smile")] > 0.8
    half = displacements(np.stack([0.5 * faces["smile"], faces["smile"]]), RIG)
    np.testing.assert_allclose(2 * half[0], half[1], atol=1e-6)
