"""The demo: the head is Facewire's, and pressing play shows it speaking with its sound."""

from __future__ import annotations

import sys
import wave
from importlib.resources import files
from pathlib import Path
from typing import Any

import blenders
import numpy as np
import pytest
from blender_addon_parts import CODE, addon, scripted
from facewire.articulation import closures, lip_gap
from facewire.rig import Rig
from facewire_preview.head import load_head

EVERY = pytest.mark.parametrize("blender", blenders.every())


def test_the_head_is_the_previews() -> None:
    own = files("facewire_preview").joinpath("data/head.glb").read_bytes()
    assert (CODE / "data/head.glb").read_bytes() == own


def test_the_reader_reads_what_the_preview_reads() -> None:
    """Vertices and shapes are those of the preview's own reader, turned to z up."""
    parts, materials = addon("demo_head").read_head()
    head, count = load_head(), 0
    assert [material.name for material in materials] == ["skin", "eye", "mouth"]
    for part in reversed(parts):  # the preview has the last node first
        points = y_up(part.points) + y_up(part.at)
        rows = slice(count, count + len(points))
        assert np.abs(points - head.positions[rows]).max() < 1e-6
        assert np.abs(np.array(part.colors).reshape(-1, 4)[:, :3] - head.colors[rows]).max() < 1e-6
        for name, shape in part.shapes.items():
            at, by = head.morphs[name]
            whole = np.zeros_like(head.positions)
            whole[at] = by
            assert np.abs(y_up(shape) - y_up(part.points) - whole[rows]).max() < 1e-6
        assert max(part.triangles) < len(points)
        count += len(points)
    assert count == len(head.positions)
    assert len(next(part for part in parts if part.name == "face").shapes) == 52


def y_up(flat: Any) -> np.ndarray:
    points = np.array(flat, np.float64).reshape(-1, 3)
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


def test_the_reader_needs_the_standard_library_alone() -> None:
    text = (CODE / "demo_head.py").read_text("utf-8")
    named = {line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))}
    assert named <= set(sys.stdlib_module_names) | {"__future__"}


def test_the_take_speaks() -> None:
    """Its words are there, its lips shut at every /p b m/, and the sound lasts as long."""
    clip = addon("clip").read(CODE / "data/demo.json")
    rig = Rig.named("arkit61")
    assert set(clip.channels) == set(rig.channels)
    values = np.array([clip.column(name) for name in rig.channels], np.float32).T
    shut = closures(lip_gap(values, rig), float(clip.fps))
    for mark in clip.marks:
        if mark.kind == "phone" and mark.text in "pbm":
            assert any(a <= mark.end and b >= mark.start - 0.04 for a, b in shut), mark
    assert len([mark for mark in clip.marks if mark.kind == "word"]) == 20
    with wave.open(clip.sound) as sound:
        assert abs(sound.getnframes() / sound.getframerate() - len(clip) / clip.fps) < 0.05


PLAYED = """
import sys
sys.modules["numpy"] = None  # Debian's Blender comes without it
import array
old = scene.name
bpy.ops.facewire.demo()
made = bpy.data.scenes["Facewire Demo"]
bpy.context.window.scene = made
made.frame_set(1)
gap = lambda: made.objects["face"].data.shape_keys.key_blocks["jawOpen"].value
jaw = []
for frame in range(1, 194):
    made.frame_set(frame)
    jaw.append(round(gap(), 5))
editor = made.sequence_editor
sounds = getattr(editor, "strips_all", None) or editor.sequences_all
eyes = [list(made.objects["eyeLeft"].rotation_euler)]
made.frame_set(100)
eyes.append(list(made.objects["eyeLeft"].rotation_euler))
again = bpy.ops.facewire.demo()
tell({"scenes": sorted(each.name for each in bpy.data.scenes), "old": old, "jaw": jaw,
      "sounds": [[each.type, each.frame_start] for each in sounds],
      "range": [made.frame_start, made.frame_end, made.render.fps], "sync": made.sync_mode,
      "camera": made.camera is not None, "lights": sum(o.type == "LIGHT" for o in made.objects),
      "words": [each.name for each in sorted(made.timeline_markers, key=lambda m: m.frame)][:3],
      "again": list(again), "eyes": eyes,
      "materials": [slot.material.name for slot in made.objects["face"].material_slots]})
"""


@EVERY
def test_play_shows_a_talking_head(blender: Any) -> None:
    (told,) = scripted(blender, PLAYED)
    clip = addon("clip").read(CODE / "data/demo.json")
    assert told["scenes"] == sorted([told["old"], "Facewire Demo"]) and told["again"] == [
        "FINISHED"
    ]
    assert told["jaw"] == pytest.approx(list(clip.column("jawOpen")), abs=1e-5)
    assert [kind for kind, _ in told["sounds"]] == ["SOUND"] and told["sounds"][0][1] == 1
    assert told["range"] == [1, 193, 30] and told["sync"] == "AUDIO_SYNC"
    assert told["camera"] and told["lights"] == 4 and told["materials"] == ["skin"]
    assert told["words"] == ['"Hello"', '"I am"', '"Ada"']
    assert told["eyes"][0] != told["eyes"][1]


BROKEN = """
import os, shutil, sys
from pathlib import Path
sys.path.insert(0, args[0])
for name in [name for name in sys.modules if name.startswith("facewire_blender")]:
    if name == "facewire_blender":
        sys.modules[name].unregister()
for name in [name for name in sys.modules if name.startswith("facewire_blender")]:
    del sys.modules[name]
import facewire_blender
facewire_blender.register()
try:
    bpy.ops.facewire.demo()
except RuntimeError as error:
    tell([str(error), len(bpy.data.scenes), len(bpy.data.objects)])
"""


def test_a_broken_installation_is_told(tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "facewire_blender"
    shutil.copytree(CODE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "data/demo.wav").unlink()
    (told,) = scripted(blenders.newest(), BROKEN, tmp_path)
    assert "demo.wav is missing from the add-on" in told[0] and told[1:] == [1, 0]
