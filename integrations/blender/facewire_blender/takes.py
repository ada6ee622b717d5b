"""What an Action of ours remembers of its take: custom properties on the Action."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

import bpy

from . import actions, drivers
from .clip import Mark
from .errors import AddonError
from .options import Options, Turn

KEY = "facewire"
NAME = "facewire_name"
TWEAKS = "facewire_tweaks"
"""On an Action of hand tweaks: the name of the take they belong to."""


@dataclass(frozen=True)
class Take:
    """A bake: row k is at the scene's frame ``start`` + k, marks are seconds from row 0."""

    name: str
    start: int
    frames: int
    fps: Fraction
    marks: tuple[Mark, ...]
    source: str
    objects: tuple[str, ...]
    options: Options

    @property
    def meshes(self) -> list[bpy.types.Object]:
        """The take's objects that are still there."""
        return [bpy.data.objects[name] for name in self.objects if name in bpy.data.objects]


def of(action: Any) -> Take | None:
    """Return the take that an Action holds, None if it is not one of ours."""
    text = action.get(KEY) if action else None
    if not isinstance(text, str):
        return None
    try:
        return _read(json.loads(text))
    except (ValueError, KeyError, TypeError):
        return None


def find(name: str) -> list[Any]:
    """Return the Actions of a take."""
    return [action for action in bpy.data.actions if action.get(NAME) == name]


def names() -> list[str]:
    """Return the takes in the file."""
    return sorted({action[NAME] for action in bpy.data.actions if NAME in action})


def free(name: str) -> str:
    """Return a name that no take has: the given one, or with a number behind it."""
    known, number, found = set(names()), 1, name
    while found in known:
        number += 1
        found = f"{name} {number}"
    return found


def get(name: str) -> Take:
    """Return a take by name; AddonError if it is not there."""
    for action in find(name):
        take = of(action)
        if take:
            return take
    known = ", ".join(names()[:8]) or "none yet"
    raise AddonError(f"take '{name}' is not in this file (there: {known})")


def write(action: Any, take: Take, owner: str) -> None:
    """Let an Action remember its take, and the datablock it was made for."""
    action[KEY] = json.dumps({**_plain(take), "owner": owner})
    action[NAME] = take.name
    action.use_fake_user = True


def owner(action: Any) -> str:
    """Return the datablock that an Action was made for, as ``label`` wrote it."""
    return str(json.loads(action[KEY]).get("owner", ""))


def label(block: bpy.types.ID) -> str:
    """Return a datablock's kind and name."""
    return f"{block.rna_type.identifier} {block.name_full}"


def used(name: str) -> bool:
    """Return whether a take is on something: as an active Action, or as a strip."""
    return any(action.users > action.use_fake_user for action in find(name))


def set_marks(name: str, marks: tuple[Mark, ...]) -> None:
    """Write a take's marks on all its Actions."""
    for action in find(name):
        take = of(action)
        if take:
            write(action, replace(take, marks=marks), owner(action))


def shift(block: bpy.types.ID, name: str) -> int:
    """Return by how many frames a take's NLA strip was moved; 0 if it is no strip."""
    for strip in actions.strips(block):
        if strip.action and strip.action.get(NAME) == name:
            return int(strip.frame_start - strip.action_frame_start)
    return 0


def blocks(obj: bpy.types.Object) -> list[bpy.types.ID]:
    """Return what may carry an object's Action: shape keys, itself, and what drives the keys."""
    keys = getattr(obj.data, "shape_keys", None)
    return [keys, obj, *drivers.sources(keys)] if keys else [obj]


def on(block: bpy.types.ID) -> list[Any]:
    """Return the Actions of ours on a datablock: the active one, then those of strips."""
    found = block.animation_data
    held = [found.action] if found and found.action else []
    held += [strip.action for strip in actions.strips(block)]
    return [action for action in dict.fromkeys(held) if is_ours(action)]


def is_ours(action: Any) -> bool:
    """Return whether an Action holds a take (not tweaks)."""
    return NAME in action


def active(context: Any) -> Take:
    """Return the take of the active object, else the only one in the file; else AddonError."""
    obj = context.object
    for block in blocks(obj) if obj else ():
        for action in on(block):
            take = of(action)
            if take:
                return take
    known = names()
    if len(known) == 1:
        return get(known[0])
    raise AddonError(
        "select the face whose take is meant" if known else "there is no take yet; bake one first"
    )


def _plain(take: Take) -> dict[str, Any]:
    options = {**asdict(take.options), "regions": sorted(take.options.regions)}
    marks = [[m.kind, m.text, m.start, m.end] for m in take.marks]
    fps = [take.fps.numerator, take.fps.denominator]
    return {
        "name": take.name, "start": take.start, "frames": take.frames, "fps": fps, "marks": marks,
        "source": take.source, "objects": list(take.objects), "options": options,
    }  # fmt: skip


def _read(said: dict[str, Any]) -> Take:
    options = dict(said["options"])
    for part in ("head", "left_eye", "right_eye"):
        options[part] = Turn(**options[part]) if options[part] else None
    options["regions"] = frozenset(options["regions"])
    return Take(
        said["name"], int(said["start"]), int(said["frames"]), Fraction(*said["fps"]),
        tuple(Mark(*mark) for mark in said["marks"]), said["source"], tuple(said["objects"]),
        Options(**options),
    )  # fmt: skip
