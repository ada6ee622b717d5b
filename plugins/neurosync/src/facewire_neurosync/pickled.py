"""PyTorch checkpoints (``.pth``), read without running anything that is in them.

Such a file is a ZIP archive of a pickle, which names the tensors, and one entry of raw bytes for
each. A pickle is a program that may call anything; this reader lets it call the three functions
that build tensors and dictionaries, all of them ours, and refuses the file at the first other name.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facewire_neurosync.tensors import BITS, Stored, Tensor, broken, mapped, piece

_KINDS = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",  # counters of optimisers and batch norms: kept out of the tensors
    "IntStorage": "I32",
}
# where the state dict may lie in a training checkpoint, and what wrappers put before its names
_INSIDE = ("state_dict", "model_state_dict", "model")
_PREFIXES = ("module.", "_orig_mod.")
_MAX_PICKLE = 64_000_000  # bytes


class _Refused(Exception):
    """The pickle asked for something that no checkpoint needs."""


class _Reader(pickle.Unpickler):
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
        if module == "torch" and name in _KINDS:
            return _KINDS[name]
        raise _Refused(f"{module}.{name}")

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


def load(path: Path) -> Stored:
    """Map a checkpoint; InputError in one line if it is damaged or holds code."""
    data = mapped(path)
    again = "save the state dict again with torch.save"
    if not zipfile.is_zipfile(path):
        what = "is no PyTorch checkpoint of version 1.6 or later, or is cut short"
        raise broken(path, f"{what}; {again}")
    try:
        found = _read(path, data)
    except _Refused as error:
        what = f"its pickle asks for {error}, which no state dict needs, and was not run"
        raise broken(path, f"{what}; do not trust this file, or {again}") from None
    except RecursionError:
        raise broken(path, f"is damaged (nested too deeply); {again}") from None
    except Exception as error:  # a damaged pickle raises anything
        why = " ".join(str(error).split())[:120] or type(error).__name__
        raise broken(path, f"is damaged ({why}); {again}") from None
    return Stored(path, _named(found))


def _read(path: Path, data: NDArray[np.uint8]) -> Any:
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        names = [name for name in entries if name.endswith("/data.pkl") or name == "data.pkl"]
        if len(names) != 1:
            raise ValueError("an archive without a state dict")
        text, root = entries[names[0]], names[0].removesuffix("data.pkl")
        if text.file_size > _MAX_PICKLE:
            raise ValueError("a pickle of more than 64 MB")
        order = entries.get(f"{root}byteorder")
        if order and archive.read(order) != b"little":
            raise ValueError("numbers in big-endian order, expected little-endian")

        def entry(kind: str, key: str) -> NDArray[np.generic] | None:
            info = entries[f"{root}data/{key}"]
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError("compressed tensors")
            if kind not in BITS:
                return None
            count = info.file_size // np.dtype(BITS[kind]).itemsize
            return piece(data, kind, (count,), _begin(data, info))

        code = archive.read(text)
        _check_memo(code)
        return _Reader(code, entry).load()


def _check_memo(code: bytes) -> None:
    """Raise ValueError if the pickle numbers its memo beyond its own length.

    Python makes room for as many entries as the number says: a damaged byte asks for gigabytes.
    """
    for operation, number, _ in pickletools.genops(code):
        puts = operation.name in ("PUT", "BINPUT", "LONG_BINPUT")
        if puts and isinstance(number, int) and number > len(code):
            raise ValueError("a memo larger than the pickle")


def _begin(data: NDArray[np.uint8], info: zipfile.ZipInfo) -> int:
    """Return where an entry's bytes begin: behind its local header (APPNOTE.TXT, 4.3.7)."""
    at = info.header_offset
    head = data[at : at + 30].tobytes()
    if head[:4] != b"PK\x03\x04":
        raise ValueError("an entry without its header")
    name, extra = struct.unpack("<HH", head[26:30])
    return int(at + 30 + name + extra)


def _named(found: Any) -> dict[str, Tensor]:
    """Return the tensors of a state dict, be it wrapped or not, by their names."""
    for key in _INSIDE:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    tensors = {}
    for name, tensor in found.items() if isinstance(found, dict) else ():
        while isinstance(name, str) and name.startswith(_PREFIXES):
            name = name.partition(".")[2]
        if isinstance(name, str) and isinstance(tensor, Tensor):
            tensors[name] = tensor
    return tensors
