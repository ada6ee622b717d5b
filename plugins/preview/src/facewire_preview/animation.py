"""The sink ``preview.glb``: the head with the run as an animation, for Blender and engines.

Format: glTF 2.0 (Khronos, 2021), section 3.11: weights of every mesh that has ARKit's targets, and
rotations of the nodes that turn. What else is in the file of the head stays as it is.
"""

from __future__ import annotations

import copy
import json
import struct
from typing import Any

import numpy as np
from facewire.rig import Rig
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_preview.base import TakeSink
from facewire_preview.glb import Glb
from facewire_preview.head import Head
from facewire_preview.pose import angles, matrix
from facewire_preview.scene import Scene
from facewire_preview.take import Take

_FLOAT = 5126
_WIDTHS = {"SCALAR": 1, "VEC4": 4}


class GlbSink(TakeSink):
    """Write a GLB: frame k at k / fps seconds, linear between."""

    def made(self, take: Take) -> bytes:
        """Return the file."""
        return animated(self.head, take)


class _Buffer:
    """A document's buffer, with more at its end."""

    def __init__(self, glb: Glb) -> None:
        self.document: dict[str, Any] = copy.deepcopy(glb.document)
        self._data = bytearray(glb.buffer)
        self._data += bytes(-len(self._data) % 4)

    def add(self, values: NDArray[np.float32], kind: str, ends: bool = False) -> int:
        """Append values (n,) or (n, width) as an accessor; return its number."""
        lists = {key: self.document.setdefault(key, []) for key in ("bufferViews", "accessors")}
        raw = np.ascontiguousarray(values, "<f4").tobytes()
        view = {"buffer": 0, "byteOffset": len(self._data), "byteLength": len(raw)}
        lists["bufferViews"].append(view)
        made: dict[str, Any] = {
            "bufferView": len(lists["bufferViews"]) - 1,
            "componentType": _FLOAT,
            "type": kind,
        }
        made["count"] = values.size // _WIDTHS[kind]
        if ends:
            made |= {"min": [float(values.min())], "max": [float(values.max())]}
        lists["accessors"].append(made)
        self._data += raw
        return len(lists["accessors"]) - 1

    def file(self) -> bytes:
        """Return the whole as a GLB."""
        buffers = self.document.setdefault("buffers", [{}])
        buffers[0] = {**buffers[0], "byteLength": len(self._data)}
        text = json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
        chunks += struct.pack("<II", len(self._data), 0x004E4942) + self._data
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def animated(head: Head, take: Take) -> bytes:
    """Return the head's GLB with a take as its animation, in place of those it may have had."""
    glb = Glb(head.glb, "head")
    scene, buffer, values = Scene(glb), _Buffer(glb), take.values
    if not len(values):  # glTF has no animation without a key
        buffer.document.pop("animations", None)
        return buffer.file()
    rows = np.arange(len(values))
    times = buffer.add((rows / float(take.fps)).astype(np.float32), "SCALAR", ends=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def put(node: int, path: str, output: int) -> None:
        channels.append({"sampler": len(samplers), "target": {"node": node, "path": path}})
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})

    for node, mesh in scene.meshes():
        weights = _weights(head, mesh, _count(glb, mesh), (take.rig, values))
        if weights is not None:
            put(node, "weights", buffer.add(weights, "SCALAR"))
    for part, node in head.nodes.items():
        rotations = _rotations(head, scene, (part, node), (take.rig, values))
        if rotations is not None:
            put(node, "rotation", buffer.add(rotations, "VEC4"))
    words = [[m.start, m.end, m.text] for m in take.marks() if m.kind == "word"]
    extras = {"facewire": {"fps": float(take.fps), "words": words}}
    one = {"name": take.name, "samplers": samplers, "channels": channels, "extras": extras}
    buffer.document["animations"] = [one]
    return buffer.file()


def _count(glb: Glb, mesh: int) -> int:
    primitives = glb.items("meshes")[mesh].get("primitives", [{}])
    return len(primitives[0].get("targets", ()))


def _weights(
    head: Head, mesh: int, count: int, frames: tuple[Rig, FloatArray]
) -> FloatArray | None:
    """Return the weights (n, targets) of a mesh; None where no channel moves it."""
    rig, values = frames
    weights = np.zeros((len(values), count), np.float32)
    found = False
    for channel, targets in head.binding.targets.items():
        for target in targets:
            if target.mesh == mesh and target.target < count and channel in rig:
                column = values[:, rig.index(channel)]
                weights[:, target.target] += column * np.float32(target.weight)
                found = True
    return weights if found else None


def _rotations(
    head: Head, scene: Scene, turning: tuple[str, int], frames: tuple[Rig, FloatArray]
) -> NDArray[np.float32] | None:
    """Return a node's rotations (n, 4) as x, y, z, w; None where it does not turn."""
    (part, node), (rig, values) = turning, frames
    turns = turned(head, part, rig, values)
    if np.abs(turns - np.eye(3)).max(initial=0.0) < 1e-9:
        return None
    above = _pure(scene.world[scene.parent[node]] if node in scene.parent else np.eye(4))
    rest = above.T @ _pure(scene.world[node])
    return quaternions(above.T @ turns @ above @ rest)


def turned(head: Head, part: str, rig: Rig, values: FloatArray) -> NDArray[np.float64]:
    """Return the rotations (n, 3, 3) of head, leftEye or rightEye about the world's axes."""
    made = [matrix(*angles(part, row, rig, head.look)) for row in values]
    return np.array(made, np.float64).reshape(-1, 3, 3)


def _pure(placed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) of a matrix (4, 4), its scale taken out."""
    axes: NDArray[np.float64] = placed[:3, :3]
    pure: NDArray[np.float64] = axes / np.maximum(np.sqrt((axes**2).sum(axis=0)), 1e-12)
    return pure


def quaternions(turns: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return rotations (n, 3, 3) as unit quaternions x, y, z, w (n, 4), with no jumps of sign.

    The largest of the four is found first (Shepperd, 1978).
    """
    m = turns
    trace = np.trace(m, axis1=1, axis2=2)
    squares = np.stack([m[:, 0, 0], m[:, 1, 1], m[:, 2, 2], trace], axis=1)
    rows = np.arange(len(m))
    out = np.empty((len(m), 4))
    for i in range(4):
        at = rows[squares.argmax(axis=1) == i]
        if i == 3:
            out[at, 3] = 1 + trace[at]
            for j, (a, b) in enumerate(((2, 1), (0, 2), (1, 0))):
                out[at, j] = m[at, a, b] - m[at, b, a]
        else:
            j, k = (i + 1) % 3, (i + 2) % 3
            out[at, i] = 1 + 2 * m[at, i, i] - trace[at]
            out[at, j], out[at, k] = m[at, i, j] + m[at, j, i], m[at, i, k] + m[at, k, i]
            out[at, 3] = m[at, k, j] - m[at, j, k]
    out /= np.sqrt((out**2).sum(axis=1, keepdims=True))
    flips = np.where((out[1:] * out[:-1]).sum(axis=1) < 0, -1.0, 1.0)
    out[1:] *= np.cumprod(flips)[:, None]
    return out.astype(np.float32)
