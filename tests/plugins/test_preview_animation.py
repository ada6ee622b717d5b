"""The head with a run as its animation: glTF and USD, read back by other readers."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from fractions import Fraction

import numpy as np
import pytest
from facewire import animate
from facewire.rig import Rig
from facewire_preview.head import load_head
from facewire_preview.pose import matrix, posed

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def clip():
    return animate(text="[joy:80] Bob, look up and down the road.")


@pytest.fixture(scope="module")
def glb(clip, tmp_path_factory):
    return clip.save(tmp_path_factory.mktemp("glb") / "take.glb")


def read(path):
    """Return the document and each accessor as floats, by the specification alone."""
    data = path.read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + size])
    buffer = data[28 + size :]

    def floats(index: int) -> np.ndarray:
        accessor = document["accessors"][index]
        view = document["bufferViews"][accessor["bufferView"]]
        width = {"SCALAR": 1, "VEC4": 4}[accessor["type"]]
        raw = np.frombuffer(buffer, "<f4", accessor["count"] * width, view["byteOffset"])
        return raw.reshape(-1, width)

    return document, floats


def test_weights_are_the_frames(clip, glb) -> None:
    document, floats = read(glb)
    (animation,) = document["animations"]
    frames, seen = clip.frames, set()
    for channel in animation["channels"]:
        sampler, target = animation["samplers"][channel["sampler"]], channel["target"]
        times = floats(sampler["input"])[:, 0]
        np.testing.assert_allclose(times, np.arange(len(frames)) / 60, atol=1e-6)
        if target["path"] == "weights":
            mesh = document["meshes"][document["nodes"][target["node"]]["mesh"]]
            names = mesh["extras"]["targetNames"]
            weights = floats(sampler["output"]).reshape(len(frames), len(names))
            for i, name in enumerate(names):
                wanted = frames.values[:, frames.rig.index(name)]
                np.testing.assert_array_equal(weights[:, i], wanted)
                seen.add(name)
    assert seen == set(Rig.named("arkit52").channels)


def test_head_and_eyes_turn_as_the_picture_does(clip, glb) -> None:
    document, floats = read(glb)
    (animation,) = document["animations"]
    head, frames = load_head(), clip.frames
    row = int(np.abs(frames.values[:, frames.rig.index("headYaw")]).argmax())
    turned = {}
    for channel in animation["channels"]:
        if channel["target"]["path"] == "rotation":
            output = animation["samplers"][channel["sampler"]]["output"]
            turned[channel["target"]["node"]] = floats(output)
    assert set(turned) == set(head.nodes.values())
    x, y, z, w = turned[head.nodes["head"]][row]
    values = frames.values[row]
    angles = [values[frames.rig.index(f"head{axis}")] for axis in ("Yaw", "Pitch", "Roll")]
    wanted = matrix(*map(float, angles))
    got = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    for values in turned.values():
        np.testing.assert_allclose((values**2).sum(axis=1), 1, atol=1e-5)
        assert ((values[1:] * values[:-1]).sum(axis=1) > 0).all()


def test_another_reader_takes_it(clip, glb) -> None:
    pygltflib = pytest.importorskip("pygltflib")
    document = pygltflib.GLTF2().load(str(glb))
    assert len(document.animations) == 1 and document.animations[0].name == clip.name
    assert [node.name for node in document.nodes] == [
        node["name"] for node in read(glb)[0]["nodes"]
    ]


@pytest.mark.external
def test_the_validator_finds_nothing(glb) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    script = (
        "const v = require('gltf-validator'), fs = require('fs');"
        "v.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))"
        ".then(r => console.log(JSON.stringify(r.issues)));"
    )
    root = subprocess.run(["npm", "root", "-g"], capture_output=True, text=True).stdout.strip()
    done = subprocess.run(
        ["node", "-e", script, str(glb)], capture_output=True, text=True, env={"NODE_PATH": root}
        | {"PATH": "/usr/bin:/bin:/usr/local/bin"},
    )  # fmt: skip
    if "Cannot find module" in done.stderr:
        pytest.skip("gltf-validator is not installed (npm install -g gltf-validator)")
    issues = json.loads(done.stdout)
    assert issues["numErrors"] == 0, issues["messages"][:3]
    assert issues["numWarnings"] == 0, issues["messages"][:3]


@pytest.mark.parametrize("suffix", [".usda", ".usdc"])
def test_usd_moves_its_points_as_the_picture_does(clip, tmp_path, suffix) -> None:
    pytest.importorskip("pxr")
    from pxr import Usd, UsdSkel

    path = clip.save(tmp_path / f"take{suffix}")
    stage = Usd.Stage.Open(str(path))
    assert stage.GetTimeCodesPerSecond() == 60 and stage.GetEndTimeCode() == len(clip.frames) - 1
    cache = UsdSkel.Cache()
    root = UsdSkel.Root(stage.GetDefaultPrim())
    cache.Populate(root, Usd.PrimDefaultPredicate)
    (binding,) = cache.ComputeSkelBindings(root, Usd.PrimDefaultPredicate)
    query = cache.GetSkelQuery(binding.GetSkeleton())
    animation = query.GetAnimQuery()
    names = list(animation.GetBlendShapeOrder())
    frames, head = clip.frames, load_head()
    columns = frames.rig.indices(*names)
    for row in (0, len(frames) // 2, len(frames) - 1):
        weights = np.array(animation.ComputeBlendShapeWeights(row))
        np.testing.assert_allclose(weights, frames.values[row, columns], atol=1e-6)
        (target,) = binding.GetSkinningTargets()
        made = _skinned(target, query, names, weights, row)
        np.testing.assert_allclose(made, posed(head, frames.values[row], frames.rig), atol=2e-5)


def _skinned(target, query, names, weights, row):
    from pxr import UsdSkel

    prim = target.GetPrim()
    points = prim.GetAttribute("points").Get()
    shapes = UsdSkel.BlendShapeQuery(UsdSkel.BindingAPI(prim))
    sub, which, of = shapes.ComputeSubShapeWeights(list(map(float, weights)))
    shapes.ComputeDeformedPoints(
        sub, which, of, shapes.ComputeBlendShapePointIndices(),
        shapes.ComputeSubShapePointOffsets(), points,
    )  # fmt: skip
    joints = query.ComputeSkinningTransforms(row)
    target.ComputeSkinnedPoints(joints, points, row)
    return np.array(points)


def test_the_frames_keep_their_own_rate(clip, tmp_path) -> None:
    slow = animate(text="Hello there.", overrides=["fps=29.97"])
    document, floats = read(slow.save(tmp_path / "slow.glb"))
    times = floats(document["animations"][0]["samplers"][0]["input"])[:, 0]
    step = float(1 / Fraction(30000, 1001))
    np.testing.assert_allclose(np.diff(times), step, atol=1e-5)
