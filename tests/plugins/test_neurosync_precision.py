"""Low precision: bf16 and int8 against fp32, what falls back, and what is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from threading import enumerate as threads
from typing import Any

import numpy as np
import pytest
from facewire.emotion import EmotionCurve
from facewire.errors import FacewireError
from facewire.testing import check_chunking, cuts, drive_model
from facewire.types import Context, Features
from facewire_neurosync import networks, safetensors
from facewire_neurosync.architecture import Architecture
from facewire_neurosync.conversion import convert
from facewire_neurosync.plugin import ModelConfig, facewire_models
from facewire_neurosync.processor import instructions
from facewire_neurosync.tensors import Tensor

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
SIZES = Architecture(128, 256, 3, 3, 4, 68)
ROWS = np.random.default_rng(0).standard_normal((300, 256)).astype(np.float32)
BOUNDS = {"bf16": 0.01, "int8": 0.03}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made, rng = tmp_path_factory.mktemp("neurosync"), np.random.default_rng(0)
    shapes, tensors = SIZES.shapes(), {}
    for name, shape in shapes.items():
        bound = shapes[name.replace("bias", "weight")][-1] ** -0.5
        tensors[name] = Tensor("F32", rng.uniform(-bound, bound, shape).astype(np.float32))
        if "norm" in name:
            tensors[name] = Tensor("F32", np.full(shape, name.endswith("weight"), np.float32))
    safetensors.save(made / "fp32.safetensors", tensors, {"heads": "4"})
    for precision, name in (("bf16", "bf16.safetensors"), ("int8", "int8.onnx")):
        assert len([*convert(made / "fp32.safetensors", made / name, precision, 0, False)]) == 2
    return made


def build(path: Path, causal: bool = False, **options: Any) -> Any:
    (component,) = facewire_models()
    return component.make(ModelConfig(path, **options), Context(causal=causal))


def frames(model: Any, sizes: list[int] | None = None) -> Any:
    curve = EmotionCurve()
    pieces = [
        (Features(ROWS[a:b], model.fps, a, 88200), curve.sample(a, b - a, model.fps))
        for a, b in cuts(len(ROWS), sizes or [64])
    ]
    return drive_model(model, pieces)


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_error_against_fp32(folder: Path, precision: str) -> None:
    if precision not in instructions():
        pytest.skip(f"this processor has no instructions for {precision}")
    name = {"bf16": "bf16.safetensors", "int8": "int8.onnx"}[precision]
    expected = frames(build(folder / "fp32.safetensors"))
    model = build(folder / name, precision=precision)
    found = frames(model)
    error = np.sqrt(np.mean((found - expected) ** 2)) / expected.std()
    assert 1e-5 < error < BOUNDS[precision]
    assert precision in model.report()[0] and len(model.report()) == 1


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_cuts(folder: Path, precision: str) -> None:
    name = {"bf16": "bf16.safetensors", "int8": "int8.onnx"}[precision]
    model = build(folder / name, precision=precision)

    def run(sizes: Any) -> Any:
        model.reset()
        return frames(model, list(sizes))

    check_chunking(run, [1, 40, 7], len(ROWS))


def test_bf16_of_an_fp32_file_is_that_of_a_bf16_file(folder: Path) -> None:
    one = frames(build(folder / "fp32.safetensors", precision="bf16"))
    two = frames(build(folder / "bf16.safetensors", precision="bf16"))
    assert np.array_equal(one, two)


def test_global_rope_in_int8(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "rope.onnx"
    assert len([*convert(folder / "fp32.safetensors", path, "int8", 0, True)]) == 2
    expected = frames(build(folder / "fp32.safetensors", global_rope=True))
    found = frames(build(path, precision="int8"))
    assert np.sqrt(np.mean((found - expected) ** 2)) / expected.std() < BOUNDS["int8"]
    with pytest.raises(FacewireError, match="was converted without --global-rope"):
        build(folder / "int8.onnx", precision="int8", global_rope=True)


def test_int8_runs_without_torch(folder: Path) -> None:
    code = f"""
import sys
sys.modules["torch"] = None
from pathlib import Path
import numpy as np
from facewire.types import Context
from facewire_neurosync.plugin import ModelConfig, facewire_models
(component,) = facewire_models()
model = component.make(ModelConfig(Path({str(folder / "int8.onnx")!r}), "int8"), Context())
print(model._network(np.zeros((1, 128, 256), np.float32)).shape)
try:
    component.make(ModelConfig(Path({str(folder / "fp32.safetensors")!r})), Context())
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shape, error = done.stdout.splitlines()
    assert shape == "(1, 128, 68)"
    assert error == (
        "PluginError neurosync: fp32.safetensors needs PyTorch; pip install "
        "'facewire-neurosync[torch]', or use an int8 .onnx, which runs without it"
    )


