"""The panel in the 3D view's sidebar, tab Facewire."""

# mypy: disable-error-code="misc"
from typing import Any

import bpy

from . import takes
from .registering import register_classes, unregister_classes


class _Panel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Facewire"


class FACEWIRE_PT_main(_Panel, bpy.types.Panel):
    """Choose a clip and bake it."""

    bl_idname = "FACEWIRE_PT_main"
    bl_label = "Facewire"
    bl_order = 10

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, said = _layout(self), context.scene.facewire
        layout.label(text=_chosen(context), icon="OUTLINER_OB_MESH")
        layout.prop(said, "path")
        layout.prop(said, "take")
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator("facewire.bake", icon="RENDER_ANIMATION")
        row.operator("facewire.matches", text="", icon="LINENUMBERS_ON")
        column = layout.column(align=True)
        column.prop(said, "keys")
        if said.keys == "SIMPLIFIED":
            column.prop(said, "tolerance")
        layout.prop(said, "strength", slider=True)
        layout.column(align=True).prop(said, "regions", expand=True)


def _chosen(context: Any) -> str:
    meshes = [obj for obj in context.selected_objects if obj.type == "MESH"]
    keyed = [obj.name for obj in meshes if obj.data.shape_keys]
    return f"onto {', '.join(keyed)}" if keyed else "select a mesh with shape keys"


def _layout(panel: Any) -> Any:
    layout = panel.layout
    layout.use_property_split = True
    layout.use_property_decorate = False
    return layout


class _Sub(_Panel):
    bl_parent_id = "FACEWIRE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}


class FACEWIRE_PT_place(_Sub, bpy.types.Panel):
    """Where a take goes: time, action or strip, sound."""

    bl_label = "Time and Place"
    bl_order = 11

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, said = _layout(self), context.scene.facewire
        layout.prop(said, "start_at")
        if said.start_at == "FRAME":
            layout.prop(said, "start")
        column = layout.column(align=True)
        column.prop(said, "blend_in")
        column.prop(said, "blend_out")
        layout.prop(said, "place")
        layout.prop(said, "drivers")
        layout.prop(said, "markers")
        layout.prop(said, "set_end")
        layout.prop(said, "use_sound")
        if said.use_sound:
            layout.prop(said, "sound")


class FACEWIRE_PT_turns(_Sub, bpy.types.Panel):
    """Which bones or objects turn with head and eyes."""

    bl_label = "Head and Eyes"
    bl_order = 12

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout, said = _layout(self), context.scene.facewire
        layout.operator("facewire.find_bones", icon="VIEWZOOM")
        for part in ("head", "left_eye", "right_eye"):
            column = layout.column(align=True)
            column.prop(said, part)
            obj = getattr(said, part)
            if obj is not None and obj.type == "ARMATURE":
                column.prop_search(said, f"{part}_bone", obj.data, "bones", text="Bone")
        layout.prop(said, "facing")
        layout.operator("facewire.set_rest")


class FACEWIRE_PT_edit(_Sub, bpy.types.Panel):
    """Edit by hand on top of a bake."""

    bl_label = "Edit"
    bl_order = 20

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout = _layout(self)
        known = takes.names()
        layout.label(text=f"Takes: {', '.join(known[:6])}" if known else "no take yet")
        layout.operator("facewire.add_tweaks", icon="NLA")
        layout.operator("facewire.restore_drivers", icon="DRIVER")


CLASSES = (FACEWIRE_PT_main, FACEWIRE_PT_place, FACEWIRE_PT_turns, FACEWIRE_PT_edit)


def register() -> None:
    """Register the panels."""
    register_classes(CLASSES)


def unregister() -> None:
    """Unregister the panels."""
    unregister_classes(CLASSES)
