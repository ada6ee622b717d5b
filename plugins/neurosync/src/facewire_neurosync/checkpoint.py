"""A checkpoint: its file, and what is in it. ``.pth`` and ``.safetensors``; ``.onnx`` for int8."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facewire_neurosync import architecture, pickled, safetensors
from facewire_neurosync.architecture import Architecture
from facewire_neurosync.rotary import rates
from facewire_neurosync.tensors import Tensor, broken

READERS = {".pth": pickled, ".pt": pickled, ".bin": pickled, ".safetensors": safetensors}
SUFFIXES = (".pth", ".safetensors", ".onnx")
_PREFIXES = ("module.", "_orig_mod.", "model.")
_FIRST = "encoder.embedding.weight"
_ROTATION = re.compile(r"\.(self|multihead)_attn\.(.+\.)?inv_freq$")


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A network's sizes and tensors; ``global_rope`` if its file says that it needs that."""

    path: Path
    architecture: Architecture
    tensors: dict[str, Tensor]
    global_rope: bool

    @property
    def kind(self) -> str:
        """In which precision the weights are stored: F32, F16, BF16 or F64."""
        return self.tensors["encoder.embedding.weight"].kind


def load(path: Path, heads: int = 0) -> Checkpoint:
    """Map a checkpoint and check every name and shape; InputError in one line."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        expected = ", ".join(SUFFIXES)
        raise broken(path, f"a checkpoint ends in {expected}; convert it, or rename it")
    stored = reader.load(path)
    tensors = {_bare(name): tensor for name, tensor in stored.tensors.items()}
    width = _take_rotations(path, tensors)
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    try:
        told = _heads(stored.notes) or (width and shapes.get(_FIRST, (0,))[0] // width)
        made = architecture.read(shapes, heads or told)
    except ValueError as error:
        raise broken(path, f"is no NeuroSync checkpoint: {error}") from None
    return Checkpoint(path, made, tensors, stored.notes.get("global_rope") == "true")


def _bare(name: str) -> str:
    """Return a tensor's name without what wrappers put before it."""
    while name.startswith(_PREFIXES):
        name = name.partition(".")[2]
    return name


def _heads(notes: Mapping[str, str]) -> int:
    told = notes.get("heads", "0")
    if not told.isdecimal():
        raise ValueError(f"its note says '{told[:20]}' heads")
    return int(told)


def _take_rotations(path: Path, tensors: dict[str, Tensor]) -> int:
    """Take out the rotations of attentions, which forks keep beside weights; return their width.

    They are constants; InputError if they are not the published network's. 0 if there are none.
    """
    width = 0
    for name in [name for name in tensors if _ROTATION.search(name)]:
        found = tensors.pop(name).single()
        width = 2 * found.size
        expected = rates(width)
        if found.shape != expected.shape or not np.allclose(found, expected, rtol=0.02, atol=1e-6):
            raise broken(path, f"'{name}' holds other rotations than the published network's")
    return width
