"""A stretch of a take: read back as channels, and replaced."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from . import actions, faces, keying, takes
from .clip import Clip
from .errors import AddonError
from .faces import Face, Track
from .holding import holder
from .options import Options
from .report import Report
from .retime import retimed
from .takes import Take


def face_of(take: Take) -> Face:
    """Return the controls of a take's objects."""
    return faces.find(take.meshes, replace(take.options, drivers=_unmuted(take.options.drivers)))


def _unmuted(how: str) -> str:
    return "SOURCE" if how == "MUTE" else how  # a muted driver counts as none


def heard(context: Any, take: str, channels: Sequence[str], begin: float, end: float) -> Clip:
    """Return what a take's own curves make of channels, without tweaks.

    Rows are the scene's frames from ``begin`` to ``end``, seconds from the take's row 0.
    """
    held = takes.get(take)
    face = face_of(held)
    first = max(0, math.ceil(round(begin * held.fps, 6)))
    last = min(held.frames - 1, math.floor(round(end * held.fps, 6)))
    columns: dict[str, array[float]] = {}
    for control in face.controls:
        action = holder(take, control.id)
        curve = action and actions.find(action, control.id, control.path, control.index)
        for channel, function in control.functions.items():
            if curve and channel in channels and channel not in columns:
                rows = range(first, last + 1)
                columns[channel] = array(
                    "f", [function(curve.evaluate(held.start + row)) for row in rows]
                )
    named = tuple(channel for channel in channels if channel in columns)
    return Clip(take, held.fps, named, tuple(columns[channel] for channel in named))


def patch(context: Any, take: str, clip: Clip, begin: float, end: float, blend: int = 3) -> Report:
    """Replace a stretch of a take, joined over ``blend`` rows at both ends; tweaks stay.

    ``clip`` holds final values; its row 0 is ``begin`` seconds from the take's, and so are marks.
    """
    held = takes.get(take)
    face = face_of(held)
    first = max(0, round(begin * held.fps))
    piece = retimed(clip, held.fps)
    count = min(len(piece), held.frames - first, round(end * held.fps) - first + 1)
    if count < 2:
        raise AddonError(f"take '{take}': nothing of it lies from {begin:.2f} s to {end:.2f} s")
    piece = piece.cut(0, count)
    tracks = [t for t in face.tracks(piece, held.options.regions) if holder(take, t.id)]
    if not tracks:
        raise AddonError(f"take '{take}': none of these channels are keyed in it")
    start = held.start + first
    inner = (blend if first else 0, blend if first + count < held.frames else 0)
    options = replace(held.options, blend_in=inner[0], blend_out=inner[1])
    _splice(tracks, take, start, piece, options)
    if clip.marks:
        _remark(held, clip, begin, end)
    missing = faces.missing(face, clip)
    return Report(take, start, count, [a.name for a in takes.find(take)], face.rows, missing)


def _splice(tracks: Sequence[Track], take: str, start: int, piece: Clip, options: Options) -> None:
    weights = keying.ramp(len(piece), options.blend_in, options.blend_out)
    at = keying.rows(piece, tracks, options)
    held = []
    for track in tracks:
        action = holder(take, track.id)
        curve = actions.curve(action, track.id, track.path, track.index, track.region.capitalize())
        there = [curve.evaluate(start + row) for row in range(len(piece))]
        held.append((replace(track, values=keying.blended(track.values, there, weights)), curve))
    keying.keyed(held, at, start, piece, options, actions.splice)


def _remark(held: Take, clip: Clip, begin: float, end: float) -> None:
    moved = tuple(
        replace(mark, start=mark.start + begin, end=mark.end + begin) for mark in clip.marks
    )
    kept = tuple(mark for mark in held.marks if mark.end <= begin or mark.start >= end)
    ordered = sorted((*kept, *moved), key=lambda mark: (mark.start, mark.end))
    takes.set_marks(held.name, tuple(ordered))
