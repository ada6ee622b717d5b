"""Which Action holds a take's curves on a datablock, and what it is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from . import actions, faces, takes
from .errors import AddonError
from .faces import Track
from .takes import Take

LONGEST = 63
"""Bytes of a name in Blender before 5.0."""


def name_of(name: str) -> str:
    """Return a take's name; AddonError if it cannot be an Action's."""
    size = len(name.encode())
    if size > LONGEST:
        raise AddonError(
            f"take '{name[:24]}...' has {size} characters, Blender's names hold {LONGEST}; "
            "give a shorter name under Take"
        )
    if not name.strip():
        raise AddonError("the take has no name; give one under Take")
    return name


def check(tracks: Sequence[Track], name: str) -> None:
    """Raise AddonError where an Action of the name is not ours, or a curve is locked."""
    first = not takes.find(name)
    for block in dict.fromkeys(track.id for track in tracks):
        action = holder(name, block)
        if action is None:
            new_name(name, block, first)
            first = False
        elif action.library is not None:
            raise AddonError(f"take '{name}' is linked from {action.library.filepath}; rename this")
    for track in tracks:
        action = holder(name, track.id)
        curve = actions.find(action, track.id, track.path, track.index) if action else None
        if curve and curve.lock:
            raise AddonError(f"{name}: curve {track.path} is locked; unlock it in the graph editor")


def holder(name: str, block: bpy.types.ID) -> Any:
    """Return the Action of a take that a datablock's curves are in, or None."""
    ours = takes.find(name)
    for action in takes.on(block):
        if action in ours:
            return action
    if actions.SLOTS:
        return ours[0] if ours else None
    return next((action for action in ours if takes.owner(action) == takes.label(block)), None)


def new_name(name: str, block: bpy.types.ID, first: bool) -> str:
    """Return what the Action for a datablock is to be called; AddonError if that is taken.

    ``first``: the take has no Action yet.
    """
    wanted = name if actions.SLOTS or first else f"{name} {faces.shown(block)}"
    taken = bpy.data.actions.get(wanted)
    if taken is not None and not takes.is_ours(taken):
        raise AddonError(
            f"an action '{wanted}' is already there and is no take of Facewire's; "
            "rename it, or give the take another name"
        )
    return name_of(wanted)


def curves(tracks: Sequence[Track], take: Take) -> list[tuple[Track, Any]]:
    """Return each track with its F-curve; Actions and curves that are missing are made."""
    made = []
    for track in tracks:
        action = holder(take.name, track.id)
        if action is None:
            name = new_name(take.name, track.id, not takes.find(take.name))
            action = bpy.data.actions.new(name)
            takes.write(action, take, takes.label(track.id))
            if not actions.SLOTS:
                action.id_root = "KEY" if track.id.rna_type.identifier == "Key" else "OBJECT"
        group = track.region.capitalize()
        made.append((track, actions.curve(action, track.id, track.path, track.index, group)))
    return made
