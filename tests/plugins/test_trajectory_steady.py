"""What calms the network's curves: nothing moves where no mouth sounds, and jitter is less."""

from __future__ import annotations

import numpy as np
import pytest
from facewire.types import FloatArray
from facewire_trajectory.runtime import COLUMNS, Heard, joined
from facewire_trajectory.steady import GAP, OTHER, SMALL, Steady, resting


def heard(curves: FloatArray, other: float = 0.0) -> Heard:
    """Return rows whose sound is ``other`` with that probability, else speech."""
    count = len(curves)
    rest = [np.arange(count * width, dtype=np.float32).reshape(count, width) for width in COLUMNS]
    sound = np.zeros((count, 3), np.float32)
    sound[:, OTHER], sound[:, 1] = other, 1.0 - other
    return Heard(curves.astype(np.float32), sound, rest[2], rest[3])


def calmed(given: Heard, sizes: list[int], late: int = 1) -> Heard:
    steady, pieces, at = Steady(late), [], 0
    for size in [*sizes, len(given.curves)]:
        pieces.append(steady.push(given.cut(at, at + size)))
        at += size
    return joined([*pieces, steady.flush()])


def wave(hertz: float, count: int = 240) -> FloatArray:
    rows = np.sin(2 * np.pi * hertz * np.arange(count) / 60)
    return np.asarray(0.3 + 0.2 * rows[:, None] * np.ones(15), np.float32)


@pytest.mark.parametrize("late", [0, 1])
@pytest.mark.parametrize("sizes", [[], [1] * 240, [0, 1, 0, 2, 100], [239]])
def test_rows_are_the_same_however_they_come(sizes: list[int], late: int) -> None:
    given = heard(wave(5.0))
    whole, cut = calmed(given, [], late), calmed(given, sizes, late)
    assert len(cut.curves) == 240
    assert all(np.array_equal(a, b) for a, b in zip(whole, cut, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(cut[1:], given[1:], strict=True))  # in step


@pytest.mark.parametrize(("hertz", "share"), [(0.0, 1.0), (4.0, 0.96), (12.0, 0.65), (20.0, 0.25)])
def test_what_is_fast_is_less_and_nothing_is_late(hertz: float, share: float) -> None:
    given = wave(hertz)
    found = calmed(heard(given), [7, 20]).curves
    middle = slice(30, -30)
    assert found[middle] - 0.3 == pytest.approx(share * (given[middle] - 0.3), abs=0.003)


@pytest.mark.parametrize(("hertz", "share"), [(0.0, 1.0), (4.0, 0.98), (12.0, 0.82), (20.0, 0.53)])
def test_without_the_next_row_what_is_fast_is_less_too(hertz: float, share: float) -> None:
    given = wave(hertz)
    found = calmed(heard(given), [7, 20], late=0).curves
    assert np.ptp(found[30:-30, GAP]) == pytest.approx(share * np.ptp(given[:, GAP]), abs=0.02)
    turned = (
        np.fft.rfft(found[:, GAP])[round(hertz * 4)] / np.fft.rfft(given[:, GAP])[round(hertz * 4)]
    )
    late = -np.angle(turned) / (2 * np.pi * hertz) if hertz else 0.0
    assert 0.0 <= late < 0.010  # seconds


def test_a_row_is_handed_on_when_the_rows_it_needs_are_there() -> None:
    rows = heard(wave(3.0))
    steady = Steady(late=1)
    assert steady.late == 1 and len(steady.push(rows.cut(0, 10)).curves) == 9
    assert len(steady.flush().curves) == 1 and len(steady.flush().curves) == 0
    steady = Steady(late=0)
    assert steady.late == 0 and len(steady.push(rows.cut(0, 10)).curves) == 10
    assert len(steady.flush().curves) == 0


def test_small_gaps_are_shut_where_no_mouth_sounds() -> None:
    curves = np.zeros((4, 15), np.float32)
    curves[:, GAP] = (0.02, -0.02, SMALL, 0.3)
    sound = np.zeros((4, 3), np.float32)
    sound[:, OTHER] = 0.95
    assert resting(curves, sound)[:, GAP] == pytest.approx([0.02 * 0.26, 0.0, SMALL, 0.3], abs=2e-3)
    sound[:, OTHER] = 0.4  # speech, more likely
    assert np.array_equal(resting(curves, sound), curves)
