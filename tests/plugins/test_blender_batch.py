"""Bake Many: what a folder or manifest lists, and batches in real Blenders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import blenders
import facewire
import numpy as np
import pytest
from blender_addon_parts import CODE, addon
from blenders import Blender
from facewire_blender import wire

CHANNELS = ("jawOpen", "mouthClose", "browInnerUp")
FACE = """
def face(name):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    made = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(made)
    made.shape_key_add(name="Basis")
    for key in ("jawOpen", "mouthClose", "browInnerUp"):
        made.shape_key_add(name=key)
    return made
"""


def write(folder: Path, name: str, rows: int = 24, top: float = 0.8, marks: bool = False) -> Path:
    """Write a take as JSON: a jaw that opens once."""
    jaw = top * np.sin(np.linspace(0, np.pi, rows))
    told = {
        "fps": 24, "channels": CHANNELS,
        "values": [[round(float(v), 6), 0.0, 0.1] for v in jaw],
        "marks": [{"kind": "word", "text": "ah", "start": 0.1, "end": 0.4}] if marks else [],
    }  # fmt: skip
    path = folder / f"{name}.json"
    path.write_text(json.dumps(told))
    return path


def lines_of(path: Path) -> list[tuple[str, str]]:
    return [(item.name, item.path.name) for item in addon("listing").listed(path)]


# -- what is listed ------------------------------------------------------------------------------


def test_a_folder_is_its_takes_each_once_in_the_fullest_format(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write(tmp_path, name)
    for name in ("a.csv", "a.wav", ".hidden.json", "c.npz", "d.facewire", "a.bake.json", "x.html"):
        (tmp_path / name).write_text("")
    (tmp_path / "sub.json").mkdir()
    assert lines_of(tmp_path) == [
        ("a", "a.json"), ("b", "b.json"), ("c", "c.npz"), ("d", "d.facewire"),
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_a_manifest_says_what_onto_what_and_how(suffix: str, tmp_path: Path) -> None:
    rows = [
        {"clip": "a.json"},
        {"clip": "sub/b.csv", "take": "second", "objects": "Kopf", "keys": "simplified"},
        {
            "clip": "c.npz",
            "objects": ["Kopf", "Zunge"],
            "start": 100,
            "strength": 1,
            "place": "nla",
        },
    ]
    text = "\n\n".join(map(json.dumps, rows)) if suffix == ".jsonl" else json.dumps(rows)
    path = tmp_path / f"list{suffix}"
    path.write_text(text)
    one, two, three = addon("listing").listed(path)
    assert (one.name, one.path, one.objects) == ("a", tmp_path / "a.json", ())
    assert (two.name, two.path, two.objects) == ("second", tmp_path / "sub/b.csv", ("Kopf",))
    options = addon("options").Options(strength=0.5)
    assert (two.changed(options).keys, two.changed(options).strength) == ("SIMPLIFIED", 0.5)
    changed = three.changed(options)
    assert (changed.take, changed.start, changed.strength) == ("c", 100, 1)
    assert changed.place == "NLA"


def test_the_manifest_of_facewire_bake_is_one(tmp_path: Path) -> None:
    """A real one: two lines, baked by the engine."""
    script = tmp_path / "lines.jsonl"
    script.write_text('{"id": "hi", "text": "Hi."}\n{"id": "bye", "text": "Bye."}\n')
    profile = tmp_path / "p.yaml"
    profile.write_text(
        "extends: default\nsinks:\n  - {use: files.livelink_csv, path: '{out}/{name}.csv'}\n"
        "  - {use: blender, path: '{out}/{name}.facewire'}\n  - files.wav\n"
    )
    command = [shutil.which("facewire") or "", "bake", script, "--profile", profile, "--out"]
    import sys

    command[0] = str(Path(sys.executable).parent / "facewire")
    done = subprocess.run(
        [str(part) for part in [*command, tmp_path / "out", "--workers", "1"]],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = lines_of(tmp_path / "out/bake.jsonl")
    assert found == [("hi", "hi.facewire"), ("bye", "bye.facewire")]
    item = addon("listing").listed(tmp_path / "out/bake.jsonl")[0]
    assert len(item.read()) > 10 and item.read().sound == ""


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("l.json", "{", "l.json: is not JSON: "),
        ("l.json", "{}", "l.json: expected a list of takes, each an object with 'clip'"),
        ("l.json", "[1]", "l.json: take 1: expected an object with 'clip'"),
        ("l.json", "[{}]", "l.json: take 1: clip is null, expected text"),
        ("l.jsonl", '{"clip": "a.csv"}\n{"klip": 1}', "l.jsonl: line 2: unknown 'klip' (known: "),
        ("l.jsonl", '{"clip": "a.csv"}\n{', "l.jsonl: line 2: is not JSON: "),
        ("l.json", '[{"clip": "a", "start": 1.5}]', "l.json: take 1: start is 1.5, expected a wh"),
        ("l.json", '[{"clip": "a", "strength": true}]', "l.json: take 1: strength is true, expec"),
        ("l.json", '[{"clip": "a", "keys": "all"}]', 'l.json: take 1: keys is "ALL", expected ev'),
        ("l.json", '[{"clip": "a", "objects": [1]}]', "l.json: take 1: objects: expected the na"),
        (
            "l.json", '[{"clip": "x/a.csv"}, {"clip": "y/a.csv"}]',
            "l.json: a.csv and a.csv are both called 'a'; give one another 'take'",
        ),
        (
            "l.jsonl", '{"name": "hi", "digests": {}, "outputs": ["hi.html"]}',
            "l.jsonl: line 1: 'hi' has no take among its outputs",
        ),
        ("l.txt", "", "expected a folder of takes, or a manifest"),
        ("l.jsonl", "", "holds no takes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(
    name: str, text: str, line: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(addon("errors").AddonError) as told:
        addon("listing").listed(path)
    assert line in str(told.value) and "\n" not in str(told.value)


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "no", tmp_path / "no.jsonl"):
        with pytest.raises(addon("errors").AddonError):
            addon("listing").listed(path)


# -- in Blender ----------------------------------------------------------------------------------


@pytest.mark.parametrize("blender", blenders.every())
def test_every_take_of_a_folder_becomes_an_action(blender: Blender, tmp_path: Path) -> None:
    """Two good ones, a package, and three that cannot be: those are told, the others are baked."""
    takes = tmp_path / "takes"
    takes.mkdir()
    write(takes, "one", 24, 0.8, marks=True)
    write(takes, "two", 48, 0.4)
    clip = facewire.animate(text="Ah.")
    clip.save(takes / "three.facewire")
    (takes / "broken.json").write_text("{")
    (takes / "cut.csv").write_text(
        "Timecode,BlendShapeCount,EyeBlinkLeft,JawOpen\n00:00:00:00.000,61,0."
    )
    write(takes, "n" * 64)
    script = (
        FACE
        + """
