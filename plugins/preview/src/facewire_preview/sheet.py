"""Sheets of faces: one for each row of values, with a name under it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from facewire.rig import Rig
from numpy.typing import NDArray
from PIL import Image

from facewire_preview.head import Floats, Head
from facewire_preview.png import PAPER, save, write_text
from facewire_preview.render import Picture, Renderer

# A shape that is seen only with another: the lips meet on an open jaw, a tongue needs a mouth.
_WITH = {"mouthClose": {"jawOpen": 1.0}, "tongueOut": {"jawOpen": 0.35}}


def sheet(
    faces: Sequence[tuple[str, Floats]],
    rig: Rig,
    head: Head | Path | None = None,
    columns: int = 8,
    size: int = 192,
) -> Picture:
    """Return a picture of faces: (name, values (channels,) in ``rig``) each, ``size`` pixels."""
    renderer = Renderer(head)
    strip = max(18, size // 8)
    columns = max(1, min(columns, len(faces)))
    rows = -(-len(faces) // columns)
    image = Image.new("RGB", (columns * size, max(1, rows) * (size + strip)), PAPER)
    for k, (name, values) in enumerate(faces):
        left, top = k % columns * size, k // columns * (size + strip)
        image.paste(Image.fromarray(renderer.picture(values, rig, size)), (left, top))
        write_text(
            image, left + size / 2, top + size + strip * 0.1, name, int(strip * 0.62), size - 4
        )
    return np.asarray(image)


def draw_sheet(
    path: Path,
    faces: Sequence[tuple[str, Floats]],
    rig: Rig,
    head: Head | Path | None = None,
    columns: int = 8,
    size: int = 192,
) -> None:
    """Write ``sheet`` as a PNG."""
    save(path, sheet(faces, rig, head, columns, size))


def shapes() -> list[tuple[str, Floats]]:
    """Return the 52 shapes at 1, each by its name, as rows in the rig arkit52."""
    rig = Rig.named("arkit52")
    rows: list[tuple[str, NDArray[np.float32]]] = []
    for channel in rig.channels:
        row = np.zeros(len(rig), np.float32)
        for other, value in {**_WITH.get(channel, {}), channel: 1.0}.items():
            row[rig.index(other)] = value
        together = "".join(f" + {other}" for other in _WITH.get(channel, {}))
        rows.append((channel + together, row))
    return rows
