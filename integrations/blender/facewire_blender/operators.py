"""Import a clip, look at what matches, bake."""

# No postponed annotations: Blender reads these as objects.
# mypy: disable-error-code="valid-type,misc"
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from . import bake, faces, package, settings, turns
from . import clip as clips
from .channels import ARKIT, ROTATIONS
from .errors import AddonError, reports
from .options import Options
from .registering import register_classes, unregister_classes

REPORT = "Facewire report"
_BONES = {
    "head": ("head",),
    "left_eye": ("eye.l", "eye_l", "lefteye", "eyel", "l_eye", "eyeleft"),
    "right_eye": ("eye.r", "eye_r", "righteye", "eyer", "r_eye", "eyeright"),
}


def read(path: str) -> clips.Clip:
    """Return the clip of a file, or of a package of Facewire's sink ``blender``."""
    if not path:
        raise AddonError("choose a clip first")
    file = Path(bpy.path.abspath(path))
    return package.read(file) if file.suffix == package.SUFFIX else clips.read(file)


def written(report: bake.Report) -> None:
    """Put a report into the text editor, where it can be read whole."""
    text = bpy.data.texts.get(REPORT) or bpy.data.texts.new(REPORT)
    text.clear()
    text.write("\n".join(report.lines()) + "\n")


def told(operator: Any, report: bake.Report) -> None:
    """Say in the status bar what was baked, and what was not found."""
    written(report)
    keyed = sum(not row.how.startswith("skipped") for row in report.rows)
    line = f"{report.take}: {keyed} channels over {report.frames} frames"
    lost = [name for name in report.missing if name not in ROTATIONS]
    level = "WARNING" if lost or report.notes else "INFO"
    more = [*report.absent(), *report.notes]
    where = f" (see the text '{REPORT}')" if more else ""
    operator.report({level}, "; ".join([line, *more]) + where)


def baked(context: Any, clip: clips.Clip, given: Options) -> bake.Report:
    """Bake onto what is selected, in object mode."""
    return bake.bake(context, clip, settings.objects(context), given)


class FACEWIRE_OT_bake(bpy.types.Operator):
    """Bake the clip onto the shape keys of the selected meshes"""

    bl_idname = "facewire.bake"
    bl_label = "Bake"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Bake the chosen clip."""
        clip = read(context.scene.facewire.path)
        told(self, baked(context, clip, settings.options(context, clip.sound)))
        return {"FINISHED"}


class FACEWIRE_OT_import_clip(bpy.types.Operator, ImportHelper):
    """Choose a clip and bake it onto the selected meshes"""

    bl_idname = "facewire.import_clip"
    bl_label = "Import Facewire Clip"
    bl_options = {"REGISTER", "UNDO"}
    filename_ext = ".csv"
    filepath: StringProperty(name="File Path", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.csv;*.json;*.npz;*.facewire", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: Any) -> set[str]:
        """Take the file that was dropped; else let one be chosen."""
        if self.filepath:
            return self.execute(context)
        return set(ImportHelper.invoke(self, context, event))

    @reports
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Bake the clip of the file."""
        clip = read(self.filepath)
        given = settings.options(context, clip.sound)
        report = baked(context, clip, _named(given, clip))
        context.scene.facewire.path = self.filepath
        told(self, report)
        return {"FINISHED"}


def _named(given: Options, clip: clips.Clip) -> Options:
    return replace(given, take=clip.name, sound=given.sound and (clip.sound or ""))


class FACEWIRE_OT_matches(bpy.types.Operator):
    """Show which shape keys the clip's channels move, and which it finds none for"""

    bl_idname = "facewire.matches"
    bl_label = "Show Matches"
    bl_options = {"INTERNAL"}

    @reports
    def invoke(self, context: bpy.types.Context, _event: Any) -> set[str]:
        """Open a dialog with the table."""
        self.lines = matched(context)
        if bpy.app.background:
            return self.execute(context)
        return set(context.window_manager.invoke_props_dialog(self, width=640))

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the table in two columns."""
        half = -(-len(self.lines) // 2)
        flow = self.layout.row()
        for part in (self.lines[:half], self.lines[half:]):
            column = flow.column(align=True)
            for line in part:
                column.label(text=line)

    @reports
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the table into the text editor."""
        text = bpy.data.texts.get(REPORT) or bpy.data.texts.new(REPORT)
        text.clear()
        text.write("\n".join(matched(context)) + "\n")
        return {"FINISHED"}