import json
face("Kopf")
bpy.context.scene.render.fps = 24
try:
    tell(sorted(bpy.ops.facewire.batch(path=args[0], report_path=args[1], save=args[2])))
except RuntimeError as error:
    tell(str(error).strip().splitlines()[-1])
tell([line.body for line in bpy.data.texts["Facewire Batch"].lines])
"""
    )
    report, saved = tmp_path / "report.json", tmp_path / "baked.blend"
    done = blender.run(script, takes, report, saved, addon=True)
    assert "3 of 6 takes baked, 3 failed: broken: broken.json: is not JSON" in done.told[0]
    assert "facewire: 1 of 6: broken: failed: broken.json: is not JSON" in done.output
    table = json.loads(report.read_text("utf-8"))
    assert (table["baked"], table["failed"], table["left"]) == (3, 3, [])
    frames = {row["take"]: row["frames"] for row in table["takes"] if not row["error"]}
    assert frames == {"one": 24, "two": 48, "three": -(-len(clip.frames) * 24 // 60)}
    assert done.told[1][0] == "3 of 6 takes baked, 3 failed" and len(done.told[1]) >= 7
    look = """
from facewire_blender import actions, takes
keys = bpy.data.objects["Kopf"].data.shape_keys
found = {}
for name in takes.names():
    (action,) = takes.find(name)
    curve = actions.find(action, keys, 'key_blocks["jawOpen"].value')
    found[name] = [action.use_fake_user, max(round(curve.evaluate(f), 3) for f in range(1, 60))]
tell(found)
tell(keys.animation_data.action.name)
tell(len(bpy.data.sounds))
"""
    found, active, sounds = blender.run(look, addon=True, blend=saved).told
    assert set(found) == {"one", "two", "three"} and all(kept for kept, _ in found.values())
    assert found["one"][1] == pytest.approx(0.8, abs=0.01)
    assert found["two"][1] == pytest.approx(0.4, abs=0.01)
    assert active == "two" and sounds == 0


@pytest.mark.parametrize("blender", blenders.ends())
def test_a_manifest_bakes_onto_the_meshes_it_names(blender: Blender, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path, name)
    rows = [
        {"clip": "a.json", "objects": "Kopf", "start": 11},
        {"clip": "b.json", "take": "bee", "objects": ["Hut"], "keys": "simplified"},
        {"clip": "a.json", "take": "none", "objects": ["Nobody"]},
    ]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    script = (
        FACE
        + """
