"""Checkpoints: every format, every kind of damage, and a pickle that would run code."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from facewire.errors import FacewireError, InputError
from facewire_neurosync import safetensors
from facewire_neurosync.architecture import Architecture, count_heads
from facewire_neurosync.checkpoint import load
from facewire_neurosync.cli import command
from facewire_neurosync.conversion import bf16, convert
from facewire_neurosync.tensors import Tensor

torch = pytest.importorskip("torch")
SIZES = Architecture(32, 48, 2, 1, 2, 68)


def state(sizes: Architecture = SIZES, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        name: torch.from_numpy(rng.standard_normal(shape).astype(np.float32) * 0.2)
        for name, shape in sizes.shapes().items()
    }


def assert_refused(path: Path, *words: str) -> str:
    with pytest.raises(FacewireError) as error:
        load(path)
    text = str(error.value)
    assert "\n" not in text and str(path) in text and len(text) < 400
    for word in words:
        assert word in text
    return text


def assert_same(path: Path, expected: dict[str, Any], tolerance: float = 0.0) -> None:
    found = load(path)
    assert set(found.tensors) == set(expected)
    for name, tensor in found.tensors.items():
        away = np.abs(tensor.single() - expected[name].float().numpy())
        assert away.max() <= tolerance


# -- what loads -----------------------------------------------------------------------------------


def test_the_reference_checkpoint(data: Path) -> None:
    path = data / "neurosync/model.pth"
    found = load(path)
    assert str(found.architecture) == "hidden 64, 2 + 2 layers, 4 heads, 68 outputs"
    assert_same(path, torch.load(path, weights_only=True))


def test_state_dicts_as_people_save_them(tmp_path: Path) -> None:
    weights, path = state(), tmp_path / "a.pth"
    optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(3))])
    forms = [
        weights,
        {"model_state_dict": weights, "epoch": 3, "optimizer": optimiser.state_dict()},
        {"state_dict": {f"module.{name}": tensor for name, tensor in weights.items()}},
        {f"_orig_mod.{name}": tensor for name, tensor in weights.items()},
        {name: torch.nn.Parameter(tensor) for name, tensor in weights.items()},
        {name: tensor.t().contiguous().t() for name, tensor in weights.items()},
        {f"model._orig_mod.{name}": tensor for name, tensor in weights.items()},
        {name: torch.stack([tensor, tensor])[1] for name, tensor in weights.items()},
        # whole numbers beside the weights: a mask, a step, the state of a generator
        {**weights, "mask": torch.ones(3, dtype=torch.bool), "step": torch.tensor(5)},
        {"model": weights, "rng": torch.get_rng_state()},
    ]
    for form in forms:
        for zipped in (True, False):  # PyTorch's own formats, since version 1.6 and before
            torch.save(form, path, _use_new_zipfile_serialization=zipped)
            assert_same(path, weights)


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_other_precisions_load_as_fp32(tmp_path: Path, kind: str, suffix: str) -> None:
    library = pytest.importorskip("safetensors.torch")
    weights = {name: tensor.to(getattr(torch, kind)) for name, tensor in state().items()}
    path = tmp_path / f"a{suffix}"
    if suffix == ".pth":
        torch.save(weights, path)
    else:
        library.save_file(weights, path)
    assert_same(path, weights)
    assert all(tensor.single().dtype == np.float32 for tensor in load(path).tensors.values())


def test_safetensors_as_people_save_them(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.torch")
    weights, path = state(), tmp_path / "a.safetensors"
    wrapped = {f"module.{name}": tensor for name, tensor in weights.items()}
    wrapped |= {"step": torch.tensor(5), "mask": torch.ones(3, dtype=torch.bool)}
    library.save_file(wrapped, path, metadata={"format": "pt", "author": "someone"})
    assert_same(path, weights)


def rotations(sizes: Architecture, width: int, base: float = 1e4) -> dict[str, Any]:
    """Return what some forks register beside their weights: the rates of rotary positions."""
    rates = base ** (-torch.arange(0, width, 2) / width)
    return {
        f"{layer}.{attention}.rotary.inv_freq": rates.clone()
        for layer, attentions in sizes.layers()
        for attention in attentions
    }


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_rotations_among_the_weights_tell_the_heads(tmp_path: Path, kind: str) -> None:
    weights, path = state(), tmp_path / "a.pth"
    extra = {name: made.to(getattr(torch, kind)) for name, made in rotations(SIZES, 8).items()}
    torch.save({**weights, **extra}, path)
    assert_same(path, weights)
    assert count_heads(32) == 2 and load(path).architecture.heads == 4
    assert load(path, heads=2).architecture.heads == 2


def test_other_rotations_are_another_network(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({**state(), **rotations(SIZES, 8, 5e5)}, path)
    assert_refused(path, "inv_freq' holds other rotations than the published network's")
    torch.save({**state(), "encoder.rotary.inv_freq": torch.ones(16)}, path)
    assert_refused(path, "has 'encoder.rotary.inv_freq', which the published network lacks")


@pytest.mark.parametrize("told", ["many", "-4", "5", "9" * 30])
def test_notes_that_tell_nonsense(tmp_path: Path, told: str) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {name: Tensor("F32", tensor.numpy()) for name, tensor in state().items()}
    safetensors.save(path, tensors, {"heads": told})
    assert_refused(path, "is no NeuroSync checkpoint", "heads")


def test_heads_and_sizes() -> None:
    assert [count_heads(n) for n in (1024, 512, 256, 128, 64, 32, 16)] == [16, 16, 16, 8, 4, 2, 1]
    assert Architecture(1024, 4096, 8, 8, 16, 68).parameters == 235_480_132


def test_heads_are_told_by_the_file_or_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {name: Tensor("F32", tensor.numpy()) for name, tensor in state().items()}
    safetensors.save(path, tensors, {"heads": "8"})
    assert load(path).architecture.heads == 8
    assert load(path, heads=4).architecture.heads == 4
    with pytest.raises(InputError, match="hidden size 32 cannot be cut into 5 heads"):
        load(path, heads=5)


# -- what is refused ------------------------------------------------------------------------------


class Malice:
    """A pickle that runs a command when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.system, (f"touch '{self.target}'",)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    path, target = tmp_path / "evil.pth", tmp_path / "owned"
    torch.save({**state(), "encoder.extra": Malice(target)}, path)
    text = assert_refused(
        path, "which no state dict needs, and was not run", "do not trust this file"
    )
    assert "system" in text and not target.exists()
    with path.open("rb") as file:  # it is a real one: the plain way runs it
        torch.load(file, weights_only=False)
    assert target.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cbuiltins\neval\n(V1+1\ntR.",
        b"ccollections\nOrderedDict.__init__\n.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
        b"ctorch.serialization\nload\n.",
        b"cnumpy\nload\n(V/etc/passwd\ntR.",
        b"c__builtin__\ngetattr\n.",
    ],
)
def test_other_code_is_refused(tmp_path: Path, code: bytes) -> None:
    path = tmp_path / "evil.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", code)
    assert_refused(path, "and was not run")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_cut_short_anywhere(tmp_path: Path, suffix: str) -> None:
    library = pytest.importorskip("safetensors.torch")
    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    if suffix == ".pth":
        torch.save(state(), whole)
    else:
        library.save_file(state(), whole)
    content = whole.read_bytes()
    for size in (0, 1, 7, 8, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        assert_refused(path)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".onnx"])
