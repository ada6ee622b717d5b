"""The 47 authored faces, as ``make_data.py`` copied them from Facewire's expression system."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from math import radians
from pathlib import Path

from .channels import ARKIT, region_of

DATA = Path(__file__).parent / "data"
_ROTATIONS = ("headYaw", "headPitch", "headRoll")
_SHAPES = ARKIT[:52]


@dataclass(frozen=True)
class Preset:
    """An authored face: title ("joy L3"), family, FACS units, picture, channels that are not 0.

    ``channels`` go by ARKit's names; headYaw, headPitch and headRoll are radians.
    """

    title: str
    family: str
    units: str
    picture: Path
    channels: dict[str, float]

    def values(self, mouth: bool = True) -> dict[str, float]:
        """Return a value for every channel, 0 where it rests; without ``mouth`` no lips'."""
        names = [name for name in (*_SHAPES, *_ROTATIONS) if mouth or region_of(name) != "lips"]
        return {name: self.channels.get(name, 0.0) for name in names}


@cache
def presets() -> dict[str, Preset]:
    """Return the faces by title: neutral, fifteen emotions at three levels, joyful surprise."""
    found = json.loads((DATA / "presets.json").read_text("utf-8"))["faces"]
    made = {}
    for row in found:
        turned = zip(_ROTATIONS, map(radians, row["head"]), strict=True)
        channels = {**row["channels"], **dict(turned)}
        picture = DATA / "presets" / row["picture"]
        title = row["title"]
        made[title] = Preset(title, row["family"], row["units"], picture, channels)
    return made
