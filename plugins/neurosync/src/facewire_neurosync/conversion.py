"""From one checkpoint file to another: checked, and written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from facewire.errors import InputError, PluginError
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_neurosync import checkpoint, safetensors
from facewire_neurosync.checkpoint import Checkpoint
from facewire_neurosync.tensors import Tensor, broken


def bf16(values: FloatArray) -> NDArray[np.uint16]:
    """Return the bits of finite values in bfloat16, rounded to the nearest, ties to even."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    odd = (bits >> 16) & 1
    return ((bits + 0x7FFF + odd) >> 16).astype(np.uint16)


def convert(
    source: Path, target: Path, precision: str, heads: int, global_rope: bool
) -> Iterator[str]:
    """Convert a checkpoint; yield what it is and what was written, a line each.

    InputError for a bad checkpoint, a value that is not finite, or a target of the wrong kind.
    """
    suffix = ".onnx" if precision == "int8" else ".safetensors"
    if target.suffix.lower() != suffix:
        raise InputError(f"{target}: {precision} is written as {suffix}, found '{target.suffix}'")
    if target.resolve() == source.resolve():
        raise InputError(f"{target}: would be written over what is read; choose another name")
    if not target.parent.is_dir():
        raise InputError(f"{target}: there is no folder {target.parent}; make it first")
    found = checkpoint.load(source, heads)
    global_rope = global_rope or found.global_rope
    sizes = found.architecture
    count = f"{len(found.tensors)} tensors, {sizes.parameters / 1e6:.1f} million parameters"
    yield f"{source}: {sizes}, {count}, {found.kind}"
    _check_finite(found)
    if precision == "int8":
        _write_onnx(found, target, global_rope)
        sources = [target, target.with_name(f"{target.name}.data")]
    else:
        notes = {"heads": str(sizes.heads), "global_rope": "true" if global_rope else "false"}
        tensors = {name: _stored(name, found, precision) for name in sizes.shapes()}
        safetensors.save(target, tensors, {"format": "pt", **notes})
        sources = [target]
    size = sum(path.stat().st_size for path in sources) / 1e6
    names = " and ".join(path.name for path in sources)
    yield f"{names}: {precision}{', global_rope' if global_rope else ''}, {size:.1f} MB"


def _check_finite(found: Checkpoint) -> None:
    for name, tensor in found.tensors.items():
        # a sum is infinite or NaN if any part is: it needs no array as large as the weights
        if not np.isfinite(np.sum(tensor.single(), dtype=np.float64)):
            raise broken(found.path, f"'{name}' holds values that are not finite numbers")


def _stored(name: str, found: Checkpoint, precision: str) -> Tensor:
    single = found.tensors[name].single()
    if precision == "bf16" and "norm" not in name:
        return Tensor("BF16", bf16(single))
    return Tensor("F32", single)


def _write_onnx(found: Checkpoint, target: Path, global_rope: bool) -> None:
    try:
        from facewire_neurosync import onnx_graph
    except ImportError:
        raise PluginError(
            "converting to int8 needs onnx; pip install 'facewire-neurosync[onnx]'"
        ) from None
    onnx_graph.save(onnx_graph.build(found, global_rope), target)
