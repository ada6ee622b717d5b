"""The channels of a face and the regions that an animator keeps apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TABLES: Mapping[str, Any] = json.loads(Path(__file__).with_name("tables.json").read_text("utf-8"))
"""Facewire's own tables, copied by ``make_tables.py``; never edited here."""
ARKIT: tuple[str, ...] = tuple(TABLES["arkit61"])
"""52 blendshapes and the nine rotations of head and eyes (radians), in the packet's order."""
SHAPES: tuple[str, ...] = ARKIT[:52] + tuple(TABLES["tongue"])
"""What shape keys may stand for: ARKit's, and the tongue of engines that have more of one."""
ROTATIONS = frozenset(ARKIT[52:])
REGIONS = ("lips", "brows", "lids", "gaze", "head", "cheeks")
_STARTS = {
    "jaw": "lips", "mouth": "lips", "tongue": "lips", "cheekPuff": "lips", "brow": "brows",
    "eyeLook": "gaze", "leftEye": "gaze", "rightEye": "gaze", "eye": "lids", "head": "head",
    "cheek": "cheeks", "nose": "cheeks",
}  # fmt: skip


def region_of(channel: str) -> str:
    """Return the region of a channel; "lips" for one that is not ARKit's (visemes)."""
    return next((region for start, region in _STARTS.items() if channel.startswith(start)), "lips")
