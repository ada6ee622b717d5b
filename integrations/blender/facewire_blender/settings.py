"""What the animator sets for bakes: ``scene.facewire``."""

# No postponed annotations: Blender reads these as objects.
# mypy: disable-error-code="valid-type,misc"
from pathlib import Path
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .channels import REGIONS
from .errors import AddonError
from .match import match
from .options import FACING, Options, Turn
from .registering import register_classes, unregister_classes

_REGIONS = [
    ("lips", "Lips", "Jaw, mouth, tongue and puffed cheeks"),
    ("brows", "Brows", "Brows"),
    ("lids", "Lids", "Blinks, squints and wide eyes"),
    ("gaze", "Gaze", "Where the eyes look: shape keys, and eye bones"),
    ("head", "Head", "The head's turns, on a bone or object"),
    ("cheeks", "Cheeks", "Cheeks and nose"),
]
_KEYS = [
    ("EVERY", "Every frame", "A key on every frame: exactly the clip"),
    ("SIMPLIFIED", "Simplified", "Few keys with smooth curves, within a tolerance you choose"),
    ("PHONES", "Phones", "Keys where sounds reach their shape; all of the mouth at the same times"),
]
_DRIVERS = [
    ("SOURCE", "Key the control", "Key the property or bone that drives the shape key"),
    ("MUTE", "Mute the driver", "Switch the driver off (Restore Drivers brings it back)"),
    ("LEAVE", "Leave out", "Do not touch driven shape keys"),
]
_PLACES = [
    ("ACTION", "Active action", "The take becomes the action you see in the dope sheet"),
    ("NLA", "NLA strip", "The take becomes a strip on the track Facewire"),
]
_STARTS = [
    ("SCENE", "Scene start", "The scene's first frame"),
    ("CURRENT", "Current frame", "Where the playhead is"),
    ("FRAME", "Frame", "A frame that you give"),
]
_MARKERS = [
    ("NONE", "None", "No timeline markers"),
    ("WORDS", "Words", "A marker for each word"),
    ("PHONES", "Phones", "A marker for each phone"),
    ("BOTH", "Both", "Markers for words and phones"),
]
_FACING = [(axis, axis, f"The face looks along {axis}") for axis in FACING]


def _default_take(self: Any, _context: Any) -> None:
    self.take = Path(bpy.path.abspath(self.path)).stem if self.path else ""


class FacewireSettings(bpy.types.PropertyGroup):
    """What the animator sets for bakes."""

    path: StringProperty(
        name="Clip",
        subtype="FILE_PATH",
        update=_default_take,
        description="A take: Live Link Face CSV, or a clip of Facewire (.json, .npz)",
    )
    take: StringProperty(name="Take", description="The name of the action, at most 63 characters")
    regions: EnumProperty(
        name="Regions",
        items=_REGIONS,
        options={"ENUM_FLAG"},
        default=set(REGIONS),
        description="What of the face is baked; the rest stays as it is",
    )
    strength: FloatProperty(
        name="Strength",
        default=1.0,
        min=0.0,
        max=3.0,
        soft_max=1.5,
        description="How far all channels go",
    )
    keys: EnumProperty(name="Keys", items=_KEYS, default="EVERY")
    tolerance: FloatProperty(
        name="Tolerance",
        default=0.02,
        min=0.001,
        max=0.2,
        precision=3,
        description="How far simplified curves may be from the clip: of the lips' gap (a wide open "
        "jaw is 1), and of each shape key",
    )
    drivers: EnumProperty(name="Driven keys", items=_DRIVERS, default="SOURCE")
    place: EnumProperty(name="As", items=_PLACES, default="ACTION")
    start_at: EnumProperty(name="Start", items=_STARTS, default="SCENE")
    start: IntProperty(name="Frame", default=1, description="The frame of the clip's first row")
    blend_in: IntProperty(
        name="Blend in",
        default=0,
        min=0,
        max=1000,
        description="Frames over which the take takes over from what is there",
    )
    blend_out: IntProperty(
        name="Blend out",
        default=0,
        min=0,
        max=1000,
        description="Frames over which it gives back",
    )
    use_sound: BoolProperty(
        name="Sound",
        default=True,
        description="Put the sound file beside the clip into the sequencer, in sync",
    )
    sound: StringProperty(
        name="Sound file",
        subtype="FILE_PATH",
        description="Another sound file; empty for the one with the clip's name",
    )
    set_end: BoolProperty(
        name="Set scene end", default=True, description="The scene ends with the take"
    )
    markers: EnumProperty(name="Markers", items=_MARKERS, default="NONE")
    head: PointerProperty(
        name="Head",
        type=bpy.types.Object,
        description="The armature, or the object, that turns with the head",
    )
    head_bone: StringProperty(name="Head bone")
    left_eye: PointerProperty(
        name="Left eye",
        type=bpy.types.Object,
        description="The armature or object of the character's own left eye",
    )
    left_eye_bone: StringProperty(name="Left eye bone")
    right_eye: PointerProperty(
        name="Right eye",
        type=bpy.types.Object,
        description="The armature or object of the character's own right eye",
    )
    right_eye_bone: StringProperty(name="Right eye bone")
    facing: EnumProperty(
        name="Face looks along",
        items=_FACING,
        default="-Y",
        description="The axis that the face looks along, in the armature's or the parent's space",
    )


def options(context: Any, sound: str = "") -> Options:
    """Return what is set, as a bake takes it; ``sound`` is the clip's own sound file."""
    said = context.scene.facewire
    starts = {"SCENE": None, "CURRENT": context.scene.frame_current, "FRAME": said.start}
    heard = bpy.path.abspath(said.sound) if said.sound else sound
    return Options(
        take=said.take, start=starts[said.start_at], regions=frozenset(said.regions),
        strength=said.strength, blend_in=said.blend_in, blend_out=said.blend_out, keys=said.keys,
        tolerance=said.tolerance, drivers=said.drivers, place=said.place,
        head=_turn(said, "head"), left_eye=_turn(said, "left_eye"),
        right_eye=_turn(said, "right_eye"), sound=heard if said.use_sound else "",
        set_end=said.set_end, markers=said.markers,
    )  # fmt: skip


def _turn(said: Any, part: str) -> Turn | None:
    obj, bone = getattr(said, part), getattr(said, f"{part}_bone")
    if obj is None:
        return None
    if obj.type == "ARMATURE" and not bone:
        raise AddonError(f"choose a bone of '{obj.name}' for the {part.replace('_', ' ')}")
    return Turn(obj.name, bone if obj.type == "ARMATURE" else "", said.facing)


def objects(context: Any) -> list[Any]:
    """Return the selected meshes, or the only face there is; AddonError if that is not clear."""
    chosen = [obj for obj in context.selected_objects if obj.type == "MESH"]
    if not chosen and context.object and context.object.type == "MESH":
        chosen = [context.object]
    if chosen:
        return chosen
    found = [obj for obj in context.view_layer.objects if _is_face(obj)]
    if len(found) == 1:
        return found
    raise AddonError("select the face: one or more meshes with shape keys")


def _is_face(obj: Any) -> bool:
    keys = getattr(obj.data, "shape_keys", None) if obj.type == "MESH" else None
    return keys is not None and len(match(block.name for block in keys.key_blocks)) >= 10


CLASSES = (FacewireSettings,)


def register() -> None:
    """Add ``scene.facewire``."""
    register_classes(CLASSES)
    bpy.types.Scene.facewire = PointerProperty(type=FacewireSettings)


def unregister() -> None:
    """Remove ``scene.facewire``."""
    del bpy.types.Scene.facewire
    unregister_classes(CLASSES)
