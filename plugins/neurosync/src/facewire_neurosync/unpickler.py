"""Reads the pickle of a PyTorch checkpoint without running anything that is in it.

A pickle is a program that may call anything; this reader lets it call the three functions that
build tensors and dictionaries, all of them ours, and refuses it at the first other name.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from facewire_neurosync.tensors import Tensor

# whole numbers (an optimiser's steps, masks) are kept out of the tensors
KINDS = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}
MAX_PICKLE = 64_000_000  # bytes


class Refused(Exception):
    """The pickle asked for something that no checkpoint needs."""


class Reader(pickle.Unpickler):
    """Builds tensors from the archive's entries; refuses every name that is not listed."""

    def __init__(self, text: bytes, entry: Callable[[str, str], NDArray[np.generic] | None]):
        super().__init__(io.BytesIO(text), encoding="utf-8")
        self._entry = entry

    def find_class(self, module: str, name: str) -> Any:
        """Return our own function for a listed name."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if module == "torch" and name in KINDS:
            return KINDS[name]
        raise Refused(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        """Return the (kind, numbers) of a storage that the pickle names."""
        _, kind, key, *_ = pid
        if not isinstance(kind, str) or not isinstance(key, str):
            raise ValueError("a storage without a name")
        return kind, self._entry(kind, key)


def _tensor(storage: Any, offset: int, size: Any, stride: Any, *rest: Any) -> Tensor | None:
    """Return a view of a storage; None for integers, which a network has no use for."""
    kind, data = storage
    if data is None:
        return None
    size, stride = tuple(size), tuple(stride)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min((*size, *stride, offset), default=0) < 0 or (0 not in size and last >= len(data)):
        raise ValueError("a tensor larger than its storage")
    steps = tuple(step * data.itemsize for step in stride)
    return Tensor(kind, np.lib.stride_tricks.as_strided(data[offset:], size, steps))


def _parameter(tensor: Any, *rest: Any) -> Any:
    return tensor


def check(code: bytes | BinaryIO) -> None:
    """Go through a pickle to its end; ValueError if its memo's numbers are beyond its own length.

    Python makes room for as many entries as a number says: a damaged byte asks for gigabytes.
    """
    for operation, number, at in pickletools.genops(code):
        puts = operation.name in ("PUT", "BINPUT", "LONG_BINPUT")
        if puts and isinstance(number, int) and number > (at or 0):
            raise ValueError("a memo larger than the pickle")
        if (at or 0) > MAX_PICKLE:
            raise ValueError("a pickle of more than 64 MB")
