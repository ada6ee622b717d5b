"""Captured takes: read as articulatory values, and put in time with their sound."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from facewire.articulation import CURVES, decode
from facewire.errors import InputError
from facewire.rig import Rig
from facewire_trajectory.corpus import real
from facewire_trajectory.corpus.faces import LinearMap, articulatory, lag, offset, read_takes
from facewire_trajectory.corpus.texts import Expander
from facewire_trajectory.corpus.voices import Manner, espeak
from facewire_trajectory.mel import log_mel
from facewire_trajectory.targets import solve

RIG = Rig.named("arkit52")
DATA = Path(os.environ.get("FACEWIRE_DATA", Path(__file__).parents[3] / "shared/data"))
FACES = DATA / "motion/facegood"


def spoken(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    expander = Expander("en", np.random.default_rng(seed))
    text = " ".join(expander.single().lines[0].text for _ in range(count))
    said = espeak(text, "en-us", Manner(pitch=1.0 + 0.1 * seed))
    return said.samples, solve(said.samples, said.phones).artic.astype(np.float64)


def write_take(folder: Path, late: float) -> np.ndarray:  # type: ignore[type-arg]
    """Write a take at 30 fps whose lips are late; return its curves at 60."""
    samples, curves = spoken(5, 6)
    frames = decode(curves, RIG)
    at = np.arange(0, len(curves) // 2) * 2 - late * 60
    values = np.stack([np.interp(at, np.arange(len(frames)), row) for row in frames.T], axis=1)
    np.savez(folder / "take.npz", values=values, channels=np.array(RIG.channels), fps=30)
    soundfile.write(folder / "take.flac", samples, 24000)
    return curves


def test_curves_come_back_from_channels() -> None:
    _, curves = spoken(1, 1)
    found, captured = articulatory(decode(curves, RIG), RIG.channels)
    for name in ("gap", "jaw", "upper", "lower"):
        k = CURVES.index(name)
        assert captured[k]
        assert np.corrcoef(found[:, k], curves[:, k])[0, 1] > 0.98, name
    k = CURVES.index("protrusion")
    np.testing.assert_allclose(found[:, k], np.maximum(curves[:, k], 0), atol=1e-5)
    still, captured = articulatory(np.zeros((50, 2), np.float32), ["jawOpen", "mouthPucker"])
    assert not captured.any() and still.shape == (50, len(CURVES))


@pytest.mark.parametrize("late", [0.0, 0.033, -0.02])
def test_a_takes_offset_is_found(tmp_path: Path, late: float) -> None:
    curves = write_take(tmp_path, late)
    (take,) = read_takes(tmp_path)
    pairs = [(log_mel(s), c[:, 0]) for s, c in (spoken(seed, 5) for seed in range(4))]
    found, sure = offset(take, LinearMap(pairs))
    assert sure > 0.6
    assert abs(found - late) < 0.012
    rows = take.at(np.arange(len(curves)) / 60 + late)
    inside = slice(10, len(curves) - 10)
    assert np.abs(rows[inside, 0] - curves[inside, 0]).mean() < 0.012


def test_lag_between_rows() -> None:
    curve = np.convolve(np.random.default_rng(0).normal(size=900), np.hanning(12), "same")
    late = np.interp(np.arange(900) - 1.5, np.arange(900), curve)
    found, fit = lag(late, curve)
    assert found == pytest.approx(1.5 / 60, abs=0.002)
    assert fit > 0.95


def test_what_is_no_take_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no \.npz"):
        read_takes(tmp_path)
    np.savez(tmp_path / "a.npz", values=np.zeros((3, 1)))
    with pytest.raises(InputError, match=r"found no a\.flac"):
        read_takes(tmp_path)
    soundfile.write(tmp_path / "a.flac", np.zeros(100), 16000)
    with pytest.raises(InputError, match=r"found values, expected values, channels, fps"):
        read_takes(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not FACES.exists(), reason="needs FACEWIRE_DATA: captured takes")
def test_captured_takes_become_items() -> None:
    jobs = dict(real.jobs(FACES))
    ((entry, arrays),) = jobs["real-2_03"]()
    assert entry.group == "faces-2_03" and entry.kind == "real"
    assert 0.0 < entry.offset < 0.04
    gap, teeth = CURVES.index("gap"), CURVES.index("teeth")
    assert arrays["mask"][:-10, gap].all() and not arrays["mask"][:, teeth].any()
    assert arrays["native"].shape[0] == 3356
    ((copy, changed),) = jobs["real-2_03-a0"]()
    assert copy.augmented and copy.offset == entry.offset
    assert len(changed["mel"]) == copy.rows
