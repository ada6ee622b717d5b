"""Write pictures as PNG, whole or not at all; text on them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from facewire.atomic import AtomicFile, told
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
INK, PAPER = (38, 40, 44), (246, 246, 247)


def encoded(picture: Picture) -> bytes:
    """Return a picture (h, w, 3) as a PNG; the same picture gives the same bytes."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def save(path: Path, picture: Picture) -> None:
    """Write a picture (h, w, 3); FacewireError where the system refuses."""
    with told(path):
        file = AtomicFile(path)
        try:
            file.write(encoded(picture))
            file.commit()
        except BaseException:
            file.discard()
            raise


@cache
def font(size: int) -> Any:
    """Return the font that comes with Pillow."""
    return ImageFont.load_default(size)


def write_text(
    image: Image.Image, middle: float, top: float, text: str, size: int, room: int
) -> None:
    """Write one line about ``middle``, smaller if it is wider than ``room``."""
    draw = ImageDraw.Draw(image)
    while size > 8 and draw.textlength(text, font(size)) > room:
        size -= 1
    width = draw.textlength(text, font(size))
    draw.text((round(middle - width / 2), top), text, INK, font(size))
