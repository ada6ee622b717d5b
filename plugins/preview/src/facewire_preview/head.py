"""A head as arrays: vertices, triangles, what each channel moves, and what turns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from facewire.errors import InputError
from numpy.typing import NDArray

from facewire_preview.binding import Binding, bind
from facewire_preview.glb import Glb, read_glb
from facewire_preview.mesh import Material, Mesh, read_mesh
from facewire_preview.scene import TURNED, Scene

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_SEEN = 0.12  # of the largest movement: leaves out a neck that the jaw pulls at
_AROUND = 1.5  # the face fills two thirds of the picture
_UP = 0.14  # of that: more room above a face than below
_LEAST = 0.1  # of the whole model: a head may have only one shape, that moves a few points


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What turns with a head or an eye: how much of each vertex (v,), about which point (3,)."""

    weights: Floats
    pivot: Floats


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a camera looks at (3,), and how far to each side it must see, in metres."""

    centre: Floats
    reach: float


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A head at rest and what moves it.

    ``positions`` (v, 3) in metres, y up, the face towards +z; ``triangles`` (t, 3); ``colors``
    (v, 3) linear; ``uv`` (v, 2); ``weld`` (v,) names for each vertex the first at the same place,
    so that normals are smooth over seams. ``material`` (t,) indexes ``materials``. ``morphs``:
    vertices and displacements of each channel. ``turns``: head, leftEye, rightEye. ``look``: the
    eyes turn with the eyeLook channels too. ``view`` shows the face. ``glb`` is the file,
    ``binding`` what of it matched, ``nodes`` its nodes that turn.
    """

    positions: Floats
    triangles: Ints
    colors: Floats
    uv: Floats
    weld: Ints
    material: Ints
    materials: tuple[Material, ...]
    morphs: dict[str, tuple[Ints, Floats]]
    turns: dict[str, Turn]
    look: bool
    view: View
    glb: bytes
    binding: Binding
    nodes: dict[str, int]

    def report(self) -> str:
        """Return one line: which of ARKit's shapes the head has."""
        return self.binding.report()

    def material_of(self, index: int) -> Ints:
        """Return the vertices that a material is on."""
        return np.asarray(np.unique(self.triangles[self.material == index]), np.int32)


def load_head(path: Path | None = None) -> Head:
    """Return the head in a GLB or VRM file, or Facewire's own; InputError if it has no shapes."""
    if path is None:
        return _own()
    head = _head(read_glb(path))
    if not head.morphs:
        raise InputError(
            f"{path}: none of its morph targets has an ARKit name (jawOpen, eyeBlinkLeft …); "
            "name them so, or leave head out to see Facewire's own"
        )
    return head


@cache
def _own() -> Head:
    data = files("facewire_preview").joinpath("data/head.glb").read_bytes()
    return _head(Glb(data, "head.glb"))


def _head(glb: Glb) -> Head:
    try:
        return _assembled(glb, Scene(glb), bind(glb))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{glb.name}: is a broken glTF document ({error!r})") from None


def _assembled(glb: Glb, scene: Scene, binding: Binding) -> Head:
    meshes = [read_mesh(glb, scene, node, mesh) for node, mesh in scene.meshes()]
    if not meshes:
        raise InputError(f"{glb.name}: there is no mesh in its scene")
    offsets = np.cumsum([0, *(len(mesh.positions) for mesh in meshes)])
    positions = np.concatenate([mesh.positions for mesh in meshes])
    nodes = scene.turned()
    look = all(scene.turns_with_look(nodes[eye]) for eye in TURNED[1:] if eye in nodes)
    look = look or not any(channel.startswith("eyeLook") for channel in binding.targets)
    parts = [m.triangles + o for m, o in zip(meshes, offsets, strict=False)]
    moves = _morphs(meshes, offsets, binding)
    return Head(
        positions.astype(np.float32),
        np.concatenate(parts).astype(np.int32),
        np.concatenate([mesh.colors for mesh in meshes]).astype(np.float32),
        np.concatenate([mesh.uv for mesh in meshes]).astype(np.float32),
        _weld(positions),
        np.concatenate([mesh.material for mesh in meshes]).astype(np.int32),
        tuple(Material.read(glb, i) for i in range(len(glb.items("materials")) + 1)),
        moves,
        _turns(scene, meshes, nodes),
        look,
        _view(positions, moves),
        glb.data,
        binding,
        nodes,
    )


def _view(positions: NDArray[np.float64], moves: dict[str, tuple[Ints, Floats]]) -> View:
    """Look at the face: at what the shapes move, but for what they move little."""
    moved = np.zeros(len(positions))
    for at, by in moves.values():
        np.maximum.at(moved, at, np.sqrt((by.astype(np.float64) ** 2).sum(1)))
    seen = positions[moved > _SEEN * moved.max()] if moves else positions
    low, high = seen.min(0), seen.max(0)
    whole = float(np.ptp(positions, axis=0).max())
    reach = max(_AROUND * float((high - low)[:2].max()) / 2, _LEAST * whole, 1e-6)
    centre = (low + high) / 2 + [0, _UP * reach, 0]
    return View(centre.astype(np.float32), reach)


def _weld(positions: NDArray[np.float64]) -> Ints:
    reach = float(np.ptp(positions, axis=0).max()) or 1.0
    cells = np.rint(positions / reach * 1e6).astype(np.int64)
    _, first, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    return np.asarray(first[inverse.ravel()], np.int32)


def _morphs(
    meshes: list[Mesh], offsets: NDArray[np.int64], binding: Binding
) -> dict[str, tuple[Ints, Floats]]:
    moves = {}
    for channel, targets in binding.targets.items():
        total = np.zeros((int(offsets[-1]), 3))
        for mesh, offset in zip(meshes, offsets, strict=False):
            for target in targets:
                if target.mesh == mesh.index:
                    rows, moved = mesh.target(target.target)
                    total[rows + offset] += moved * target.weight
        at = np.flatnonzero(np.abs(total).max(axis=1) > 1e-9)
        if len(at):
            moves[channel] = (at.astype(np.int32), total[at].astype(np.float32))
    return moves


def _turns(scene: Scene, meshes: list[Mesh], nodes: dict[str, int]) -> dict[str, Turn]:
    turns = {}
    for part, node in nodes.items():
        weights = np.concatenate([mesh.share(scene.below(node)) for mesh in meshes])
        if weights.any():
            pivot = scene.world[node][:3, 3]
            turns[part] = Turn(weights.astype(np.float32), pivot.astype(np.float32))
    return turns
