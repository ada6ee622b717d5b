"""Write a GLB with quantised vertices and sparse morph targets.

Formats: glTF 2.0 (Khronos, 2021), sections 3.6 and 4; KHR_mesh_quantization.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_BYTE, _SHORT, _USHORT, _UINT = 5120, 5122, 5123, 5125
_LARGEST = {_BYTE: 127, _SHORT: 32767, _USHORT: 65535}
_TYPES = {_BYTE: np.int8, _SHORT: np.int16, _USHORT: np.uint16, _UINT: np.uint32}


@dataclass
class Part:
    """One mesh: vertices in metres around ``pivot``, with the displacements of its targets."""

    name: str
    positions: Array  # (v, 3)
    normals: Array  # (v, 3)
    colors: Array  # (v, 3), linear
    triangles: NDArray[np.int64]  # (t, 3)
    material: int
    pivot: Array
    extras: dict[str, Any] = field(default_factory=dict)
    morphs: dict[str, tuple[Array, Array]] = field(default_factory=dict)


class Writer:
    """Collects buffer views and accessors."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, array: NDArray[Any], target: int = 0, stride: int = 0) -> int:
        """Append an array, four-byte aligned; return the index of its buffer view."""
        if stride:  # vertex attributes begin at multiples of four
            row = array.dtype.itemsize * array.shape[1]
            wide = np.zeros((len(array), stride), np.uint8)
            wide[:, :row] = np.ascontiguousarray(array).view(np.uint8).reshape(len(array), row)
            array = wide
        data = np.ascontiguousarray(array).tobytes()
        made = {"buffer": 0, "byteOffset": len(self._data), "byteLength": len(data)}
        if target:
            made["target"] = target
        if stride:
            made["byteStride"] = stride
        self.views.append(made)
        self._data += data + b"\0" * (-len(data) % 4)
        return len(self.views) - 1

    def indices(self, triangles: NDArray[np.int64]) -> int:
        """Add the accessor of a triangle list."""
        view = self.view(triangles.astype(np.uint16).ravel(), 34963)
        return self._add(view, _USHORT, triangles.size, "SCALAR")

    def attribute(self, values: Array, component: int, kind: str, bounds: bool = False) -> int:
        """Add a vertex attribute of values within -1..1, quantised to normalised integers."""
        rows = _quantised(values, component)
        stride = -(-rows.dtype.itemsize * rows.shape[1] // 4) * 4
        made = self._add(self.view(rows, 34962, stride), component, len(rows), kind, True)
        if bounds:
            self._bounds(made, rows)
        return made

    def morph(
        self, values: Array, at: NDArray[np.int64], view: int, component: int, bounds: bool
    ) -> int:
        """Add a target's attribute that is zero except at the rows ``at`` (their view given)."""
        rows = _quantised(values, component)
        made = self._add(None, component, len(values), "VEC3", True)
        if len(at):
            self.accessors[made]["sparse"] = {
                "count": len(at),
                "indices": {"bufferView": view, "componentType": _USHORT},
                "values": {"bufferView": self.view(rows[at])},
            }
        if bounds:
            self._bounds(made, rows)
        return made

    def _add(
        self, view: int | None, component: int, count: int, kind: str, unit: bool = False
    ) -> int:
        made: dict[str, Any] = {"componentType": component, "count": int(count), "type": kind}
        if view is not None:
            made["bufferView"] = view
        if unit:
            made["normalized"] = True
        self.accessors.append(made)
        return len(self.accessors) - 1

    def _bounds(self, accessor: int, rows: NDArray[Any]) -> None:
        self.accessors[accessor]["min"] = [int(x) for x in rows.min(0)]
        self.accessors[accessor]["max"] = [int(x) for x in rows.max(0)]

    def glb(self, document: dict[str, Any]) -> bytes:
        """Return the whole file."""
        document["bufferViews"], document["accessors"] = self.views, self.accessors
        document["buffers"] = [{"byteLength": len(self._data)}]
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(self._data), b"BIN\0") + self._data
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _quantised(values: Array, component: int) -> NDArray[Any]:
    largest = _LARGEST[component]
    rows = np.clip(np.rint(values * largest), -largest, largest)
    return rows.astype(_TYPES[component])


def write(parts: list[Part], materials: list[dict[str, Any]], head: Array, note: str) -> bytes:
    """Return the GLB: a node ``head`` that turns about the neck, and the parts as its children."""
    writer = Writer()
    meshes: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = [
        {"name": "head", "translation": _rounded(head), "children": list(range(1, len(parts) + 1))}
    ]
    for part in parts:
        scale, mesh = _mesh(writer, part)
        offset = _rounded(part.pivot - head)
        node = {"name": part.name, "mesh": len(meshes), "translation": offset}
        node["scale"] = [scale] * 3
        if part.extras:
            node["extras"] = part.extras
        nodes.append(node)
        meshes.append(mesh)
    document = {
        "asset": {"version": "2.0", "generator": "facewire-preview", "copyright": note},
        "extensionsUsed": ["KHR_mesh_quantization"],
        "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0,
        "scenes": [{"name": "head", "nodes": [0]}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": materials,
    }
    return writer.glb(document)


def _rounded(point: Array) -> list[float]:
    return [round(float(x), 6) for x in point]


def _mesh(writer: Writer, part: Part) -> tuple[float, dict[str, Any]]:
    local = part.positions - part.pivot
    reach = max([np.abs(local).max(), *(np.abs(d).max() for d, _ in part.morphs.values())])
    scale = float(np.ceil(reach * 1e4) / 1e4)
    opaque = np.concatenate([part.colors, np.ones((len(local), 1))], axis=1)
    primitive: dict[str, Any] = {
        "attributes": {
            "POSITION": writer.attribute(local / scale, _SHORT, "VEC3", bounds=True),
            "NORMAL": writer.attribute(part.normals, _SHORT, "VEC3"),
            "COLOR_0": writer.attribute(opaque, _USHORT, "VEC4"),
        },
        "indices": writer.indices(part.triangles),
        "material": part.material,
    }
    mesh: dict[str, Any] = {"name": part.name, "primitives": [primitive]}
    if part.morphs:
        primitive["targets"] = [_target(writer, *both, scale) for both in part.morphs.values()]
        mesh["weights"] = [0.0] * len(part.morphs)
        mesh["extras"] = {"targetNames": list(part.morphs)}
    return scale, mesh


def _target(writer: Writer, moved: Array, turned: Array, scale: float) -> dict[str, int]:
    shift = _quantised(moved / scale, _SHORT).any(axis=1)
    at = np.flatnonzero(shift | _quantised(turned, _BYTE).any(axis=1))
    view = writer.view(at.astype(np.uint16)) if len(at) else 0
    return {
        "POSITION": writer.morph(moved / scale, at, view, _SHORT, bounds=True),
        "NORMAL": writer.morph(turned, at, view, _BYTE, bounds=False),
    }
