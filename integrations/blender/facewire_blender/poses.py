"""The 47 authored faces: put onto a face with a slider, keyed, and as a pose library."""
# No __future__ annotations: Blender reads those of properties as objects. Docstrings of operators
# are tips, to which Blender adds the full stop; its flags are sets on the class.
# mypy: disable-error-code="import-not-found,misc,valid-type"

from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty, StringProperty
from bpy_extras.asset_utils import SpaceAssetInfo

from . import drive, library, settings
from .errors import AddonError, reports
from .presets import presets
from .registering import register_classes, unregister_classes

_pictures: Any = None
_items: list[tuple[str, str, str, int, int]] = []  # Blender needs the texts to stay in memory


def _faces(_self: Any, _context: Any) -> list[tuple[str, str, str, int, int]]:
    """Return the faces as choices with pictures, made once."""
    if not _items and _pictures is not None:
        for number, preset in enumerate(presets().values()):
            picture = _pictures.load(preset.title, str(preset.picture), "IMAGE")
            told = f"FACS action units {preset.units}" if preset.units else "Everything at rest"
            _items.append((preset.title, preset.title, told, picture.icon_id, number))
    return _items


def face_of(context: Any) -> drive.Face:
    """Return the face that the animator means: selected meshes, their drivers, head and eyes."""
    chosen = settings.options(context)
    return drive.Face(settings.objects(context), chosen.drivers, chosen.turns)


def put_on(
    context: Any, face: drive.Face, places: list[library.Place], strength: float, key: bool
) -> None:
    """Move a face towards values; key those properties at the current frame if asked."""
    library.blend(places, strength)
    if key:
        for block, path, index, _ in places:
            whole = hasattr(block.path_resolve(path), "__len__")
            frame = context.scene.frame_current
            block.keyframe_insert(path, index=index if whole else -1, frame=frame)
    context.view_layer.update()


class FacewirePoses(bpy.types.PropertyGroup):
    """Which face, how far, and what of it."""

    face: EnumProperty(name="Face", items=_faces)
    strength: FloatProperty(
        name="Strength", default=1.0, min=0.0, max=1.5, subtype="FACTOR",
        description="0 leaves the face as it is, 1 makes it this face",
    )  # fmt: skip
    mouth: BoolProperty(
        name="Mouth", default=True,
        description="Off: jaw, lips and tongue stay as they are, for a face that is speaking",
    )  # fmt: skip
    key: BoolProperty(
        name="Insert keys", default=False, description="Key what is changed at the current frame"
    )


class _Applied:
    """What both ways to put a face on share: a slider that can be moved afterwards."""

    bl_options = {"REGISTER", "UNDO"}
    strength: FloatProperty(name="Strength", default=1.0, min=0.0, max=1.5, subtype="FACTOR")
    mouth: BoolProperty(name="Mouth", default=True)
    key: BoolProperty(name="Insert keys", default=False)

    def _from_panel(self: Any, context: Any) -> None:
        said = context.scene.facewire_poses
        for name in ("strength", "mouth", "key"):
            if not self.properties.is_property_set(name):
                setattr(self, name, getattr(said, name))

    def _put(self, context: Any, face: drive.Face, places: list[library.Place]) -> set[str]:
        put_on(context, face, places, self.strength, self.key)
        return {"FINISHED"}


