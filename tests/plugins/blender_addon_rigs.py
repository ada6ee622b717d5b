"""Rigs for tests of the add-on, made in a Blender: plain, driven and bone-driven shape keys.

Each face is a few vertices that move as the lips and lids of Facewire's head do: the distance of
vertices 0 and 1 along z is 0.1 m for each 1 of the lips' gap, vertex 2 is the left upper lid and
sinks by 0.1 m as the eye shuts.
"""

from __future__ import annotations

import bpy
from facewire_blender.channels import SHAPES
from facewire_blender.lips import GAP

UNIT = 0.1


def face(name="Face", keys=None, spelled=lambda channel: channel):
    """Return a mesh object with shape keys for channels (all by default), named as spelled."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0)], [], [(2, 3, 4)])
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    obj.shape_key_add(name="Basis", from_mix=False)
    for channel in SHAPES if keys is None else keys:
        key = obj.shape_key_add(name=spelled(channel), from_mix=False)
        key.slider_min, key.slider_max = -10, 10
        key.value = 0.0  # Blender 5.0 begins with 1
        key.data[0].co.z = -UNIT * GAP.get(channel, 0.0)
        key.data[2].co.z = -UNIT * (channel == "eyeBlinkLeft")
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj
    return obj


def measured(obj, frame):
    """Return the lips' gap and how far the left lid is shut, on the evaluated mesh at a frame."""
    bpy.context.scene.frame_set(frame)
    made = obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    upper, lower, lid = (made.vertices[k].co.z for k in (1, 0, 2))
    return (upper - lower) / UNIT, -lid / UNIT


def drive(obj, channel, target, path="", expression="", variable="SINGLE_PROP", **how):
    """Drive a shape key by one variable."""
    curve = obj.data.shape_keys.key_blocks[channel].driver_add("value")
    driver = curve.driver
    driver.type = "SCRIPTED" if expression else "AVERAGE"
    made = driver.variables.new()
    made.name, made.type = "var", variable
    made.targets[0].id = target
    if path:
        made.targets[0].data_path = path
    for name, value in how.items():
        setattr(made.targets[0], name, value)
    if expression:
        driver.expression = expression
    return curve


def driven():
    """Return a face whose keys follow custom properties, 0 to 100 for some, pairs on one slider."""
    obj = face("Driven")
    control = bpy.data.objects.new("Control", None)
    bpy.context.scene.collection.objects.link(control)
    pairs = {"jawLeft": ("jawSide", "max(0, var)"), "jawRight": ("jawSide", "max(0, -var)")}
    for channel in SHAPES:
        name, expression = pairs.get(channel, (channel, ""))
        control[name] = 0.0
        if channel == "jawOpen":
            control[name], expression = 0.0, "clamp(var / 100, 0, 1)"
        if channel == "eyeBlinkLeft":
            control[name], expression = 1.0, "1 - var"
        drive(obj, channel, control, f'["{name}"]', expression)
    return obj, control


def boned():
    """Return a face whose mouth and left lid follow bones, and its armature (head and eyes too)."""
    obj = face("Boned")
    armature = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(armature)
    obj.select_set(False)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    heads = {"jaw": (0, 0, 0), "lid": (1, 0, 0), "head": (0, 0, 1), "eye.L": (.3, -1, 1.2),
             "eye.R": (-.3, -1, 1.2)}  # fmt: skip
    for name, at in heads.items():
        bone = armature.data.edit_bones.new(name)
        along = (0, -0.5, 0.1) if name.startswith("eye") else (0, 0.2, 0.5)
        bone.head, bone.tail = at, tuple(a + b for a, b in zip(at, along, strict=True))
        bone.roll = 0.3
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.select_set(False)
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj
    armature.pose.bones["head"].rotation_mode = "ZXY"
    local = {"variable": "TRANSFORMS", "transform_space": "LOCAL_SPACE"}
    slid = {**local, "bone_target": "jaw"}
    drive(obj, "jawOpen", armature, "", "-var * 20", transform_type="LOC_Y", **slid)
    drive(obj, "mouthClose", armature, "", "var * 20", transform_type="LOC_X", **slid)
    turned = {**local, "bone_target": "lid"}
    drive(obj, "eyeBlinkLeft", armature, "", "degrees(var) / 45", transform_type="ROT_X", **turned)
    return obj, armature
