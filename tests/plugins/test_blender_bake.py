"""``facewire blender bake`` in real Blenders, and what its files hold when they are read again."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sysconfig
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import blenders
import numpy as np
import pygltflib
import pytest
import soundfile
from blender_addon_parts import CODE, addon
from blenders import Blender
from facewire.errors import FacewireError, InputError, StageError
from facewire_blender import find, wire
from facewire_blender.bake import TOLD, Job, bake

HEAD = CODE / "data/head.glb"
FACEWIRE = Path(sysconfig.get_path("scripts")) / "facewire"
SHOWN = ("jawOpen", "mouthClose", "eyeBlinkLeft", "browInnerUp")
READ = """
import numpy
from facewire_blender.match import match
for name, kind in (("bool", bool), ("int", int), ("float", float), ("object", object)):
    if name not in vars(numpy):
        setattr(numpy, name, kind)  # Debian's Blender 3.4 has a newer numpy than it knows
for path in args[2:]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = int(args[1])
    {".blend": lambda: bpy.ops.wm.open_mainfile(filepath=path),
     ".glb": lambda: bpy.ops.import_scene.gltf(filepath=path),
     ".fbx": lambda: bpy.ops.import_scene.fbx(filepath=path)}[path[path.rindex("."):]]()
    scene = bpy.context.scene
    face = scene.objects["face"]
    keys = match([key.name for key in face.data.shape_keys.key_blocks])
    rows = []
    for frame in range(0, 60):
        scene.frame_set(frame)
        blocks = face.data.shape_keys.key_blocks
        rows.append([blocks[keys[name]].value for name in args[0].split(",")])
    tell(rows)
    strips = scene.sequence_editor
    strips = (strips.strips if hasattr(strips, "strips") else strips.sequences) if strips else []
    tell({"first": scene.frame_start, "last": scene.frame_end,
          "fps": scene.render.fps / scene.render.fps_base,
          "sounds": [[s.frame_start, s.sound.filepath] for s in strips],
          "markers": [m.name for m in scene.timeline_markers]})
"""


def take(folder: Path, rows: int = 90) -> Path:
    """Write a package of 1.5 s at 60: a jaw that goes, two closures, a blink, brows; and sound."""
    channels = tuple(c for c in wire.CHANNELS)
    values = np.zeros((rows, len(channels)), np.float32)
    at = np.arange(rows)
    values[:, channels.index("jawOpen")] = 0.25 - 0.2 * np.cos(at * 2 * np.pi / 30)
    for k in (28, 58):
        values[k : k + 5, channels.index("jawOpen")] = 0.1
        values[k : k + 5, channels.index("mouthClose")] = 0.1
    values[40:46, channels.index("eyeBlinkLeft")] = 1.0
    values[:, channels.index("browInnerUp")] = np.linspace(0, 0.7, rows)
    values[:, channels.index("headYaw")] = np.linspace(0, 0.3, rows)
    values[:, channels.index("leftEyeYaw")] = np.linspace(0, 0.2, rows)
    sound = folder / "sound.wav"
    soundfile.write(sound, np.sin(np.arange(24000) / 10) * 0.3, 16000, subtype="PCM_16")
    path = folder / "speech.facewire"
    told = wire.Manifest("speech", (60, 1), channels, rows, (wire.Timed("word", "mama", 0.1, 0.6),))
    with path.open("wb") as file, sound.open("rb") as heard:
        wire.write_package(file, told, io.BytesIO(values.astype("<f4").tobytes()), heard)
    sound.unlink()
    return path


def expected(path: Path, fps: Any, channels: Sequence[str]) -> np.ndarray:
    """Return what the scene's frames shall show, row 0 first."""
    clip = addon("retime").retimed(addon("package").read(path, None), fps)
    return np.array([clip.column(name) for name in channels]).T


def named(blender: Blender) -> dict[str, Any]:
    return {"blender" if blender.program else "python": blender.path, "addon": CODE}


