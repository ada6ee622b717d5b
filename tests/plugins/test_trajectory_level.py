from __future__ import annotations

import numpy as np
import pytest
from facewire.testing import check_chunking, voiced
from facewire.types import FloatArray
from facewire_trajectory.level import SILENCE, USUAL, Level
from facewire_trajectory.mel import FLOOR, RATE, log_mel


def levelled(rows: FloatArray, sizes: list[int] | None = None) -> FloatArray:
    level, pieces, at, i = Level(), [], 0, 0
    while at < len(rows):
        size = sizes[i % len(sizes)] if sizes else len(rows)
        pieces.append(level.push(rows[None, at : at + size])[0])
        at, i = at + size, i + 1
    return np.concatenate(pieces)


@pytest.mark.parametrize("gain", [0.05, 0.3, 4.0])
def test_speech_comes_to_one_level(gain: float) -> None:
    sound = voiced(12.0, RATE).samples
    usual, other = (levelled(log_mel((g * sound).astype(np.float32))) for g in (1.0, gain))
    late = slice(6 * 60, None)
    loud = usual[late].mean(axis=1) > usual[late].mean()
    before = abs(2 * np.log(gain)) / 3.0  # in units of the values
    assert np.abs((usual - other)[late][loud].mean()) < 0.35 * before


def test_steady_noise_is_not_brought_to_the_level_of_speech() -> None:
    noise = 0.003 * np.random.default_rng(0).standard_normal(20 * RATE)
    rows = log_mel(noise.astype(np.float32))
    gain = levelled(rows)[-60:] * 3.0 - 6.0 - rows[-60:]
    assert np.abs(np.median(gain)) < 1.0


def test_digital_silence_is_one_value() -> None:
    rows = np.full((100, 64), np.log(FLOOR), np.float32)
    assert np.allclose(levelled(rows), SILENCE, atol=1e-5)


def test_streams_are_cut_anywhere() -> None:
    rows = log_mel(voiced(3.0, RATE).samples)
    check_chunking(lambda sizes: levelled(rows, list(sizes)), [1, 17, 64], len(rows))


def test_several_streams_at_once_are_each_alone() -> None:
    rows = log_mel(voiced(3.0, RATE).samples)
    both = np.stack([rows, rows - 2.0])
    together = Level(2).push(both)
    assert np.allclose(together[1], Level().push(both[1:])[0], atol=1e-6)
    assert USUAL < 0


def test_the_largest_numbers_stay_finite() -> None:
    rows = np.full((1, 40, 64), 1e30, np.float32)
    assert np.isfinite(Level().push(rows)).all()
