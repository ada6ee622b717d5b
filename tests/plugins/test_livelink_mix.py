"""A phone's upper face over a mouth from sound, aligned by their jaws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire.assemble import assemble
from facewire.errors import FacewireError
from facewire.profile import Profile
from facewire.resample import mouth_columns
from facewire.rig import Rig
from facewire.testing import check_chunking, drive_layer, layer_blocks
from facewire.types import Context
from facewire_livelink.mix import Mix
from facewire_livelink.plugin import MixConfig
from facewire_livelink.wire import unpack
from test_livelink_listen import capture

RIG, FPS = Rig.named("arkit61"), Fraction(60)
MOUTH = mouth_columns(RIG)
UPPER = np.setdiff1d(np.arange(61), MOUTH)
BLINK, JAW = RIG.index("eyeBlinkLeft"), RIG.index("jawOpen")


def context(folder: Path, causal: bool = False) -> Context:
    made = assemble(Profile(name="mix", sinks=()), "clip", folder, causal).context
    return replace(made, base=folder, fps=FPS, rig=RIG)


def take(folder: Path, rows: np.ndarray, fps: float = 60.0) -> str:
    np.savez(folder / "take.npz", values=rows, channels=np.array(RIG.channels), fps=fps, start=0)
    return str(folder / "take.npz")


def speech(n: int = 600) -> np.ndarray:
    rng = np.random.default_rng(4)
    rows = rng.uniform(0, 0.3, (n, 61)).astype(np.float32)
    kernel = np.hanning(9) / np.hanning(9).sum()
    rows[:, JAW] = np.convolve(rng.uniform(0, 1, n), kernel, "same")
    return rows


def run(layer: Mix, rows: np.ndarray, sizes: list[int]) -> np.ndarray:
    return drive_layer(layer, layer_blocks(layer, rows, RIG, FPS, sizes), RIG)


@pytest.mark.parametrize("by", [-31, 0, 45])
def test_a_real_capture_is_found_and_put_above_the_mouth(tmp_path: Path, by: int) -> None:
    found = [unpack(data).values for data in capture("dao.gesichter")]
    face = np.array([row for row in found if row is not None])
    heard = np.zeros_like(face)
    heard[:, JAW] = 0.7 * face[:, JAW] + 0.02
    first = max(0, by)
    heard, phone = heard[first:], face[max(0, -by) :]
    config = MixConfig(take=take(tmp_path, phone), learn=2.0, within=1.0)
    layer = Mix(config, context(tmp_path))
    out = run(layer, heard, [64])
    assert f"the take is {by / 60:+.3f} s behind" in layer.report()[0]
    assert layer._by is not None and abs(layer._by - by) <= 1
    assert np.array_equal(out[:, MOUTH], heard[:, MOUTH])
    middle = np.arange(60, 80)
    assert np.allclose(out[middle][:, UPPER], phone[middle + layer._by][:, UPPER], atol=1e-6)


def test_any_cut_mixes_the_same(tmp_path: Path) -> None:
    rows = speech()
    config = MixConfig(take=take(tmp_path, np.roll(rows, 20, axis=0)), learn=4.0)
    make: Callable[[], Mix] = lambda: Mix(config, context(tmp_path))  # noqa: E731
    check_chunking(lambda sizes: run(make(), rows, list(sizes)), [1, 7, 40], 64)
    for count in (60, 300):  # less than is learnt from, and more
        assert len(run(make(), rows[:count], [64])) == count


def test_a_given_shift_needs_no_waiting_and_works_live(tmp_path: Path) -> None:
    rows, phone = speech(), speech() * 0
    phone[:, BLINK] = np.arange(600) / 600
    layer = Mix(MixConfig(take=take(tmp_path, phone), shift=0.5), context(tmp_path, causal=True))
    out = run(layer, rows, [5])
    assert layer.lookahead == 0
    assert out[100, BLINK] == pytest.approx(130 / 600)
    assert np.array_equal(out[590], rows[590])  # after the take's end the face is the sound's
    with pytest.raises(FacewireError, match="a live run cannot wait to align; set 'shift'"):
        Mix(MixConfig(take=take(tmp_path, phone)), context(tmp_path, causal=True))


def test_a_take_that_is_missing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FacewireError, match=r"gone\.csv") as caught:
        Mix(MixConfig(take=str(tmp_path / "gone.csv")), context(tmp_path))
    assert "\n" not in str(caught.value)
