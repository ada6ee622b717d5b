"""The tables: what they must hold, what their loaders refuse, and what they make of a face."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from facewire.articulation import Solver, Spoken, decode, read_phone
from facewire.rig import Rig
from facewire.types import FloatArray
from facewire_osc import tables
from facewire_osc.pose import RIG

VOWELS = {"AA1": "aa", "AH1": "aa", "AE1": "aa", "IY1": "ih", "IH1": "ih", "UW1": "ou"}
VOWELS |= {"UH1": "ou", "EH1": "ee", "AO1": "oh", "OW1": "oh"}


def face(**channels: float) -> FloatArray:
    row = np.zeros(len(RIG), np.float32)
    for channel, value in channels.items():
        row[RIG.index(channel)] = value
    return row


def spoken(phone: str) -> FloatArray:
    """Return the face (61,) in the middle of a phone of 0.4 s."""
    solver = Solver(60.0)
    curves = [solver.push([Spoken(20, 44, read_phone(phone))], np.full(80, 0.7)), solver.flush()]
    arkit = decode(np.concatenate(curves)[32:33], Rig.named("arkit52"))[0]
    return np.concatenate([arkit, np.zeros(9, np.float32)])


def named(table: tables.Table | tables.Unified, row: FloatArray) -> dict[str, float]:
    names = table.names if isinstance(table, tables.Table) else table.parameters.names
    return dict(zip(names, table.apply(row).tolist(), strict=True))


def test_names_are_the_facts(data: Path) -> None:
    facts = json.loads((data / "protocols/arkit_mappings.json").read_text("utf-8"))
    assert tuple(facts) == tables.CHANNELS
    for ours, theirs in (("ifacialmocap",) * 2, ("unified",) * 2, ("xrfb", "steamlink_xrfb")):
        for channel, found in tables.names(ours).items():
            wanted = facts[channel][theirs]
            assert found == (tuple(wanted) if isinstance(wanted, list) else (wanted,)), channel


def test_steam_link_has_the_64_of_its_stream() -> None:
    table = tables.steamlink(RIG.channels)
    assert len(table.names) == 64
    fed = {
        name for name, weights in zip(table.names, table.weights.T, strict=True) if weights.any()
    }
    unfed = {"CheekSuckL", "CheekSuckR", "LipTightenerL", "LipTightenerR"}
    assert set(table.names) - fed == unfed
    assert named(table, face(eyeLookInLeft=0.5))["EyesLookRightL"] == 0.5


def test_unified_expressions_at_rest() -> None:
    at_rest = named(tables.unified(RIG.channels), face())
    lids = {"EyeLid", "EyeLidLeft", "EyeLidRight"}
    assert {name: value for name, value in at_rest.items() if value} == dict.fromkeys(lids, 0.75)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({"jawOpen": 0.5, "mouthClose": 0.2}, {"JawOpen": 0.5, "MouthClosed": 0.2}),
        ({"jawLeft": 0.4}, {"JawX": -0.4}),
        ({"jawForward": 1.0}, {"JawZ": 1.0}),
        ({"eyeBlinkLeft": 1.0}, {"EyeLidLeft": 0.0, "EyeLidRight": 0.75, "EyeLid": 0.375}),
        ({"eyeWideRight": 1.0}, {"EyeLidRight": 1.0}),
        ({"mouthFunnel": 0.8}, {"LipFunnel": 0.8, "LipFunnelLowerLeft": 0.8}),
        ({"mouthRight": 0.6}, {"MouthX": 0.6, "MouthUpperX": 0.6, "MouthLowerX": 0.6}),
        ({"mouthSmileLeft": 1.0}, {"SmileFrownLeft": 1.0, "SmileFrown": 0.5}),
        ({"mouthFrownLeft": 0.5, "mouthStretchLeft": 0.7}, {"SmileSadLeft": -0.7}),
        ({"browDownLeft": 1.0}, {"BrowDownLeft": 1.0, "BrowExpressionLeft": -1.0}),
        ({"browInnerUp": 1.0}, {"BrowInnerUp": 1.0, "BrowUpLeft": 0.4, "BrowExpression": 0.5}),
        ({"cheekPuff": 1.0}, {"CheekPuffSuck": 1.0, "CheekPuffSuckLeft": 1.0}),
        ({"eyeSquintRight": 0.9}, {"EyeSquint": 0.9, "EyeSquintLeft": 0.0}),
    ],
    ids=str,
)  # fmt: skip
def test_unified_expressions(channels: dict[str, float], expected: dict[str, float]) -> None:
    found = named(tables.unified(RIG.channels), face(**channels))
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_unified_expressions_stay_in_their_ranges() -> None:
    unified = tables.unified(RIG.channels)
    rng = np.random.default_rng(0)
    for scale in (1.0, 5.0, 1e30):
        for _ in range(50):
            row = (rng.normal(size=len(RIG)) * scale).astype(np.float32)
            values = unified.apply(row)
            assert np.all((values >= unified.parameters.low) & (values <= 1))


@pytest.mark.parametrize("phone", VOWELS)
def test_a_vowel_is_the_largest_of_the_five(phone: str) -> None:
    found = named(tables.vrm("vrm1", RIG.channels), spoken(phone))
    five = {name: found[name] for name in ("aa", "ih", "ou", "ee", "oh")}
    assert max(five, key=lambda name: five[name]) == VOWELS[phone], five
    assert five[VOWELS[phone]] > 0.2
    assert all(found[mood] < 0.1 for mood in ("happy", "angry", "sad", "surprised"))


@pytest.mark.parametrize("phone", ["M", "B", "P"])
def test_closed_lips_are_no_vowel(phone: str) -> None:
    found = named(tables.vrm("vrm0", RIG.channels), spoken(phone))
    assert max(found[name] for name in "AIUEO") < 0.02
    held = named(tables.vrm("vrm0", RIG.channels), face(jawOpen=0.5, mouthClose=0.5))
    assert max(held[name] for name in "AIUEO") < 0.02


def test_vrm_presets() -> None:
    vrm0, vrm1 = (
        named(tables.vrm(v, RIG.channels), face(eyeBlinkLeft=1)) for v in ("vrm0", "vrm1")
    )
    assert len(vrm0) == 17 and len(vrm1) == 18 and "surprised" in vrm1
    assert (vrm0["Blink_L"], vrm0["Blink_R"], vrm0["Blink"]) == (1, 0, 0)
    assert vrm1["blinkLeft"] == 1
    look = named(tables.vrm("vrm1", RIG.channels), face(eyeLookInLeft=0.6, eyeLookOutRight=0.6))
    assert look["lookRight"] == pytest.approx(0.6) and look["lookLeft"] == 0


def test_face_cap_counts_as_the_app_does() -> None:
    order = tables.facecap_order()
    assert len(order) == 52
    assert {24: "jawOpen", 36: "mouthClose", 51: "tongueOut", 13: "eyeBlinkLeft"}.items() <= dict(
        enumerate(order)
    ).items()


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"jawOpenn": 1}, "t.yaml: x.jawOpenn: unknown"),
        ({"jawOpen": "1"}, "t.yaml: x.jawOpen: expected a finite number, found '1'"),
        ({"jawOpen": True}, "t.yaml: x.jawOpen: expected a finite number, found True"),
        ({"jawOpen": float("nan")}, "t.yaml: x.jawOpen: expected a finite number, found nan"),
        ({"low": 1}, "t.yaml: x: low is not below high"),
    ],
)
def test_a_table_is_checked(row: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        tables.table("t.yaml", {"x": row}, RIG.channels)
    assert str(caught.value) == text
