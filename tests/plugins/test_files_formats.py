"""Audio2Face's formats, Rhubarb's cues and BVH: written, read back, and read by others."""

from __future__ import annotations

import csv
import json
import os
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from facewire import animate
from facewire.articulation import lip_gap
from facewire.assemble import assemble, shared
from facewire.errors import InputError
from facewire.profile import ComponentSpec, load_profile
from facewire.registry import Registry
from facewire.rig import Rig
from facewire.session import Session
from facewire.sources import GivenText

DATA = Path(os.environ.get("FACEWIRE_DATA", Path(__file__).parents[2].parent / "shared/data"))
TEXT = "Bob may buy the map. Fifty five wolves."
KINDS = {
    "a2f_json": "a.json",
    "a2f_csv": "a.csv",
    "rhubarb": "r.tsv",
    "bvh": "b.bvh",
    "npz": "n.npz",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One run through all the sinks."""
    out = tmp_path_factory.mktemp("formats")
    lines = [f'  - {{use: files.{kind}, path: "{{out}}/{file}"}}' for kind, file in KINDS.items()]
    lines += [f'  - {{use: files.rhubarb, path: "{{out}}/r.{kind}"}}' for kind in ("json", "xml")]
    profile = out / "p.yaml"
    profile.write_text(
        "extends: default\nrig: arkit52_tongue\nsinks:\n" + "\n".join(lines) + "\n", "utf-8"
    )
    Session(load_profile(str(profile)), GivenText(TEXT), "take", out).run()
    return out


def source(path: Path):
    """Return the source that ``facewire run PATH`` would take."""
    registry: Registry = shared("facewire.registry", Registry)
    part = registry.by_suffix("source", path.suffix)
    assert part is not None
    context = assemble(load_profile("default"), "take", path.parent, registry=registry).context
    return registry.build("source", ComponentSpec(part.name, {"path": str(path)}, "x"), context)


def frames(path: Path):
    blocks = list(source(path).stage.blocks())
    return np.concatenate([block.values for block in blocks]), blocks[0].rig, blocks[0].fps


def truth(folder: Path):
    take = np.load(folder / "n.npz")
    return take["values"], list(take["channels"])


def test_a2f_json_is_read_by_ten_lines_and_by_us(folder) -> None:
    values, names = truth(folder)
    take = json.loads((folder / "a.json").read_text("utf-8"))  # the second reader
    assert take["numFrames"] == len(take["weightMat"]) == len(values)
    assert take["numPoses"] == len(take["facsNames"]) == 68 and take["exportFps"] == 60
    theirs = np.array(take["weightMat"], np.float32)
    ours, rig, fps = frames(folder / "a.json")
    np.testing.assert_array_equal(ours, theirs)
    assert list(rig.channels) == take["facsNames"] and fps == 60
    for name in Rig.named("arkit52").channels:
        np.testing.assert_array_equal(ours[:, rig.index(name)], values[:, names.index(name)])
    tip = values[:, names.index("tongueTipUp")]
    assert tip.max() > 0.3
    np.testing.assert_allclose(ours[:, rig.index("tongueTipUp")], tip, atol=1e-6)


def test_a2f_csv_is_read_by_ten_lines_and_by_us(folder) -> None:
    with (folder / "a.csv").open(newline="") as file:  # the second reader
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name.startswith("blendShapes.")]
    theirs = np.array([[float(row[name]) for name in columns] for row in rows], np.float32)
    assert len(columns) == 68 and columns[0] == "blendShapes.EyeBlinkLeft"
    times = np.array([float(row["timeCode"]) for row in rows])
    np.testing.assert_allclose(times, np.arange(len(rows)) / 60, atol=1e-6)
    ours, rig, fps = frames(folder / "a.csv")
    np.testing.assert_array_equal(ours, theirs)
    assert fps == 60
    values, names = truth(folder)
    jaw = values[:, names.index("jawOpen")]
    np.testing.assert_array_equal(ours[:, rig.index("jawOpen")], jaw)


def test_a_published_sample_is_read() -> None:
    path = DATA / "formats/a2f_legacy.json"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    values, rig, fps = frames(path)
    assert rig.channels == ("jawOpen", "mouthSmileLeft") and fps == 60
    np.testing.assert_array_equal(values, np.array([[0, 0], [0.5, 0.25], [1, 0.75]], np.float32))


def test_rhubarb_cues_begin_where_the_phones_do(folder) -> None:
    take = np.load(folder / "n.npz")
    phones = [m for m in take["marks"] if m["kind"] == "phone"]
    lines = [line.split("\t") for line in (folder / "r.tsv").read_text().splitlines()]
    cues = [(float(start), shape) for start, shape in lines]
    assert cues[0] == (0.0, "X") or cues[0][0] == 0.0
    assert cues[-1][1] == "X" and cues[-1][0] == pytest.approx(len(take["values"]) / 60, abs=0.01)
    wanted = {"b": "A", "m": "A", "p": "A", "f": "G", "v": "G"}
    judged = 0
    for before, phone in pairwise(phones):
        shape = wanted.get(phone["text"])
        if shape and wanted.get(before["text"]) != shape:  # two in a row are one cue
            starts = [start for start, found in cues if found == shape]
            assert min(abs(start - phone["start"]) for start in starts) <= 0.01, phone
            judged += 1
    assert judged >= 6
    for (start, shape), (after, other) in pairwise(cues[:-1]):
        assert after > start and shape != other


def test_rhubarb_is_the_same_in_three_formats(folder) -> None:
    tsv = [line.split("\t") for line in (folder / "r.tsv").read_text().splitlines()]
    whole = json.loads((folder / "r.json").read_text("utf-8"))
    xml = ElementTree.parse(folder / "r.xml").getroot()
    made = [(cue["start"], cue["value"]) for cue in whole["mouthCues"]]
    assert made == [(float(start), shape) for start, shape in tsv[:-1]]
    assert made == [(float(cue.get("start")), cue.text) for cue in xml.iter("mouthCue")]
    assert whole["metadata"] == {"soundFile": "take.wav", "duration": float(tsv[-1][0])}
    assert xml.findtext("metadata/duration") == tsv[-1][0]
    made = [frames(folder / name)[0] for name in ("r.tsv", "r.json", "r.xml")]
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[0], made[2])


def test_rhubarb_read_again_closes_and_opens(folder) -> None:
    values, rig, fps = frames(folder / "r.tsv")
    assert fps == 60 and rig.name == "arkit52_tongue"
    lines = [line.split("\t") for line in (folder / "r.tsv").read_text().splitlines()]
    gap = lip_gap(values, rig)
    for (start, shape), (end, _) in pairwise(lines):
        rows = gap[int(float(start) * 60) : int(float(end) * 60) + 1]
        if shape == "A" and float(end) - float(start) > 0.05:
            assert rows.min() < 0.03, start
        if shape == "D" and float(end) - float(start) > 0.08:
            assert rows.max() > 0.12, start


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("0.0\tQ\n1.0\tX\n", "mouth shape 'Q', expected A to H or X"),
        ("1.0\tA\n0.5\tB\n2\tX\n", "does not come in order"),
        ("zero\tA\n", "no mouth cues of Rhubarb: could not convert"),
        ("0.00\tX\n", "has no mouth cues"),
        ('{"mouthCues": [{"start": 0}]}', "no mouth cues of Rhubarb: 'end'"),
        ("<!DOCTYPE x><a/>", "no mouth cues of Rhubarb: a document type is not read"),
    ],
)
def test_broken_cues_are_one_line(tmp_path, text, error) -> None:
    path = tmp_path / "x.tsv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        list(source(path).stage.blocks())
    assert error in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("x.csv", ",timeCode,blendShapes.JawOpen\n0,0.0,0.1\n1,0.1\n", "line 3: 2 cells, exp"),
        ("x.csv", ",timeCode,blendShapes.JawOpen\n0,0,x\n", "line 2: a cell is no number"),
        (
            "x.csv",
            ",timeCode,blendShapes.JawOpen\n0,0,0\n1,.1,0\n2,.15,0\n3,.3,0\n",
            "line 4: timeCode 0.15 is off an even grid",
        ),
        ("x.json", '{"facsNames": ["a"], "weightMat": [[1, 2]], "exportFps": 30}', "weightMat[0]:"),
        ("x.json", '{"facsNames": ["a"], "weightMat": [[1]], "exportFps": "x"}', "fps is x, exp"),
    ],
)
def test_broken_audio2face_is_one_line(tmp_path, name, text, error) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        list(source(tmp_path / name).stage.blocks())
    assert error in str(caught.value) and "\n" not in str(caught.value)


def test_bvh_turns_as_the_picture_does(tmp_path) -> None:
    from facewire_preview.pose import matrix

    clip = animate(text="Look here, then there, and nod.")
    path = clip.save(tmp_path / "head.bvh")
    text = path.read_text()
    lines = text[text.index("MOTION") :].splitlines()
    assert lines[1] == f"Frames: {len(clip.frames)}"
    assert float(lines[2].split(":")[1]) == pytest.approx(1 / 60, abs=1e-8)
    rows = np.radians([[float(x) for x in line.split()] for line in lines[3:]])
    rig, values = clip.frames.rig, clip.frames.values
    at = int(np.abs(values[:, rig.index("headYaw")]).argmax())
    y, x, z = rows[at, :3]
    turn = {
        "y": [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]],
        "x": [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]],
        "z": [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]],
    }
    made = np.array(turn["y"]) @ np.array(turn["x"]) @ np.array(turn["z"])
    angles = [float(values[at, rig.index(f"head{axis}")]) for axis in ("Yaw", "Pitch", "Roll")]
    np.testing.assert_allclose(made, matrix(*angles), atol=1e-6)
    assert abs(angles[0]) > 0.005
