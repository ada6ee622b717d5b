"""Curves with known answers: what each metric of facewire-eval says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from facewire.articulation import PhoneTime, lip_gap
from facewire_eval.items import load_takes
from facewire_eval.metrics import (
    Pair,
    above,
    agreement,
    band_correlation,
    band_pass,
    below,
    energy,
    follows,
    jitter,
    leak,
    moving,
    quiet,
    ratio,
    resampled,
    sampled,
    share,
    silences,
    velocity,
)

FPS = 60.0
T = np.arange(0, 30, 1 / FPS)


def tone(rate: float, phase: float = 0.0) -> np.ndarray:
    return np.sin(2 * np.pi * rate * T + phase)


def walk(seed: int = 1) -> np.ndarray:
    """Return a curve with motion at all rates of speech."""
    return below(np.random.default_rng(seed).standard_normal(len(T)), FPS, 9.0)


@pytest.mark.parametrize(("rate", "passed"), [(0.5, 0.0), (1, 0.0), (4, 1.0), (13, 0.0), (25, 0.0)])
def test_band_is_2_to_8_hz_without_delay(rate: float, passed: float) -> None:
    inner = slice(120, -120)
    np.testing.assert_allclose(
        band_pass(tone(rate), FPS)[inner], passed * tone(rate)[inner], atol=0.03
    )


def test_band_ends_at_half_power_each_way() -> None:
    for rate in (2.0, 8.0):
        size = np.abs(band_pass(tone(rate), FPS)[300:-300]).max()
        assert size == pytest.approx(0.5, abs=0.02)


def test_filters_are_the_same_at_another_rate() -> None:
    slow = np.sin(2 * np.pi * 5 * np.arange(0, 30, 1 / 30))
    fast = tone(5)
    np.testing.assert_allclose(
        band_pass(fast, FPS)[::2][60:-60], band_pass(slow, 30.0)[60:-60], atol=1e-3
    )


def test_above_and_below_are_the_whole() -> None:
    curve = walk() + 3
    np.testing.assert_allclose(above(curve, FPS) + below(curve, FPS, 12.0), curve, atol=1e-12)


def test_a_curve_agrees_with_itself() -> None:
    found = agreement([Pair(walk(), walk(), FPS)])
    for figure in (found.band, found.velocity, found.plain, found.peak, found.liveliness):
        assert figure.value == pytest.approx(1.0, abs=2e-3)
    assert found.lag.value == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("late", [-0.1, -0.025, 0.04, 0.1])
def test_a_shifted_copy_has_its_lag(late: float) -> None:
    true = walk() + 2 * below(walk(2), FPS, 2.0)
    found = np.interp(T - late, T, true)
    result = agreement([Pair(found, true, FPS)])
    assert result.lag.value == pytest.approx(late, abs=0.003)
    assert result.lag.low <= late + 0.003 and result.lag.high >= late - 0.003
    assert result.aligned.value > 0.97 > result.band.value


def test_scale_and_level_are_liveliness_and_nothing_else() -> None:
    found = agreement([Pair(0.5 * walk() + 7, walk(), FPS)])
    assert found.liveliness.value == pytest.approx(0.5, abs=1e-6)
    assert found.band.value == pytest.approx(1.0, abs=1e-6)


def test_levels_of_two_takes_count_for_nothing() -> None:
    one, other = Pair(walk(1), walk(2), FPS), Pair(walk(3) + 50, walk(4) + 50, FPS)
    assert abs(agreement([one, other]).plain.value) < 0.2


def test_unrelated_curves_have_an_interval_about_zero() -> None:
    found = band_correlation(walk(3), walk(4), FPS)
    assert found.low < 0 < found.high and found.count == 30


def test_interval_holds_the_truth_about_95_times_in_100() -> None:
    random = np.random.default_rng(3)
    held = 0
    for _ in range(60):
        a = random.standard_normal(3600)
        b = 0.6 * a + 0.8 * random.standard_normal(3600)  # r = .6
        found = agreement([Pair(a, b, FPS)]).plain
        held += found.low <= 0.6 <= found.high
    assert held >= 52


def test_what_stands_still_has_no_correlation() -> None:
    found = agreement([Pair(np.zeros(len(T)), walk(), FPS)])
    assert np.isnan(found.band.value) and str(found.band) == "-"
    assert found.liveliness.value == 0.0


def test_short_and_empty_takes_have_no_figures() -> None:
    assert np.isnan(agreement([]).band.value)
    short = agreement([Pair(walk()[:30], walk()[:30], FPS)])
    assert short.plain.value == pytest.approx(1.0) and np.isnan(short.plain.low)


def test_velocity_of_a_line_is_its_slope() -> None:
    np.testing.assert_allclose(velocity(3 * T, FPS), 3.0, atol=1e-9)


def test_sampled_meets_frames_of_both_rates() -> None:
    np.testing.assert_allclose(sampled(T, FPS, 100, 30.0), np.arange(100) / 30)
    held = sampled(np.arange(10.0), 10.0, 30, 10.0)
    assert held[-1] == 9.0


def test_jitter_is_the_power_above_12_hz() -> None:
    quietly = jitter([tone(4)], FPS)
    shaken = jitter([tone(4) + 0.1 * tone(20)], FPS)
    assert quietly.value < 0.003
    assert shaken.value == pytest.approx(0.1 / np.sqrt(2), abs=0.004)
    assert shaken.low <= shaken.value <= shaken.high
    assert np.isnan(jitter([tone(4)], 24.0).value)


def test_leak_leaves_out_what_is_beside_speech() -> None:
    phones = [PhoneTime("AA1", 0.0, 2.0), PhoneTime("AA1", 5.0, 6.0)]
    spans = silences(phones, 30.0)
    assert spans == [(2.0, 5.0), (6.0, 30.0)]
    gap = np.zeros(len(T))
    gap[(T < 2.19) | ((T > 4.71) & (T < 6.19))] = 0.5  # settles, prepares
    assert leak(gap, FPS, spans).value == 0.0
    gap[T > 10] = 0.2
    assert leak(gap, FPS, spans).value == pytest.approx(0.2)


def test_short_pauses_are_no_silences() -> None:
    phones = [PhoneTime("AA1", 0.0, 1.0), PhoneTime("SIL", 1.0, 1.4), PhoneTime("B", 1.4, 2.0)]
    assert silences(phones, 2.3) == []


def test_quiet_is_found_by_energy() -> None:
    sound = np.concatenate([np.zeros(16000), np.ones(16000), np.zeros(4000), np.ones(8000)])
    ((start, end),) = quiet(sound * np.random.default_rng(0).standard_normal(44000), 16000, 2.75)
    assert start == 0.0 and end == pytest.approx(1.0, abs=0.05)


def test_silence_has_no_energy_and_the_loudest_frame_is_0_db() -> None:
    assert (energy(np.zeros(16000), 16000, 60, FPS) == -60).all()
    assert energy(np.sin(np.arange(16000)), 16000, 60, FPS).max() == 0.0


def test_a_mouth_that_follows_energy() -> None:
    random = np.random.default_rng(0)
    level = np.clip(np.sin(2 * np.pi * 0.7 * T), 0, 1)
    sound = random.standard_normal(480000) * np.interp(np.arange(480000) / 16000, T, level)
    reach, r = follows(0.3 * level, FPS, sound, 16000)
    assert reach.value == pytest.approx(0.3, abs=0.01) and r.value > 0.7
    assert abs(follows(0.3 * tone(0.31) ** 2, FPS, sound, 16000)[1].value) < 0.4


def test_ratios_and_shares() -> None:
    assert share([True] * 8 + [False] * 2).value == 0.8
    assert ratio(np.array([1.0, 2.0, 0.0]), np.array([2.0, 2.0, 2.0])).value == 0.5
    assert np.isnan(share([]).value)
    assert resampled(np.array([1.0, 9.0]), lambda x: float(x.mean())).count == 2
    assert str(share([True, False])) == ".500"


def test_real_face_low_passed_keeps_r_and_loses_its_syllables(data: Path) -> None:
    """Plain r alone hides everything."""
    for take in load_takes(data / "motion/facegood"):
        gap = lip_gap(take.motion.values, take.motion.rig)
        found = agreement([Pair(below(gap, 30.0, 1.5), gap, 30.0)])
        assert found.plain.value > 0.8
        assert found.band.value < 0.5
        assert "jawOpen" in moving(take.motion.values, take.motion.rig.channels)
        assert not any("eye" in c for c in moving(take.motion.values, take.motion.rig.channels))
