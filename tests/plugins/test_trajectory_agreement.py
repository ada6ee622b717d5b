from __future__ import annotations

import numpy as np
import pytest
from facewire.types import Mark
from facewire_trajectory.agreement import Agreement
from facewire_trajectory.constrain import GAP, Phones
from facewire_trajectory.mel import RATE
from facewire_trajectory.sizes import BANDS

ROWS = 1800


def syllables(seed: int, like: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return two gaps (1800,) that open four times a second; ``like`` is what they share."""
    random = np.random.default_rng(seed)
    one, other = (np.convolve(random.normal(size=ROWS), np.hanning(15), "same") for _ in range(2))
    mixed = like * one + (1.0 - like) * other
    return 0.3 + 0.05 * one, 0.3 + 0.05 * mixed


def trust(network: np.ndarray, phones: np.ndarray, told: float = 1.0) -> tuple[np.ndarray, bool]:
    agreement = Agreement()
    found = agreement.push(network, phones, np.full(len(network), told))
    return found, agreement.strange


def test_phones_that_go_with_the_sound_are_believed() -> None:
    for like in (1.0, 0.6):
        found, strange = trust(*syllables(1, like))
        assert found.min() == 1.0 and not strange


def test_phones_that_do_not_soon_have_no_say() -> None:
    found, strange = trust(*syllables(2, 0.2))
    assert strange and found[:30].min() == 1.0
    assert found[600:].max() == 0.0


def test_rows_without_phones_say_nothing() -> None:
    found, strange = trust(*syllables(3, 0.0), told=0.0)
    assert found.min() == 1.0 and not strange


@pytest.mark.parametrize("size", [1, 7, 29, 30, 31, 500])
def test_any_cut_gives_the_same(size: int) -> None:
    network, phones = syllables(4, 0.35)
    told = (np.arange(ROWS) // 100 % 3 > 0).astype(float)
    whole = Agreement().push(network, phones, told)
    assert 0.0 < np.ptp(whole)
    agreement = Agreement()
    cuts = [slice(at, at + size) for at in range(0, ROWS, size)]
    found = [agreement.push(network[cut], phones[cut], told[cut]) for cut in cuts]
    np.testing.assert_array_equal(np.concatenate(found), whole)
    agreement.reset()
    np.testing.assert_array_equal(agreement.push(network, phones, told), whole)


@pytest.mark.parametrize("confidence", [0.5, 1.0])
def test_heard_phones_that_do_not_fit_hold_nothing(confidence: float) -> None:
    phones, names, row = Phones(), ("M", "AA1"), RATE // 60
    said = [Mark("phone", names[k % 2], 12 * k * row, 12 * (k + 1) * row, confidence=confidence)
            for k in range(ROWS // 12)]  # fmt: skip
    phones.push(said, RATE, np.zeros((ROWS, BANDS), np.float32), False)
    phones.flush()
    curves = np.zeros((ROWS, 15))
    curves[:, GAP] = 0.2 + 0.15 * np.sin(np.arange(ROWS) * 2 * np.pi / 17.3)  # another rhythm
    off = np.abs(phones.hold(curves, np.zeros((ROWS, 3))) - curves)[:, GAP]
    assert off[:60].max() > 0.05
    assert (off[900:].max() == 0.0) == phones.strange == (confidence < 1.0)
