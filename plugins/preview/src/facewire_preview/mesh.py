"""One drawn mesh of a glTF scene, brought to the world at rest: skin, targets, materials."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facewire_preview.glb import Array, Glb
from facewire_preview.scene import Scene

Ints = NDArray[np.int64]
_MAX_VERTICES = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """A surface: linear base colour (3,), roughness, its texture (h, w, 4) in 0..1 or None."""

    color: NDArray[np.float32]
    roughness: float
    double_sided: bool
    texture: NDArray[np.float32] | None
    cut: bool

    @staticmethod
    def read(glb: Glb, index: int) -> Material:
        """Read a material of a file; glTF's default one beyond the last."""
        made = glb.items("materials")
        material = made[index] if index < len(made) else {}
        surface = material.get("pbrMetallicRoughness", {})
        color = np.array(surface.get("baseColorFactor", [1, 1, 1, 1])[:3], np.float32)
        roughness = float(surface.get("roughnessFactor", 1.0))
        texture = _texture(glb, surface.get("baseColorTexture"))
        cut = material.get("alphaMode", "OPAQUE") != "OPAQUE" and texture is not None
        return Material(color, roughness, bool(material.get("doubleSided")), texture, cut)

    def sample(self, uv: NDArray[Any]) -> NDArray[np.float32]:
        """Return the texture's colours (n, 4) at uv (n, 2), repeated beyond 0..1."""
        assert self.texture is not None
        height, width = self.texture.shape[:2]
        x = np.floor((uv[:, 0] % 1) * width).astype(int).clip(0, width - 1)
        y = np.floor((uv[:, 1] % 1) * height).astype(int).clip(0, height - 1)
        return np.asarray(self.texture[y, x])


def _texture(glb: Glb, reference: Any) -> NDArray[np.float32] | None:
    if not isinstance(reference, dict):
        return None
    from PIL import Image

    source = glb.items("textures")[reference["index"]].get("source")
    data = None if source is None else glb.image(source)
    if data is None:
        return None
    try:
        image = Image.open(io.BytesIO(data))
        image.thumbnail((1024, 1024))
        pixels = np.asarray(image.convert("RGBA"), np.float32) / 255
    except (OSError, ValueError, Image.DecompressionBombError):
        raise glb.wrong("a texture cannot be read; use PNG or JPEG") from None
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055).clip(0) ** 2.4)
    linear[..., 3] = pixels[..., 3]
    return linear.astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """All primitives of one node in one, at rest in the world.

    ``target(k)`` gives the vertices that target k moves and how (in the world); ``share(nodes)``
    how much of each vertex (v,) hangs on these nodes.
    """

    index: int
    positions: Array
    triangles: Ints
    colors: Array
    uv: Array
    material: Ints
    target: Callable[[int], tuple[Ints, Array]]
    share: Callable[[set[int]], Array]


def read_mesh(glb: Glb, scene: Scene, node: int, index: int) -> Mesh:
    """Read a node's mesh."""
    primitives = [p for p in glb.items("meshes")[index]["primitives"] if p.get("mode", 4) == 4]
    parts = [_Primitive(glb, scene, node, primitive) for primitive in primitives]
    offsets = np.cumsum([0, *(len(part.positions) for part in parts)])
    if offsets[-1] > _MAX_VERTICES:
        raise glb.wrong(f"a mesh has {offsets[-1]} vertices, expected {_MAX_VERTICES} at most")

    def target(k: int) -> tuple[Ints, Array]:
        moved = np.concatenate([part.target(k) for part in parts])
        at = np.flatnonzero(moved.any(axis=1))
        return at, moved[at]

    def share(nodes: set[int]) -> Array:
        return np.concatenate([part.share(nodes) for part in parts])

    triangles = [part.triangles + o for part, o in zip(parts, offsets, strict=False)]
    material = [np.full(len(part.triangles), part.material) for part in parts]
    return Mesh(
        index,
        np.concatenate([part.positions for part in parts]),
        np.concatenate(triangles),
        np.concatenate([part.colors for part in parts]),
        np.concatenate([part.uv for part in parts]),
        np.concatenate(material),
        target,
        share,
    )


class _Primitive:
    def __init__(self, glb: Glb, scene: Scene, node: int, primitive: Any) -> None:
        self._glb, self._node, self._targets = glb, node, primitive.get("targets", [])
        attributes = primitive["attributes"]
        local = glb.accessor(attributes["POSITION"])
        self._count = len(local)
        self._joints: list[int] = []
        self._influence = np.zeros((self._count, 0))
        self._matrices = self._at_rest(scene, scene.nodes[node].get("skin"), attributes)
        self.positions = self._placed(local) + self._matrices[..., :3, 3]
        self.triangles = self._indices(primitive)
        color = glb.accessor(attributes["COLOR_0"]) if "COLOR_0" in attributes else None
        self.colors = np.ones((self._count, 3)) if color is None else color[:, :3]
        has_uv = "TEXCOORD_0" in attributes
        self.uv = glb.accessor(attributes["TEXCOORD_0"]) if has_uv else np.zeros((self._count, 2))
        self.material = int(primitive.get("material", len(glb.items("materials"))))

    def _indices(self, primitive: Any) -> Ints:
        if "indices" in primitive:
            flat = self._glb.accessor(primitive["indices"]).astype(np.int64).ravel()
        else:
            flat = np.arange(self._count)
        if len(flat) % 3 or (len(flat) and not 0 <= flat.min() <= flat.max() < self._count):
            raise self._glb.wrong("triangles name vertices that are not there")
        return flat.reshape(-1, 3)

    def _at_rest(self, scene: Scene, skin: int | None, attributes: Any) -> Array:
        """Return the matrix to the world: one (4, 4), or one a vertex if it hangs on a skin."""
        if skin is None or "JOINTS_0" not in attributes:
            return scene.world[self._node]
        made = self._glb.items("skins")[skin]
        self._joints = list(made["joints"])
        inverse = np.tile(np.eye(4), (len(self._joints), 1, 1))
        if "inverseBindMatrices" in made:
            flat = self._glb.accessor(made["inverseBindMatrices"])
            inverse = flat.reshape(-1, 4, 4).transpose(0, 2, 1)
        rest = np.stack([scene.world[joint] for joint in self._joints]) @ inverse
        which = self._glb.accessor(attributes["JOINTS_0"]).astype(np.int64)
        weights = self._glb.accessor(attributes["WEIGHTS_0"])
        weights = weights / np.maximum(weights.sum(1, keepdims=True), 1e-9)
        self._influence = np.zeros((self._count, len(self._joints)))
        np.add.at(self._influence, (np.arange(self._count)[:, None], which), weights)
        return np.asarray(np.einsum("vj,jab->vab", self._influence, rest))

    def _placed(self, vectors: Array) -> Array:
        """Return vectors (v, 3) turned and scaled to the world, not moved."""
        turned = np.einsum("...ab,...b->...a", self._matrices[..., :3, :3], vectors)
        return np.asarray(turned)

    def target(self, index: int) -> Array:
        if not 0 <= index < len(self._targets) or "POSITION" not in self._targets[index]:
            return np.zeros((self._count, 3))
        return self._placed(self._glb.accessor(self._targets[index]["POSITION"]))

    def share(self, nodes: set[int]) -> Array:
        if self._joints:
            on = [k for k, joint in enumerate(self._joints) if joint in nodes]
            return np.asarray(self._influence[:, on].sum(1))
        return np.full(self._count, float(self._node in nodes))
