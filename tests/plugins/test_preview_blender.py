"""The animated GLB and USD, read back by Blender."""

from __future__ import annotations

from pathlib import Path

import blenders
import facewire
import numpy as np
import pytest
from blenders import Blender

# Debian's Blender 3.4 has an importer for an older numpy than Debian's.
GLTF = """
import numpy
numpy.bool = bool
bpy.context.scene.render.fps = 60
bpy.ops.import_scene.gltf(filepath=args[0])
"""
READ = """
scene, keys = bpy.context.scene, {}
for block in bpy.data.shape_keys:
    for key in block.key_blocks[1:]:
        keys.setdefault(key.name, []).append(key)
found = {name: [] for name in keys}
for k in range(int(args[1])):
    scene.frame_set(k)
    for name, of in keys.items():
        found[name].append([key.value for key in of])
tell(found)
"""


@pytest.fixture(scope="module")
def clip() -> facewire.Clip:
    text = "Please move my boat, Bob!"
    return facewire.animate(text=text, overrides=["voice=espeak", "model=phonemes"])


def assert_weights(clip: facewire.Clip, found: dict[str, list[list[float]]]) -> None:
    values, rig = clip.frames.values, clip.frames.rig
    shapes = [name for name in rig.channels if name in found]
    assert len(shapes) >= 51
    for name in shapes:
        read = np.array(found[name])  # (frames, meshes)
        wanted = np.clip(values[:, rig.index(name)], 0.0, 1.0)
        assert np.abs(read - wanted[:, None]).max() < 1e-6, name


@pytest.mark.parametrize("blender", blenders.every())
def test_blender_reads_the_glb(clip: facewire.Clip, blender: Blender, tmp_path: Path) -> None:
    path = clip.save(tmp_path / "take.glb")
    (found,) = blender.run(GLTF + READ, path, str(len(clip.frames))).told
    assert_weights(clip, found)


@pytest.mark.parametrize("blender", blenders.every())
def test_blender_reads_the_usd(clip: facewire.Clip, blender: Blender, tmp_path: Path) -> None:
    if blender.version < (4, 0):
        pytest.skip("this Blender imports no blend shapes from USD")
    path = clip.save(tmp_path / "take.usdc")
    (found,) = blender.run(
        "bpy.ops.wm.usd_import(filepath=args[0])" + READ, path, str(len(clip.frames))
    ).told
    assert_weights(clip, found)