def test_a_processor_without_the_instructions(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "instructions", frozenset)
    expected = frames(build(folder / "fp32.safetensors"))
    for precision in ("bf16", "int8"):
        model = build(folder / "fp32.safetensors", precision=precision)
        assert np.array_equal(frames(model), expected)
        lacks = f"this processor has no instructions for {precision} products: fp32 instead"
        assert model.report()[1] == f"neurosync: {lacks}"
    slow = build(folder / "int8.onnx", precision="int8")
    assert "slower and less exactly" in slow.report()[1] and len(frames(slow)) == len(ROWS)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("fp32.safetensors", {"precision": "int8"}, "facewire neurosync convert fp32.safetensors"),
        ("fp32.safetensors", {"precision": "fp16"}, "fp16 is for GPUs"),
        ("int8.onnx", {"precision": "bf16"}, "needs a .pth or .safetensors"),
        ("none.onnx", {"precision": "int8"}, "no such checkpoint"),
        ("none.pth", {}, "no such checkpoint"),
        ("a.h5", {}, "a checkpoint ends in .pth, .safetensors, .onnx"),
    ],
)
def test_what_is_refused(folder: Path, name: str, options: Any, words: str) -> None:
    if "int8" not in instructions() and options == {"precision": "int8"}:
        pytest.skip("this processor falls back")
    with pytest.raises(FacewireError, match=words.replace(".", r"\.")) as error:
        build(folder / name, **options)
    assert "\n" not in str(error.value)


def test_a_device_that_is_not_there(folder: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(FacewireError, match="device 'cuda' is not on this machine"):
        build(folder / "fp32.safetensors", device="cuda")
    assert "fp32 on" in build(folder / "fp32.safetensors", device="auto").report()[0]


def test_damaged_onnx(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes((folder / "int8.onnx").read_bytes())
    with pytest.raises(FacewireError, match=r"a\.onnx\.data, are not beside it"):
        build(path, precision="int8")
    weights = tmp_path / "a.onnx.data"
    weights.write_bytes((folder / "int8.onnx.data").read_bytes()[:1000])
    for content in (path.read_bytes(), path.read_bytes()[:3000], b"noise" * 900):
        path.write_bytes(content)
        with pytest.raises(FacewireError) as error:
            build(path, precision="int8")
        assert "\n" not in str(error.value) and "a.onnx" in str(error.value)


def test_loading_maps_the_file(folder: Path) -> None:
    import torch
    from facewire_neurosync.checkpoint import load
    from facewire_neurosync.network import _load

    loaded = load(folder / "fp32.safetensors")
    made = _load(loaded.tensors, torch.float32, torch.device("cpu"))
    for name, tensor in loaded.tensors.items():
        assert made[name].data_ptr() == tensor.data.ctypes.data


def windows(count: int) -> Any:
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, 128, 256)).astype(np.float32)


def network_of(path: Path, precision: str = "fp32") -> Any:
    import torch
    from facewire_neurosync import checkpoint
    from facewire_neurosync.network import Network

    return Network(checkpoint.load(path), precision, torch.device("cpu"), False)


@pytest.fixture
def three_threads() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_lanes_give_what_one_by_one_gives(folder: Path, precision: str) -> None:
    network, given = network_of(folder / "fp32.safetensors", precision), windows(7)
    found = network(given)  # three lanes
    alone = np.concatenate([network(window[None]) for window in given])
    bound = 1e-5 if precision == "fp32" else BOUNDS["bf16"]
    assert np.abs(found - alone).max() < bound * np.abs(alone).max()


@pytest.mark.usefixtures("three_threads")
def test_lanes_leave_everybody_elses_threads_alone(folder: Path) -> None:
    import torch
    from facewire_neurosync.lanes import lanes

    network = network_of(folder / "fp32.safetensors")
    torch.set_num_threads(2)  # another session's, opened after this one
    network(windows(3))
    pool, here = lanes(3), torch.get_num_threads
    with ThreadPoolExecutor(1) as other:
        assert other.submit(here).result() == here() == 2
    torch.set_num_threads(4)
    gate = Barrier(4)
    futures = [pool.submit(lambda: (gate.wait(), here())[1]) for _ in range(3)]
    gate.wait()
    assert [future.result() for future in futures] == [1, 1, 1]


@pytest.mark.usefixtures("three_threads")
def test_sessions_at_once_share_lanes(folder: Path) -> None:
    from facewire_neurosync import lanes

    lanes._started.cache_clear()
    given = windows(6)
    networks = [network_of(folder / "fp32.safetensors") for _ in range(4)]
    expected = networks[0]._run(given)
    before = set(threads())
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(lambda network: network(given), networks)]
    begun = [one for one in threads() if one not in before]
    started = [one for one in begun if one.name.startswith("neurosync")]
    assert len(started) == 3  # one pool, whoever came first
    for values in found:
        assert np.abs(values - expected).max() < 1e-5 * np.abs(expected).max()


def test_the_softmax_is_in_single_precision_in_bf16() -> None:
    import torch
    from facewire_neurosync.network import attention

    rng = np.random.default_rng(0)
    q, k, v = (torch.from_numpy(rng.standard_normal((2, 4, 128, 16))).float() for _ in range(3))
    q = q * 4  # scores of tens, where a bf16 score is off by a sixteenth
    exact = torch.softmax(q.double() @ k.double().transpose(2, 3), -1) @ v.double()
    found = attention(q, k, v.bfloat16())
    assert found.dtype == torch.bfloat16
    away = (found.double() - exact).square().mean().sqrt() / exact.std()
    low = attention(q.bfloat16().float(), k.bfloat16().float(), v.bfloat16())
    coarse = (low.double() - exact).square().mean().sqrt() / exact.std()
    assert away < 0.004 < coarse
    assert (attention(q, k, v) - exact).abs().max() < 1e-5
