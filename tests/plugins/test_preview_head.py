"""The head that comes with facewire-preview: what it holds, and that it moves as it should."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pygltflib
import pytest
from facewire.rig import Rig
from facewire_preview.head import Head, load_head
from facewire_preview.pose import posed
from facewire_preview.raster import rasterize

RIG = Rig.named("arkit61")
DATA = files("facewire_preview").joinpath("data")
SKIN, EYE, MOUTH = 0, 1, 2
SIDE = 400


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


def row(**values: float) -> np.ndarray:
    out = np.zeros(len(RIG), np.float32)
    for channel, value in values.items():
        out[RIG.index(channel)] = value
    return out


def seen(head: Head, **values: float) -> np.ndarray:
    """Return which material is seen at each pixel from the front: (SIDE, SIDE), -1 for none."""
    points = posed(head, row(**values), RIG)
    scale = SIDE / 2 / head.view.reach
    x, y, z = ((points - head.view.centre) * scale).T
    screen = np.stack([SIDE / 2 + x, SIDE / 2 - y, -z], 1).astype(np.float32)
    single = np.zeros(len(head.triangles), bool)
    pixels, triangle, _ = rasterize(screen, head.triangles, single, SIDE, SIDE)
    out = np.full(SIDE * SIDE, -1)
    out[pixels] = head.material[triangle]
    return out.reshape(SIDE, SIDE)


def test_file_is_small_and_has_the_52_shapes() -> None:
    data = DATA.joinpath("head.glb").read_bytes()
    assert len(data) <= 1_500_000
    gltf = pygltflib.GLTF2.load_from_bytes(data)
    names = {node.name for node in gltf.nodes}
    assert {"head", "face", "eyeLeft", "eyeRight", "teethUpper", "teethLower", "tongue"} <= names
    face = next(mesh for mesh in gltf.meshes if mesh.name == "face")
    assert tuple(face.extras["targetNames"]) == Rig.named("arkit52").channels
    assert all(len(p.targets) == 52 for p in face.primitives)
    assert all({"POSITION", "NORMAL"} <= set(t) for p in face.primitives for t in p.targets)
    assert "CC0" in gltf.asset.copyright and "CC0" in DATA.joinpath("LICENSE-head.txt").read_text()


@pytest.mark.external
def test_file_is_valid() -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node is not installed")
    root = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=True)
    code = (
        "const v = require('gltf-validator');"
        "v.validateBytes(new Uint8Array(require('fs').readFileSync(process.argv[1])))"
        ".then(r => console.log(JSON.stringify(r.issues)))"
    )
    place = {**os.environ, "NODE_PATH": root.stdout.strip()}
    command = [node, "-e", code, str(DATA.joinpath("head.glb"))]
    done = subprocess.run(command, capture_output=True, text=True, env=place)
    if "Cannot find module" in done.stderr:
        pytest.skip("gltf-validator is not installed (npm install -g gltf-validator)")
    issues = json.loads(done.stdout)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"][:5]


def test_all_shapes_matched_and_move_something(head: Head) -> None:
    assert head.report() == "52 of 52 ARKit shapes matched"
    assert set(Rig.named("arkit52").channels) == set(head.morphs)
    assert set(head.turns) == {"head", "leftEye", "rightEye"} and head.look


def test_lips_meet_at_rest_and_at_mouth_close_on_an_open_jaw(head: Head) -> None:
    opened = (seen(head, jawOpen=0.6) == MOUTH).sum()
    assert opened > 1000
    assert (seen(head) == MOUTH).sum() < 0.01 * opened
    for jaw in (0.3, 0.6, 1.0):
        closed = (seen(head, jawOpen=jaw, mouthClose=jaw) == MOUTH).sum()
        assert closed < 0.02 * opened, f"at jawOpen {jaw} {closed} pixels of teeth and tongue"


def test_lids_meet_at_blink_and_left_is_the_subjects_left(head: Head) -> None:
    rest, left = seen(head) == EYE, seen(head, eyeBlinkLeft=1.0) == EYE
    both = seen(head, eyeBlinkLeft=1.0, eyeBlinkRight=1.0) == EYE
    assert rest.sum() > 500 and both.sum() == 0
    half = SIDE // 2  # the subject's left is on the picture's right
    assert left[:, half:].sum() == 0
    assert np.array_equal(left[:, :half], rest[:, :half])
    assert (seen(head, eyeWideLeft=1.0) == EYE)[:, half:].sum() > rest[:, half:].sum()


def test_shapes_with_a_side_move_that_side(head: Head) -> None:
    for channel, (at, moved) in head.morphs.items():
        if channel.endswith(("Left", "Right")) and channel not in ("jawLeft", "jawRight"):
            size = np.abs(moved).sum(1)
            if channel in ("mouthLeft", "mouthRight"):
                where = float((moved[:, 0] * size).sum())
            else:
                where = float((head.positions[at, 0] * size).sum())
            assert (where > 0) == channel.endswith("Left"), channel


def test_tongue_comes_out_and_teeth_are_seen(head: Head) -> None:
    tongue = head.morphs["tongueOut"]
    lips = posed(head, row(jawOpen=0.35), RIG)[head.material_of(SKIN), 2].max()
    out = posed(head, row(jawOpen=0.35, tongueOut=1.0), RIG)[tongue[0], 2].max()
    assert out > 0.8 * lips
    parted = dict.fromkeys(("mouthUpperUpLeft", "mouthUpperUpRight"), 1.0)
    assert (seen(head, **parted) == MOUTH).sum() > 200


def test_brows_follow_the_brow_shapes(head: Head) -> None:
    dark = head.colors.sum(1) < 0.45 * head.colors[head.material_of(SKIN)].sum(1).max()
    x, y, z = (head.positions - head.view.centre).T
    brow = np.flatnonzero(dark & (x > 0.01) & (x < 0.06) & (y > 0.04) & (y < 0.07) & (z > 0))
    assert len(brow) > 30
    for channel, way in (("browDownLeft", -1), ("browOuterUpLeft", 1), ("browInnerUp", 1)):
        moved = posed(head, row(**{channel: 1.0}), RIG)[brow, 1] - head.positions[brow, 1]
        assert way * moved.mean() > 0.001, channel
    other = posed(head, row(browDownRight=1.0), RIG)[brow, 1] - head.positions[brow, 1]
    assert np.abs(other).mean() < 0.0002


@pytest.mark.parametrize(
    ("channel", "part", "way"),
    [
        ("leftEyeYaw", "leftEye", (-1, 0)),
        ("eyeLookInLeft", "leftEye", (-1, 0)),
        ("eyeLookOutLeft", "leftEye", (1, 0)),
        ("eyeLookOutRight", "rightEye", (-1, 0)),
        ("eyeLookUpLeft", "leftEye", (0, 1)),
        ("rightEyePitch", "rightEye", (0, -1)),
        ("headYaw", "head", (-1, 0)),
        ("headPitch", "head", (0, -1)),
    ],
)
def test_turns(head: Head, channel: str, part: str, way: tuple[int, int]) -> None:
    """Yaw is + towards the subject's right (-x), pitch + down."""
    turn = head.turns[part]
    at = np.flatnonzero(turn.weights)
    front = at[np.argmax(head.positions[at, 2])]  # the pupil, or the nose
    moved = posed(head, row(**{channel: 0.3}), RIG)[front] - head.positions[front]
    reach = head.positions[front, 2] - turn.pivot[2]
    along = moved[:2] @ np.array(way, float)
    assert along > 0.1 * reach
    assert abs(moved[:2] @ np.array(way[::-1], float)) < 0.4 * along


def test_head_rolls_to_the_right_shoulder(head: Head) -> None:
    top = np.argmax(head.positions[:, 1])
    assert posed(head, row(headRoll=0.3), RIG)[top, 0] < head.positions[top, 0] - 0.02


def test_a_look_given_twice_counts_once(head: Head) -> None:
    eye = np.flatnonzero(head.turns["leftEye"].weights)
    one = posed(head, row(leftEyeYaw=np.radians(35) * 0.5), RIG)[eye]
    both = row(leftEyeYaw=np.radians(35) * 0.5, eyeLookInLeft=0.5)
    assert np.allclose(posed(head, both, RIG)[eye], one, atol=1e-6)
