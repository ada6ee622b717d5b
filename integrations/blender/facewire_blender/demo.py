"""A scene to try things on: Facewire's head, lit and framed, with a take and its sound."""
# No __future__ annotations: Blender reads those of properties as objects. Docstrings of operators
# are tips, to which Blender adds the full stop; its flags are sets on the class.
# mypy: disable-error-code="import-not-found,misc,valid-type"

from array import array
from pathlib import Path
from typing import Any

import bpy
from mathutils import Vector

from . import bake, clip, takes
from .demo_head import Material, Part, read_head
from .errors import AddonError, reports
from .options import Options, Turn
from .registering import register_classes, unregister_classes

NAME = "Facewire Demo"
CLIP, SOUND = (Path(__file__).parent / f"data/demo{end}" for end in (".json", ".wav"))
SIDE = 1080  # pixels of a picture
_FACE = Vector((0.0, -0.07, 0.045))  # metres: the middle of the face
_CAMERA = Vector((0.09, -0.84, 0.07))
_LENS = 85.0  # millimetres
_LIGHTS = {  # place in metres, size in metres, watts
    "Key": ((-0.55, -1.0, 0.45), 0.5, 12.0),
    "Fill": ((0.8, -0.8, 0.1), 0.8, 4.0),
    "Front": ((0.05, -1.1, 0.05), 0.3, 2.5),
    "Rim": ((0.5, 0.8, 0.7), 0.4, 14.0),
}
_WORLD = (0.045, 0.05, 0.06, 1.0)


def build(context: Any) -> Any:
    """Make the demo scene and bake its take; return the scene.

    It is a scene of its own: what is in the file stays as it is.
    """
    for path in (CLIP, SOUND):
        if not path.exists():
            raise AddonError(f"{path.name} is missing from the add-on; install it again")
    take = clip.read(CLIP)
    scene = bpy.data.scenes.new(NAME)
    scene.render.fps, scene.render.fps_base = take.fps.numerator, float(take.fps.denominator)
    head, parts = head_objects(scene.collection)
    _camera(scene)
    _lights(scene)
    _look(scene)
    names = {each.name.partition(".")[0]: each.name for each in parts}
    options = Options(
        take=takes.free(NAME), start=1, head=Turn(head.name), left_eye=Turn(names["eyeLeft"]),
        right_eye=Turn(names["eyeRight"]), sound=str(SOUND), markers="WORDS",
    )  # fmt: skip
    faces = [each for each in parts if each.data.shape_keys]
    with context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        bake.bake(bpy.context, take, faces, options)
    return scene


def head_objects(collection: Any) -> tuple[Any, list[Any]]:
    """Make the head's objects in a collection: the empty that turns with the neck, its meshes."""
    parts, materials = read_head()
    surfaces = {each.name: _material(each) for each in materials}
    head = bpy.data.objects.new("head", None)
    head.empty_display_size = 0.05
    head.rotation_mode = "XYZ"
    collection.objects.link(head)
    made = []
    for part in parts:
        each = bpy.data.objects.new(part.name, _mesh(part))
        each.data.materials.append(surfaces[part.material])
        each.parent, each.location = head, part.at
        collection.objects.link(each)
        _shape_keys(each, part)
        made.append(each)
    return head, made


def _mesh(part: Part) -> Any:
    mesh = bpy.data.meshes.new(part.name)
    corners, flat = part.triangles, part.points
    points = list(zip(flat[0::3], flat[1::3], flat[2::3], strict=True))
    faces = list(zip(corners[0::3], corners[1::3], corners[2::3], strict=True))
    mesh.from_pydata(points, [], faces)
    colors = mesh.color_attributes.new("Color", "FLOAT_COLOR", "POINT")
    colors.data.foreach_set("color", part.colors)
    mesh.polygons.foreach_set("use_smooth", array("b", bytes([1]) * len(faces)))
    mesh.update()
    return mesh


def _shape_keys(made: Any, part: Part) -> None:
    if part.shapes:
        made.shape_key_add(name="Basis", from_mix=False)
    for name, points in part.shapes.items():
        key = made.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", points)
        key.value = 0.0  # Blender 5.0 begins with 1


def _material(look: Material) -> Any:
    """Return a material whose colour is that of the vertices."""
    made = bpy.data.materials.new(look.name)
    if made.node_tree is None:  # 5.0 has nodes from the start
        made.use_nodes = True
    tree = made.node_tree
    surface = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    colors = tree.nodes.new("ShaderNodeVertexColor")
    colors.layer_name, colors.location = "Color", (-300, 200)
    tree.links.new(colors.outputs["Color"], surface.inputs["Base Color"])
    surface.inputs["Roughness"].default_value = look.roughness
    made.roughness = look.roughness
    return made


def _towards(made: Any, place: Vector, target: Vector) -> None:
    made.location = place
    made.rotation_euler = (target - place).to_track_quat("-Z", "Y").to_euler()


def _camera(scene: Any) -> None:
    data = bpy.data.cameras.new("Camera")
    data.lens = _LENS
    camera = bpy.data.objects.new("Camera", data)
    _towards(camera, _CAMERA, _FACE)
    scene.collection.objects.link(camera)
    scene.camera = camera


def _lights(scene: Any) -> None:
    for name, (place, size, power) in _LIGHTS.items():
        data = bpy.data.lights.new(name, "AREA")
        data.size, data.energy = size, power
        light = bpy.data.objects.new(name, data)
        _towards(light, Vector(place), _FACE)
        scene.collection.objects.link(light)
    scene.world = bpy.data.worlds.new(NAME)
    scene.world.color = _WORLD[:3]


def _look(scene: Any) -> None:
    """Set what is drawn and how it plays: square pictures, colours of the vertices, sound first."""
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.view_settings.view_transform = "Standard"
    scene.display.shading.light = "STUDIO"
    scene.display.shading.color_type = "VERTEX"
    scene.sync_mode = "AUDIO_SYNC"
    scene.frame_start = 1


def show(context: Any, scene: Any) -> None:
    """Go to a scene, and look through its camera where there is a 3D view."""
    if context.window is None:
        return
    context.window.scene = scene
    for area in context.window.screen.areas if context.window.screen else ():
        if area.type == "VIEW_3D":
            space = area.spaces.active
            space.region_3d.view_perspective = "CAMERA"
            space.shading.color_type = "VERTEX"
            space.overlay.show_overlays = False
            break


class FACEWIRE_OT_demo(bpy.types.Operator):
    """Make a scene with a talking head, beside what is in the file"""

    bl_idname = "facewire.demo"
    bl_label = "Talking Head"
    bl_options = {"REGISTER", "UNDO"}

    @reports
    def execute(self, context: Any) -> set[str]:
        """Build it, or go to it where it is."""
        scene = bpy.data.scenes.get(NAME) or build(context)
        show(context, scene)
        self.report({"INFO"}, "press play (Space) and the head talks")
        return {"FINISHED"}


class FACEWIRE_PT_demo(bpy.types.Panel):
    """The demo in the sidebar."""

    bl_idname = "FACEWIRE_PT_demo"
    bl_label = "Demo"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Facewire"
    bl_parent_id = "FACEWIRE_PT_main"
    bl_order = 80
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        """Draw the button."""
        self.layout.operator("facewire.demo", icon="PLAY")


CLASSES = (FACEWIRE_OT_demo, FACEWIRE_PT_demo)


def register() -> None:
    """Add the operator and its panel."""
    register_classes(CLASSES)


def unregister() -> None:
    """Take them away."""
    unregister_classes(CLASSES)