@pytest.mark.parametrize("blender", blenders.every())
def test_all_files_carry_the_animation_when_they_are_read_again(
    blender: Blender, tmp_path: Path
) -> None:
    outputs = {kind: tmp_path / f"out.{kind}" for kind in ("blend", "glb", "fbx")}
    job = Job(str(take(tmp_path)), HEAD, outputs, Fraction(24))
    lines = bake(job, **named(blender))
    assert lines[0].startswith("take speech: frames 1 to 36, ")
    assert lines[-3:] == [f"result: {path}" for path in outputs.values()]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"speech.facewire", "speech.wav", "out.blend", "out.glb", "out.fbx"}
    wanted = expected(tmp_path / "speech.facewire", Fraction(24), SHOWN)
    assert len(wanted) == 36
    told = blender.run(READ, ",".join(SHOWN), "24", *outputs.values()).told
    # where Blender's importers put the first frame: glTF counts seconds from 0, FBX comes one late
    for kind, first, rows in zip(outputs, (1, 0, 2), told[::2], strict=True):
        assert np.abs(np.array(rows)[first : first + 36] - wanted).max() < 1e-5, kind
    scene = told[1]
    assert (scene["first"], scene["last"], scene["fps"]) == (1, 36, 24)
    assert scene["sounds"] == [[1, "//speech.wav"]] and scene["markers"] == ['"mama"']
    in_gltf(outputs["glb"], wanted, 24)


def channel(gltf: pygltflib.GLTF2, name: str, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Return times (n,) and values (n, width) of a node's animation."""
    node = next(i for i, n in enumerate(gltf.nodes) if n.name == name)
    (sampler,) = (
        each.samplers[channel.sampler]
        for each in gltf.animations
        for channel in each.channels
        if channel.target.node == node and channel.target.path == path
    )
    blob = gltf.binary_blob()
    found = []
    for index in (sampler.input, sampler.output):
        accessor = gltf.accessors[index]
        view = gltf.bufferViews[accessor.bufferView]
        at = (view.byteOffset or 0) + (accessor.byteOffset or 0)
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type]
        found.append(np.frombuffer(blob, "<f4", accessor.count * width, at))
    return found[0], found[1].reshape(len(found[0]), -1)


def in_gltf(path: Path, wanted: np.ndarray, fps: float) -> None:
    """Read the GLB with another reader: weights of the face at k / fps seconds."""
    gltf = pygltflib.GLTF2().load(str(path))
    mesh = next(n.mesh for n in gltf.nodes if n.name == "face")
    names = gltf.meshes[mesh].extras["targetNames"]
    times, weights = channel(gltf, "face", "weights")
    for k, row in enumerate(wanted):
        near = int(np.abs(times - k / fps).argmin())
        assert abs(times[near] - k / fps) < 1e-4
        found = [weights[near, names.index(name)] for name in SHOWN]
        assert np.abs(np.array(found) - row).max() < 1e-5


@pytest.mark.parametrize("blender", blenders.ends())
def test_a_blend_file_is_baked_at_its_own_rate_and_keeps_what_it_has(
    blender: Blender, tmp_path: Path
) -> None:
    """Sound goes in through the engine: a WAV is animated by a profile."""
    made = tmp_path / "set.blend"
    script = """
    mesh = bpy.data.meshes.new("Kopf")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    for name in ("Kopf", "Other"):
        each = bpy.data.objects.new(name, mesh.copy())
        bpy.context.scene.collection.objects.link(each)
        each.shape_key_add(name="Basis")
        for key in ("JawOpen", "MouthClose", "EyeBlinkLeft"):
            each.shape_key_add(name=key)
    bpy.context.scene.render.fps = 30
    bpy.ops.wm.save_as_mainfile(filepath=args[0])
    """
    blender.run("\n".join(line[4:] for line in script.splitlines()), made)
    before = made.read_bytes()
    wav = tmp_path / "mama.wav"
    buzz = np.sin(np.arange(16000) / 8) * np.abs(np.sin(np.arange(16000) / 2000)) * 0.3
    soundfile.write(wav, buzz, 16000)
    job = Job(str(wav), made, {"blend": tmp_path / "out.blend"}, objects=("Kopf",))
    lines = bake(job, **named(blender))
    assert lines[0].startswith("take mama: frames 1 to 30, ")
    assert any("not found, so not keyed: " in line for line in lines)
    assert made.read_bytes() == before
    look = """
    def keyed(name):
        keys = bpy.data.objects[name].data.shape_keys
        return bool(keys.animation_data and keys.animation_data.action)
    tell([keyed("Kopf"), keyed("Other"), bpy.context.scene.render.fps])
    """
    look = "\n".join(line[4:] for line in look.splitlines())
    assert blender.run(look, blend=tmp_path / "out.blend").told == [[True, False, 30]]


