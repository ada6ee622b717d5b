"""Pictures of a head, with numpy alone: smooth shading, soft lights, no jagged edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from facewire.rig import Rig
from numpy.typing import NDArray

from facewire_preview.head import Floats, Head, Ints, load_head
from facewire_preview.light import shade, to_srgb
from facewire_preview.pose import matrix, normals, posed
from facewire_preview.raster import rasterize

Picture = NDArray[np.uint8]

_ANGLE = np.radians(22.0)  # the camera's: a portrait lens
BACKGROUND = (0.53, 0.545, 0.57)  # linear


class Renderer:
    """Draws one head. ``head``: one that was loaded, a GLB or VRM file, or None for our own."""

    def __init__(self, head: Head | Path | None = None) -> None:
        self.head = head if isinstance(head, Head) else load_head(head)
        self._centre, self._reach = self.head.view.centre, self.head.view.reach
        self._double = np.array([m.double_sided for m in self.head.materials])[self.head.material]
        self._kept = _opaque(self.head)

    def picture(
        self,
        values: Floats | None = None,
        rig: Rig | None = None,
        size: int = 256,
        yaw: float = 0.0,
        samples: int = 2,
    ) -> Picture:
        """Return the face (size, size, 3) with one row of values (channels,) in ``rig``.

        ``yaw`` turns the whole head, + towards the subject's right, radians. The rig is arkit61
        unless one is given; without values the face is at rest. ``samples`` squared is how many
        colours a pixel is the mean of.
        """
        rig = rig or Rig.named("arkit61")
        row = np.zeros(len(rig), np.float32) if values is None else np.asarray(values, np.float32)
        points = posed(self.head, row, rig)
        facing = normals(self.head, points)
        by = matrix(yaw, 0.0, 0.0)
        placed = np.asarray((points - self._centre) @ by.T, np.float32)
        return self._drawn(placed, np.asarray(facing @ by.T, np.float32), size, samples)

    def _drawn(self, points: Floats, facing: Floats, size: int, samples: int) -> Picture:
        side = size * samples
        away = self._reach / np.tan(_ANGLE / 2)
        depth = np.maximum(away - points[:, 2], 0.05 * away)
        scale = 0.5 * side * away / self._reach / depth
        screen = np.stack(
            [0.5 * side + points[:, 0] * scale, 0.5 * side - points[:, 1] * scale, depth], axis=1
        )
        screen = np.clip(screen, -4 * side, 5 * side).astype(np.float32)
        kept = self._kept
        pixels, triangle, weights = rasterize(
            screen, self.head.triangles[kept], self._double[kept], side, side
        )
        flat = np.empty((side * side, 3), np.float32)
        flat[:] = BACKGROUND
        flat[pixels] = self._colors(kept[triangle], weights, facing)
        image = flat.reshape(side, side, 3)
        # sums of slices: five times as fast as a mean over two axes
        rows = sum((image[k::samples] for k in range(1, samples)), image[::samples])
        whole = sum((rows[:, k::samples] for k in range(1, samples)), rows[:, ::samples])
        return to_srgb(whole / samples**2)

    def _colors(self, triangle: Ints, weights: Floats, facing: Floats) -> Floats:
        head = self.head
        corners = head.triangles[triangle]
        fields = np.concatenate([head.colors, facing, head.uv], axis=1)  # one look-up for all
        mixed = sum(fields[corners[:, k]] * weights[:, k, None] for k in range(3))
        color, normal, uv = np.split(np.asarray(mixed), [3, 6], axis=1)
        rough = np.empty(len(triangle), np.float32)
        which = head.material[triangle]
        for index in np.unique(which):
            material, at = head.materials[index], which == index
            rough[at] = material.roughness
            color[at] *= material.color
            if material.texture is not None:
                color[at] *= material.sample(uv[at])[:, :3]
        return shade(color, normal, rough)


def _opaque(head: Head) -> Ints:
    """Return the triangles that are drawn: of a texture with holes, those that lie on it."""
    kept = np.ones(len(head.triangles), bool)
    for index, material in enumerate(head.materials):
        if material.cut:
            at = np.flatnonzero(head.material == index)
            middle = head.uv[head.triangles[at]].mean(axis=1)
            kept[at] = material.sample(middle)[:, 3] > 0.5
    return np.flatnonzero(kept).astype(np.int32)
