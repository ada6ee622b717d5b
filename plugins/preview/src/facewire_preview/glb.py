"""Read GLB files: the document, and accessors as arrays.

Format: glTF 2.0 (Khronos, 2021), sections 3.6 and 4; KHR_mesh_quantization. Nothing is fetched: a
buffer or image that lies outside the file is an error or missing.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from facewire.errors import InputError
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_BYTES = 256 << 20
_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_COMPONENTS: dict[int, np.dtype[Any]] = {
    5120: np.dtype("i1"), 5121: np.dtype("u1"), 5122: np.dtype("<i2"),
    5123: np.dtype("<u2"), 5125: np.dtype("<u4"), 5126: np.dtype("<f4"),
}  # fmt: skip
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_UNDERSTOOD = {
    "KHR_mesh_quantization", "KHR_materials_unlit", "KHR_texture_transform",
    "KHR_materials_emissive_strength", "KHR_materials_specular", "KHR_materials_ior",
    "VRM", "VRMC_vrm", "VRMC_materials_mtoon", "VRMC_springBone", "VRMC_node_constraint",
}  # fmt: skip


class Glb:
    """A GLB file in memory: ``document`` is its JSON, ``data`` the whole file."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name, self.data = name, data
        self.document, self._buffer = _chunks(data, name)
        needed = set(self.items("extensionsRequired")) - _UNDERSTOOD
        if needed:
            raise self.wrong(
                f"needs {', '.join(sorted(map(str, needed)))}, which is not understood here; "
                "export it without compression"
            )

    @property
    def buffer(self) -> memoryview:
        """The file's own buffer."""
        return self._buffer

    def wrong(self, what: str) -> InputError:
        """Return the error that names the file."""
        return InputError(f"{self.name}: {what}")

    def items(self, key: str) -> list[Any]:
        """Return one of the document's lists; empty if it has none."""
        found = self.document.get(key, [])
        if not isinstance(found, list):
            raise self.wrong(f"{key} is no list")
        return found

    def accessor(self, index: int) -> Array:
        """Return an accessor's values (n, width), normalised integers as -1..1 or 0..1."""
        try:
            made = self.items("accessors")[index]
            kind, width = _COMPONENTS[made["componentType"]], _WIDTHS[made["type"]]
            count = int(made["count"])
            if not 0 < count <= len(self.data):
                raise ValueError("a count beyond the file")
            if "bufferView" in made:
                offset = int(made.get("byteOffset", 0))
                values = self._rows(made["bufferView"], offset, kind, count, width).copy()
            else:
                values = np.zeros((count, width), kind)
            if "sparse" in made:
                self._sparse(made["sparse"], values)
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            raise self.wrong(f"accessor {index} is broken ({error})") from None
        return _numbers(values, bool(made.get("normalized")))

    def _sparse(self, sparse: Any, values: NDArray[Any]) -> None:
        count, where, what = int(sparse["count"]), sparse["indices"], sparse["values"]
        kind = _COMPONENTS[where["componentType"]]
        at = self._rows(where["bufferView"], int(where.get("byteOffset", 0)), kind, count, 1)
        offset = int(what.get("byteOffset", 0))
        rows = self._rows(what["bufferView"], offset, values.dtype, count, values.shape[1])
        values[at[:, 0].astype(np.int64)] = rows

    def _rows(
        self, view: int, offset: int, kind: np.dtype[Any], count: int, width: int
    ) -> NDArray[Any]:
        made = self.items("bufferViews")[view]
        row = kind.itemsize * width
        stride = int(made.get("byteStride", row))
        begin = int(made.get("byteOffset", 0)) + offset
        if made.get("buffer", 0) != 0 or min(begin, stride - row, count) < 0:
            raise ValueError("a view outside the file's own buffer")
        if begin + stride * (count - 1) + row > len(self._buffer):
            raise ValueError("a view beyond the end of the buffer")
        return np.ndarray((count, width), kind, self._buffer, begin, (stride, kind.itemsize))

    def image(self, index: int) -> bytes | None:
        """Return an image's bytes as they are in the file (PNG or JPEG); None if outside it."""
        try:
            view = self.items("bufferViews")[self.items("images")[index]["bufferView"]]
            begin = int(view.get("byteOffset", 0))
            return bytes(self._buffer[begin : begin + int(view["byteLength"])])
        except (KeyError, IndexError, TypeError, ValueError):
            return None


def read_glb(path: Path) -> Glb:
    """Read a GLB or VRM file; InputError says what is wrong with it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: is larger than {MAX_BYTES >> 20} MB")
        data = path.read_bytes()
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise InputError(f"{path}: the head cannot be read: {cause}") from error
    return Glb(data, str(path))


def _chunks(data: bytes, name: str) -> tuple[dict[str, Any], memoryview]:
    document, buffer = None, memoryview(b"")
    try:
        magic, version, length = struct.unpack_from("<III", data)
        if magic != _MAGIC:
            raise InputError(f"{name}: is no GLB or VRM file; export as binary glTF (.glb)")
        if version != 2 or length > len(data):
            raise InputError(f"{name}: is glTF {version} or cut short, expected a whole glTF 2")
        at = 12
        while at + 8 <= length:
            size, kind = struct.unpack_from("<II", data, at)
            chunk = memoryview(data)[at + 8 : at + 8 + size]
            if kind == _JSON and document is None:
                document = json.loads(bytes(chunk))
            elif kind == _BIN and not len(buffer):
                buffer = chunk
            at += 8 + size
    except (struct.error, ValueError, RecursionError) as error:
        raise InputError(f"{name}: is a broken GLB file ({error})") from None
    if not isinstance(document, dict):
        raise InputError(f"{name}: is a broken GLB file (it has no document)")
    return document, buffer


def _numbers(values: NDArray[Any], normalized: bool) -> Array:
    if values.dtype.kind == "f" or not normalized:
        found = values.astype(np.float64)
        if not np.isfinite(found).all():
            raise InputError("a vertex is not a finite number")
        return found
    largest = np.iinfo(values.dtype).max
    return np.maximum(values / largest, -1.0)
