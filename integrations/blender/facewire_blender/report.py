"""What a bake tells: the table of matches, what was not found, what to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import bpy

from .channels import ROTATIONS
from .faces import Face, Row, Track


@dataclass
class Report:
    """What a bake did. ``missing``: channels of the clip that move and nothing here stands for."""

    take: str
    start: int
    frames: int
    actions: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    keys: int = 0

    def lines(self) -> list[str]:
        """Return the report as lines of text, the table of matches among them."""
        last = self.start + self.frames - 1
        head = f"take {self.take}: frames {self.start} to {last}, {self.keys} keys"
        rows = [f"  {row.channel:<20} {row.object}: {row.key}  ({row.how})" for row in self.rows]
        return [head, f"actions: {', '.join(self.actions)}", *self.notes, *self.absent(), *rows]

    def absent(self) -> list[str]:
        """Return what of the clip was not keyed: keys that are not there, turns of nothing."""
        shapes = [channel for channel in self.missing if channel not in ROTATIONS]
        parts = dict.fromkeys(_part(channel) for channel in self.missing if channel in ROTATIONS)
        lines = [f"not found, so not keyed: {', '.join(shapes)}"] if shapes else []
        if parts:
            lines.append(f"not keyed: {', '.join(parts)} (choose what turns, under Head and Eyes)")
        return lines


def _part(rotation: str) -> str:
    named = {"head": "head", "leftEye": "left eye", "rightEye": "right eye"}
    return next(name for start, name in named.items() if rotation.startswith(start))


def skipped(face: Face) -> list[str]:
    """Return a note on the shape keys that are not keyed."""
    found = [f"{row.object}: {row.key}" for row in face.rows if row.how.startswith("skipped")]
    return [f"{len(found)} keys skipped: {', '.join(found[:8])}"] if found else []


def beyond(tracks: Sequence[Track]) -> list[str]:
    """Return shape keys that the clip takes farther than their sliders go: Blender stops there."""
    cut = []
    for track in tracks:
        if isinstance(track.id, bpy.types.Key):
            key = track.id.path_resolve(track.path.removesuffix(".value"))
            low, high = min(track.values), max(track.values)
            if high > key.slider_max + 0.01 or low < key.slider_min - 0.01:
                cut.append(f"{key.name} ({low:.2f} to {high:.2f})")
    return [f"beyond their sliders, so cut: {', '.join(cut[:8])}"] if cut else []
