from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from facewire.articulation import closures, lip_gap
from facewire.resample import AudioResampler, FrameResampler
from facewire.rig import Rig
from facewire.testing import cut_audio, cuts, voiced
from facewire.types import Audio, Mark, frames_within
from hypothesis import given, settings
from hypothesis import strategies as st

RIG = Rig.named("arkit61")
FPS = Fraction(60)


def resample_audio(audio: Audio, to: int, sizes: list[int]) -> tuple[np.ndarray, list[Mark]]:
    stream = AudioResampler(audio.rate, to, FPS)
    pieces = [stream.push(piece) for piece in cut_audio(audio, sizes)] + [stream.flush()]
    at = 0
    for piece in pieces:
        assert piece.start == at
        at = piece.end
    return np.concatenate([p.samples for p in pieces]), [m for p in pieces for m in p.marks]


@settings(deadline=None, max_examples=20)
@given(
    sizes=st.lists(st.integers(1, 4000), min_size=1, max_size=5),
    rates=st.sampled_from([(22050, 16000), (48000, 16000), (16000, 88200), (8000, 24000)]),
)
def test_audio_is_resampled_the_same_for_every_cut(
    sizes: list[int], rates: tuple[int, int]
) -> None:
    sound = voiced(0.7, rates[0])
    sound = Audio(
        sound.samples, sound.rate, 0, (Mark("phone", "M", 100, 900), Mark("word", "a", 3000, 4000))
    )
    whole, marks = resample_audio(sound, rates[1], [len(sound)])
    cut, cut_marks = resample_audio(sound, rates[1], sizes)
    assert np.array_equal(whole, cut)
    assert marks == cut_marks
    assert marks[0].start == round(100 * rates[1] / rates[0])


@given(
    n=st.integers(1, 200_000),
    rates=st.sampled_from([(22050, 16000), (48000, 16000), (192000, 16000)]),
)
@settings(deadline=None, max_examples=40)
def test_resampling_wins_and_loses_no_frame(n: int, rates: tuple[int, int]) -> None:
    stream = AudioResampler(rates[0], rates[1], FPS)
    out = len(stream.push(Audio(np.zeros(n, np.float32), rates[0]))) + len(stream.flush())
    assert frames_within(out, rates[1], FPS) == frames_within(n, rates[0], FPS)
    assert abs(out - n * rates[1] / rates[0]) <= 1


def resample_frames(
    values: np.ndarray, source: Fraction, target: Fraction, sizes: list[int]
) -> np.ndarray:
    stream = FrameResampler(source, target, len(RIG), RIG)
    out = [stream.push(values[a:b]) for a, b in cuts(len(values), sizes)]
    return np.concatenate([*out, stream.flush()])


RATES = [
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(60),
    Fraction(120),
]


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    source=st.sampled_from(RATES),
    target=st.sampled_from(RATES),
    n=st.integers(0, 100),
)
@settings(deadline=None, max_examples=60)
def test_frames_are_resampled_the_same_for_every_cut(
    sizes: list[int], source: Fraction, target: Fraction, n: int
) -> None:
    values = np.random.default_rng(n).uniform(0, 1, (n, len(RIG))).astype(np.float32)
    whole = resample_frames(values, source, target, [max(1, n)])
    assert len(whole) == -(-n * target // source)
    np.testing.assert_array_equal(whole, resample_frames(values, source, target, sizes))


def test_resampling_is_linear_away_from_closures() -> None:
    values = np.full((60, len(RIG)), 0.0, np.float32)
    values[:, RIG.index("jawOpen")] = np.linspace(0.3, 0.9, 60)
    out = resample_frames(values, FPS, Fraction(24), [60])
    at = np.arange(24) * 60 / 24
    expected = np.interp(at, np.arange(60), np.linspace(0.3, 0.9, 60))
    np.testing.assert_allclose(out[:, RIG.index("jawOpen")], expected, atol=1e-6)


@pytest.mark.parametrize("target", [24, 25, 30])
def test_a_closure_of_a_few_frames_survives(target: int) -> None:
    jaw = np.full(600, 0.4, np.float32)
    starts = list(range(10, 590, 23))
    for start in starts:
        jaw[start : start + 3] = 0.0  # 50 ms
    values = np.zeros((600, len(RIG)), np.float32)
    values[:, RIG.index("jawOpen")] = jaw
    out = resample_frames(values, FPS, Fraction(target), [600])
    gap = lip_gap(out, RIG)
    plain = np.interp(np.arange(len(out)) * 60 / target, np.arange(600), jaw)
    kept = sum(
        bool((gap[int(s * target / 60) - 1 : int(s * target / 60) + 3] < 0.03).any())
        for s in starts
    )
    assert kept == len(starts)
    assert len(closures(gap, target)) >= len(closures(plain, target))
