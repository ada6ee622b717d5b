"""Named tensors that lie in a file: nothing is read before it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from facewire.errors import InputError
from numpy.typing import NDArray

# numpy has no bfloat16: its bits are kept as uint16
BITS = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}
# bytes of whole numbers (steps, masks), which a network has no use for
WHOLE = {"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor as it is stored: ``kind`` is F64, F32, F16 or BF16 (whose bits are uint16)."""

    kind: str
    data: NDArray[np.generic]

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        return self.data.shape

    def single(self) -> NDArray[np.float32]:
        """Return it in single precision; single precision itself is not copied."""
        if self.kind == "BF16":
            return (self.data.astype(np.uint32) << 16).view(np.float32)
        return self.data.astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What a checkpoint file holds: tensors by name, and notes written beside them."""

    path: Path
    tensors: dict[str, Tensor]
    notes: dict[str, str] = field(default_factory=dict)


def broken(path: Path, what: str) -> InputError:
    """Return the error for a checkpoint that cannot be used."""
    return InputError(f"{path}: {what}")


def mapped(path: Path) -> NDArray[np.uint8]:
    """Map a file; InputError if it cannot be. Copy on write: the file itself never changes."""
    try:
        return np.memmap(path, np.uint8, "c")
    except FileNotFoundError:
        raise broken(
            path, "no such checkpoint; put one there, or name its place in 'weights:'"
        ) from None
    except (OSError, ValueError) as error:
        raise broken(path, f"cannot be read ({error}); expected a checkpoint") from None


def piece(
    data: NDArray[np.uint8], kind: str, shape: tuple[int, ...], start: int
) -> NDArray[np.generic]:
    """Return the tensor that begins at byte ``start``; ValueError if the file ends before it."""
    dtype = np.dtype(BITS[kind]).newbyteorder("<")
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if start < 0 or start + size > len(data):
        raise ValueError("the file ends too early")
    part = data[start : start + size]
    if start % dtype.itemsize:
        part = part.copy()
    return np.asarray(part.view(dtype).reshape(shape))
