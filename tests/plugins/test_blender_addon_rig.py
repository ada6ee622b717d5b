"""Head and eyes, blending, strips, patches and live values, in real Blenders."""

from __future__ import annotations

import math

import blenders
import pytest
from blender_addon_parts import scripted

EVERY = pytest.mark.parametrize("blender", blenders.every())

TURNS = """
from mathutils import Vector
parts = ["headYaw", "headPitch", "headRoll", "leftEyeYaw", "rightEyePitch", "eyeLookOutRight"]
rows = [[0] * 6, [.3, 0, 0, .2, .1, 0], [0, .3, 0, 0, 0, 0], [0, 0, .3, 0, 0, 0],
        [.3, .2, .1, 0, 0, 1], [0] * 6]
made = clip.made("turn", 24, parts, rows)
scene.render.fps = 24
face, armature = rigs.boned()
eye = bpy.data.objects.new("Eyeball", None)
scene.collection.objects.link(eye)
eye.rotation_euler = (.4, .2, -.3)
armature.rotation_euler = (.1, .2, 2.5)
options = Options(head=Turn("Rig", "head"), left_eye=Turn("Rig", "eye.L"),
                  right_eye=Turn("Eyeball"))
bpy.context.view_layer.update()
was = eye.matrix_basis.to_3x3()
def ways(space):
    return [[round(v, 6) for v in space @ Vector(axis)] for axis in ((0, -1, 0), (0, 0, 1))]
def turned(name):
    bone = armature.pose.bones[name]
    return bone.matrix.to_3x3() @ bone.bone.matrix_local.to_3x3().inverted()
for again in range(2):
    report = bake.bake(bpy.context, made, [face], options)
    told = []
    for frame in range(1, 6):
        scene.frame_set(frame)
        told.append([ways(turned("head")), ways(turned("eye.L")),
                     ways(eye.matrix_basis.to_3x3() @ was.inverted())])
    tell(told)
tell([report.missing, sorted(a.name for a in takes.find("turn"))])
for mode in ("QUATERNION", "AXIS_ANGLE", "XYZ", "YZX"):
    armature.pose.bones["head"].rotation_mode = mode
    bake.bake(bpy.context, made, [face], Options(take=mode, head=Turn("Rig", "head", "-Y")))
    scene.frame_set(5)
    tell(ways(turned("head")))
bake.bake(bpy.context, made, [face], Options(take="x", head=Turn("Rig", "head", "X")))
scene.frame_set(2)
tell([round(v, 6) for v in turned("head") @ Vector((1, 0, 0))])
"""


def near(found, expected) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=2e-6)


@EVERY
def test_head_and_eyes_turn_as_the_subject_does(blender) -> None:
    first, again, (missing, _), *modes, sideways = scripted(blender, TURNS)
    assert missing == [] and first == again  # an object's rest is remembered
    sin, cos = math.sin(0.3), math.cos(0.3)
    rest, yaw, pitch, roll, _ = (row[0] for row in first)
    near(rest, [[0, -1, 0], [0, 0, 1]])
    near(yaw, [[-sin, -cos, 0], [0, 0, 1]])  # towards -X: the subject's right
    near(pitch, [[0, -cos, -sin], [0, -sin, cos]])  # nose down
    near(roll, [[0, -1, 0], [-sin, 0, cos]])  # right ear to right shoulder
    left, right = first[1][1], first[1][2]
    near(left, [[-math.sin(0.2), -math.cos(0.2), 0], [0, 0, 1]])
    near(right, [[0, -math.cos(0.1), -math.sin(0.1)], [0, -math.sin(0.1), math.cos(0.1)]])
    look = math.radians(35)  # eyeLookOutRight alone turns the right eye to the right
    near(first[4][2], [[-math.sin(look), -math.cos(look), 0], [0, 0, 1]])
    for found in modes:
        near(found, first[4][0])
    near([sideways], [[cos, -sin, 0]])  # a face that looks along X turns right towards -Y


