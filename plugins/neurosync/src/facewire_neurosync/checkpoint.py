"""A checkpoint: its file, and what is in it. ``.pth`` and ``.safetensors``; ``.onnx`` for int8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facewire_neurosync import architecture, pickled, safetensors
from facewire_neurosync.architecture import Architecture
from facewire_neurosync.tensors import Tensor, broken

READERS = {".pth": pickled, ".pt": pickled, ".bin": pickled, ".safetensors": safetensors}
SUFFIXES = (".pth", ".safetensors", ".onnx")


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
    shapes = {name: tensor.shape for name, tensor in stored.tensors.items()}
    try:
        told = int(stored.notes.get("heads", "0"))
        made = architecture.read(shapes, heads or told)
    except ValueError as error:
        raise broken(path, f"is no NeuroSync checkpoint: {error}") from None
    return Checkpoint(path, made, stored.tensors, stored.notes.get("global_rope") == "true")
