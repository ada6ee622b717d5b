"""A contact sheet: every authored face in a cell, to look at side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from math import degrees
from pathlib import Path

import numpy as np
from facewire.errors import InputError
from facewire.rig import Rig
from PIL import Image, ImageDraw, ImageFont

from facewire_v3.preset_file import Preset
from facewire_v3.tables import CHANNELS, RIG

Size = tuple[int, int]
Draw = Callable[[Preset, Size], Image.Image]
"""Draws one face into a picture of a size: bars today, a head where there is a renderer."""
CELL = (250, 262)  # pixels
TITLE, ROW, NAMES = 20, 15, 108  # heights of a title and a row, width of the names
ACROSS = 6  # two emotions of three levels
PAPER, INK, FAINT = (255, 255, 255), (30, 30, 30), (235, 235, 235)
COLOURS = {
    "brow": (160, 90, 40),
    "eye": (50, 110, 180),
    "cheek": (210, 120, 140),
    "nose": (130, 130, 60),
    "jaw": (90, 90, 90),
    "mouth": (190, 50, 60),
    "tongue": (150, 70, 150),
}


def _rows(preset: Preset) -> Iterator[tuple[str, float, float]]:
    """Yield what is not 0, by region: a channel's name without its side, left and right value."""
    for region in COLOURS:
        for name in CHANNELS:
            if not name.startswith(region):
                continue
            base = name.removesuffix("Left")
            if base + "Right" in RIG and base + "Left" in RIG and base not in ("jaw", "mouth"):
                left, right = (float(preset.face[RIG.index(base + s)]) for s in ("Left", "Right"))
                if left or right:
                    yield base, left, right
            elif base.removesuffix("Right") in ("jaw", "mouth") or not name.endswith("Right"):
                value = float(preset.face[RIG.index(name)])
                if value:
                    yield name, value, value


def _angles(preset: Preset) -> str:
    """Return where head and eyes point, in whole degrees; nothing where they rest."""
    parts = [
        f"{part} {axis} {degrees(angle):+.0f}°"
        for part, angles in (("head", preset.head), ("gaze", preset.gaze))
        for axis, angle in zip(("yaw", "pitch", "roll"), angles, strict=False)
        if angle
    ]
    return "  ".join(parts)


def bars(preset: Preset, size: Size) -> Image.Image:
    """Draw a face as bars: one for each channel that is not 0, the upper half its left side."""
    picture = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=10)
    width = size[0] - NAMES - 8
    for i, (name, left, right) in enumerate(_rows(preset)):
        top = i * ROW
        colour = next(COLOURS[region] for region in COLOURS if name.startswith(region))
        draw.text((4, top + 1), name, INK, font)
        draw.rectangle((NAMES, top + 2, NAMES + width, top + ROW - 2), FAINT)
        for value, low, high in ((left, top + 2, top + 6), (right, top + 8, top + ROW - 2)):
            draw.rectangle((NAMES, low, NAMES + round(value * width), high), colour)
    words = _angles(preset).split("  ")
    for line in range(0, len(words), 3):
        at = size[1] - ROW * (1 + (len(words) - 1 - line) // 3)
        draw.text((4, at), "  ".join(words[line : line + 3]), INK, font)
    return picture


def painter() -> Draw:
    """Return what draws a preset: a head where facewire-preview is installed, bars elsewhere."""
    try:
        from facewire_preview.render import Renderer
    except ImportError:
        return bars
    renderer, rig = Renderer(), Rig.named("arkit61")

    def face(preset: Preset, size: Size) -> Image.Image:
        values = np.zeros(len(rig), np.float32)
        values[: len(RIG)] = preset.face
        values[rig.indices("headYaw", "headPitch", "headRoll")] = preset.head
        picture = Image.fromarray(renderer.picture(values, rig, min(size)))
        whole = Image.new("RGB", size, picture.getpixel((0, 0)))
        whole.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
        return whole

    return face


def contact_sheet(presets: Sequence[Preset], draw: Draw = bars) -> Image.Image:
    """Draw presets in a grid, six across: those without levels first, then three of an emotion."""
    cells = sorted(presets, key=lambda preset: preset.title != preset.name)  # stable
    singles = sum(preset.title == preset.name for preset in cells)
    skipped = -singles % ACROSS  # the first emotion begins a row
    places = [i if i < singles else i + skipped for i in range(len(cells))]
    width, height = CELL[0], CELL[1] + TITLE
    down = 1 + max(places, default=0) // ACROSS
    sheet = Image.new("RGB", (ACROSS * width, down * height), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for place, preset in zip(places, cells, strict=True):
        left, top = place % ACROSS * width, place // ACROSS * height
        sheet.paste(draw(preset, CELL), (left, top + TITLE))
        pen.text((left + 4, top + 2), preset.title, INK, font)
        pen.line((left, top, left + width, top), FAINT)
    return sheet


def write_sheet(path: Path, presets: Sequence[Preset], draw: Draw = bars) -> None:
    """Write a contact sheet as PNG, whole or not at all; InputError if it cannot be written."""
    if path.suffix.lower() != ".png":
        raise InputError(f"sheet: found '{path.name}', expected a name that ends in .png")
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        contact_sheet(presets, draw).save(beside, format="PNG")
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise InputError(f"sheet: cannot write {path}: {reason}; choose another --out") from error