class FACEWIRE_OT_apply_face(_Applied, bpy.types.Operator):
    """Put this face on: adjust it below (F9) afterwards"""

    bl_idname = "facewire.apply_face"
    bl_label = "Apply Face"
    face: StringProperty(name="Face", description="Such as joy L3; empty: the one in the panel")

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Take what is not given from the panel."""
        self._from_panel(context)
        return self.execute(context)

    @reports
    def execute(self, context: Any) -> set[str]:
        """Put it on."""
        title = self.face or context.scene.facewire_poses.face
        if title not in presets():
            raise AddonError(f"there is no face '{title}'; expected one such as joy L3 or neutral")
        face = face_of(context)
        tracks = face.tracks(presets()[title].values(self.mouth))
        return self._put(context, face, library.of_tracks(tracks))


class FACEWIRE_OT_apply_face_asset(_Applied, bpy.types.Operator):
    """Put the chosen asset onto the selected face, shape keys too"""

    bl_idname = "facewire.apply_face_asset"
    bl_label = "Apply Face to Shape Keys"
    action: StringProperty(name="Action", description="Empty: the asset that is chosen")

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Work from the asset browser, and from scripts."""
        return not SpaceAssetInfo.is_asset_browser(context.space_data) or bool(_chosen(context)[0])

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Take what is not given from the panel."""
        self._from_panel(context)
        return self.execute(context)

    @reports
    def execute(self, context: Any) -> set[str]:
        """Find the asset and put it on."""
        name, file = (self.action, "") if self.action else _chosen(context)
        action = _loaded(name, file) if file else bpy.data.actions.get(name)
        if action is None:
            raise AddonError(f"there is no action '{name}'; choose a face in the asset browser")
        try:
            face = face_of(context)
            return self._put(context, face, library.of_action(action, face, self.mouth))
        finally:
            if file:
                bpy.data.actions.remove(action)


def _chosen(context: Any) -> tuple[str, str]:
    """Return the Action that is active in the asset browser, and the file that it is in."""
    asset = getattr(context, "asset", None)  # Blender 4.0 and later
    if asset is not None:
        if asset.id_type != "ACTION":
            return "", ""
        return asset.name, "" if asset.local_id else asset.full_library_path
    handle = getattr(context, "asset_file_handle", None)
    if handle is None or handle.id_type != "ACTION":
        return "", ""
    if handle.local_id:
        return handle.local_id.name, ""
    path = bpy.types.AssetHandle.get_full_library_path
    try:
        return handle.name, path(handle, context.asset_library_ref)
    except TypeError:  # from 3.5 on the handle alone is asked for
        return handle.name, path(handle)


def _loaded(name: str, file: str) -> Any:
    """Return an Action from another file; the caller takes it away again."""
    with bpy.data.libraries.load(file, link=False) as (there, wanted):
        wanted.actions = [name] if name in there.actions else []
    return wanted.actions[0] if wanted.actions else None


class FACEWIRE_OT_pose_library(bpy.types.Operator):
    """Make an asset of each of the 47 faces, for the selected face"""

    bl_idname = "facewire.pose_library"
    bl_label = "Make Pose Library"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: Any) -> set[str]:
        """Make the Actions, and name their catalogue where the file is saved."""
        made = library.make(face_of(context), presets().values())
        told = f"{len(made)} faces are assets of this file"
        if bpy.data.filepath:
            library.catalog(Path(bpy.data.filepath))
            told += "; save it, and find them under Facewire Faces"
        else:
            told += " (Unassigned: save the file and do this again for a catalog)"
        self.report({"INFO"}, told)
        return {"FINISHED"}


class FACEWIRE_PT_poses(bpy.types.Panel):
    """The faces in the sidebar."""

    bl_idname = "FACEWIRE_PT_poses"
    bl_label = "Faces"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Facewire"
    bl_parent_id = "FACEWIRE_PT_main"
    bl_order = 40
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        """Draw the pictures, the slider and the buttons."""
        layout, said = self.layout, context.scene.facewire_poses
        layout.template_icon_view(said, "face", show_labels=True, scale=5.0)
        layout.label(text=said.face)
        _sliders(layout, said)
        layout.operator("facewire.apply_face").face = said.face
        layout.operator("facewire.pose_library", icon="ASSET_MANAGER")


class FACEWIRE_PT_face_asset(bpy.types.Panel):
    """Faces in the asset browser's own sidebar."""

    bl_idname = "FACEWIRE_PT_face_asset"
    bl_label = "Facewire"
    bl_space_type = "FILE_BROWSER"
    bl_region_type = "TOOLS"
    bl_category = "Asset Browser"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Be there where Actions are chosen."""
        return bool(SpaceAssetInfo.is_asset_browser(context.space_data))

    def draw(self, context: Any) -> None:
        """Draw the slider and the button."""
        said = context.scene.facewire_poses
        _sliders(self.layout, said)
        self.layout.operator("facewire.apply_face_asset")


def _sliders(layout: Any, said: Any) -> None:
    layout.prop(said, "strength", slider=True)
    row = layout.row()
    row.prop(said, "mouth")
    row.prop(said, "key")


def _menu(self: Any, context: Any) -> None:
    if SpaceAssetInfo.is_asset_browser(context.space_data) and _chosen(context)[0]:
        self.layout.separator()
        self.layout.operator_context = "INVOKE_DEFAULT"
        self.layout.operator("facewire.apply_face_asset")


CLASSES = (
    FacewirePoses,
    FACEWIRE_OT_apply_face,
    FACEWIRE_OT_apply_face_asset,
    FACEWIRE_OT_pose_library,
    FACEWIRE_PT_poses,
    FACEWIRE_PT_face_asset,
)


def register() -> None:
    """Add the faces, their pictures, and an entry in the asset browser's menu."""
    global _pictures
    register_classes(CLASSES)
    bpy.types.Scene.facewire_poses = PointerProperty(type=FacewirePoses)
    bpy.types.ASSETBROWSER_MT_context_menu.append(_menu)
    _pictures = bpy.utils.previews.new()


def unregister() -> None:
    """Take them away."""
    global _pictures
    _items.clear()
    bpy.utils.previews.remove(_pictures)
    _pictures = None
    bpy.types.ASSETBROWSER_MT_context_menu.remove(_menu)
    del bpy.types.Scene.facewire_poses
    unregister_classes(CLASSES)
