from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from facewire.articulation import lip_gap, measure
from facewire.errors import PluginError
from facewire.rig import Rig
from facewire.testing import check_stage, voiced
from facewire.types import Audio, Context
from facewire_trajectory.config import ModelConfig
from facewire_trajectory.extractor import MelExtractor
from facewire_trajectory.mel import RATE
from facewire_trajectory.model import DATA, Trajectory
from trajectory_parts import SENTENCES, animate, driven, phones_of, speak

RIG = Rig.named("arkit52_tongue")


def quiet(seconds: float) -> Audio:
    return Audio(np.zeros(int(seconds * RATE), np.float32), RATE)


def test_features_are_a_stage() -> None:
    check_stage(MelExtractor)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("expression", ["layer", "model"])
def test_the_model_is_a_stage(causal: bool, expression: str) -> None:
    check_stage(lambda: Trajectory(ModelConfig(expression=expression), Context(causal=causal)))


@pytest.mark.parametrize("causal", [True, False])
def test_any_cut_of_speech_gives_what_the_whole_gives(causal: bool) -> None:
    sound = speak(SENTENCES[0])
    whole = animate(sound, causal=causal)
    assert len(whole) == -(-len(sound) * 60 // RATE)
    for sizes in ([1], [7, 40, 3], [500]):
        assert np.abs(animate(sound, causal=causal, sizes=sizes) - whole).max() <= 1e-5


def test_live_looks_67_ms_ahead_with_its_features_and_file_half_a_second_or_more() -> None:
    live = Trajectory(ModelConfig(), Context(causal=True))
    assert isinstance(live.lookahead, int)
    assert live.lookahead / 60 + (MelExtractor().lookahead or 0) / RATE <= 0.067
    assert (Trajectory(ModelConfig(), Context()).lookahead or 0) >= 30


def test_live_keeps_its_promise_of_lookahead() -> None:
    """What comes later than the lookahead changes no frame, and no frame waits longer."""
    model = Trajectory(ModelConfig(), Context(causal=True))
    one, other = voiced(2.0, RATE), voiced(2.0, RATE, seed=1)
    cut = len(one) // 2
    other = Audio(np.concatenate([one.samples[:cut], 0.5 * other.samples[cut:]]), RATE)
    safe = 60 - model.lookahead - 2
    first = driven(model, one)
    model.reset()
    assert np.array_equal(first[:safe], driven(model, other)[:safe])


def test_weights_are_small_and_load_fast() -> None:
    for variant in ("live", "file"):
        assert (DATA / f"{variant}.onnx").stat().st_size <= 8e6
    code = (
        "import time, onnxruntime\n"
        "from facewire.types import Context\n"
        "from facewire_trajectory.model import Trajectory\n"
        "from facewire_trajectory.config import ModelConfig\n"
        "began = time.process_time()\n"
        "Trajectory(ModelConfig(), Context(causal=True))\n"
        "print(time.process_time() - began)\n"
    )
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                             check=True, env=dict(os.environ)).stdout)
        for _ in range(2)
    ]  # fmt: skip
    assert min(runs) < 0.3


def test_no_torch_at_run_time() -> None:
    code = (
        "import sys\n"
        "from facewire.types import Context\n"
        "from facewire_trajectory.model import Trajectory\n"
        "from facewire_trajectory.config import ModelConfig\n"
        "Trajectory(ModelConfig(), Context())\n"
        "print(sorted({'torch', 'onnx', 'scipy', 'facewire_v3'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("causal, limit", [(True, 0.025), (False, 1 / 40)])
def test_cost(causal: bool, limit: float) -> None:
    """Seconds of processor a second of sound; twice the bound is left for a busy machine."""
    sound = voiced(8.0, RATE)
    sizes = [1] if causal else [64]
    model = Trajectory(ModelConfig(), Context(causal=causal))
    costs = []
    for _ in range(3):
        model.reset()
        began = time.process_time()
        driven(model, sound, sizes)
        costs.append((time.process_time() - began) / 8.0)
    assert min(costs) < 2 * limit


@pytest.mark.parametrize("causal", [True, False])
def test_silence_leaves_the_mouth_shut(causal: bool) -> None:
    values = animate(quiet(3.0), causal=causal)
    assert np.abs(lip_gap(values, RIG)).max() <= 0.01
    assert values.max() < 0.05


@pytest.mark.parametrize("causal", [True, False])
def test_steady_noise_leaves_the_mouth_shut(causal: bool) -> None:
    for scale in (0.001, 0.01, 0.05):
        noise = scale * np.random.default_rng(3).standard_normal(4 * RATE)
        values = animate(Audio(noise.astype(np.float32), RATE), causal=causal)
        assert np.percentile(lip_gap(values, RIG)[30:], 95) <= 0.03


@pytest.mark.parametrize("causal", [True, False])
def test_speech_opens_and_closes_the_lips(causal: bool) -> None:
    recall, precision = [], []
    for text in SENTENCES:
        sound = speak(text)
        bare = Audio(sound.samples, RATE)
        report = measure(lip_gap(animate(bare, causal=causal), RIG), 60.0, phones_of(sound))
        recall.append(report.recall)
        precision.append(report.precision)
        assert report.leak <= 0.02
    assert np.nanmean(recall) > 0.6 and np.nanmean(precision) > 0.5


def test_a_recording_may_be_loud_or_quiet() -> None:
    sound = speak(SENTENCES[1])
    gaps = [
        lip_gap(animate(Audio((gain * sound.samples).astype(np.float32), RATE)), RIG)
        for gain in (1.0, 0.1)
    ]
    assert np.corrcoef(gaps)[0, 1] > 0.9
    assert 0.7 < gaps[1].std() / gaps[0].std() < 1.4


def test_sounds_are_told_apart() -> None:
    model = Trajectory(ModelConfig(), Context())
    driven(model, Audio(speak(SENTENCES[0]).samples, RATE))
    (line,) = model.report()
    assert line.startswith("trajectory: variant 'file'; heard other ")
    assert int(line.split("speech ")[1].split("%")[0]) > 40
    assert model.sound.shape[1] == 3
    assert np.allclose(model.sound.sum(axis=1), 1.0, atol=1e-5)


def test_wrong_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="no such file"):
        Trajectory(ModelConfig(weights=tmp_path), Context())
    (tmp_path / "file.onnx").write_bytes(b"no graph")
    with pytest.raises(PluginError, match=r"file\.onnx: is damaged"):
        Trajectory(ModelConfig(weights=tmp_path), Context())
    (tmp_path / "live.onnx").write_bytes((DATA / "file.onnx").read_bytes())
    with pytest.raises(PluginError, match="found weights of 'file', expected 'live'"):
        Trajectory(ModelConfig(weights=tmp_path, variant="live"), Context())
