"""NeuroSync's features: against the reference values, and against librosa itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from facewire.resample import AudioResampler
from facewire.testing import cut_audio, drive_extractor, voiced
from facewire.types import Audio, Context, Mark
from facewire_neurosync import spool
from facewire_neurosync.extractor import ClipExtractor
from facewire_neurosync.features import Clip, features, rows_in
from facewire_neurosync.mel import RATE, bank, derivatives
from facewire_neurosync.plugin import facewire_features
from facewire_neurosync.spool import Spool

CLIPS = ("pangram", "short", "stereo48k")


def mono(path: Path) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.mean(axis=1), rate


@pytest.mark.parametrize("clip", CLIPS)
def test_reference_features(data: Path, clip: str) -> None:
    samples, rate = mono(data / f"neurosync/{clip}.wav")
    expected = np.load(data / f"neurosync/{clip}.npz")["features"]
    stage = ClipExtractor()
    resampler = AudioResampler(rate, RATE, stage.fps)
    pieces = [resampler.push(piece) for piece in cut_audio(Audio(samples, rate), [4001, 77])]
    found, _ = drive_extractor(stage, [*pieces, resampler.flush()])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 5e-6
    assert np.abs(found - expected)[:, 69:].max() < 1e-6


def published(samples: np.ndarray) -> np.ndarray:
    """Compute the features as the published pipeline does: librosa, and a loop."""
    librosa = pytest.importorskip("librosa")
    y = samples / np.abs(samples).max()
    shape = {"n_fft": 1470, "hop_length": 735}
    mfcc = librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=23, **shape)
    mfcc = (mfcc - mfcc.mean(axis=1, keepdims=True)) / (mfcc.std(axis=1, keepdims=True) + 1e-10)
    orders = [mfcc, librosa.feature.delta(mfcc), librosa.feature.delta(mfcc, order=2)]
    padded, lags = np.pad(y, 735, "reflect"), []
    for at in range(0, len(padded) - 1469, 735):
        frame = padded[at : at + 1470]
        frame = (frame - frame.mean()) * np.hanning(1470)
        full = np.correlate(frame, frame, "full")[1469 : 1469 + 188]
        lags.append(full[1:] / (full[0] or 1))
    if np.abs(lags[0]).max() < 1e-7:
        lags[0] = lags[1]
    if np.abs(lags[-1]).max() < 1e-7:
        lags[-1] = lags[-2]
    columns = np.concatenate([*orders, np.array(lags).T]).T
    return np.array([columns[i : i + 2].mean(axis=0) for i in range(0, len(columns), 2)])


@pytest.mark.parametrize(
    ("seconds", "gain", "offset"),
    [(0.0834, 1.0, 0.0), (0.5, 1e-3, 0.0), (1.01, 1.0, 0.1), (3.0, 30000.0, 0.0)],
)
def test_what_librosa_gives(seconds: float, gain: float, offset: float) -> None:
    noise = np.random.default_rng(3).standard_normal(int(seconds * RATE)) * 1e-3
    sound = voiced(seconds, RATE).samples[: len(noise)] + noise
    samples = (sound * gain + offset).astype(np.float32)
    expected, found = published(samples), features(samples)
    assert found.shape == expected.shape
    assert np.abs(found - expected)[:, :69].max() < 2e-5
    assert np.abs(found - expected)[:, 69:].max() < 1e-6


def test_sound_between_silences() -> None:
    sound = voiced(1.2, RATE).samples
    samples = np.concatenate([np.zeros(30000), sound, np.zeros(20000)]).astype(np.float32)
    expected, found = published(samples), features(samples)
    assert np.abs(found - expected)[:, :69].max() < 2e-5
    assert np.abs(found - expected)[:, 69:].max() < 1e-6


def test_bank_and_derivatives_are_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=RATE, n_fft=1470, n_mels=128)
    assert np.abs(bank().T - expected).max() < 1e-8
    rows = np.random.default_rng(0).standard_normal((40, 3))
    for order, found in enumerate(derivatives(rows), 1):
        expected = librosa.feature.delta(rows, axis=0, order=order)
        assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("samples", [1, 734, 735, 1469, 1470, 7349, 7350, 8085, 88200])
def test_rows_of_a_clip(samples: int) -> None:
    found = features(np.full(samples, 0.1, np.float32))
    assert len(found) == rows_in(samples) == -(-(1 + samples // 735) // 2)
    assert np.isfinite(found).all()


def test_silence_and_extremes_are_finite() -> None:
    for samples in (np.zeros(RATE), np.full(RATE, 1e30), np.full(RATE, 1e-40)):
        assert np.isfinite(features(samples.astype(np.float32))).all()
    assert np.abs(features(np.zeros(RATE, np.float32))[:, :69]).max() == 0


def test_a_spooled_clip_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = voiced(2.0, RATE).samples
    expected = features(sound)
    monkeypatch.setattr(spool, "IN_MEMORY", 50_000)
    kept = Spool()
    for at in range(0, len(sound), 30_000):
        kept.append(sound[at : at + 30_000])
    assert kept._file is not None
    found = np.concatenate([*Clip(kept).rows(50)])
    assert np.array_equal(found, expected)
    kept.close()


def test_marks_pass_through() -> None:
    marks = (Mark("word", "one", 100, 2000), Mark("word", "two", 30000, 40000))
    sound = voiced(1.0, RATE)
    _, found = drive_extractor(
        ClipExtractor(), cut_audio(Audio(sound.samples, RATE, 0, marks), [5000])
    )
    assert tuple(found) == marks


def test_extractor_of_the_plugin() -> None:
    (component,) = facewire_features()
    stage = component.make(component.config(), Context())
    assert (stage.rate, stage.fps, stage.dim, stage.lookahead) == (88200, 60, 256, None)
    live = component.make(component.config(), Context(causal=True))
    assert live.lookahead == 4410 and not live.exact_streaming


def test_soxr_stream_is_librosas_resampler(data: Path) -> None:
    samples, rate = mono(data / "neurosync/pangram.wav")
    whole = soxr.resample(samples, rate, RATE, "HQ")
    resampler = AudioResampler(rate, RATE, ClipExtractor.fps)
    pieces = [resampler.push(piece).samples for piece in cut_audio(Audio(samples, rate), [999])]
    found = np.concatenate([*pieces, resampler.flush().samples])
    size = min(len(whole), len(found))
    assert abs(len(whole) - len(found)) <= 1 and np.abs(whole[:size] - found[:size]).max() < 1e-6
