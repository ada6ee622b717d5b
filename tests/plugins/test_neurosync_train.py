"""Training: what is learned from, that it learns, goes on, and gives a checkpoint that runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from facewire.errors import FacewireError
from facewire.rig import Rig
from facewire.testing import voiced
from facewire_neurosync.checkpoint import load
from facewire_neurosync.features import features
from facewire_neurosync.train import takes as data
from facewire_neurosync.train.takes import Take

torch = pytest.importorskip("torch")
RATE = 16000
SMALL = ["--hidden", "32", "--layers", "1", "--batch", "8", "--stride", "16", "--threads", "1"]


def write_take(folder: Path, seconds: float, seed: int, outputs: int = 61) -> Path:
    """Write a sound, and a face that follows its loudness."""
    folder.mkdir(parents=True)
    sound = voiced(seconds, RATE, seed).samples
    soundfile.write(folder / "audio.wav", sound, RATE)
    rows = int(seconds * 60) + 4
    names = Rig.named("neurosync68").channels[:outputs]
    header = ["Timecode", "BlendshapeCount", *(n[0].upper() + n[1:] for n in names)]
    lines = [",".join(header).replace("Emotion", "")]
    for k in range(rows):
        part = sound[k * RATE // 60 : (k + 1) * RATE // 60]
        values = np.zeros(outputs)
        values[17] = min(1, 4 * np.abs(part).mean()) if len(part) else 0
        values[23:25] = 0.2 + 0.1 * np.sin(k / 9)
        values[61:62] = 1
        lines.append(",".join(["00:00:00:00.0", str(outputs), *(f"{v:.5f}" for v in values)]))
    (folder / "face_iPhone_cal.csv").write_text("\n".join(lines) + "\n")
    (folder / "face_iPhone.csv").write_text("Timecode\n")
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for i in range(3):
        write_take(tmp_path / "data" / f"take{i}", 3.0, i)
    return tmp_path / "data"


def train(*words: str) -> Result:
    from facewire_neurosync.train.__main__ import main

    return CliRunner().invoke(main, [*words], catch_exceptions=True)


def weights_of(path: Path) -> dict[str, Any]:
    return {name: tensor.single() for name, tensor in load(path).tensors.items()}


def test_it_learns_and_the_checkpoint_runs(corpus: Path, tmp_path: Path) -> None:
    from facewire.types import Context
    from facewire_neurosync.plugin import ModelConfig, facewire_models

    out = tmp_path / "out"
    words = [str(corpus), "--out", str(out), "--epochs", "4", "--rate", "5e-3", *SMALL]
    done = train(*words, "--validation", "0.3")
    assert done.exit_code == 0, done.output
    losses = [float(line.split("kept ")[1]) for line in done.output.splitlines() if "epoch" in line]
    assert len(losses) == 4 and losses[-1] < 0.95 * losses[0]
    assert "learned: " in done.output and "kept back: take" in done.output
    assert {path.name for path in out.iterdir()} == {
        "state.pt", "best.safetensors", "last.safetensors",
    }  # fmt: skip
    assert str(load(out / "best.safetensors").architecture) == (
        "hidden 32, 1 + 1 layers, 2 heads, 61 outputs"
    )
    (component,) = facewire_models()
    model = component.make(ModelConfig(out / "best.safetensors"), Context())
    assert np.isfinite(model._network(np.zeros((1, 128, 256), np.float32))).all()


def test_the_trainable_network_is_the_one_that_runs() -> None:
    from facewire_neurosync.architecture import Architecture
    from facewire_neurosync.checkpoint import Checkpoint
    from facewire_neurosync.network import Network
    from facewire_neurosync.tensors import Tensor
    from facewire_neurosync.train.module import Trainable

    sizes = Architecture(32, 64, 2, 2, 4, 68)
    module = Trainable(sizes, 0.3).eval()
    state = module.state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == sizes.shapes()
    tensors = {name: Tensor("F32", tensor.numpy()) for name, tensor in state.items()}
    network = Network(
        Checkpoint(Path("none"), sizes, tensors, False), "fp32", torch.device("cpu"), False
    )
    rows = np.random.default_rng(0).standard_normal((2, 128, 256)).astype(np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(rows)).numpy()
    assert np.abs(network(rows) - expected).max() < 1e-5


def test_a_stopped_run_goes_on_to_the_same_end(corpus: Path, tmp_path: Path) -> None:
    words = [str(corpus), "--rate", "1e-3", *SMALL, "--epochs", "2"]
    done = train(*words, "--out", str(tmp_path / "whole"))
    assert done.exit_code == 0, done.output
    from facewire_neurosync.train.loop import Trainer

    kept, count = Trainer._save, 0

    def stop(self: Any) -> None:
        nonlocal count
        kept(self)
        count += 1
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_save", stop)
        assert train(*words, "--out", str(tmp_path / "parts")).exit_code != 0
    done = train(*words, "--out", str(tmp_path / "parts"))
    assert "goes on after epoch 1" in done.output and done.exit_code == 0
    one, two = (weights_of(tmp_path / name / "last.safetensors") for name in ("whole", "parts"))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_finetuning_begins_from_the_checkpoint(corpus: Path, tmp_path: Path, data: Path) -> None:
    weights = tmp_path / "first" / "best.safetensors"
    words = [str(corpus), *SMALL, "--epochs", "1"]
    assert train(*words, "--out", str(tmp_path / "first")).exit_code == 0
    done = train(*words, "--out", str(tmp_path / "b"), "--finetune", str(weights), "--rate", "1e-9")
    assert done.exit_code == 0, done.output
    one, two = weights_of(weights), weights_of(tmp_path / "b" / "best.safetensors")
    assert max(np.abs(one[name] - two[name]).max() for name in one) < 1e-6


def test_another_network_does_not_go_on(corpus: Path, tmp_path: Path) -> None:
    words = [str(corpus), "--out", str(tmp_path / "out"), "--epochs", "1", "--threads", "1"]
    sizes = ["--layers", "1", "--stride", "64"]
    assert train(*words, *sizes, "--hidden", "32").exit_code == 0
    done = train(*words, *sizes, "--hidden", "64")
    assert isinstance(done.exception, FacewireError) and "state.pt" in str(done.exception)


# -- takes ----------------------------------------------------------------------------------------


def test_targets_are_the_captures_times_a_hundred(tmp_path: Path) -> None:
    folder = write_take(tmp_path / "take", 3.0, 0)
    [(sound, table)] = data.pairs([tmp_path])
    assert table.name == "face_iPhone_cal.csv"
    take = data.read(sound, table, 61)
    samples = data.samples_of(folder / "audio.wav")
    whole = features(samples)
    size = min(len(whole), 184)
    assert len(take) == size and take.targets.shape == (size, 61)
    first = (184 - size) // 2
    assert take.targets[10, 23] == pytest.approx(100 * (0.2 + 0.1 * np.sin((10 + first) / 9)), 1e-3)
    assert np.array_equal(take.features, whole[(len(whole) - size) // 2 :][:size])


def test_the_fast_copy_is_joined_by_a_fade() -> None:
    ramp = np.repeat(np.arange(200, dtype=np.float32)[:, None], 256, axis=1)
    made = data.with_fast_copy(Take("a", ramp, ramp[:, :61]))
    assert len(made) == len(made.targets) == 200 + 100 - data.JOIN
    assert made.features[169, 0] == 169 and made.features[200, 0] == 60
    assert np.array_equal(np.diff(made.features[200:, 0]), np.full(69, 2))
    assert np.array_equal(made.features[:, :61], made.targets)


def test_validation_shares_no_window_with_training() -> None:
    rows = np.arange(1000, dtype=np.float32)[:, None]
    one, rest = data.split([Take("a", rows, rows)], 0.3, 0)
    assert rest[0].features.min() - one[0].features.max() == 129
    many = [Take(str(i), rows, rows) for i in range(10)]
    learned, kept = data.split(many, 0.2, 0)
    assert len(kept) == 2 and {t.name for t in learned}.isdisjoint(t.name for t in kept)
    assert data.split(many, 0.2, 0)[1][0].name == kept[0].name
    assert data.split(many, 0.0, 0)[1] == []


def test_sixty_eight_outputs_need_the_emotions(tmp_path: Path) -> None:
    write_take(tmp_path / "a", 3.0, 0, outputs=68)
    write_take(tmp_path / "b", 3.0, 0, outputs=61)
    assert data.read(*data.pairs([tmp_path / "a"])[0], 68).targets[:, 61].max() == 100
    with pytest.raises(
        FacewireError, match=r"has no column for emotionAngry, emotionDisgusted, emotionFearful"
    ):
        data.read(*data.pairs([tmp_path / "b"])[0], 68)


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FacewireError, match="expected a folder of takes"):
        data.pairs([tmp_path / "none"])
    with pytest.raises(FacewireError, match="no takes; expected folders"):
        data.pairs([tmp_path])
    write_take(tmp_path / "short", 1.0, 0)
    with pytest.raises(FacewireError, match="expected 128 or more"):
        data.read(*data.pairs([tmp_path])[0], 61)
    done = train(str(tmp_path), "--out", str(tmp_path / "o"), "--epochs", "0")
    assert "--epochs: found 0, expected 1 or more" in str(done.exception)


@pytest.mark.external
def test_a_film_goes_through_ffmpeg(tmp_path: Path) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("no ffmpeg")
    folder = write_take(tmp_path / "a", 3.0, 0)
    film = folder / "take.mov"
    command = ["ffmpeg", "-v", "error", "-i", str(folder / "audio.wav"), "-c:a", "pcm_s16le"]
    subprocess.run([*command, str(film)], check=True)
    expected = data.samples_of(folder / "audio.wav")
    (folder / "audio.wav").unlink()
    [(sound, _)] = data.pairs([tmp_path])
    assert sound == film and np.abs(data.samples_of(film) - expected).max() < 1e-3
