"""The 47 faces: the add-on's copy, put onto faces of three kinds, and as assets."""

from __future__ import annotations

from math import radians
from pathlib import Path
from typing import Any

import blenders
import pytest
from blender_addon_parts import CODE, addon, scripted
from facewire_v3.presets import presets
from facewire_v3.tables import CHANNELS

EVERY = pytest.mark.parametrize("blender", blenders.every())


def test_the_copy_is_the_expression_systems() -> None:
    copied = addon("presets").presets()
    assert list(copied) == [preset.title for preset in presets()] and len(copied) == 47
    for preset in presets():
        values = copied[preset.title].values()
        for name, value in zip(CHANNELS, preset.face.tolist(), strict=True):
            assert values[name] == pytest.approx(value, abs=5e-5), (preset.title, name)
        turned = [values[name] for name in ("headYaw", "headPitch", "headRoll")]
        assert turned == pytest.approx(list(preset.head), abs=1e-5)
        assert copied[preset.title].units == preset.units
        assert copied[preset.title].family == preset.family


def test_make_data_writes_what_is_there() -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("make_data", CODE.parent / "make_data.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.text(made.faces()) == (CODE / "data/presets.json").read_text("utf-8")


def test_every_face_has_a_picture_of_its_own() -> None:
    pictures = {preset.picture for preset in addon("presets").presets().values()}
    assert len(pictures) == 47
    assert pictures == set((CODE / "data/presets").glob("*.jpg"))
    assert len({path.read_bytes() for path in pictures}) == 47


def test_without_the_mouth_no_channel_of_it_is_named() -> None:
    values = addon("presets").presets()["joy L5"].values(mouth=False)
    assert values["cheekSquintLeft"] > 0.5 and values["eyeBlinkLeft"] == 0
    assert not [name for name in values if name.startswith(("jaw", "mouth", "tongue"))]


APPLY = """
from facewire_blender import presets
face = rigs.face(spelled=lambda channel: "F_" + channel[0].upper() + channel[1:])
keys = face.data.shape_keys.key_blocks
values = lambda: {k.name: round(k.value, 6) for k in keys}
joy = presets.presets()["joy L5"]
keys["F_MouthFrownLeft"].value = keys["F_JawOpen"].value = 0.8
bpy.ops.facewire.apply_face(face="joy L5", strength=0.5)
tell(values())
bpy.ops.facewire.apply_face(face="joy L5")
tell([abs(keys["F_" + c[0].upper() + c[1:]].value - joy.values()[c]) for c in channels.SHAPES[:52]])
keys["F_JawOpen"].value = 0.8
scene.frame_set(12)
bpy.ops.facewire.apply_face(face="surprise L5", mouth=False, key=True)
action = face.data.shape_keys.animation_data.action
paths = {c.data_path: [list(p.co) for p in c.keyframe_points] for c in actions.all_curves(action)}
tell([values(), paths])
bpy.ops.facewire.pose_library()
made = [a for a in bpy.data.actions if a.asset_data]
one = bpy.data.actions["joy L3"]
tell([len(made), sorted(t.name for t in one.asset_data.tags), one.asset_data.description,
      list(one.preview.image_size), one.asset_data.catalog_id, one.use_fake_user,
      len(actions.all_curves(one))])
bpy.ops.facewire.apply_face_asset(action="joy L3")
tell(values())
told = []
for call in (lambda: bpy.ops.facewire.apply_face(face="glee L9"),
             lambda: bpy.ops.facewire.apply_face_asset(action="nothing")):
    try:
        call()
    except RuntimeError as error:
        told.append(str(error))
tell(told)
"""


@EVERY
def test_faces_on_shape_keys(blender: Any) -> None:
    half, off, (partly, keyed), made, asset, errors = scripted(blender, APPLY)
    assert half["F_MouthSmileLeft"] == pytest.approx(0.46, abs=1e-5)
    assert half["F_MouthFrownLeft"] == pytest.approx(0.4, abs=1e-5)
    assert half["F_JawOpen"] == pytest.approx(0.5, abs=1e-5)
    assert max(off) < 1e-6
    assert partly["F_JawOpen"] == pytest.approx(0.8) and partly["F_BrowInnerUp"] > 0.5
    assert partly["F_MouthSmileLeft"] == pytest.approx(0.92, abs=1e-4)
    assert keyed['key_blocks["F_BrowInnerUp"].value'][0][0] == 12
    assert not [path for path in keyed if "Mouth" in path or "Jaw" in path]
    count, tags, described, size, catalog, kept, curves = made
    assert count == 47 and tags == ["facewire", "joy"] and "FACS 6 12 25" in described
    assert size == [128, 128] and len(catalog) == 36 and kept and curves == 52
    assert asset["F_MouthSmileLeft"] == pytest.approx(0.7, abs=1e-5)
    assert asset["F_JawOpen"] == pytest.approx(0.07, abs=1e-5)
    assert "no face 'glee L9'" in errors[0] and "no action 'nothing'" in errors[1]


BONES = """
from facewire_blender import presets
face, armature = rigs.boned()
said = scene.facewire
said.head, said.head_bone = armature, "head"
bpy.ops.facewire.pose_library()
one = bpy.data.actions["surprise L5"]
bones = sorted({c.data_path for c in actions.all_curves(one) if "pose.bones" in c.data_path})
armature.pose.apply_pose_from_action(one, evaluation_time=1)
bpy.context.view_layer.update()
jaw = presets.presets()["surprise L5"].values()["jawOpen"]
tell({"bones": bones, "jaw": face.data.shape_keys.key_blocks["jawOpen"].value, "wanted": jaw,
      "first": one.slots[0].target_id_type if actions.SLOTS else one.id_root,
      "names": [a.name for a in bpy.data.actions if a.asset_data and "surprise L5" in a.name]})
bpy.ops.facewire.apply_face(face="neutral")
bpy.context.view_layer.update()
tell(face.data.shape_keys.key_blocks["jawOpen"].value)
bpy.ops.facewire.apply_face_asset(action="surprise L5", strength=0.5)
bpy.context.view_layer.update()
tell([face.data.shape_keys.key_blocks["jawOpen"].value,
      list(armature.pose.bones["head"].rotation_euler)])
"""


@EVERY
def test_faces_on_bones_are_true_pose_assets(blender: Any) -> None:
    """The function that Blender's pose library calls poses the jaw, and that drives the key."""
    whole, rest, (half, _) = scripted(blender, BONES)
    assert any('"jaw"' in path for path in whole["bones"])
    assert any('"head"' in path for path in whole["bones"])
    assert whole["jaw"] == pytest.approx(whole["wanted"], abs=1e-4) and whole["wanted"] > 0.4
    assert whole["first"] == "OBJECT"
    assert rest == pytest.approx(0, abs=1e-5)
    assert half == pytest.approx(whole["wanted"] / 2, abs=1e-3)


TWEAK = """
from facewire_blender import presets
face = rigs.face()
keys = face.data.shape_keys.key_blocks
made = clip.made("talk", 24, ["jawOpen", "browInnerUp"], [[.1 * (k % 5), .25] for k in range(50)])
bake.bake(bpy.context, made, [face], Options())
bpy.ops.facewire.add_tweaks()
for frame, title in ((10, "neutral"), (20, "surprise L5"), (30, "neutral")):
    scene.frame_set(frame)
    bpy.ops.facewire.apply_face(face=title, mouth=False, key=True)
told = []
for frame in (10, 20, 30):
    scene.frame_set(frame)
    told.append([keys["browInnerUp"].value, keys["jawOpen"].value])
held = bake.holder("talk", face.data.shape_keys)
brow = actions.find(held, face.data.shape_keys, 'key_blocks["browInnerUp"].value')
tell([told, [brow.evaluate(f) for f in (10, 20, 30)], presets.presets()["surprise L5"].values()])
"""


@EVERY
def test_keys_on_the_tweak_layer_leave_the_bake_alone(blender: Any) -> None:
    ((shown, baked, surprise),) = scripted(blender, TWEAK)
    assert [brow for brow, _ in shown] == pytest.approx([0, surprise["browInnerUp"], 0], abs=1e-5)
    assert [jaw for _, jaw in shown] == pytest.approx([0.4, 0.4, 0.4], abs=1e-5)
    assert baked == pytest.approx([0.25] * 3)


CATALOGUE = """
rigs.face()
bpy.data.actions.new("pride L3")
try:
    bpy.ops.facewire.pose_library()
except RuntimeError as error:
    tell([str(error), len([a for a in bpy.data.actions if a.asset_data])])
bpy.data.actions.remove(bpy.data.actions["pride L3"])
bpy.ops.wm.save_as_mainfile(filepath=args[0])
bpy.ops.facewire.pose_library()
bpy.ops.facewire.pose_library()
bpy.ops.wm.save_mainfile()
bpy.ops.wm.open_mainfile(filepath=args[0])
joy = bpy.data.actions["joy L3"]
tell([len([a for a in bpy.data.actions if a.asset_data]), joy.preview is not None,
      list(joy.preview.image_size)])
bpy.ops.wm.read_factory_settings(use_empty=True)
import facewire_blender
from facewire_blender import library, poses
if not hasattr(bpy.types.Scene, "facewire"):
    facewire_blender.register()
other = rigs.face("Other")
loaded = poses._loaded("joy L3", args[0])
poses.put_on(bpy.context, poses.face_of(bpy.context),
             library.of_action(loaded, poses.face_of(bpy.context), True), 1.0, False)
tell([other.data.shape_keys.key_blocks["mouthSmileLeft"].value,
      poses._loaded("nothing", args[0]) is None])
asset = getattr(bpy.types, "AssetRepresentation", None)
tell(sorted(asset.bl_rna.properties.keys()) if asset else [])
"""


@EVERY
def test_the_library_is_kept_with_the_file(blender: Any, tmp_path: Path) -> None:
    other = "aaaaaaaa-0000-4000-8000-000000000001:Props:Props"
    catalogs = tmp_path / "blender_assets.cats.txt"
    catalogs.write_text(f"# mine\nVERSION 1\n\n{other}")
    taken, kept, other_file, asset = scripted(blender, CATALOGUE, tmp_path / "face.blend")
    assert "'pride L3' is already there" in taken[0] and taken[1] == 0
    assert kept == [47, True, [128, 128]]
    assert other_file == [pytest.approx(0.7, abs=1e-5), True]
    assert not asset or {"name", "id_type", "local_id", "full_library_path"} <= set(asset)
    lines = catalogs.read_text().splitlines()
    assert lines[0] == "# mine" and other in lines
    assert len([line for line in lines if line.endswith("Facewire Faces")]) == 1


def test_angles_are_radians() -> None:
    pride = addon("presets").presets()["pride L5"].values()
    assert radians(-35) < pride["headPitch"] < 0  # the head is tilted back
