"""Clips of Facewire's sink ``files.npz``, read without numpy: nothing is unpickled.

The layout of an array is in its header (NEP 1: a Python literal with descr, fortran_order, shape).
"""

from __future__ import annotations

import ast
import struct
import sys
import zlib
from array import array
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

from .clip import Clip, Mark, finite, names_of, rate_of
from .errors import AddonError

_LARGEST_FILE = 1 << 30
_FLOATS = {"<f4": "f", "<f8": "d"}
_FORMS = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q"}


class _Array(NamedTuple):
    descr: Any
    shape: tuple[int, ...]
    data: bytes


def read(file: Path) -> Clip:
    """Return the clip; AddonError if the archive is not as it should be."""
    try:
        with ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > _LARGEST_FILE:
                raise AddonError(f"{file.name}: has more than 1 GB")
            names = [member.removesuffix(".npy") for member in archive.namelist()]
            needed = ("values", "channels", "fps", "fps_fraction", "marks")
            found = {n: _array(archive.read(f"{n}.npy"), n) for n in needed if n in names}
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise AddonError(f"{file.name}: is no readable npz: {str(error).lower()}") from None
    except (ValueError, SyntaxError, KeyError, TypeError, struct.error) as error:
        raise AddonError(f"{file.name}: is no npz of a clip: {str(error)[:120].lower()}") from None
    for name in ("values", "channels", "fps"):
        if name not in found:
            raise AddonError(f"{file.name}: has no '{name}', expected one of the sink files.npz")
    return _clip(found, file)


def _clip(found: dict[str, _Array], file: Path) -> Clip:
    where = file.name
    channels = names_of(_texts(found["channels"], where), where)
    exact = _numbers(found["fps_fraction"], where) if "fps_fraction" in found else None
    fps = rate_of(_numbers(found["fps"], where)[0], exact, where)
    columns = _columns(found["values"], channels, where)
    marks = _marks(found["marks"], where) if "marks" in found else ()
    return Clip(file.stem, fps, channels, columns, marks)


def _array(raw: bytes, name: str) -> _Array:
    if raw[:6] != b"\x93NUMPY":
        raise ValueError(f"'{name}' is no array")
    form, begin = ("<H", 10) if raw[6] == 1 else ("<I", 12)
    (length,) = struct.unpack_from(form, raw, 8)
    header = ast.literal_eval(raw[begin : begin + length].decode("latin-1").strip())
    shape = tuple(int(size) for size in header["shape"])
    if header["fortran_order"] and len(shape) > 1:
        raise ValueError(f"'{name}' is in fortran order")
    return _Array(header["descr"], shape, raw[begin + length :])


def _columns(values: _Array, channels: tuple[str, ...], where: str) -> tuple[array[float], ...]:
    if len(values.shape) != 2 or values.shape[1] != len(channels) or values.descr not in _FLOATS:
        raise AddonError(
            f"{where}: values are {values.descr} {values.shape}, expected floats "
            f"(n, {len(channels)}), a column for each channel"
        )
    flat = _loaded(_FLOATS[values.descr], values.data)
    if len(flat) != values.shape[0] * values.shape[1]:
        raise AddonError(f"{where}: 'values' has not the size that its {values.shape[0]} rows need")
    wide = len(channels)
    columns = [array("f", flat[k::wide]) for k in range(wide)]
    return tuple(finite(col, name, where) for name, col in zip(channels, columns, strict=True))


def _loaded(code: str, data: bytes) -> array[Any]:
    out = array(code)
    out.frombytes(data[: len(data) // out.itemsize * out.itemsize])
    if sys.byteorder == "big":
        out.byteswap()
    return out


def _numbers(found: _Array, where: str) -> list[Any]:
    if found.descr not in _FORMS:
        raise AddonError(f"{where}: a rate is {found.descr}, expected a number")
    numbers = list(_loaded(_FORMS[found.descr], found.data))
    if not numbers:
        raise AddonError(f"{where}: a rate is empty, expected a number")
    return numbers


def _texts(found: _Array, where: str) -> list[str]:
    if not isinstance(found.descr, str) or not found.descr.startswith("<U"):
        raise AddonError(f"{where}: channels are {found.descr}, expected text")
    size = 4 * int(found.descr[2:])
    starts = range(0, len(found.data), size) if size else ()
    return [_text(found.data[k : k + size]) for k in starts]


def _text(raw: bytes) -> str:
    return raw.decode("utf-32-le", "replace").rstrip("\0")


def _marks(found: _Array, where: str) -> tuple[Mark, ...]:
    """Return marks from fields kind, text, start and end, in whatever order they are."""
    layout, size = {}, 0
    for name, descr, *_ in found.descr if isinstance(found.descr, list) else []:
        width = 4 * int(descr[2:]) if descr[1] == "U" else int(descr[2:])
        layout[name] = (descr, size, width)
        size += width
    if not {"kind", "text", "start", "end"} <= set(layout):
        raise AddonError(f"{where}: marks: expected kind, text, start and end in each")

    def field(at: int, name: str) -> Any:
        descr, offset, width = layout[name]
        raw = found.data[at + offset : at + offset + width]
        return _text(raw) if descr[1] == "U" else struct.unpack("<" + _FORMS[descr], raw)[0]

    marks = [
        Mark(field(at, "kind"), field(at, "text"), field(at, "start"), field(at, "end"))
        for at in range(0, size * found.shape[0], size)
    ]
    return tuple(sorted(marks, key=lambda mark: (mark.start, mark.end)))
