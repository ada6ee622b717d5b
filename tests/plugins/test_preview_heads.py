"""Heads of the user's own: names that are matched, both versions of VRM, and broken files."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from facewire.errors import InputError
from facewire.rig import Rig
from facewire_preview.binding import Target, channel_of
from facewire_preview.command import head as head_command
from facewire_preview.head import load_head
from facewire_preview.pose import posed
from facewire_preview.render import Renderer
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

RIG = Rig.named("arkit61")
POINTS = [[-1, -1, 0], [1, -1, 0], [0, 1, 0.5], [0, 0, 1]]
FACES = [[0, 3, 2], [0, 1, 3], [1, 2, 3]]


def small_glb(names: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """Return a document and its buffer: four points, target k moves point k % 4 up by k + 1."""
    names = ["jawOpen"] if names is None else names
    arrays = [np.array(POINTS, "<f4"), np.array(FACES, "<u2").reshape(-1, 1)]
    for k in range(len(names)):
        moved = np.zeros((4, 3), "<f4")
        moved[k % 4, 1] = k + 1
        arrays.append(moved)
    views, accessors, data = [], [], b""
    for array in arrays:
        raw = array.tobytes()
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": len(raw)})
        kind = ("SCALAR", 5123) if array.shape[1] == 1 else ("VEC3", 5126)
        made = {"bufferView": len(views) - 1, "componentType": kind[1], "count": len(array)}
        if kind[1] == 5126:
            made |= {"min": array.min(0).tolist(), "max": array.max(0).tolist()}
        accessors.append({**made, "type": kind[0]})
        data += raw + b"\0" * (-len(raw) % 4)
    primitive = {"attributes": {"POSITION": 0}, "indices": 1}
    primitive["targets"] = [{"POSITION": 2 + k} for k in range(len(names))]
    mesh = {"primitives": [primitive], "extras": {"targetNames": names}}
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "body"}], "meshes": [mesh],
        "bufferViews": views, "accessors": accessors, "buffers": [{"byteLength": len(data)}],
    }  # fmt: skip
    return {"document": {**document, **more}, "data": data}


def packed(document: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text
    body += struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def written(path: Path, made: dict[str, Any]) -> Path:
    path.write_bytes(packed(made["document"], made["data"]))
    return path


def row(**values: float) -> np.ndarray:
    out = np.zeros(len(RIG), np.float32)
    for channel, value in values.items():
        out[RIG.index(channel)] = value
    return out


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("jawOpen", "jawOpen"),
        ("JawOpen", "jawOpen"),
        ("jaw_open", "jawOpen"),
        ("Wolf3D_Head.jawOpen", "jawOpen"),
        ("blendShape1.eyeBlink_L", "eyeBlinkLeft"),
        ("eyeBlinkR", "eyeBlinkRight"),
        ("EYE_BLINK_RIGHT", "eyeBlinkRight"),
        ("head__mouthSmile_L", "mouthSmileLeft"),
        ("mouthLeft", "mouthLeft"),
        ("mouth_l", "mouthLeft"),
        ("A25_Tongue_Out", "tongueOut"),
        ("mouthSmile", None),
        ("aa", None),
        ("Fcl_MTH_A", None),
        ("", None),
    ],
)
def test_names(name: str, channel: str | None) -> None:
    assert channel_of(name) == channel


def test_every_channel_is_found_under_every_spelling() -> None:
    for channel in Rig.named("arkit52").channels:
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in channel)
        assert channel_of(channel) == channel_of(snake) == channel_of(f"x.{channel}") == channel
        if channel.endswith(("Left", "Right")):
            base, side = channel.removesuffix("Left").removesuffix("Right"), channel[-4:]
            assert channel_of(f"{base}_{'L' if side == 'Left' else 'R'}") == channel


def test_glb_with_named_targets(tmp_path: Path) -> None:
    made = small_glb(["basis_up", "head.JAW_OPEN", "eyeBlink_L"])
    head = load_head(written(tmp_path / "a.glb", made))
    assert set(head.morphs) == {"jawOpen", "eyeBlinkLeft"}
    moved = posed(head, row(jawOpen=0.5), RIG) - head.positions
    assert moved[1].tolist() == [0, 1, 0] and not moved[[0, 2, 3]].any()
    assert head.report().startswith("2 of 52 ARKit shapes matched; missing: ")
    assert head.report().endswith("; 1 targets are no ARKit shapes")
    assert "jawForward" in head.report() and "jawOpen," not in head.report()
    assert Renderer(head).picture(row(jawOpen=1.0), RIG, 32).std() > 0


def test_of_two_names_for_one_channel_the_plainer_wins(tmp_path: Path) -> None:
    head = load_head(written(tmp_path / "a.glb", small_glb(["extra_jawOpen", "jawOpen"])))
    assert head.binding.targets == {"jawOpen": [Target(0, 1, 1.0)]}


def vrm0(names: list[str]) -> dict[str, Any]:
    binds = [{"mesh": 0, "index": 0, "weight": 50}, {"mesh": 0, "index": 1, "weight": 100}]
    group = {"name": "JawOpen", "presetName": "unknown", "binds": binds}
    bones = [{"bone": "head", "node": 0}]
    vrm = {"blendShapeMaster": {"blendShapeGroups": [group]}, "humanoid": {"humanBones": bones}}
    seen = [{"doubleSided": True}]  # these points look the other way than a VRM 0 does
    made = small_glb(names, extensions={"VRM": vrm}, extensionsUsed=["VRM"], materials=seen)
    made["document"]["meshes"][0]["primitives"][0]["material"] = 0
    return made


def test_vrm0_expressions_and_its_back_to_front(tmp_path: Path) -> None:
    head = load_head(written(tmp_path / "a.vrm", vrm0(["one", "two"])))
    assert head.binding.targets["jawOpen"] == [Target(0, 0, 0.5), Target(0, 1, 1.0)]
    moved = posed(head, row(jawOpen=1.0), RIG) - head.positions
    assert moved[0, 1] == 0.5 and moved[1, 1] == 2.0
    assert np.allclose(head.positions, np.array(POINTS) * [-1, 1, -1])
    assert "head" in head.turns


def test_vrm1_expressions(tmp_path: Path) -> None:
    bind = {"node": 0, "index": 1, "weight": 0.25}
    expressions = {"custom": {"jawOpen": {"morphTargetBinds": [bind]}}, "preset": {}}
    vrm = {"expressions": expressions, "humanoid": {"humanBones": {"leftEye": {"node": 0}}}}
    made = small_glb(["a", "b"], extensions={"VRMC_vrm": vrm}, extensionsUsed=["VRMC_vrm"])
    head = load_head(written(tmp_path / "a.vrm", made))
    assert head.binding.targets["jawOpen"] == [Target(0, 1, 0.25)]
    assert set(head.turns) == {"leftEye"} and head.look


def test_skinned_vertices_turn_with_their_bone(tmp_path: Path) -> None:
    made = small_glb()
    joints = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]], np.uint8)
    weights = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0.5, 0.5, 0, 0]], "<f4")
    document, data = made["document"], made["data"]
    for array, kind in ((joints, 5121), (weights, 5126)):
        view = {"buffer": 0, "byteOffset": len(data), "byteLength": array.nbytes}
        document["bufferViews"].append(view)
        at = len(document["bufferViews"]) - 1
        document["accessors"].append(
            {"bufferView": at, "componentType": kind, "count": 4, "type": "VEC4"}
        )
        data += array.tobytes()
    document["buffers"][0]["byteLength"] = len(data)
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    attributes |= {"JOINTS_0": len(document["accessors"]) - 2}
    attributes |= {"WEIGHTS_0": len(document["accessors"]) - 1}
    document["nodes"] = [
        {"mesh": 0, "skin": 0}, {"name": "Hips", "children": [2]},
        {"name": "Head", "translation": [0, 0, 0]},
    ]  # fmt: skip
    document["scenes"][0]["nodes"] = [0, 1]
    document["skins"] = [{"joints": [1, 2]}]
    head = load_head(written(tmp_path / "a.glb", {"document": document, "data": data}))
    assert np.allclose(head.positions, POINTS)
    assert head.turns["head"].weights.tolist() == [0, 0, 1, 0.5]
    moved = posed(head, row(headRoll=np.pi / 2), RIG)
    assert np.allclose(moved[:2], POINTS[:2])
    assert np.allclose(moved[2], [-1, 0, 0.5], atol=1e-6)


def textured(mode: str) -> dict[str, Any]:
    """Return a head whose texture is red on the left; on the right it is clear, over green."""
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:, :2] = (255, 0, 0, 255)
    pixels[:, 2:] = (0, 255, 0, 0)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    made = small_glb(["jawOpen", "mouthClose", "jawLeft", "browInnerUp"])
    document, data = made["document"], made["data"]
    uv = np.array([[0, 1], [1, 1], [0.5, 0], [0.5, 0.5]], "<f4").tobytes()
    for raw in (uv, out.getvalue()):
        view = {"buffer": 0, "byteOffset": len(data), "byteLength": len(raw)}
        document["bufferViews"].append(view)
        data += raw + b"\0" * (-len(raw) % 4)
    views = len(document["bufferViews"])
    accessor = {"bufferView": views - 2, "componentType": 5126, "count": 4, "type": "VEC2"}
    document["accessors"].append(accessor)
    document["buffers"][0]["byteLength"] = len(data)
    document["images"] = [{"bufferView": views - 1, "mimeType": "image/png"}]
    document["textures"] = [{"source": 0}]
    surface = {"baseColorTexture": {"index": 0}, "metallicFactor": 0}
    document["materials"] = [{"pbrMetallicRoughness": surface, "alphaMode": mode}]
    primitive = document["meshes"][0]["primitives"][0]
    primitive["attributes"]["TEXCOORD_0"] = len(document["accessors"]) - 1
    primitive["material"] = 0
    return {"document": document, "data": data}


def test_textures_are_drawn_and_their_holes_cut(tmp_path: Path) -> None:
    def colors(mode: str) -> tuple[int, int]:
        head = load_head(written(tmp_path / f"{mode}.glb", textured(mode)))
        picture = Renderer(head).picture(size=64, samples=1).astype(int)
        red, green = picture[..., 0] - picture[..., 1], picture[..., 1] - picture[..., 0]
        return int((red > 60).sum()), int((green > 60).sum())

    red, green = colors("OPAQUE")
    assert red > 100 and green > 100
    red, green = colors("MASK")
    assert red > 100 and green < 0.5 * red


def test_a_texture_that_is_none(tmp_path: Path) -> None:
    made = textured("OPAQUE")
    made["data"] = made["data"].replace(b"\x89PNG", b"nope")
    with pytest.raises(InputError, match="a texture cannot be read"):
        load_head(written(tmp_path / "a.glb", made))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "KHR_draco_mesh_compression"),
        ({"scenes": [{"nodes": []}]}, "no mesh"),
        ({"meshes": [{"primitives": [{"attributes": {"POSITION": 99}}]}]}, "accessor 99"),
        ({"nodes": [{"mesh": 5}]}, "broken glTF document"),
        ({"nodes": [{"mesh": 0, "children": [0]}]}, "two parents"),
        ({"nodes": 3}, "nodes is no list"),
    ],
)
def test_broken_documents(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = written(tmp_path / "a.glb", small_glb(**change))
    with pytest.raises(InputError, match=message) as caught:
        load_head(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_no_shapes_no_file_no_glb(tmp_path: Path) -> None:
    plain = written(tmp_path / "plain.glb", small_glb(["up", "down"]))
    with pytest.raises(InputError, match="none of its morph targets has an ARKit name"):
        load_head(plain)
    with pytest.raises(InputError, match="cannot be read"):
        load_head(tmp_path / "none.glb")
    (tmp_path / "text.glb").write_text("solid cube and so on")
    with pytest.raises(InputError, match="no GLB or VRM file"):
        load_head(tmp_path / "text.glb")


@given(data=st.data())
def test_damaged_files_say_so_or_load(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    made = small_glb(["jawOpen", "mouthClose"])
    raw = bytearray(packed(made["document"], made["data"]))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "a.glb"
    path.write_bytes(raw[: data.draw(st.integers(1, len(raw)))])
    try:
        head = load_head(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        Renderer(head).picture(row(jawOpen=1.0), RIG, 16)


def test_command_reports(tmp_path: Path) -> None:
    path = written(tmp_path / "a.glb", small_glb(["jawOpen"]))
    done = CliRunner().invoke(head_command, ["check", str(path)])
    assert done.exit_code == 0 and "1 of 52 ARKit shapes matched" in done.output