@pytest.mark.external
def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    blender = blenders.newest()
    option = ["--blender" if blender.program else "--python", blender.path, "--addon", CODE]
    path = take(tmp_path)
    command = [FACEWIRE, "blender", "bake", path, "--mesh", HEAD, "--glb", tmp_path / "o.glb"]
    done = subprocess.run(
        [str(part) for part in [*command, "--fps", "29.97", "--keys", "simplified", *option]],
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "take speech: frames 1 to 45" in done.stdout
    assert done.stdout.splitlines()[-1] == f"result: {tmp_path / 'o.glb'}"
    assert {p.name for p in tmp_path.iterdir()} == {"speech.facewire", "o.glb"}


@pytest.mark.parametrize("blender", blenders.ends())
def test_head_and_eyes_turn_in_the_glb(blender: Blender, tmp_path: Path) -> None:
    """Our head's nodes; glTF is Y up and looks along Z: a turn to the subject's right is -Y."""
    path, out = take(tmp_path), tmp_path / "out.glb"
    turns = {"head": "head", "left_eye": "eyeLeft", "right_eye": "eyeRight"}
    bake(Job(str(path), HEAD, {"glb": out}, Fraction(60), turns=turns), **named(blender))
    gltf = pygltflib.GLTF2().load(str(out))
    for name, angle in (("head", 0.3), ("eyeLeft", 0.2)):
        times, rows = channel(gltf, name, "rotation")
        assert len(times) >= 90
        assert np.abs(np.abs(rows[-1]) - [0, np.sin(angle / 2), 0, np.cos(angle / 2)]).max() < 1e-3
        assert rows[-1][1] * rows[-1][3] < 0
    with pytest.raises(FacewireError, match="blender: head: there is no object 'Kopf'"):
        bake(Job(str(path), HEAD, {"glb": out}, turns={"head": "Kopf"}), **named(blender))


@pytest.mark.parametrize("blender", blenders.every()[:1])
def test_what_blender_refuses_is_one_line_and_leaves_no_file(
    blender: Blender, tmp_path: Path
) -> None:
    path = take(tmp_path)
    out = tmp_path / "out.blend"
    out.write_bytes(b"mine")
    broken, plain = tmp_path / "broken.glb", tmp_path / "plain.blend"
    broken.write_bytes(b"no glTF at all")
    blender.run("bpy.ops.wm.save_as_mainfile(filepath=args[0])", plain)
    cut = tmp_path / "cut.facewire"
    cut.write_bytes(path.read_bytes()[:900])
    for job, line in (
        (Job(str(path), broken, {"blend": out}), "blender: broken.glb: cannot be read: "),
        (Job(str(path), plain, {"blend": out}), "blender: no mesh of the file has shape keys"),
        (
            Job(str(path), HEAD, {"blend": out}, objects=("Kopf",)),
            "blender: --object 'Kopf': there is no such mesh (meshes: eyeLeft, eyeRight, face, ",
        ),
        (Job(str(cut), HEAD, {"blend": out}), "blender: cut.facewire: no package of Facewire"),
    ):
        with pytest.raises(FacewireError) as told:
            bake(job, **named(blender))
        assert str(told.value).startswith(line)
        assert "\n" not in str(told.value)
        assert out.read_bytes() == b"mine"
    assert {p.name for p in tmp_path.iterdir()} == {
        "speech.facewire", "out.blend", "broken.glb", "plain.blend", "cut.facewire",
    } | ({"plain.blend1"} & {p.name for p in tmp_path.iterdir()})  # fmt: skip


def fake(folder: Path, text: str) -> str:
    """Write a program that stands where Blender should."""
    path = folder / "blender"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("echo Segmentation fault >&2; exit 139", "ended with status 139: Segmentation fault"),
        ("exit 4", "ended with status 4: without a word"),
        ("""echo 'facewire-told:{"error": "no"}'; exit 2""", "blender: no"),
        ("""echo 'facewire-told:{"lines": []}'""", "blender: wrote no out.blend and did not say"),
    ],
)
def test_a_blender_that_breaks_is_told_in_one_line(text: str, line: str, tmp_path: Path) -> None:
    path = take(tmp_path)
    job = Job(str(path), HEAD, {"blend": tmp_path / "out.blend"})
    with pytest.raises((FacewireError, StageError)) as told:
        bake(job, blender=fake(tmp_path, text))
    assert line in str(told.value) and "\n" not in str(told.value)
    assert {p.name for p in tmp_path.iterdir()} == {"speech.facewire", "blender"}


