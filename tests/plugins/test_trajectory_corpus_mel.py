"""Log-mel rows: exact in a stream, right in pitch and level, finite."""

from __future__ import annotations

import numpy as np
import pytest
from facewire.types import FloatArray
from facewire_trajectory.mel import BANDS, HOP, RATE, Mel, filters, log_mel
from hypothesis import given, settings
from hypothesis import strategies as st


def noise(count: int) -> FloatArray:
    return np.random.default_rng(1).normal(0, 0.1, count).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9000), st.lists(st.integers(0, 2500), max_size=12))
def test_any_cut_gives_what_the_whole_gives(count: int, cuts: list[int]) -> None:
    sound = noise(count)
    mel, parts, at = Mel(), [], 0
    for cut in cuts:
        parts.append(mel.push(sound[at : at + cut]))
        at = min(at + cut, count)
        assert sum(map(len, parts)) == max(0, (at - 600) // HOP + 1)
    parts += [mel.push(sound[at:]), mel.flush()]
    whole = log_mel(sound)
    assert len(whole) == -(-count // HOP)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=2e-6)


def test_a_row_is_of_its_own_time() -> None:
    sound = np.zeros(24000, np.float32)
    sound[4000] = 1.0
    heard = np.flatnonzero(log_mel(sound).max(axis=1) > -13.0)
    assert heard.tolist() == [9, 10]  # windows [3400, 4200) and [3800, 4600)


@pytest.mark.parametrize("hertz", [120, 500, 1500, 4000, 7000])
def test_a_tone_is_in_its_band(hertz: int) -> None:
    tone = 0.1 * np.sin(2 * np.pi * hertz * np.arange(8000) / RATE).astype(np.float32)
    band = int(log_mel(tone)[10].argmax())
    bins = np.arange(513) * RATE / 1024
    centre = float((filters()[:, band] * bins).sum())
    assert abs(centre - hertz) < max(30.0, 0.06 * hertz)


def test_white_noise_has_its_variance_in_every_band() -> None:
    power = np.exp(log_mel(noise(240000))).mean(axis=0)
    np.testing.assert_allclose(power, 0.01, rtol=0.15)


def test_reset_and_finite() -> None:
    mel = Mel()
    mel.push(np.array([np.nan, np.inf, 1e30, -1e30] * 400, np.float32))
    assert np.isfinite(mel.push(noise(2000))).all()
    mel.reset()
    again = np.concatenate([mel.push(noise(2000)), mel.flush()])
    assert np.array_equal(again, log_mel(noise(2000)))
    assert log_mel(np.zeros(0, np.float32)).shape == (0, BANDS)
