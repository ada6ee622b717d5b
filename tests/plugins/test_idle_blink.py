"""idle.blink against the figures it is made from."""

from __future__ import annotations

import numpy as np
import pytest
from facewire.types import Context, FloatArray
from scipy import stats
from test_idle_stream import RATE, RIG, column, layer, run, stretches

HOUR = 3600.0


def blinks(values: FloatArray, fps: int = 60) -> np.ndarray:
    """Return when each closure has half closed the lids, in seconds."""
    shut = stretches(column(values, "eyeBlinkLeft") > 0.5)
    return np.array([begin / fps for begin, _ in shut])


def groups(times: np.ndarray) -> list[np.ndarray]:
    """Return single and double blinks as arrays of one or two times."""
    return np.split(times, np.flatnonzero(np.diff(times) > 0.48) + 1)


@pytest.mark.parametrize(
    ("state", "rate"), [("auto", 17.0), ("listening", 17.0), ("speaking", 26.0)]
)
def test_an_hour_has_the_rate_the_doubles_and_the_intervals(state: str, rate: float) -> None:
    times = blinks(run(layer("idle.blink", state=state), HOUR))
    assert len(times) / 60 == pytest.approx(rate, rel=0.07)
    found = groups(times)
    doubles = sum(len(group) > 1 for group in found)
    assert doubles / len(found) == pytest.approx(0.15, abs=0.035)
    assert max(map(len, found)) == 2
    intervals = np.diff([group[0] for group in found])
    assert intervals.min() > 0.5
    logs = np.log(intervals)
    assert np.std(logs) == pytest.approx(0.6, abs=0.06)
    assert stats.skew(intervals) > 1.0 > 0.35 > abs(stats.skew(logs))
    assert stats.kstest((logs - logs.mean()) / logs.std(), "norm").pvalue > 0.01


def test_the_rate_is_an_option() -> None:
    assert len(blinks(run(layer("idle.blink", rate=8.0), HOUR))) / 60 == pytest.approx(8.0, rel=0.1)


def test_durations_and_both_lids() -> None:
    values = run(layer("idle.blink", Context(fps=2000)), 300.0, fps=2000)
    lid = column(values, "eyeBlinkLeft")
    assert np.array_equal(lid, column(values, "eyeBlinkRight"))
    closing, hold, opening = [], [], []
    for begin, end in stretches(lid > 1e-5):
        shut = begin + np.flatnonzero(lid[begin:end] > 1 - 1e-5)
        closing.append((shut[0] - begin) / 2)  # milliseconds
        hold.append((shut[-1] - shut[0]) / 2)
        opening.append((end - shut[-1]) / 2)
    # 1e-5 of a minimum-jerk curve cuts 1 to 2 % off each of its ends
    assert 57.0 < min(closing) and max(closing) < 86.0
    assert 20.0 < min(hold) and max(hold) < 55.0
    assert 95.0 < min(opening) and max(opening) < 181.0
    assert len(closing) > 60


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_a_blink_closes_the_eye_at_any_frame_rate(fps: int) -> None:
    lid = column(run(layer("idle.blink", Context(fps=fps)), 600.0, fps=fps), "eyeBlinkLeft")
    peaks = [lid[begin:end].max() for begin, end in stretches(lid > 0.02)]
    assert len(peaks) > 100
    assert min(peaks) > 0.85
    assert np.median(peaks) > 0.97


def test_wide_and_squint_fade_and_the_larger_blink_wins() -> None:
    rows = 60 * 60
    values = np.zeros((rows, len(RIG)), np.float32)
    for channel, value in (
        ("eyeWideLeft", 0.6),
        ("eyeSquintLeft", 0.5),
        ("eyeBlinkLeft", 0.3),
        ("eyeLookDownLeft", 0.5),
    ):
        values[:, RIG.index(channel)] = value
    values[:, RIG.index("eyeBlinkRight")] = 1.0
    found = run(layer("idle.blink"), 60.0, values=values)
    blink, wide, squint = (column(found, f"eye{what}Left") for what in ("Blink", "Wide", "Squint"))
    assert blink.min() == pytest.approx(0.3)
    assert (column(found, "eyeBlinkRight") == 1.0).all()
    total = blink + 0.4 * 0.5 + 0.3 * squint
    assert total.max() == pytest.approx(1.0, abs=1e-5)
    shut = total > 1 - 1e-4
    assert shut.any()
    assert wide[shut].max() < 1e-3 and squint[shut].max() < 1e-3
    open_ = wide > 0.5999
    assert open_.mean() > 0.8
    assert squint[open_].min() > 0.499


def test_talk_in_the_sound_raises_the_rate() -> None:
    t = np.arange(1200 * RATE) / RATE
    sound = (0.2 * np.sin(2 * np.pi * 150 * t) * (t > 600)).astype(np.float32)
    # the floor of noise would rise to a steady tone: breathe every two seconds
    sound[t % 2 < 0.1] = 0.0
    times = blinks(run(layer("idle.blink"), 1200.0, sound))
    assert (times < 600).sum() / 10 == pytest.approx(17.0, rel=0.15)
    assert (times > 600).sum() / 10 == pytest.approx(26.0, rel=0.15)


def test_blinks_gather_at_phrase_ends() -> None:
    # 4 s of tone and 4 s of silence, over and over
    t = np.arange(1200 * RATE) / RATE
    sound = (0.2 * np.sin(2 * np.pi * 150 * t) * (t % 8 < 4)).astype(np.float32)
    times = blinks(run(layer("idle.blink"), 1200.0, sound)) % 8
    after = ((times > 4.2) & (times < 4.8)).mean() / 0.6
    assert after > 2.0 / 8  # twice as dense as on average


def test_blinks_gather_at_large_gaze_shifts() -> None:
    rows = 1200 * 60
    angle = np.where(np.arange(rows) % 480 < 240, 0.0, 0.4)  # 14 degrees, every four seconds
    values = np.zeros((rows, len(RIG)), np.float32)
    values[:, RIG.index("eyeLookInLeft")] = values[:, RIG.index("eyeLookOutRight")] = angle
    times = blinks(run(layer("idle.blink"), 1200.0, values=values)) % 4
    assert ((times > 0.0) & (times < 0.2)).mean() / 0.2 > 3.0 / 4
    values *= 0.4  # 5.6 degrees: small
    times = blinks(run(layer("idle.blink"), 1200.0, values=values)) % 4
    assert ((times > 0.0) & (times < 0.2)).mean() / 0.2 < 1.5 / 4
    assert len(times) / 20 == pytest.approx(17.0, rel=0.12)


def test_three_hours_of_silence() -> None:
    lids = column(run(layer("idle.blink", Context(fps=10)), 3 * HOUR, fps=10), "eyeBlinkLeft")
    assert np.isfinite(lids).all() and lids.min() >= 0.0
    assert (lids[-36000:] > 0.3).any() and (lids[-36000:] == 0.0).mean() > 0.85