@pytest.mark.parametrize(
    ("blender", "place"),
    [
        pytest.param(*each.values, place, id=f"{each.id} {place}", marks=each.marks)
        for each, place in zip(
            blenders.ends(), ("scripts/addons", "extensions/user_default"), strict=False
        )
    ],
)
def test_an_add_on_that_is_installed_is_used_and_one_that_is_not_is_told(
    blender: Blender, place: str, tmp_path: Path
) -> None:
    """Among Blender's own add-ons (3.4), and as an extension (4.2 and later)."""
    job: dict[str, Any] = {
        "clip": "", "mesh": str(HEAD), "outputs": {}, "sound": None, "fps": None, "objects": [],
        "keys": "EVERY", "addon": "", "turns": {},
    }  # fmt: skip
    file = tmp_path / "job.json"
    file.write_text(json.dumps(job))
    script = Path(wire.__file__).with_name("inside.py")
    command = find.Blender(blender.path, blender.program).command(script, str(file))

    def told() -> str:
        environment = blenders.environment(str(tmp_path))
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(TOLD)]
        return line

    assert "the Facewire add-on is not installed in this Blender" in told()
    folder = tmp_path / place
    folder.mkdir(parents=True)
    os.symlink(CODE, folder / "facewire_blender")
    assert "expected a clip that ends in" in told()  # it got as far as the clip, which is none


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"outputs": {}}, "nothing to write; give --out take.blend"),
        ({"outputs": {"blend": "x.glb"}}, "x.glb: expected a file that ends in .blend"),
        ({"outputs": {"glb": "no/x.glb"}}, "no/x.glb: there is no such folder; make it first"),
        ({"mesh": "x.obj"}, "--mesh x.obj: expected a file that ends in .glb, .gltf, .fbx, .blend"),
        ({"mesh": "x.glb"}, "--mesh x.glb: there is no such file"),
        ({"clip": "x.csv"}, "x.csv: there is no such file"),
        ({"profile": "default"}, "--profile: speech.facewire is a take, and nothing is left to"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_blender_runs(
    changed: dict[str, Any], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    take(tmp_path)
    given: dict[str, Any] = {
        "clip": "speech.facewire", "mesh": str(HEAD), "outputs": {"blend": "out.blend"}, **changed
    }  # fmt: skip
    outputs = {kind: Path(path) for kind, path in given["outputs"].items()}
    job = Job(**{**given, "mesh": Path(given["mesh"]), "outputs": outputs})
    with pytest.raises(InputError) as told:
        bake(job, blender=fake(tmp_path, "exit 1"))
    assert str(told.value).startswith(line)


def test_the_input_is_never_written_over(tmp_path: Path) -> None:
    mesh = tmp_path / "a.glb"
    mesh.write_bytes(HEAD.read_bytes())
    job = Job(str(take(tmp_path)), mesh, {"glb": mesh})
    with pytest.raises(InputError, match="is also the input"):
        bake(job, blender=fake(tmp_path, "exit 1"))
