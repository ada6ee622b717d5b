"""Actions and F-curves in Blender 3.4 (an Action per datablock), 4.4 and 5.0 (slots, layers)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import bpy

SLOTS = bpy.app.version >= (4, 4)
"""Whether one Action can hold the curves of several datablocks (4.4 and later)."""
_LINEAR, _BEZIER, _AUTO_CLAMPED = 1, 2, 4
"""As Blender numbers interpolations and handles of keyframes, in all versions."""


def animation(block: bpy.types.ID) -> Any:
    """Return a datablock's animation data, made if missing."""
    return block.animation_data or block.animation_data_create()


def slot_of(action: Any, block: bpy.types.ID, make: bool = False) -> Any:
    """Return the slot of an Action that belongs to a datablock; None without slots or without one.

    The slot that it uses, in its active action or in a strip; else the one of its name.
    """
    if not SLOTS:
        return None
    found = block.animation_data
    if found and found.action == action and found.action_slot:
        return found.action_slot
    for strip in strips(block):
        if strip.action == action and strip.action_slot:
            return strip.action_slot
    for slot in action.slots:
        if slot.target_id_type == block.id_type and slot.name_display == block.name:
            return slot
    return action.slots.new(block.id_type, block.name) if make else None


def strips(block: bpy.types.ID) -> Iterator[Any]:
    """Yield a datablock's NLA strips."""
    found = block.animation_data
    for track in found.nla_tracks if found else ():
        yield from track.strips


def bag(action: Any, block: bpy.types.ID, make: bool = False) -> Any:
    """Return what holds a datablock's curves and groups in an Action; None if there is nothing."""
    if not SLOTS:
        return action
    slot = slot_of(action, block, make)
    if slot is None:
        return None
    if make:
        layer = action.layers[0] if action.layers else action.layers.new("Layer")
        strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
        return strip.channelbag(slot, ensure=True)
    for layer in action.layers:
        for strip in layer.strips:
            found = strip.channelbag(slot)
            if found is not None:
                return found
    return None


def curves(action: Any, block: bpy.types.ID) -> Any:
    """Return the F-curves of a datablock in an Action; an empty tuple if it has none there."""
    found = bag(action, block)
    return found.fcurves if found is not None else ()


def all_curves(action: Any) -> list[Any]:
    """Return the F-curves of an Action over all slots."""
    if not SLOTS:
        return list(action.fcurves)
    return [
        curve
        for layer in action.layers
        for strip in layer.strips
        for held in strip.channelbags
        for curve in held.fcurves
    ]


def find(action: Any, block: bpy.types.ID, path: str, index: int = 0) -> Any:
    """Return an F-curve, or None."""
    held = curves(action, block)
    return held.find(path, index=index) if held else None


def curve(action: Any, block: bpy.types.ID, path: str, index: int = 0, group: str = "") -> Any:
    """Return an F-curve, made if missing."""
    held = bag(action, block, make=True)
    found = held.fcurves.find(path, index=index)
    if found is None:
        found = held.fcurves.new(path, index=index)
        if group:
            found.group = held.groups.get(group) or held.groups.new(group)
    return found


def write(fcurve: Any, frames: Sequence[float], values: Sequence[float], straight: bool) -> None:
    """Replace an F-curve's keys: straight lines between them, or Bézier with clamped handles."""
    points = fcurve.keyframe_points
    count = len(frames)
    points.clear()
    points.add(count)
    at = array("f", bytes(8 * count))
    at[0::2], at[1::2] = array("f", frames), array("f", values)
    points.foreach_set("co", at)
    points.foreach_set("interpolation", array("i", [_LINEAR if straight else _BEZIER]) * count)
    for side in ("handle_left_type", "handle_right_type"):
        points.foreach_set(side, array("i", [_AUTO_CLAMPED]) * count)
    fcurve.update()


def read(fcurve: Any) -> tuple[array[float], array[float]]:
    """Return the frames and values (n,) of an F-curve's keys."""
    at = array("f", bytes(8 * len(fcurve.keyframe_points)))
    fcurve.keyframe_points.foreach_get("co", at)
    return at[0::2], at[1::2]


def splice(fcurve: Any, frames: Sequence[float], values: Sequence[float], straight: bool) -> None:
    """Replace the keys from the first to the last of ``frames``; those outside stay as they are."""
    points = fcurve.keyframe_points
    low, high = frames[0] - 0.01, frames[-1] + 0.01
    for point in reversed([point for point in points if low <= point.co.x <= high]):
        points.remove(point, fast=True)
    for frame, value in zip(frames, values, strict=True):
        point = points.insert(frame, value, options={"FAST"})
        point.interpolation = "LINEAR" if straight else "BEZIER"
        point.handle_left_type = point.handle_right_type = "AUTO_CLAMPED"
    fcurve.update()


def assign(block: bpy.types.ID, action: Any) -> None:
    """Make an Action the active one of a datablock, with its slot."""
    found = animation(block)
    slot = slot_of(action, block)
    found.action = action
    if SLOTS and slot is not None:
        found.action_slot = slot
