"""The 47 authored faces: complete, in bounds, growing, without conflicts, distinct."""

import copy
from itertools import combinations
from math import degrees
from pathlib import Path

import numpy as np
import pytest
import yaml
from facewire.emotion import LABELS, LEVELS, NEUTRAL_VAD, lookup
from facewire.errors import FacewireError
from facewire.rig import Rig
from facewire_v3.presets import JOYFUL, gaze_of, load_presets, preset, presets
from facewire_v3.tables import load

RIG = Rig.named("arkit52")
NEAREST = 0.45  # mm: the least mean vertex displacement between two of the 16 at L3
SAMPLE = Path(__file__).parents[2] / "plugins/v3/scripts/face_displacement.npz"


def value(face: np.ndarray, channel: str) -> float:
    return float(face[RIG.index(channel)])


def test_there_are_47_in_the_order_of_the_labels():
    names = [made.name for made in presets()]
    assert len(names) == 47
    assert names[0] == "neutral"
    assert names[-1] == JOYFUL
    assert names[1:-1] == [label for label in LABELS[1:] for _ in range(3)]


def test_each_sits_on_its_ray():
    for made in presets()[1:-1]:
        rest, full = np.array(NEUTRAL_VAD), np.array(lookup(made.family).vad)
        wanted = np.clip(rest + LEVELS[made.level - 1] * (full - rest), 0.02, 0.98)
        np.testing.assert_allclose(made.vad, wanted, atol=1e-9)
    assert preset(JOYFUL).vad[0] > lookup("surprise").vad[0]


def test_all_values_are_in_bounds_and_levels_grow():
    for label in LABELS[1:]:
        faces = np.stack([np.zeros(52), *(preset(label, level).face for level in (1, 3, 5))])
        assert faces.max() <= 1
        assert (np.diff(faces, axis=0) >= 0).all()
        assert (np.diff(np.linalg.norm(faces, axis=1)) > 0.2).all()
        heads = np.abs([preset(label, level).head for level in (1, 3, 5)])
        assert (np.diff(heads, axis=0) >= 0).all()
        assert heads.max() <= np.radians(30)


@pytest.mark.parametrize("made", presets(), ids=lambda made: made.title)
def test_no_channel_works_against_another(made):
    for side in ("Left", "Right"):
        smile, frown = (value(made.face, f"mouth{kind}{side}") for kind in ("Smile", "Frown"))
        assert min(smile, frown) <= 0.3
        blink, wide = value(made.face, f"eyeBlink{side}"), value(made.face, f"eyeWide{side}")
        assert min(blink, wide) == 0
        squint, down = (value(made.face, f"eye{kind}{side}") for kind in ("Squint", "LookDown"))
        assert blink + 0.4 * down + 0.3 * squint <= 1
        assert min(down, value(made.face, f"eyeLookUp{side}")) == 0
        assert min(value(made.face, f"eyeLook{way}{side}") for way in ("In", "Out")) == 0
    for one, other in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")):
        assert min(value(made.face, one), value(made.face, other)) == 0
    assert value(made.face, "tongueOut") == value(made.face, "mouthClose") == 0


def test_two_of_the_16_differ_by_at_least_035():
    for one, other in combinations(LABELS, 2):
        assert np.linalg.norm(preset(one).face - preset(other).face) >= 0.35, (one, other)


def test_two_of_the_16_move_the_skin_apart():
    moved = np.load(SAMPLE)["displacement"].astype(np.float64)  # (52, vertices, 3) mm
    assert moved.shape[0] == 52
    for one, other in combinations(LABELS, 2):
        change = (preset(one).face - preset(other).face).astype(np.float64)
        shift = np.linalg.norm(np.tensordot(change, moved, 1), axis=1).mean()
        assert shift >= NEAREST, (one, other, shift)


def test_gaze_and_look_channels_agree():
    faces = np.stack([made.face for made in presets()])
    np.testing.assert_allclose(gaze_of(faces), [made.gaze for made in presets()], atol=1e-6)
    down = preset("embarrassment", 5)
    assert value(down.face, "eyeLookDownLeft") == pytest.approx(
        degrees(down.gaze[1]) / 35, abs=1e-6
    )