def test_noise_and_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix != ".onnx":
        assert_refused(path, "no such checkpoint")
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    assert_refused(path)
    path.unlink()
    path.mkdir()
    assert_refused(path)


def test_damaged_pickles(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(state(), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    key = next(name for name in parts if name.endswith("data.pkl"))
    rng = np.random.default_rng(1)
    for _ in range(20):
        broken = bytearray(parts[key])
        for at in rng.integers(0, len(broken), 3):
            broken[at] = rng.integers(0, 256)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**parts, key: bytes(broken)}.items():
                archive.writestr(name, content)
        try:
            load(path)
        except InputError as error:
            assert "\n" not in str(error)


def test_damaged_old_files(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(state(), path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for size in (14, 20, 300, 5000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert_refused(path, "is damaged")
    rng, pickles = np.random.default_rng(1), whole.index(b"ollections")
    for _ in range(30):
        broken = bytearray(whole)
        for at in rng.integers(14, pickles + 6000, 3):
            broken[at] = rng.integers(0, 256)
        path.write_bytes(bytes(broken))
        try:
            load(path)
        except InputError as error:
            assert "\n" not in str(error)


def test_an_old_file_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    path, target = tmp_path / "evil.pth", tmp_path / "owned"
    evil = {**state(), "encoder.extra": Malice(target)}
    torch.save(evil, path, _use_new_zipfile_serialization=False)
    assert_refused(path, "which no state dict needs, and was not run", "do not trust this file")
    # code in the pickles around the state dict
    mark, command = path.read_bytes()[:15], f"cposix\nsystem\n(Vtouch '{target}'\ntR."
    path.write_bytes(mark + 4 * command.encode())
    assert_refused(path, "posix.system, which no state dict needs")
    assert not target.exists()


def test_a_memo_of_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}r\xff\xff\xff\x7f.")
    assert_refused(path, "a memo larger than the pickle")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"encoder.embedding.weight": (32, 128)}, "takes 128 features, expected 256"),
        ({"decoder.fc_output.weight": (52, 32)}, "52 outputs, expected 61 or 68"),
        ({"decoder.layer_norm.bias": None}, "has no 'decoder.layer_norm.bias'"),
        ({"extra.weight": (2, 2)}, "has 'extra.weight', which the published network lacks"),
        ({"encoder.transformer_encoder.1.norm2.bias": (31,)}, "is [31], expected [32]"),
        ({"encoder.embedding.weight": None}, "has no 'encoder.embedding.weight'"),
    ],
)
def test_wrong_names_and_shapes(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    weights = state()
    for name, shape in change.items():
        weights.pop(name, None)
        if shape:
            weights[name] = torch.zeros(shape)
    path = tmp_path / "a.pth"
    torch.save(weights, path)
    assert_refused(path, "is no NeuroSync checkpoint", words)


def test_lying_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    entries: list[Any] = [
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]}},
        {"a": {"dtype": "I8", "shape": [8], "data_offsets": [0, 8]}},
        {"a": [1], "__metadata__": {"x": 1}},
        [1, 2],
    ]
    for header in entries:
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * 8)
        assert_refused(path)


