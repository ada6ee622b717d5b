"""The transformer, end to end: the reference frames, and a plain reimplementation of the rules."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.assemble import assemble
from facewire.emotion import EmotionCurve
from facewire.profile import load_profile
from facewire.registry import Registry
from facewire.rig import Rig
from facewire.testing import check_chunking, cuts, drive_model
from facewire.types import Audio, Context, Features
from facewire_neurosync import safetensors
from facewire_neurosync.architecture import Architecture
from facewire_neurosync.checkpoint import load
from facewire_neurosync.plugin import ZEROED, ModelConfig, facewire_models
from facewire_neurosync.tensors import Tensor
from facewire_neurosync.windows import Windows

pytest.importorskip("torch")
FPS = Fraction(60)
LENGTHS = (1, 2, 5, 6, 7, 96, 97, 128, 129, 200, 224, 225, 500, 1000)


def random_checkpoint(path: Path, outputs: int = 68, heads: int = 4) -> Architecture:
    sizes = Architecture(32, 48, 2, 1, heads, outputs)
    rng = np.random.default_rng(outputs)
    tensors = {
        name: Tensor("F32", (rng.standard_normal(shape) * 0.3).astype(np.float32))
        for name, shape in sizes.shapes().items()
    }
    tensors["decoder.fc_output.weight"].data[:] *= 30  # frames of about 1
    safetensors.save(path, tensors, {"heads": str(heads)})
    return sizes


def plain_network(path: Path, heads: int, global_rope: bool = False) -> Callable[[Any], Any]:
    """Return the published network for one window, in float64, a formula a line."""
    w = {name: tensor.single().astype(np.float64) for name, tensor in load(path).tensors.items()}

    def linear(name: str, x: Any) -> Any:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name: str, x: Any) -> Any:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def rope(x: Any) -> Any:
        width = x.shape[-1]
        angle = np.arange(len(x))[:, None] * np.exp(-np.log(1e4) * np.arange(0, width, 2) / width)
        even, odd, out = x[:, ::2], x[:, 1::2], np.empty_like(x)
        out[:, ::2] = even * np.cos(angle) - odd * np.sin(angle)
        out[:, 1::2] = even * np.sin(angle) + odd * np.cos(angle)
        return out

    def attend(name: str, x: Any, source: Any) -> Any:
        given = zip("qkv", (x, source, source), strict=True)
        whole = [linear(f"{name}.{part}_linear", value) for part, value in given]
        parts = []
        for q, k, v in zip(*(np.split(part, heads, axis=1) for part in whole), strict=True):
            score = rope(q) @ rope(k).T / np.sqrt(q.shape[1])
            score = np.exp(score - score.max(-1, keepdims=True))
            parts.append(score / score.sum(-1, keepdims=True) @ v)
        return linear(f"{name}.out_linear", np.concatenate(parts, axis=1))

    def forward(name: str, x: Any) -> Any:
        return linear(f"{name}.linear2", np.maximum(linear(f"{name}.linear1", x), 0))

    def layers(side: str) -> list[str]:
        found = {".".join(name.split(".")[:3]) for name in w if name.startswith(f"{side}.trans")}
        return sorted(found)

    def run(window: Any) -> Any:
        place = rope if global_rope else (lambda x: x)
        x = place(linear("encoder.embedding", window))
        for at in layers("encoder"):
            x = norm(f"{at}.norm1", x + attend(f"{at}.self_attn", x, x))
            x = norm(f"{at}.norm2", x + forward(f"{at}.ffn", x))
        memory = norm("encoder.layer_norm", x)
        x = place(memory)
        for at in layers("decoder"):
            x = norm(f"{at}.norm1", x + attend(f"{at}.self_attn", x, x))
            x = norm(f"{at}.norm2", x + attend(f"{at}.multihead_attn", x, memory))
            x = norm(f"{at}.norm3", x + forward(f"{at}.ffn", x))
        return linear("decoder.fc_output", norm("decoder.layer_norm", x))

    return run


def plain_pipeline(network: Callable[[Any], Any], rows: Any) -> Any:
    """Compute frames by the published rules, a window and a row at a time; emotions over 100."""
    n, out = len(rows), []
    for start in range(0, n, 96):
        window = rows[start : start + 128]
        padded = np.concatenate([window, np.repeat(window[-1:], 128 - len(window), axis=0)])
        new = list(network(padded)[: len(window)])
        overlap = min(32, len(out), len(new)) if out else 0
        for i in range(overlap):
            a = i / overlap
            out[-overlap + i] = (1 - a) * out[-overlap + i] + a * new[i]
        out.extend(new[overlap:])
    values = np.array(out) / 100
    k = min(6, n)
    values[:k] *= np.linspace(0, 1, k)[:, None]
    values[:, [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, *range(51, 61)]] = 0
    return values


def build(config: ModelConfig, causal: bool = False) -> Any:
    (component,) = facewire_models()
    return component.make(config, Context(causal=causal))


def frames(model: Any, rows: Any, sizes: list[int]) -> Any:
    curve = EmotionCurve()
    pieces = [
        (Features(rows[a:b], FPS, a, 88200), curve.sample(a, b - a, FPS))
        for a, b in cuts(len(rows), sizes)
    ]
    return drive_model(model, pieces)


@pytest.mark.parametrize("clip", ["pangram", "short", "stereo48k"])
def test_reference_frames_from_the_wav(data: Path, tmp_path: Path, clip: str) -> None:
    from facewire.sources import AudioFile

    profile = tmp_path / "p.yaml"
    weights = data / "neurosync/model.pth"
    profile.write_text(
        f"rig: neurosync68\nmodel: {{use: neurosync, weights: '{weights}'}}\nsinks: []\n"
    )
    made = assemble(load_profile(str(profile), ()), clip, tmp_path, registry=Registry())
    pipeline, blocks = made.pipeline(), []
    for audio in AudioFile(data / f"neurosync/{clip}.wav").blocks():
        assert isinstance(audio, Audio)
        blocks += pipeline.push(audio)
    blocks += pipeline.flush()
    found = np.concatenate([block.frames.values for block in blocks])
    expected = np.load(data / f"neurosync/{clip}.npz")["frames"].copy()
    expected[:, 61:] /= 100
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("neurosync") / "random.safetensors"
    random_checkpoint(path)
    return path


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length(weights: Path, length: int) -> None:
    rows = np.random.default_rng(length).standard_normal((length, 256)).astype(np.float32)
    expected = plain_pipeline(plain_network(weights, 4), rows)
    found = frames(build(ModelConfig(weights)), rows, [64])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize("sizes", [[1], [64], [7, 100, 3], [1000]])
def test_cuts(weights: Path, sizes: list[int]) -> None:
    rows = np.random.default_rng(0).standard_normal((700, 256)).astype(np.float32)
    check_chunking(lambda cut: frames(build(ModelConfig(weights)), rows, list(cut)), sizes, 700)


@pytest.mark.parametrize("batch", [1, 2, 4, 16])
def test_batches_change_nothing(weights: Path, batch: int) -> None:
    rows = np.random.default_rng(0).standard_normal((900, 256)).astype(np.float32)
    one = frames(build(ModelConfig(weights, batch=1)), rows, [64])
    found = frames(build(ModelConfig(weights, batch=batch)), rows, [64])
    assert np.abs(found - one).max() < 1e-6


def test_the_first_window_is_alone_and_the_rest_in_batches() -> None:
    seen = []

    def run(windows: np.ndarray) -> np.ndarray:
        seen.append(len(windows))
        return np.zeros((len(windows), 128, 68), np.float32)

    windows = Windows(run, 68, 4)
    assert len(windows.push(np.zeros((128, 256), np.float32))) == 96
    windows.push(np.zeros((900, 256), np.float32))
    assert sum(len(rows) for rows in windows.flush()) > 0
    assert seen == [1, 4, 4, 2]


def test_global_rope_is_another_network(weights: Path) -> None:
    rows = np.random.default_rng(5).standard_normal((150, 256)).astype(np.float32)
    expected = plain_pipeline(plain_network(weights, 4, global_rope=True), rows)
    found = frames(build(ModelConfig(weights, global_rope=True)), rows, [64])
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(found - frames(build(ModelConfig(weights)), rows, [64])).max() > 1e-2


def test_names_of_channels(tmp_path: Path, weights: Path) -> None:
    trained = build(ModelConfig(weights)).rig
    assert trained == Rig.named("neurosync68")
    renamed = build(ModelConfig(weights, sides="livelink")).rig
    changed = [i for i in range(68) if trained.channels[i] != renamed.channels[i]]
    assert changed == [15, 16, 21, 22]
    assert [renamed.channels[i] for i in changed] == [
        "jawLeft", "jawRight", "mouthLeft", "mouthRight",
    ]  # fmt: skip
    path = tmp_path / "61.safetensors"
    random_checkpoint(path, outputs=61)
    assert build(ModelConfig(path)).rig.channels == trained.channels[:61]


def test_options_of_the_finish(weights: Path) -> None:
    rows = np.random.default_rng(1).standard_normal((40, 256)).astype(np.float32)
    usual = frames(build(ModelConfig(weights)), rows, [64])
    bare = frames(build(ModelConfig(weights, divide=1.0, ease=0, zero=())), rows, [64])
    rig = Rig.named("neurosync68")
    kept = [i for i, name in enumerate(rig.channels) if name not in ZEROED]
    assert len(ZEROED) == 20 and np.abs(usual[:, rig.indices(*ZEROED)]).max() == 0
    assert np.abs(bare[6:, kept] / 100 - usual[6:, kept]).max() < 1e-6
    assert np.abs(bare[:, rig.indices(*ZEROED)]).min() > 0 and np.abs(bare[0]).max() > 0


def test_rows_of_a_clip_shorter_than_the_easing(weights: Path) -> None:
    for n in range(1, 8):
        rows = np.ones((n, 256), np.float32)
        found = frames(build(ModelConfig(weights)), rows, [1])
        assert len(found) == n and not found[0].any()


def test_one_network_for_all_sessions(weights: Path) -> None:
    kept: dict[str, Any] = {}

    def shared(key: str, make: Callable[[], Any]) -> Any:
        return kept.setdefault(key, None) or kept.update({key: make()}) or kept[key]

    (component,) = facewire_models()
    context = Context(base=weights.parent, shared=shared)
    config = ModelConfig(Path(weights.name))
    one, two = component.make(config, context), component.make(config, context)
    assert one._network is two._network and len(kept) == 1
