from __future__ import annotations

import numpy as np
import pytest
from facewire.articulation import (
    CAUSAL,
    PLANNED,
    SOUNDS,
    Solver,
    Sound,
    Spoken,
    Window,
    decode,
    lip_gap,
    read_phone,
)
from facewire.rig import Rig

RIG = Rig.named("arkit52")


def pulses(rows: int, every: float, loud: float, fps: int = 60) -> np.ndarray:
    """Loudness of notes, one every so many seconds, between rows 40 and the last 40."""
    level = np.zeros(rows)
    body = np.arange(40, rows - 40)
    level[body] = loud - 0.25 * (0.5 - 0.5 * np.cos(2 * np.pi * body / (every * fps)))
    return level


def frames(name: str, level: np.ndarray, window: Window = PLANNED) -> np.ndarray:
    solver = Solver(60.0, window)
    sound = Sound(40.0, float(len(level) - 40), name)
    return decode(np.concatenate([solver.push([sound], level), solver.flush()]), RIG)


@pytest.mark.parametrize("window", [PLANNED, CAUSAL], ids=["planned", "causal"])
def test_laughter_pulses_with_its_loudness(window: Window) -> None:
    level = pulses(240, 0.21, 0.65)  # 4.7 notes a second
    gap = lip_gap(frames("laugh", level, window), RIG)
    laughing = slice(50, 190)
    assert np.ptp(gap[laughing]) >= 0.15
    assert np.corrcoef(gap[laughing], level[laughing])[0, 1] >= 0.5
    assert np.abs(gap[:20]).max() < 0.01 and np.abs(gap[-10:]).max() < 0.01


def test_a_scream_opens_the_jaw_wide() -> None:
    values = frames("scream", pulses(240, 0.8, 0.95))
    assert values[:, RIG.index("jawOpen")].max() > 0.7
    assert values.max() <= 1.0


def test_breathing_in_parts_the_lips() -> None:
    gap = lip_gap(frames("breath", pulses(160, 1.3, 0.4)), RIG)
    assert 0.05 <= gap.max() <= 0.13


@pytest.mark.parametrize("name", ["hum", "noise", "music", "cough?"])
def test_humming_and_other_noise_leave_the_mouth_shut(name: str) -> None:
    assert np.abs(lip_gap(frames(name, pulses(200, 0.3, 0.9)), RIG)).max() < 0.01


def test_any_cut_gives_the_same() -> None:
    level = np.random.default_rng(3).uniform(0, 0.8, 300)
    heard: list[Sound | Spoken] = [
        Sound(30.0 + 50 * i, 70.0 + 50 * i, n) for i, n in enumerate(SOUNDS)
    ]
    heard.append(Spoken(100.0, 110.0, read_phone("AA1")))
    whole, cut = Solver(60.0), Solver(60.0)
    expected = np.concatenate([whole.push(heard, level), whole.flush()])
    pieces = [
        cut.push([h for h in heard if int(h.start) == k], level[k : k + 1]) for k in range(300)
    ]
    assert np.array_equal(np.concatenate([*pieces, cut.flush()]), expected)