def matched(context: Any) -> list[str]:
    """Return the table of matches of the chosen clip on the selected meshes."""
    clip = read(context.scene.facewire.path)
    face = faces.find(settings.objects(context), settings.options(context))
    rows = [f"{row.channel}: {row.object} / {row.key} ({row.how})" for row in face.rows]
    turned = [f"{each.part}: {each.bone or each.object.name} turns" for each in face.turned]
    lost = faces.missing(face, clip)
    missing = [f"{channel}: nothing moves with it" for channel in lost]
    still = [channel for channel in ARKIT[:52] if channel not in {*face.channels, *lost}]
    missing += [f"{channel}: no key; the clip does not move it" for channel in still]
    return [*missing, *rows, *turned]


class FACEWIRE_OT_find_bones(bpy.types.Operator):
    """Look for the head and the eyes among the bones of the face's armature"""

    bl_idname = "facewire.find_bones"
    bl_label = "Find Head and Eyes"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Choose what is called so."""
        said = context.scene.facewire
        found = []
        for armature in _armatures(settings.objects(context)):
            for part, names in _BONES.items():
                bone = _bone(armature, names)
                if bone and getattr(said, part) is None:
                    setattr(said, part, armature)
                    setattr(said, f"{part}_bone", bone)
                    found.append(bone)
        if not found:
            raise AddonError("found no bones called head or eye; choose them by hand")
        self.report({"INFO"}, f"found {', '.join(found)}")
        return {"FINISHED"}


def _armatures(meshes: list[Any]) -> list[Any]:
    held = [m.object for obj in meshes for m in obj.modifiers if m.type == "ARMATURE" and m.object]
    held += [obj.parent for obj in meshes if obj.parent and obj.parent.type == "ARMATURE"]
    return list(dict.fromkeys(held))


def _bone(armature: Any, names: tuple[str, ...]) -> str:
    bones = sorted((bone.name for bone in armature.data.bones), key=len)
    ends = [bone for bone in bones if bone.lower().endswith(names)]
    return ends[0] if ends else ""


class FACEWIRE_OT_set_rest(bpy.types.Operator):
    """Take the present rotation of the head and eye objects as where they look straight ahead"""

    bl_idname = "facewire.set_rest"
    bl_label = "Set Rest Rotation"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Keep the present rotations."""
        for each in turns.find(settings.options(context).turns):
            each.forget()
            each.remember()
        return {"FINISHED"}


CLASSES: tuple[type, ...] = (
    FACEWIRE_OT_bake,
    FACEWIRE_OT_import_clip,
    FACEWIRE_OT_matches,
    FACEWIRE_OT_find_bones,
    FACEWIRE_OT_set_rest,
)
if hasattr(bpy.types, "FileHandler"):  # 4.1: drop a file onto the 3D view

    class FACEWIRE_FH_clip(bpy.types.FileHandler):
        """Clips dropped onto the 3D view."""

        bl_idname = "FACEWIRE_FH_clip"
        bl_label = "Facewire clip"
        bl_import_operator = "facewire.import_clip"
        bl_file_extensions = ".csv;.json;.npz;.facewire"

        @classmethod
        def poll_drop(cls, context: bpy.types.Context) -> bool:
            """Return whether a clip may be dropped here."""
            return bool(context.area and context.area.type == "VIEW_3D")

    CLASSES = (*CLASSES, FACEWIRE_FH_clip)


def _menu(self: Any, _context: Any) -> None:
    self.layout.operator(FACEWIRE_OT_import_clip.bl_idname, text="Facewire Clip")


def register() -> None:
    """Register the operators and File > Import."""
    register_classes(CLASSES)
    bpy.types.TOPBAR_MT_file_import.append(_menu)


def unregister() -> None:
    """Unregister them."""
    bpy.types.TOPBAR_MT_file_import.remove(_menu)
    unregister_classes(CLASSES)
