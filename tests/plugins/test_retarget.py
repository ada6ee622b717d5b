"""The layer ``retarget``, its tables, and sinks that nest it."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire import animate
from facewire.articulation import lip_gap
from facewire.articulation.closures import CLOSED
from facewire.errors import ProfileError
from facewire.profile import load_profile
from facewire.rig import Rig
from facewire.session import Session
from facewire.sources import GivenText
from facewire.testing import check_stage
from facewire_osc import tables as osc_tables
from facewire_retarget import tables
from facewire_retarget.layer import Bound, Retarget, other

ARKIT = Rig.named("arkit61")
DATA = Path(os.environ.get("FACEWIRE_DATA", Path(__file__).parents[2].parent / "shared/data"))


def bound(text: dict, rig: Rig = ARKIT) -> Bound:
    return Bound(tables.read(text, "mine", "mine.yaml"), rig)


def row(rig: Rig = ARKIT, **channels: float) -> np.ndarray:
    values = np.zeros((1, len(rig)), np.float32)
    for name, value in channels.items():
        values[0, rig.index(name)] = value
    return values


def at(made: np.ndarray, rig: Rig, channel: str) -> float:
    return float(made[0, rig.index(channel)])


@pytest.fixture(scope="module")
def speech():
    return animate(text="Bob and Pam may bump the map. Go up and open the big blue box, Mum.")


def test_a_row_is_dead_zone_then_curve_then_gain_and_offset() -> None:
    table = {
        "channels": {
            "jawOpen": {"dead": 0.2, "curve": [[0, 0], [0.5, 0.8], [1, 1]], "gain": 0.5},
            "browInnerUp": {"offset": 0.25},
        }
    }
    made = bound(table).apply(row(jawOpen=0.6, browDownLeft=0.3, headYaw=-2.0))
    assert at(made, ARKIT, "jawOpen") == pytest.approx(0.4)  # (.6 - .2) / .8 = .5 -> .8 -> .4
    assert at(made, ARKIT, "browInnerUp") == pytest.approx(0.25)
    assert at(made, ARKIT, "browDownLeft") == pytest.approx(0.3)
    assert at(made, ARKIT, "headYaw") == -2.0


def test_another_rig_is_a_sum_in_a_range() -> None:
    table = {
        "rig": "robot",
        "channels": {
            "jaw": {"jawOpen": 1, "mouthClose": -1},
            "yaw": {"from": {"headYaw": 57.29578}, "low": -40, "high": None},
        },
    }
    made = bound(table)
    assert made.out.channels == ("jaw", "yaw")
    values = made.apply(row(jawOpen=0.5, mouthClose=0.2, headYaw=-1.0))
    assert values[0] == pytest.approx([0.3, -40.0])


def test_mirror_changes_sides_and_turns_the_head_over() -> None:
    mirror = Bound(tables.shipped("mirror"), ARKIT)
    given = row(mouthSmileLeft=0.7, jawRight=0.2, headYaw=0.3, headPitch=0.1, leftEyeYaw=0.4)
    made = mirror.apply(given)
    wanted = row(mouthSmileRight=0.7, jawLeft=0.2, headYaw=-0.3, headPitch=0.1, rightEyeYaw=-0.4)
    np.testing.assert_array_equal(made, wanted)
    np.testing.assert_array_equal(mirror.apply(made), given)
    assert other("leftEyePitch") == "rightEyePitch" and other("jawOpen") == "jawOpen"


def test_closures_survive_a_table_that_opens_the_mouth(speech) -> None:
    wide = {"channels": {"mouthFunnel": {"offset": 0.3}, "jawOpen": {"gain": 1.5}}}
    values, rig = speech.frames.values, speech.frames.rig
    before = lip_gap(values, rig)
    shut = before < CLOSED
    assert shut.sum() > 30
    after = lip_gap(bound(wide, rig).apply(values), rig)
    assert (after[shut] < CLOSED).all()
    assert (after[before > 0.2] > before[before > 0.2]).all()


def test_vowels_of_vrm_are_nothing_where_the_lips_are_closed(speech) -> None:
    values, rig = speech.frames.values, speech.frames.rig
    vrm = Bound(tables.shipped("vrm1"), rig)
    made = vrm.apply(values)
    vowels = made[:, vrm.out.indices("aa", "ih", "ou", "ee", "oh")]
    shut = lip_gap(values, rig) < CLOSED
    assert vowels[shut].max() == 0.0
    assert vowels.max() > 0.3


@pytest.mark.parametrize("version", ["vrm0", "vrm1"])
def test_vrm_is_what_osc_sends(version: str, speech) -> None:
    rig = speech.frames.rig
    mine, theirs = Bound(tables.shipped(version), rig), osc_tables.vrm(version, rig.channels)
    assert mine.out.channels == theirs.names
    values = speech.frames.values[lip_gap(speech.frames.values, rig) > 0.06]
    for one, made in zip(values, mine.apply(values), strict=True):
        np.testing.assert_allclose(made, theirs.apply(one), atol=1e-5)


def test_unified_is_what_osc_makes() -> None:
    assert set(tables.shipped("unified").rows) == {
        shape for shapes in osc_tables.names("unified").values() for shape in shapes
    }


def test_metahuman_names_are_published_ones() -> None:
    path = DATA / "protocols/metahuman_controls.json"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    published = set(json.loads(path.read_text("utf-8")))
    extra = set(tables.shipped("metahuman").rows) - published
    assert extra == {"HeadYaw", "HeadPitch", "HeadRoll", "HeadControlSwitch", "MHFDSVersion"}


def test_metahuman_lips_are_together_at_closures(speech) -> None:
    values, rig = speech.frames.values, speech.frames.rig
    made = Bound(tables.shipped("metahuman"), rig)
    out = made.apply(values)
    jaw = values[:, rig.index("jawOpen")]
    shut = (lip_gap(values, rig) < CLOSED) & (jaw > 1e-3)
    assert shut.sum() > 15
    for quadrant in ("UL", "UR", "DL", "DR"):
        lips = out[:, made.out.index(f"CTRL_expressions_mouthLipsTogether{quadrant}")]
        assert lips[shut].min() >= 0.98
        assert lips[jaw < 1e-3].max(initial=0.0) == 0.0
        loose = (lip_gap(values, rig) > 0.1) & (jaw > 0.1)
        wanted = values[loose, rig.index("mouthClose")] / jaw[loose]
        np.testing.assert_allclose(lips[loose], np.clip(wanted, 0, 1), atol=1e-6)


def test_metahuman_looks_inwards_to_the_other_side_and_turns_in_degrees() -> None:
    made = Bound(tables.shipped("metahuman"), ARKIT)
    out = made.apply(row(eyeLookInLeft=0.5, headPitch=0.1, headYaw=0.2))
    assert at(out, made.out, "CTRL_expressions_eyeLookRightL") == 0.5
    assert at(out, made.out, "CTRL_expressions_eyeLookLeftL") == 0.0
    assert at(out, made.out, "HeadPitch") == pytest.approx(5.729578)
    assert at(out, made.out, "HeadYaw") == pytest.approx(-11.459156)
    assert at(out, made.out, "HeadControlSwitch") == at(out, made.out, "MHFDSVersion") == 1.0


def test_visemes_name_the_phone(speech) -> None:
    clip = animate(
        text="The cook shook five thin books by the sea.", overrides=["rig=arkit52_tongue"]
    )
    made = Bound(tables.shipped("oculus"), clip.frames.rig)
    out = made.apply(clip.frames.values)
    assert out.min() >= 0.0 and out.max() <= 1.0
    seen = {}
    for mark in clip.marks:
        if mark.kind == "phone":
            middle = (mark.start + (mark.end - mark.start) * 0.35) / clip.audio.rate
            top = made.out.channels[int(out[int(middle * float(clip.frames.fps))].argmax())]
            seen.setdefault(mark.text, set()).add(top)
    assert "PP" in seen["b"] and seen["f"] == {"FF"} and seen["ʃ"] == {"CH"}
    assert seen["θ"] == {"TH"} and "kk" in seen["k"]


def test_every_shipped_table_holds_the_contract() -> None:
    for name in tables.names():
        made = tables.shipped(name)
        assert made.about and (made.rig is None or len(made.rig) == len(made.rows)), name
        if made.rig is None:
            check_stage(lambda made=made: Retarget(made, ARKIT))
        with np.errstate(all="raise", under="ignore"):
            out = Bound(made, ARKIT).apply(np.full((2, 61), 1e30, np.float32))
        assert np.isfinite(out).all(), name


def test_sinks_nest_it_and_others_keep_arkit(tmp_path) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text(
        "extends: default\nsinks:\n"
        '  - {use: files.npz, path: "{out}/arkit.npz"}\n'
        '  - {use: files.npz, path: "{out}/metahuman.npz", retarget: metahuman}\n'
        '  - {use: files.json, path: "{out}/mine.json", retarget: mine.yaml}\n',
        "utf-8",
    )
    (tmp_path / "mine.yaml").write_text("rig: robot\nchannels: {jaw: {jawOpen: 2}}\n", "utf-8")
    Session(load_profile(str(profile)), GivenText("Hello, Bob."), "x", tmp_path).run()
    plain, mh = (np.load(tmp_path / f"{name}.npz") for name in ("arkit", "metahuman"))
    assert tuple(plain["channels"]) == ARKIT.channels
    assert tuple(mh["channels"]) == tuple(tables.shipped("metahuman").rows)
    jaw = plain["values"][:, ARKIT.index("jawOpen")]
    np.testing.assert_array_equal(
        mh["values"][:, list(mh["channels"]).index("CTRL_expressions_jawOpen")], jaw
    )
    mine = json.loads((tmp_path / "mine.json").read_text("utf-8"))
    assert mine["channels"] == ["jaw"]
    np.testing.assert_allclose(np.array(mine["values"])[:, 0], np.clip(2 * jaw, 0, 1), atol=1e-6)


def test_vmc_sends_the_tables_channels_and_the_head_it_was_given() -> None:
    from facewire.types import Audio, Block, Emotion, Frames
    from facewire_osc.config import VmcConfig
    from facewire_osc.vmc import Vmc
    from pythonosc.osc_packet import OscPacket

    rig = Rig.named("arkit61")
    sink = Vmc(VmcConfig(), Retarget(tables.shipped("vrm1"), rig))
    sent: list[bytes] = []
    sink._send = sent.extend  # type: ignore[method-assign,assignment]
    frames = Frames(row(eyeBlinkLeft=0.5, headYaw=0.5), rig, Fraction(60), 0)
    emotion = Emotion(np.zeros((1, 3), np.float32), np.zeros((1, 16), np.float32), Fraction(60), 0)
    sink.push(Block(frames, emotion, Audio(np.zeros(0, np.float32), 48000, 0)))
    got = [timed.message for packet in sent for timed in OscPacket(packet).messages]
    values = {m.params[0]: m.params[1] for m in got if m.address == "/VMC/Ext/Blend/Val"}
    assert tuple(values) == tuple(tables.shipped("vrm1").rows)
    assert values["blinkLeft"] == 0.5
    bone = next(m for m in got if m.address == "/VMC/Ext/Bone/Pos")
    assert bone.params[5] == pytest.approx(np.sin(0.25), abs=1e-6)


@pytest.mark.parametrize(
    ("table", "error"),
    [
        (
            {"channels": {"jawOpne": {}}},
            "x.yaml: jawOpne: no such channel; did you mean 'jawOpen'?",
        ),
        ({"channels": {"jawOpen": {"gian": 2}}}, "x.yaml: jawOpen: from: 'gian' is no channel"),
        ({"channels": {"jawOpen": {"gain": "2"}}}, "x.yaml: jawOpen: gain: found '2', expected a"),
        ({"channels": {"jawOpen": {"dead": 1}}}, "x.yaml: jawOpen: dead: found 1, expected 0 to"),
        (
            {"channels": {"jawOpen": {"curve": [[1, 0], [0, 1]]}}},
            "x.yaml: jawOpen: curve: expected points with rising first numbers",
        ),
        (
            {"rig": "r", "mirror": True, "channels": {"a": {"jawOpen": 1}}},
            "x.yaml: mirror: only a table without 'rig' can have it",
        ),
        ({"rig": "r", "channels": {"a": {"ratio": ["jawOpen"]}}}, "x.yaml: a: ratio: found"),
        ({"rig": "r", "channels": {"a": {"low": 1, "gain": 1}}}, "x.yaml: a: low is 1 and high 1"),
        ({}, "x.yaml: channels: expected channels with what they are made of"),
        ({"chanels": {}}, "x.yaml: 'chanels' is unknown; did you mean 'channels'?"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(table: dict, error: str) -> None:
    with pytest.raises(ProfileError) as caught:
        tables.read(table, "x", "x.yaml")
    assert str(caught.value).startswith(error) and "\n" not in str(caught.value)


def test_channels_that_the_frames_do_not_have_are_told_at_the_end(tmp_path) -> None:
    tongue = {"tongueUp": {"gain": 0.5}, "jawOpen": {"from": {"jawOpen": 1, "tongueBack": 0.5}}}
    same, other_rig = {"channels": tongue}, {"rig": "robot", "channels": {"lift": {"tongueUp": 1}}}
    (tmp_path / "same.yaml").write_text(json.dumps(same), "utf-8")
    (tmp_path / "robot.yaml").write_text(json.dumps(other_rig), "utf-8")
    text = (
        "model: phonemes\nlayers: [{use: retarget, table: same.yaml}]\nsinks:\n"
        '  - {use: files.json, retarget: robot.yaml, path: "{out}/{name}.json"}\n'
    )
    (tmp_path / "p.yaml").write_text(text, "utf-8")
    for rig, told in (("arkit61", 2), ("arkit52_tongue", 0)):
        profile = load_profile(str(tmp_path / "p.yaml"), [f"rig={rig}"])
        notes = Session(profile, GivenText("Hello."), "clip", tmp_path).run().notes
        lines = [note for note in notes if note.startswith("retarget ")]
        assert len(lines) == told
    lines = [line for table in (same, other_rig) for line in told_of(table, ARKIT)]
    assert lines == [
        "retarget 'mine': the table names tongueUp, tongueBack, and the rig 'arkit61' has none of "
        "them: there it does nothing",
        "retarget 'mine': the table names tongueUp, and the rig 'arkit61' has none of them: there "
        "it does nothing",
    ]


@pytest.mark.parametrize("name", ["vrm0", "vrm1", "unified", "subtle", "mirror"])
def test_the_shipped_tables_name_nothing_that_arkit_lacks(name: str) -> None:
    assert not Retarget(tables.shipped(name), ARKIT).report()


def told_of(table: dict, rig: Rig) -> list[str]:
    return list(Retarget(tables.read(table, "mine", "mine.yaml"), rig).report())


def test_a_table_for_another_rig_is_no_layer(tmp_path) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text(
        "extends: default\nlayers: [{use: retarget, table: vrm1}]\nsinks: []\n", "utf-8"
    )
    with pytest.raises(ProfileError, match=r"makes frames of the rig 'vrm1'.*name it in the sink"):
        Session(load_profile(str(profile)), GivenText("Hi."), "x", tmp_path)


def test_a_missing_table_is_named() -> None:
    with pytest.raises(ProfileError, match="no table 'metahumn'; did you mean 'metahuman'"):
        tables.find("metahumn", Path("."))
    with pytest.raises(ProfileError, match=r"nowhere\.yaml"):
        tables.find("nowhere.yaml", Path("."))
