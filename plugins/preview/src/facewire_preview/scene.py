"""Nodes of a glTF scene: where each stands at rest, and which one is the head or an eye."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facewire_preview.glb import Glb

Array = NDArray[np.float64]

_NAMES = {
    "head": re.compile(r"(?:^|[^a-z])head$", re.IGNORECASE),
    "leftEye": re.compile(r"(?:eye[_.\- ]?(?:l|left)|(?:l|left)[_.\- ]?eye)$", re.IGNORECASE),
    "rightEye": re.compile(r"(?:eye[_.\- ]?(?:r|right)|(?:r|right)[_.\- ]?eye)$", re.IGNORECASE),
}
TURNED = tuple(_NAMES)


class Scene:
    """The nodes of a file's default scene, with their matrices (4, 4) to the world at rest."""

    def __init__(self, glb: Glb) -> None:
        self._glb = glb
        self.nodes = glb.items("nodes")
        self.world: dict[int, Array] = {}
        self.parent: dict[int, int] = {}
        vrm0 = "VRM" in glb.document.get("extensions", {})
        # a VRM 0 model looks along -z
        root = np.diag([-1.0, 1.0, -1.0, 1.0]) if vrm0 else np.eye(4)
        for node in self._roots():
            self._walk(node, root)

    def _roots(self) -> list[int]:
        scenes = self._glb.items("scenes")
        if scenes:
            return list(scenes[self._glb.document.get("scene", 0)].get("nodes", []))
        children = {child for node in self.nodes for child in node.get("children", ())}
        return [node for node in range(len(self.nodes)) if node not in children]

    def _walk(self, root: int, matrix: Array) -> None:
        todo = [(root, matrix)]
        while todo:
            node, above = todo.pop()
            if node in self.world:
                raise self._glb.wrong("a node has two parents")
            self.world[node] = above @ _local(self.nodes[node])
            for child in self.nodes[node].get("children", ()):
                self.parent[child] = node
                todo.append((child, self.world[node]))

    def meshes(self) -> Iterator[tuple[int, int]]:
        """Yield (node, mesh) of every node that is drawn."""
        for node in self.world:
            if "mesh" in self.nodes[node]:
                yield node, self.nodes[node]["mesh"]

    def below(self, root: int) -> set[int]:
        """Return a node and all that hang on it."""
        return {node for node in self.world if root in self._path(node)}

    def _path(self, node: int) -> Iterator[int]:
        yield node
        while node in self.parent:
            node = self.parent[node]
            yield node

    def turned(self) -> dict[str, int]:
        """Return the nodes of head, leftEye and rightEye, as far as the file has them."""
        found = _humanoid(self._glb)
        for part, pattern in _NAMES.items():
            named = (n for n in self.world if pattern.search(str(self.nodes[n].get("name", ""))))
            node = found.get(part, next(named, None))
            if node in self.world:
                found[part] = node
        return found

    def turns_with_look(self, node: int) -> bool:
        """Return whether a node says that it, not a target, turns with the eyeLook channels."""
        extras = self.nodes[node].get("extras")
        return isinstance(extras, dict) and extras.get("turnsWithLook") is True


def _humanoid(glb: Glb) -> dict[str, int]:
    extensions = glb.document.get("extensions", {})
    bones: Any = extensions.get("VRMC_vrm", {}).get("humanoid", {}).get("humanBones", {})
    if isinstance(bones, dict):
        found = {name: bone.get("node") for name, bone in bones.items() if name in TURNED}
    if not found:
        bones = extensions.get("VRM", {}).get("humanoid", {}).get("humanBones", [])
        found = {b.get("bone"): b.get("node") for b in bones if b.get("bone") in TURNED}
    return {name: node for name, node in found.items() if isinstance(node, int)}


def _local(node: Any) -> Array:
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= np.array(node.get("scale", (1.0, 1.0, 1.0)))
    matrix[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return matrix
