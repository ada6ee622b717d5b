"""The second network: a say in open mouths, none in closures, left out with other weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from facewire.errors import PluginError
from facewire.types import Context
from facewire_trajectory.config import ModelConfig
from facewire_trajectory.early import FAR, NEAR, Pair, blended
from facewire_trajectory.model import DATA, EARLY, Trajectory
from facewire_trajectory.runtime import COLUMNS, Heard, Stream, Weights, joined
from facewire_trajectory.steady import GAP


def heard(gaps: list[float], seed: int) -> Heard:
    random = np.random.default_rng(seed)
    parts = [random.random((len(gaps), width)).astype(np.float32) for width in COLUMNS]
    parts[0][:, GAP] = gaps
    parts[1][:] = (0.0, 1.0, 0.0)  # speech
    return Heard(*parts)


def test_open_curves_are_the_mean_and_closures_are_the_first_networks() -> None:
    first, early = heard([-0.02, NEAR, 0.06, FAR, 0.4], 0), heard([0.3, 0.3, 0.3, 0.3, 0.2], 1)
    found = blended(first, early)
    assert np.array_equal(found.curves[:2], first.curves[:2])
    mean = (first.curves + early.curves) / 2
    assert found.curves[3:] == pytest.approx(mean[3:], abs=1e-6)
    between = first.curves[2] + 0.25 * (early.curves[2] - first.curves[2])
    assert found.curves[2] == pytest.approx(between, abs=1e-6)
    assert all(a is b for a, b in zip(found[1:], first[1:], strict=True))
    assert len(blended(joined([]), joined([])).curves) == 0


def test_a_laugh_is_the_first_networks() -> None:
    first, early = heard([0.3, 0.3, 0.3], 0), heard([0.0, 0.0, 0.0], 1)
    first.sound[:] = [(0.0, 1.0, 0.0), (0.0, 0.5, 0.5), (0.0, 0.0, 1.0)]
    assert blended(first, early).curves[:, GAP] == pytest.approx([0.15, 0.225, 0.3], abs=1e-6)


@pytest.mark.parametrize("variant", ["live", "file"])
def test_the_shipped_weights_are_two_networks_in_step(variant: str) -> None:
    paths = [DATA / f"{variant}.onnx", DATA / EARLY / f"{variant}.onnx"]
    random = np.random.default_rng(2)
    mel = random.normal(0, 1, (200, 64)).astype(np.float32)
    condition = np.tile(np.eye(1, 19, dtype=np.float32), (200, 1))
    one, other = (Stream(Weights(path, variant)) for path in paths)
    apart = [joined([s.push(mel, condition), s.flush()]) for s in (one, other)]
    assert np.abs(apart[0].curves - apart[1].curves).max() > 0.01
    one.reset()
    other.reset()
    pair = Pair(one, other)
    assert pair.lookahead == one.lookahead == other.lookahead
    rows = [pair.push(mel[a : a + 7], condition[a : a + 7]) for a in range(0, 200, 7)]
    assert joined([*rows, pair.flush()]).curves == pytest.approx(blended(*apart).curves, abs=1e-5)


def test_weights_of_ones_own_are_one_network_and_a_damaged_second_is_said(tmp_path: Path) -> None:
    shutil.copy(DATA / "live.onnx", tmp_path)
    model = Trajectory(ModelConfig(weights=tmp_path), Context(causal=True))
    assert model.lookahead == Trajectory(ModelConfig(), Context(causal=True)).lookahead
    (tmp_path / EARLY).mkdir()
    (tmp_path / EARLY / "live.onnx").write_bytes(b"nothing")
    with pytest.raises(PluginError, match=r"early/live\.onnx: is damaged"):
        Trajectory(ModelConfig(weights=tmp_path), Context(causal=True))
