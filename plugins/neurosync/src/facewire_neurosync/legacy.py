"""PyTorch checkpoints of before version 1.6: five pickles in a row, then the tensors' bytes.

A mark, the version, the system's sizes, the state dict, the names of the storages; then for each
storage, in that order, the count of its numbers (64 bits) and the numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from facewire_neurosync.tensors import BITS, WHOLE, piece
from facewire_neurosync.unpickler import Reader, check

_MARK = 0x1950A86A20F9469CFC6C.to_bytes(10, "little")
_SIZES = WHOLE | {kind: np.dtype(bits).itemsize for kind, bits in BITS.items()}


def is_legacy(data: NDArray[np.uint8]) -> bool:
    """Tell whether a file begins with the mark: a pickle of one number of ten bytes."""
    return data[2:14].tobytes() == b"\x8a\n" + _MARK


def read(path: Path, data: NDArray[np.uint8]) -> Any:
    """Return what the file holds; ValueError, or whatever a damaged pickle raises."""
    with path.open("rb") as file:
        _, _, system, code, names = (_next(file) for _ in range(5))
        at = file.tell()
    if not _plain(system).get("little_endian", True):
        raise ValueError("numbers in big-endian order, expected little-endian")
    kinds: dict[str, str] = {}
    Reader(code, lambda kind, key: kinds.update({key: kind})).load()  # which storage is what
    places: dict[str, tuple[int, int]] = {}
    for key in _plain(names):
        count = int.from_bytes(data[at : at + 8].tobytes(), "little")
        places[key] = at + 8, count
        at += 8 + count * _SIZES[kinds[key]]
    if at > len(data):
        raise ValueError("the file ends too early")

    def entry(kind: str, key: str) -> NDArray[np.generic] | None:
        start, count = places[key]
        return piece(data, kind, (count,), start) if kind in BITS else None

    return Reader(code, entry).load()


def _next(file: BinaryIO) -> bytes:
    """Return the next pickle."""
    begin = file.tell()
    check(file)
    size = file.tell() - begin
    file.seek(begin)
    return file.read(size)


def _plain(code: bytes) -> Any:
    """Return what a pickle without tensors holds."""
    return Reader(code, lambda kind, key: None).load()
