"""idle.gaze: saccades by the main sequence, fixations, looks away and back, lids."""

from __future__ import annotations

from math import degrees

import numpy as np
import pytest
from facewire.types import Context, FloatArray
from test_idle_stream import RATE, RIG, column, layer, pulses, run, stretches


def eyes(values: FloatArray) -> np.ndarray:
    """Return yaw and pitch of the left eye in degrees: (n, 2)."""
    return np.degrees(np.stack([column(values, f"leftEye{axis}") for axis in ("Yaw", "Pitch")], 1))


def saccades(path: np.ndarray, fps: int) -> list[tuple[float, float, float]]:
    """Return when each quick movement begins, its size in degrees and how long it takes."""
    speed = np.hypot(*np.diff(path, axis=0).T) * fps
    return [
        (begin / fps, float(np.hypot(*(path[end] - path[begin]))), (end - begin) / fps)
        for begin, end in stretches(speed > 15.0)
    ]


def test_saccades_follow_the_main_sequence() -> None:
    path = eyes(run(layer("idle.gaze", Context(fps=2000), state="thinking"), 120.0, fps=2000))
    found = [(size, lasts) for _, size, lasts in saccades(path, 2000) if size > 4.0]
    assert len(found) > 30
    sizes, lasts = np.array(found).T
    slope, base = np.polyfit(sizes, 1000 * lasts, 1)
    # the ends of the eased step fall below the threshold of speed, so the base comes out shorter
    assert slope == pytest.approx(2.2, abs=0.45)
    assert 14.0 < base < 22.0


def test_both_eyes_turn_alike_and_small_saccades_are_frequent() -> None:
    values = run(layer("idle.gaze", Context(fps=240)), 600.0, fps=240)
    assert np.array_equal(column(values, "leftEyeYaw"), column(values, "rightEyeYaw"))
    path = eyes(values)
    found = saccades(path, 240)
    rate = len(found) / 600
    assert 0.9 < rate < 2.0
    small = [size for _, size, _ in found if size < 4.0]
    assert len(small) / len(found) > 0.6
    fixations = np.diff([begin for begin, _, _ in found])
    assert 0.3 < np.median(fixations) < 1.2


def test_gaze_rests_on_the_viewer_and_drifts() -> None:
    path = eyes(run(layer("idle.gaze"), 600.0))
    assert np.abs(path.mean(axis=0)).max() < 0.6
    near = np.hypot(*path.T) < 3.5
    assert 0.7 < near.mean() < 0.95
    still = np.hypot(*np.diff(path, axis=0).T) * 60
    assert 0.05 < np.median(still) < 1.5  # degrees a second, never quite still


@pytest.mark.parametrize(
    ("state", "low", "high"),
    [("speaking", 0.15, 0.32), ("listening", 0.02, 0.12), ("thinking", 0.6, 0.9)],
)
def test_how_much_it_looks_away(state: str, low: float, high: float) -> None:
    values = run(layer("idle.gaze", state=state), 1200.0)
    total = eyes(values) + np.degrees(
        np.stack([column(values, f"head{axis}") for axis in ("Yaw", "Pitch")], 1)
    )
    assert low < (np.hypot(*total.T) > 3.6).mean() < high


def test_turns_begin_with_a_look_away_and_end_with_one_at_the_viewer() -> None:
    # turns of 3 s every 8 s
    starts = np.arange(4.0, 400.0, 8.0)
    times = [start + 0.22 * i for start in starts for i in range(14)]
    sound = pulses(times, [0.0] * len(times), [0.0] * len(times))
    seconds = len(sound) / RATE
    far = np.hypot(*eyes(run(layer("idle.gaze"), seconds, sound)).T) > 3.6
    at = [far[int((start + 0.25) * 60)] for start in starts]
    assert 0.55 < np.mean(at) < 0.9
    ends = [far[int((start + 3.25) * 60)] for start in starts[:-1]]
    assert np.mean(ends) < 0.1


def test_lids_follow_up_and_down() -> None:
    values = run(layer("idle.gaze", state="thinking"), 120.0)
    down, up = column(values, "eyeLookDownLeft"), column(values, "eyeLookUpLeft")
    assert np.abs(column(values, "eyeBlinkLeft") - 0.3 * down).max() < 1e-6
    assert np.abs(column(values, "eyeWideLeft") - 0.3 * up).max() < 1e-6
    assert min(down.max(), up.max()) > 0.1


def test_the_head_helps_with_large_looks_and_the_gaze_lands_once() -> None:
    values = run(layer("idle.gaze", state="thinking"), 120.0)
    head = np.degrees(column(values, "headYaw"))
    path = eyes(values)[:, 0]
    assert 1.0 < np.abs(head).max() < 6.0
    both = path + head
    moving = np.abs(np.gradient(head)) * 60 > 1.0
    quick = np.abs(np.gradient(both)) * 60 > 20.0
    assert (quick & moving).sum() < 0.35 * moving.sum()
    assert np.abs(np.gradient(head)).max() * 60 < 40.0


def test_what_was_there_is_added_to() -> None:
    values = np.zeros((1200, len(RIG)), np.float32)
    values[:, RIG.index("eyeLookDownLeft")] = values[:, RIG.index("eyeLookDownRight")] = 0.3
    for side in ("left", "right"):
        values[:, RIG.index(f"{side}EyePitch")] = 0.3 * np.radians(35.0)
    found = run(layer("idle.gaze"), 20.0, values=values)
    plain = run(layer("idle.gaze"), 20.0)
    added = column(found, "leftEyePitch") - column(plain, "leftEyePitch")
    assert degrees(np.abs(added - 0.3 * np.radians(35.0)).max()) < 0.5
    look = column(found, "eyeLookDownLeft") - column(found, "eyeLookUpLeft")
    assert np.abs(column(found, "leftEyePitch") - look * np.radians(35.0)).max() < 1e-6
