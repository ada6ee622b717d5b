from __future__ import annotations

import numpy as np
import pytest
from facewire.articulation import PhoneTime, closures, measure

FPS = 60.0


def mouth(length: int, *shut: tuple[int, int], gap: float = 0.2) -> np.ndarray:
    """An open mouth that is shut from row a up to row z."""
    values = np.full(length, gap)
    for a, z in shut:
        values[a:z] = -0.02
    return values


def test_crossings_are_interpolated_between_frames() -> None:
    gap = np.array([0.08, 0.08, -0.02, -0.02, -0.02, 0.08, 0.08])
    assert closures(gap, FPS) * FPS == pytest.approx(np.array([[1.5, 4.5]]))


def test_a_closure_between_two_frames_counts_by_its_crossings() -> None:
    # one row below at 30 fps, crossed early and left late: 1.2 rows = 40 ms
    gap = np.array([0.05, -0.05, 0.05])
    assert len(closures(gap, 30.0)) == 1
    assert len(closures(gap, 60.0)) == 0


def test_a_mouth_that_never_opens_is_one_closure() -> None:
    assert closures(np.zeros(61), FPS) == pytest.approx(np.array([[0.0, 1.0]]))
    assert closures(np.full(61, 0.2), FPS).shape == (0, 2)
    assert closures(np.zeros(0), FPS).shape == (0, 2)


PHONES = [
    PhoneTime("AA1", 0.5, 0.8),
    PhoneTime("M", 0.8, 0.9),
    PhoneTime("AA1", 0.9, 1.2),
    PhoneTime("B", 1.2, 1.3),
    PhoneTime("IY0", 1.3, 1.5),
]


def test_a_good_mouth_gets_full_marks() -> None:
    gap = mouth(180, (48, 54), (72, 78))
    gap[:18] = gap[102:] = 0.0
    report = measure(gap, FPS, PHONES)
    assert (report.recall, report.precision, report.release, report.leak) == (1.0, 1.0, 1.0, 0.0)
    assert report.timing < 1 / 60
    assert report.rate == pytest.approx(report.phone_rate) == pytest.approx(2.0)


def test_each_figure_catches_its_own_fault() -> None:
    never = measure(np.full(180, 0.2), FPS, PHONES)
    assert never.recall == 0.0 and np.isnan(never.precision) and never.leak == pytest.approx(0.2)
    late = measure(mouth(180, (51, 57), (75, 81)), FPS, PHONES)
    assert late.timing > 0.02
    rows = np.arange(180)
    flapping = measure(np.where((rows // 6) % 2, 0.2, -0.02), FPS, PHONES)
    assert flapping.recall == 1.0 and flapping.precision < 0.6
    assert flapping.rate > 2 * flapping.phone_rate
    mumbled = measure(mouth(180, (48, 54), (72, 78), gap=0.1), FPS, PHONES)
    assert mumbled.release == 0.0


def test_rest_in_pauses_is_no_closure_to_judge() -> None:
    gap = mouth(180, (0, 24), (48, 54), (72, 78), (96, 180))
    report = measure(gap, FPS, PHONES)
    assert report.precision == 1.0
    assert report.timing < 1 / 60


def test_nothing_to_judge_is_nan() -> None:
    report = measure(np.zeros(60), FPS, [])
    assert np.isnan([report.recall, report.precision, report.timing, report.release]).all()
    assert report.leak == 0.0
    assert "recall nan" in str(report)