BLEND = """
made = clip.made("b", 24, ["jawOpen"], [[1.0]] * 21)
scene.render.fps = 24
face = rigs.face()
keys = face.data.shape_keys
walk = bpy.data.actions.new("hand made")
curve = actions.curve(walk, keys, 'key_blocks["jawOpen"].value')
actions.write(curve, [1, 100], [.4, .4], True)
other = actions.curve(walk, keys, 'key_blocks["browInnerUp"].value')
actions.write(other, [1, 100], [.7, .7], True)
actions.assign(keys, walk)
report = bake.bake(bpy.context, made, [face], Options(start=10, blend_in=5, blend_out=5))
jaw = []
for frame in (10, 12, 15, 20, 25, 28, 30, 50):
    scene.frame_set(frame)
    jaw.append(round(keys.key_blocks["jawOpen"].value, 4))
tell([report.notes, jaw, round(keys.key_blocks["browInnerUp"].value, 4)])
report = bake.bake(bpy.context, made, [face], Options(take="n", start=60, place="NLA"))
tracks = keys.animation_data.nla_tracks
tell([[t.name, [[s.name, s.frame_start, s.frame_end, s.blend_type] for s in t.strips]]
      for t in tracks])
keys.animation_data.action = None
strip = [s for t in tracks for s in t.strips if s.name == "n"][0]
strip.frame_start, strip.frame_end = 70, 90
bake.bake(bpy.context, made, [face], Options(take="n", start=60, place="NLA", strength=.5))
scene.frame_set(75)
tell([round(keys.key_blocks["jawOpen"].value, 4), strip.frame_start, strip.frame_end,
      takes.shift(keys, "n")])
"""


@EVERY
def test_blends_and_strips_leave_what_is_there(blender) -> None:
    (notes, jaw, brow), tracks, moved = scripted(blender, BLEND)
    assert any(note.startswith("Face: its action 'hand made' is an NLA strip") for note in notes)
    eased = 0.4 + 0.6 * (0.4**2 * (3 - 0.8))
    assert jaw == pytest.approx([0.4, eased, 1, 1, 1, eased, 0.4, 0.4], abs=1e-4)
    assert brow == pytest.approx(0.7)
    assert tracks[0][1][0][0] == "hand made"
    assert ["Facewire", [["n", 60, 80, "REPLACE"]]] in tracks
    assert moved == [0.5, 70, 90, 10]


PATCH = """
from facewire_blender import lips, tweaks
rows = [[.3 + .2 * math.sin(k / 3), .1] for k in range(48)]
made = clip.made("p", 24, ["jawOpen", "browInnerUp"], rows,
                 [clip.Mark("phone", "AA", .5, 1.0), clip.Mark("phone", "M", 1.2, 1.3)])
scene.render.fps = 24
face, armature = rigs.boned()
for keys in ("EVERY", "SIMPLIFIED"):
    bake.bake(bpy.context, made, [face], Options(take=keys, start=101, keys=keys))
    before = bake.heard(bpy.context, keys, ["jawOpen", "browInnerUp"], 0, 9)
    there = bake.heard(bpy.context, keys, ["jawOpen"], .5, 1)
    tell([len(before), len(there), there.channels,
          max(abs(a - b) for a, b in zip(before.column("jawOpen"), made.column("jawOpen")))])
    new = clip.made(keys, 24, ["jawOpen"], [[0.0]] * 25, [clip.Mark("phone", "M", .1, .4)])
    report = bake.patch(bpy.context, keys, new, .5, 1.5)
    after = bake.heard(bpy.context, keys, ["jawOpen", "browInnerUp"], 0, 9)
    out = [abs(a - b) for k, (a, b) in enumerate(zip(before.column("jawOpen"),
           after.column("jawOpen"))) if not 12 <= k <= 36]
    inside = after.column("jawOpen")[15:34]
    tell([max(out), max(map(abs, inside)), [[m.text, m.start] for m in takes.get(keys).marks],
          max(abs(a - b) for a, b in zip(before.column("browInnerUp"),
              after.column("browInnerUp"))), report.frames])
try:
    bake.patch(bpy.context, "EVERY", new, 50, 60)
except AddonError as error:
    tell(str(error))
from facewire_blender.drive import Face
armature.animation_data_clear()
face.data.shape_keys.animation_data.action = None
live = Face([face])
live.apply({"jawOpen": .8, "eyeBlinkLeft": .5, "browInnerUp": .2, "noseSneerLeft": 0})
bpy.context.view_layer.update()
tell([face.data.shape_keys.key_blocks["browInnerUp"].value,
      armature.pose.bones["jaw"].location.y, len(live.channels)])
"""


@EVERY
def test_a_stretch_is_replaced_and_values_come_back(blender) -> None:
    *pairs, nothing, live = scripted(blender, PATCH)
    for heard, patched in zip(pairs[::2], pairs[1::2], strict=True):
        assert heard[:3] == [48, 13, ["jawOpen"]] and heard[3] <= 0.02
        outside, inside, marks, brow, frames = patched
        assert outside <= 0.02 and inside <= 0.02 and brow == 0 and frames == 25
        assert marks == [["M", pytest.approx(0.6)]]
    assert "nothing of it lies" in nothing
    assert live == [pytest.approx(0.2), pytest.approx(-0.04, abs=1e-5), 59]
