"""The safetensors format: a length, a header in JSON, and the tensors' bytes.

https://github.com/huggingface/safetensors describes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from facewire_neurosync.tensors import BITS, WHOLE, Stored, Tensor, broken, mapped, piece

MAX_HEADER = 100_000_000  # bytes, the format's own limit
_ALIGN = 64  # bytes: where a row of weights begins, so that vector loads cross no line


def load(path: Path) -> Stored:
    """Map a file of tensors; InputError in one line if it is damaged."""
    data = mapped(path)
    size = int.from_bytes(data[:8].tobytes(), "little") if len(data) > 8 else 0
    if not 2 <= size <= min(MAX_HEADER, len(data) - 8):
        raise broken(path, "is no safetensors file, or is cut short; export or convert it again")
    try:
        header = json.loads(data[8 : 8 + size].tobytes())
        notes = header.pop("__metadata__", {})
        tensors = {
            name: _tensor(data, 8 + size, entry)
            for name, entry in header.items()
            if entry["dtype"] not in WHOLE
        }
        if not all(isinstance(part, str) for pair in notes.items() for part in pair):
            raise ValueError("its notes are not text")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = " ".join(str(error).split())[:120]
        raise broken(path, f"is damaged ({why}); export or convert it again") from None
    return Stored(path, tensors, notes)


def _tensor(data: Any, base: int, entry: Mapping[str, Any]) -> Tensor:
    kind, shape = entry["dtype"], tuple(entry["shape"])
    first, last = entry["data_offsets"]
    if kind not in BITS:
        raise ValueError(f"tensors of {kind}, expected F32, F16, BF16 or F64")
    if not all(type(n) is int and 0 <= n < 1 << 40 for n in (*shape, first, last)):
        raise ValueError("sizes that are no sizes")
    array = piece(data, kind, shape, base + first)
    if array.nbytes != last - first:
        raise ValueError("a tensor's shape and length disagree")
    return Tensor(kind, array)


def save(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> None:
    """Write tensors and notes; the file appears whole or not at all."""
    header: dict[str, Any] = {"__metadata__": dict(notes)}
    at = 0
    for name, tensor in tensors.items():
        end = at + tensor.data.nbytes
        header[name] = {
            "dtype": tensor.kind,
            "shape": list(tensor.shape),
            "data_offsets": [at, end],
        }
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGN)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for tensor in tensors.values():
                little = tensor.data.astype(tensor.data.dtype.newbyteorder("<"), copy=False)
                file.write(np.ascontiguousarray(little).data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
