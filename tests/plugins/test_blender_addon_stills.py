"""Stills of the demo's head while it speaks, rendered in real Blenders, and its lips measured.

``FACEWIRE_STILLS=folder`` keeps the pictures, larger and with more samples: those of the docs.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import blenders
import numpy as np
import pytest
from PIL import Image

KEPT = os.environ.get("FACEWIRE_STILLS")
SIZE, SAMPLES = ("45", "32") if KEPT else ("25", "6")

STILLS = """
import array
from facewire_blender import demo, presets, takes
scene = demo.build(bpy.context)
bpy.context.window.scene = scene
face = next(each for each in scene.objects if each.name == "face")
take = takes.active(bpy.context)
for each in scene.objects:
    each.select_set(each.type == "MESH")
bpy.context.view_layer.objects.active = face

def points():
    made = face.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    flat = array.array("f", bytes(12 * len(made.vertices)))
    made.vertices.foreach_get("co", flat)
    return [flat[k : k + 3] for k in range(0, len(flat), 3)]

def key(name):
    flat = array.array("f", bytes(12 * len(face.data.vertices)))
    face.data.shape_keys.key_blocks[name].data.foreach_get("co", flat)
    return [flat[k : k + 3] for k in range(0, len(flat), 3)]

# the vertices of the lips that are nearest to each other in the middle, found by what opens them
rest, jaw, smile = key("Basis"), key("jawOpen"), key("mouthSmileLeft")
drop = [a[2] - b[2] for a, b in zip(rest, jaw)]
middle = [k for k, p in enumerate(rest) if abs(p[0]) < 0.003 and p[1] < -0.1 and p[2] < 0.05]
lower = [k for k in middle if drop[k] > 0.5 * max(drop)]
upper = [k for k in middle if drop[k] < 0.15 * max(drop)]
apart = lambda u, l: sum((a - b) ** 2 for a, b in zip(rest[u], rest[l]))
u, l = min(((u, l) for u in upper for l in lower), key=lambda pair: apart(*pair))
corner = max(range(len(rest)), key=lambda k: smile[k][2] - rest[k][2])
opening = drop[l] - drop[u]

def phone(text):
    mark = [m for m in take.marks if m.kind == "phone" and m.text == text][-1]
    return take.start + round((mark.start + mark.end) / 2 * take.fps)

def still(name, frame):
    scene.frame_set(frame)
    now = points()
    gap = ((now[u][2] - now[l][2]) - (rest[u][2] - rest[l][2])) / opening
    scene.render.filepath = f"{args[0]}/{name}.png"
    bpy.ops.render.render(write_still=True)
    tell({"name": name, "frame": frame, "gap": gap, "forward": rest[l][1] - now[l][1],
          "corner": now[corner][2] - rest[corner][2]})

scene.render.engine = "CYCLES"
scene.cycles.samples, scene.cycles.use_denoising = int(args[2]), False
scene.render.resolution_percentage = int(args[1])
for name, text in (("m", "m"), ("a", "ɑː"), ("u", "ˈuː")):
    still(name, phone(text))
scene.frame_set(scene.frame_end)
bpy.ops.facewire.apply_face(face="joy L5", key=True)
still("joy", scene.frame_end)
"""


@pytest.mark.parametrize("blender", blenders.every())
def test_the_demo_speaks(blender: Any, tmp_path: Path) -> None:
    folder = Path(KEPT).resolve() / ".".join(map(str, blender.version)) if KEPT else tmp_path
    told = blender.run(STILLS, folder, SIZE, SAMPLES, addon=True, timeout=600).told
    by_name = {each["name"]: each for each in told}
    assert by_name["m"]["gap"] < 0.06  # jawOpen alone at 1 is 1
    assert by_name["a"]["gap"] > 0.15 > by_name["u"]["gap"] > 0.02
    assert by_name["u"]["forward"] > by_name["a"]["forward"] + 0.001  # metres: lips are rounded
    assert by_name["joy"]["corner"] > by_name["u"]["corner"] + 0.003
    pictures = {name: pixels(folder / f"{name}.png") for name in by_name}
    for picture in pictures.values():
        assert picture.std() > 25  # a lit face before a dark ground
        skin = picture[..., 0] - picture[..., 2]
        assert (skin > 15).mean() > 0.15
    names = list(pictures)
    for one, other in itertools.pairwise(names):
        assert np.abs(pictures[one] - pictures[other]).max() > 40


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"), np.float32)