# -- conversion -----------------------------------------------------------------------------------


def test_convert_says_what_it_found(tmp_path: Path) -> None:
    source, target = tmp_path / "model.pth", tmp_path / "model.safetensors"
    torch.save(state(), source)
    done = CliRunner().invoke(command, ["convert", str(source), str(target)])
    assert done.exit_code == 0, done.output
    assert "hidden 32, 2 + 1 layers, 2 heads, 68 outputs, 66 tensors" in done.output
    assert_same(target, state())
    library = pytest.importorskip("safetensors.torch")
    assert set(library.load_file(target)) == set(state())


def test_convert_to_bf16_rounds_as_torch(tmp_path: Path) -> None:
    source, target = tmp_path / "model.pth", tmp_path / "model.safetensors"
    torch.save(state(), source)
    assert len([*convert(source, target, "bf16", 0, True)]) == 2
    found = load(target)
    assert found.global_rope and found.kind == "BF16"
    weight = state()["encoder.embedding.weight"]
    stored = found.tensors["encoder.embedding.weight"].single()
    assert np.array_equal(stored, weight.bfloat16().float().numpy())
    assert found.tensors["decoder.layer_norm.weight"].kind == "F32"
    values = np.random.default_rng(0).standard_normal(10000).astype(np.float32)
    expected = torch.from_numpy(values).bfloat16().view(torch.int16).numpy().view(np.uint16)
    assert np.array_equal(bf16(values), expected)


def test_a_failed_conversion_leaves_what_was_there(tmp_path: Path) -> None:
    source, target = tmp_path / "model.pth", tmp_path / "model.safetensors"
    weights = state()
    weights["encoder.embedding.bias"][3] = float("nan")
    torch.save(weights, source)
    target.write_text("precious")
    with pytest.raises(InputError, match=r"'encoder\.embedding\.bias' holds values"):
        [*convert(source, target, "fp32", 0, False)]
    assert target.read_text() == "precious" and len([*tmp_path.iterdir()]) == 2
    for wrong, words in (
        (tmp_path / "a.onnx", "fp32 is written as .safetensors"),
        (tmp_path / "none" / "a.safetensors", "there is no folder"),
    ):
        with pytest.raises(InputError, match=words):
            [*convert(source, wrong, "fp32", 0, False)]


def test_a_pickle_needs_no_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pth"
    torch.save(state(), path)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert load(path).architecture == SIZES
