"""Where a take lies on a datablock: its active Action or a strip, and what lies under it."""

from __future__ import annotations

from typing import Any

import bpy

from . import actions, faces, takes

TRACK = "Facewire"


def strip_of(block: bpy.types.ID, action: Any) -> Any:
    """Return the NLA strip that holds an Action on a datablock, or None."""
    return next((strip for strip in actions.strips(block) if strip.action == action), None)


def under(block: bpy.types.ID, path: str, index: int, frame: float, rest: float) -> float:
    """Return what a property is at a frame without takes of ours: by other Actions, or at rest."""
    found = block.animation_data
    if found and found.action and not _ours(found.action):
        curve = actions.find(found.action, block, path, index)
        if curve:
            return float(curve.evaluate(frame))
    for track in reversed(found.nla_tracks if found else ()):
        for strip in track.strips:
            held = strip.action and not _ours(strip.action) and not strip.mute and not track.mute
            curve = actions.find(strip.action, block, path, index) if held else None
            if curve and strip.frame_start <= frame <= strip.frame_end:
                at = (frame - strip.frame_start) / strip.scale + strip.action_frame_start
                return float(curve.evaluate(at))
    return rest


def _ours(action: Any) -> bool:
    return takes.is_ours(action) or takes.TWEAKS in action


def push(block: bpy.types.ID, action: Any, start: float, name: str = TRACK) -> Any:
    """Put an Action on an NLA track as a strip, on the first track of the name that has room."""
    found = actions.animation(block)
    slot = actions.slot_of(action, block)
    for track in [track for track in found.nla_tracks if track.name.split(".")[0] == name]:
        try:
            return _strip(track, action, slot, start)
        except RuntimeError:  # another strip is there
            continue
    track = found.nla_tracks.new()
    track.name = name
    return _strip(track, action, slot, start)


def _strip(track: Any, action: Any, slot: Any, start: float) -> Any:
    strip = track.strips.new(action.name, round(start), action)
    if slot is not None:
        strip.action_slot = slot
    strip.extrapolation, strip.blend_type = "NOTHING", "REPLACE"
    fit(strip)
    return strip


def fit(strip: Any) -> None:
    """Let a strip show the whole of its Action, wherever it was moved to."""
    start = strip.frame_start
    low, high = strip.action.curve_frame_range
    strip.action_frame_start, strip.action_frame_end = low, max(high, low + 1)
    strip.frame_start = start
    strip.frame_end = start + (strip.action_frame_end - strip.action_frame_start) * strip.scale


def _hidden(block: bpy.types.ID, action: Any, active: Any) -> list[str]:
    """Return a note where the active Action keys the same, since it goes before strips."""
    if active is None:
        return []
    there = {(curve.data_path, curve.array_index) for curve in actions.curves(active, block)}
    both = [c for c in actions.curves(action, block) if (c.data_path, c.array_index) in there]
    hides = f"its active action '{active.name}' hides the strip in {len(both)} curves"
    return [f"{faces.shown(block)}: {hides}"] if both else []


def place(block: bpy.types.ID, action: Any, where: str, start: int) -> list[str]:
    """Put a take on a datablock, under its tweaks; return what there is to tell.

    A take that already is a strip stays where it is. An Action of the animator's own that is active
    is pushed down as a strip, so that it still counts.
    """
    found = actions.animation(block)
    strip = strip_of(block, action)
    if strip is not None:
        fit(strip)
        return []
    active = found.action
    if active == action:
        if where == "NLA":
            found.action = None
            push(block, action, start)
        return []
    if where == "NLA":
        push(block, action, start)
        return _hidden(block, action, active)
    notes = []
    if active is not None and not _ours(active):
        slot_frames = active.curve_frame_range if actions.all_curves(active) else (start, start)
        push(block, active, slot_frames[0], active.name).extrapolation = "HOLD"
        notes.append(f"{faces.shown(block)}: its action '{active.name}' is an NLA strip below now")
    elif active is not None:
        found.action_blend_type = "REPLACE"
    actions.assign(block, action)
    return notes
