"""Hand tweaks: an Action that adds to the bake below it, and that a bake again leaves alone."""

# mypy: disable-error-code="misc"
from typing import Any

import bpy

from . import actions, drivers, strips, takes
from .errors import AddonError, reports
from .holding import LONGEST, holder
from .registering import register_classes, unregister_classes
from .stretch import face_of


def add(take: takes.Take) -> list[str]:
    """Put the take below as a strip and make an empty, additive Action active; return its names."""
    made: dict[str, None] = {}
    for block in blocks_of(take):
        held = holder(take.name, block)
        found = actions.animation(block)
        if found.action is not None and found.action.get(takes.TWEAKS) == take.name:
            made[found.action.name] = None
            continue
        if strips.strip_of(block, held) is None:
            if found.action == held:
                found.action = None
            strips.push(block, held, take.start)
        made[_tweak(take, block).name] = None
    return list(made)


def blocks_of(take: takes.Take) -> list[bpy.types.ID]:
    """Return the datablocks that a take's Actions are on."""
    face = face_of(take)
    found = dict.fromkeys([c.id for c in face.controls] + [t.object for t in face.turned])
    return [block for block in found if any(a in takes.on(block) for a in takes.find(take.name))]


def _tweak(take: takes.Take, block: bpy.types.ID) -> Any:
    found = actions.animation(block)
    action = _action(take, block)
    if actions.SLOTS:
        actions.bag(action, block, make=True)
    else:
        action.id_root = "KEY" if isinstance(block, bpy.types.Key) else "OBJECT"
    actions.assign(block, action)
    found.action_blend_type = "ADD" if isinstance(block, bpy.types.Key) else "COMBINE"
    found.action_extrapolation = "HOLD"
    return action


def _action(take: takes.Take, block: bpy.types.ID) -> Any:
    for action in bpy.data.actions:
        mine = action.get(takes.TWEAKS) == take.name
        if mine and (actions.SLOTS or action.get("facewire_owner") == takes.label(block)):
            return action
    name = f"{take.name} tweaks"[:LONGEST]
    action = bpy.data.actions.new(name)
    action[takes.TWEAKS] = take.name
    action["facewire_owner"] = takes.label(block)
    action.use_fake_user = True
    return action


class FACEWIRE_OT_add_tweaks(bpy.types.Operator):
    """Key by hand on top of the bake: your keys are added to it, and baking again keeps them"""

    bl_idname = "facewire.add_tweaks"
    bl_label = "Add Tweak Layer"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the layer to the take of the active object."""
        names = add(takes.active(context))
        if not names:
            raise AddonError("the take is on nothing that is here; bake it first")
        self.report({"INFO"}, f"key away: what you key is added ({', '.join(names)})")
        return {"FINISHED"}


class FACEWIRE_OT_restore_drivers(bpy.types.Operator):
    """Switch the drivers on again that a bake switched off"""

    bl_idname = "facewire.restore_drivers"
    bl_label = "Restore Drivers"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Restore the drivers of the selected meshes."""
        keys = [obj.data.shape_keys for obj in context.selected_objects if obj.type == "MESH"]
        count = sum(drivers.restore(each) for each in keys if each)
        if not count:
            raise AddonError("no driver of the selected meshes was switched off by a bake")
        self.report({"INFO"}, f"{count} drivers are on again")
        return {"FINISHED"}


CLASSES = (FACEWIRE_OT_add_tweaks, FACEWIRE_OT_restore_drivers)


def register() -> None:
    """Register the operators."""
    register_classes(CLASSES)


def unregister() -> None:
    """Unregister the operators."""
    unregister_classes(CLASSES)