from facewire_blender import batch, takes
face("Kopf"), face("Hut")
found = batch.prepared(bpy.context, args[0])
while not found.done:
    found.step(bpy.context)
tell(found.lines())
tell([[takes.get(n).start, list(takes.get(n).objects)] for n in ("a", "bee")])
keys = [bpy.data.objects[n].data.shape_keys.animation_data.action.name for n in ("Kopf", "Hut")]
tell(keys)
"""
    )
    lines, held, active = blender.run(script, tmp_path / "list.json", addon=True).told
    assert lines[0] == "2 of 3 takes baked, 1 failed"
    assert lines[3].startswith("none: failed: there is no mesh 'Nobody' (meshes: ")
    assert held == [[11, ["Kopf"]], [1, ["Hut"]]] and active == ["a", "bee"]


@pytest.mark.external
@pytest.mark.parametrize("good", [True, False])
def test_a_render_farms_command_line(good: bool, tmp_path: Path) -> None:
    """As the documentation has it: an installed add-on, --python-expr, and the exit status."""
    blender = blenders.program()
    takes, made = tmp_path / "takes", tmp_path / "set.blend"
    takes.mkdir()
    write(takes, "one")
    if not good:
        (takes / "two.json").write_text("[]")
    # what the file has selected is no face
    script = (
        FACE
        + """
face("Kopf")
bpy.ops.mesh.primitive_cube_add()
bpy.ops.wm.save_as_mainfile(filepath=args[0])
"""
    )
    blender.run(script, made)
    addons = tmp_path / "scripts/addons"
    addons.mkdir(parents=True)
    os.symlink(CODE, addons / "facewire_blender")
    expression = (
        "import bpy; bpy.ops.facewire.batch(path='takes', report_path='report.json', "
        "save='baked.blend')"
    )
    done = subprocess.run(
        [
            blender.path, "-b", "-noaudio", str(made), "--addons", "facewire_blender",
            "--python-exit-code", "1", "--python-expr", expression,
        ],
        cwd=tmp_path, env=blenders.environment(str(tmp_path)), capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == (0 if good else 1), done.stdout + done.stderr
    assert (tmp_path / "baked.blend").is_file()
    assert json.loads((tmp_path / "report.json").read_text())["baked"] == 1
    assert "facewire: 1 of" in done.stdout


@pytest.mark.parametrize("blender", blenders.ends())
def test_what_cannot_begin_is_told_and_changes_nothing(blender: Blender, tmp_path: Path) -> None:
    script = (
        FACE
        + """
def line(**given):
    try:
        bpy.ops.facewire.batch(**given)
    except RuntimeError as error:
        return str(error).strip().splitlines()[-1]
tell(line(path=args[0]))
tell(line(path=args[1]))
face("Kopf")
tell(line())
tell(line(path=args[0] + "/none"))
tell(line(path=args[0]))
tell([len(bpy.data.actions), len(bpy.data.texts)])
"""
    )
    (tmp_path / "takes").mkdir()
    write(tmp_path / "takes", "one")
    told = blender.run(script, tmp_path, tmp_path / "takes", addon=True).told
    assert "holds no takes" in told[0]
    assert "no mesh of the scene has shape keys with ARKit's names" in told[1]
    assert "choose a folder of takes, or a manifest" in told[2]
    assert "expected a folder of takes, or a manifest" in told[3]
    assert "holds no takes" in told[4]
    assert told[5] == [0, 0]


def test_a_hundred_takes_are_baked_in_seconds(tmp_path: Path) -> None:
    blender = blenders.newest()
    for k in range(100):
        write(tmp_path, f"take{k:03d}", 240)
    script = (
        FACE
        + """
import time
from facewire_blender import batch, takes
face("Kopf")
found = batch.prepared(bpy.context, args[0])
begin = time.monotonic()
while not found.done:
    found.step(bpy.context)
tell(time.monotonic() - begin)
tell([found.failed, len(takes.names())])
"""
    )
    seconds, counts = blender.run(script, tmp_path, addon=True).told
    assert counts == [0, 100]
    assert seconds < 30, seconds


def test_the_wire_file_is_what_a_batch_reads(tmp_path: Path) -> None:
    assert addon("package").SUFFIX == wire.SUFFIX == addon("listing").SUFFIXES[0]