def test_embarrassment_looks_down_first_then_turns_the_head():
    made = preset("embarrassment")
    assert made.gaze[1] > np.radians(10)
    assert made.course.gaze + made.course.onset <= 0.75
    assert made.course.gaze < made.course.face < made.course.head <= 0.75
    assert made.head[1] > np.radians(5)  # down
    assert made.head[0] < 0  # left
    assert value(made.face, "mouthPressLeft") >= value(made.face, "mouthSmileLeft") - 0.05


def test_what_the_sources_say_of_the_others():
    assert preset("pride", 5).head[1] < np.radians(-10)
    contempt = preset("contempt", 5).face
    assert value(contempt, "mouthDimpleRight") > 0.5
    assert value(contempt, "mouthDimpleLeft") == value(contempt, "mouthSmileLeft") == 0
    for name in ("joy", "gratitude", "love"):
        face = preset(name).face
        assert min(value(face, "mouthSmileLeft"), value(face, "cheekSquintLeft")) >= 0.4
    for name in ("sadness", "fear"):
        face = preset(name).face
        assert 0 < value(face, "browDownLeft") < value(face, "browInnerUp") / 2
    happy = preset(JOYFUL).face
    assert min(value(happy, "mouthSmileLeft"), value(happy, "jawOpen")) > 0.3
    assert all(made.units and made.sources for made in presets()[1:])


def test_a_name_without_a_face_gives_its_familys():
    assert preset("contentment").title == "joy L3"
    assert preset("scared", 5).title == "fear L5"
    assert preset("calm", 5).title == "neutral"
    with pytest.raises(FacewireError, match=r"^preset: found level 2, expected 1"):
        preset("joy", 2)


def broken(tmp_path: Path, change) -> str:
    data = copy.deepcopy(load("presets.yaml"))
    change(data)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    with pytest.raises(FacewireError) as raised:
        load_presets(path)
    line = str(raised.value)
    assert "\n" not in line
    return line.replace(str(path), "mine.yaml")


def test_a_missing_channel_is_one_line(tmp_path):
    line = broken(tmp_path, lambda data: data["emotions"]["joy"]["rest"].remove("mouthPucker"))
    assert line == (
        "mine.yaml: joy: channel mouthPucker is missing; name every channel but eyeLook… once, "
        "with 3 values under face, or under rest where it stays 0"
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda e: e["joy"]["face"].update(mouthSmle=[0, 0, 1]),
            "joy: 'mouthSmle' is no ARKit chan",
        ),
        (lambda e: e["joy"]["face"].update(mouthPress=[0, 0, 1]), "joy: mouthPress is set twice"),
        (
            lambda e: e["joy"]["face"].update(mouthPressLeft=[0, 0, 1]),
            "joy: channel mouthPressLeft is set twice",
        ),
        (
            lambda e: e["joy"]["face"].update(mouthSmile=[0, 0.5]),
            "joy: mouthSmileLeft: found [0, 0.5",
        ),
        (
            lambda e: e["joy"]["face"].update(mouthSmile=[0, 1, 2]),
            "joy: mouthSmileLeft: found 2, exp",
        ),
        (
            lambda e: e["joy"]["face"].update(eyeLookUp=[0, 0, 1]),
            "joy: channel eyeLookUpLeft belongs",
        ),
        (lambda e: e.pop("sulk"), "emotions: 'sulk' is missing"),
        (lambda e: e["joy"].pop("course"), "joy: 'course' is missing"),
        (lambda e: e["joy"]["head"].update(yaw=[0, 0, 90]), "joy: head: yaw: found 90, expected a"),
        (lambda e: e["joy"].update(sources=["hearsay"]), "joy: sources: found ['hearsay'], expect"),
        (lambda e: e.update(joy=3), "joy: found 3, expected a table of units"),
    ],
)
def test_other_mistakes_are_one_line(tmp_path, change, line):
    assert broken(tmp_path, lambda data: change(data["emotions"])).startswith(f"mine.yaml: {line}")
