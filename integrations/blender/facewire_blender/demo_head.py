"""Read Facewire's own head (``data/head.glb``) with the standard library alone.

Blender's glTF importer needs numpy, which some distributions leave out; this file needs neither.
It reads what that one head uses: triangles, vertex colours and morph targets as normalised integers
(KHR_mesh_quantization), nodes that are moved and scaled.
"""

from __future__ import annotations

import json
import struct
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEAD = Path(__file__).parent / "data/head.glb"
_FORMATS = {5120: ("b", 127), 5121: ("B", 255), 5122: ("h", 32767), 5123: ("H", 65535)}
_WIDTH = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}
_JSON, _BINARY = 0x4E4F534A, 0x004E4942  # chunk types of the glTF 2.0 specification, section 4.4


@dataclass
class Part:
    """One mesh of the head, in metres, z up, the face towards -y; Left is +x.

    ``points`` are 3 a vertex, ``triangles`` 3 a face, ``colors`` 4 a vertex (linear RGBA), all
    flat. ``shapes``: by ARKit's name, the points with that shape at 1. ``at``: where the part
    stands in its parent.
    """

    name: str
    material: str
    at: tuple[float, float, float]
    points: array[float]
    triangles: array[int]
    colors: array[float]
    shapes: dict[str, array[float]]


@dataclass
class Material:
    """A surface: its name and roughness; colours are the vertices'."""

    name: str
    roughness: float


class _Glb:
    """The two chunks of a file, and what its accessors say."""

    def __init__(self, data: bytes) -> None:
        chunks, at = {}, 12
        while at < len(data):
            size, kind = struct.unpack_from("<II", data, at)
            chunks[kind] = data[at + 8 : at + 8 + size]
            at += 8 + size
        self.json: dict[str, Any] = json.loads(chunks[_JSON])
        self._binary = chunks[_BINARY]

    def read(self, index: int) -> tuple[array[int], int]:
        """Return an accessor's integers, flat, and what stands for 1 where it is normalised."""
        accessor = self.json["accessors"][index]
        code, full = _FORMATS[accessor["componentType"]]
        width, count = _WIDTH[accessor["type"]], accessor["count"]
        if "bufferView" in accessor:
            return self._packed(accessor, code, width, count), full
        values = array(code, bytes(array(code).itemsize * width * count))
        sparse = accessor.get("sparse", {"count": 0})
        if sparse["count"]:  # glTF 2.0, section 5.1.1: rows that are not 0, and which they are
            which = _FORMATS[sparse["indices"]["componentType"]][0]
            rows = self._packed(sparse["indices"], which, 1, sparse["count"])
            moved = self._packed(sparse["values"], code, width, sparse["count"])
            for axis in range(width):
                for row, value in zip(rows, moved[axis::width], strict=True):
                    values[row * width + axis] = value
        return values, full

    def _packed(self, where: dict[str, Any], code: str, width: int, count: int) -> array[int]:
        view = self.json["bufferViews"][where["bufferView"]]
        values = array(code)
        size = width * values.itemsize
        stride = view.get("byteStride", size)
        begin = view.get("byteOffset", 0) + where.get("byteOffset", 0)
        block = self._binary[begin : begin + stride * (count - 1) + size]
        if stride != size:
            block = b"".join(block[row : row + size] for row in range(0, stride * count, stride))
        values.frombytes(block)
        return values


def read_head(path: Path = HEAD) -> tuple[list[Part], list[Material]]:
    """Return the head's parts and materials; the first of a file's nodes turns with the neck."""
    glb = _Glb(path.read_bytes())
    made = glb.json["materials"]
    materials = [
        Material(row["name"], float(row["pbrMetallicRoughness"].get("roughnessFactor", 1.0)))
        for row in made
    ]
    nodes = [node for node in glb.json["nodes"] if "mesh" in node]
    return [_part(glb, node, materials) for node in nodes], materials


def _part(glb: _Glb, node: dict[str, Any], materials: list[Material]) -> Part:
    mesh = glb.json["meshes"][node["mesh"]]
    primitive = mesh["primitives"][0]
    scale = node["scale"]
    points = _points(glb, primitive["attributes"]["POSITION"], scale)
    names = mesh.get("extras", {}).get("targetNames", ())
    shapes = {}
    for name, target in zip(names, primitive.get("targets", ()), strict=True):
        moved = _points(glb, target["POSITION"], scale)
        shapes[name] = array("f", map(float.__add__, points, moved))
    triangles, _ = glb.read(primitive["indices"])
    colors, full = glb.read(primitive["attributes"]["COLOR_0"])
    x, y, z = node["translation"]
    material = materials[primitive["material"]].name
    tint = array("f", (value / full for value in colors))
    return Part(node["name"], material, (x, -z, y), points, array("i", triangles), tint, shapes)


def _points(glb: _Glb, index: int, scale: list[float]) -> array[float]:
    """Return positions in metres, turned from glTF's y up to Blender's z up."""
    raw, full = glb.read(index)
    out = array("f", bytes(4 * len(raw)))
    out[0::3] = array("f", (value * scale[0] / full for value in raw[0::3]))
    out[1::3] = array("f", (-value * scale[2] / full for value in raw[2::3]))
    out[2::3] = array("f", (value * scale[1] / full for value in raw[1::3]))
    return out
