"""PyTorch checkpoints (``.pth``), read without running anything that is in them.

Such a file is a ZIP archive of a pickle, which names the tensors, and one entry of raw bytes for
each; before PyTorch 1.6 (August 2020) it was a row of pickles and then the bytes.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facewire_neurosync import legacy
from facewire_neurosync.tensors import BITS, Stored, Tensor, broken, mapped, piece
from facewire_neurosync.unpickler import MAX_PICKLE, Reader, Refused, check

# where the state dict may lie in a training checkpoint
_INSIDE = ("state_dict", "model_state_dict", "model")


def load(path: Path) -> Stored:
    """Map a checkpoint; InputError in one line if it is damaged or holds code."""
    data = mapped(path)
    again = "save the state dict again with torch.save"
    old = legacy.is_legacy(data)
    if not old and not zipfile.is_zipfile(path):
        raise broken(path, f"is no PyTorch checkpoint, or is cut short; {again}")
    try:
        found = legacy.read(path, data) if old else _read(path, data)
    except Refused as error:
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
        if text.file_size > MAX_PICKLE:
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
        check(code)
        return Reader(code, entry).load()


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
    named = found.items() if isinstance(found, dict) else ()
    return {
        name: tensor
        for name, tensor in named
        if isinstance(name, str) and isinstance(tensor, Tensor)
    }
