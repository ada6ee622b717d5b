"""The sinks over UDP, on real sockets of this machine."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.errors import ProfileError
from facewire.rig import Rig
from facewire.types import Audio, Block, Component, Context, Emotion, FloatArray, Frames, RunInfo
from facewire_osc import plugin
from facewire_osc.ifacialmocap import line
from facewire_osc.pose import Angles
from facewire_osc.tables import CHANNELS, facecap_order
from facewire_osc.udp import UdpSink
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

RIG = Rig.named("arkit61")
COMPONENTS = {component.name: component for component in plugin.facewire_sinks()}
OVER_UDP = [name for name, component in COMPONENTS.items() if component.example]
Message = tuple[str, list[Any]]


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    """Yield a socket that listens on a free port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        yield receiver


def block(values: FloatArray, start: int = 0, rig: Rig = RIG) -> Block:
    n, rate = len(values), Fraction(60)
    emotion = Emotion(np.zeros((n, 3), np.float32), np.zeros((n, 16), np.float32), rate, start)
    return Block(Frames(values, rig, rate, start), emotion, Audio(np.zeros(0, np.float32), 16000))


def face(**channels: float) -> FloatArray:
    row = np.zeros((1, len(RIG)), np.float32)
    for channel, value in channels.items():
        row[0, RIG.index(channel)] = value
    return row


def made(name: str, **options: Any) -> UdpSink:
    component: Component = COMPONENTS[name]
    sink = component.make(replace(component.example or component.config(), **options), Context())
    assert isinstance(sink, UdpSink)
    return sink


def sent(receiver: socket.socket, name: str, what: Block, **options: Any) -> list[bytes]:
    """Push a block through a sink and close it; return the datagrams that arrive."""
    host, port = receiver.getsockname()
    sink = made(name, host=host, port=port, **options)
    sink.open(RunInfo("clip", what.frames.rig, Fraction(60), 16000))
    sink.push(what)
    sink.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.sendto(b"end", (host, port))
    datagrams = []
    while (datagram := receiver.recv(65536)) != b"end":
        datagrams.append(datagram)
    return datagrams


def messages(datagrams: list[bytes]) -> list[Message]:
    found: list[Message] = []
    for datagram in datagrams:
        parts = OscBundle(datagram) if datagram[:1] == b"#" else [OscMessage(datagram)]
        found += [(part.address, part.params) for part in parts if isinstance(part, OscMessage)]
    return found


def values_of(found: list[Message], prefix: str) -> dict[str, Any]:
    return {a.removeprefix(prefix): v[0] for a, v in found if a.startswith(prefix) and len(v) == 1}


# -- plain ---------------------------------------------------------------------------------------


def test_plain_sends_every_channel_of_the_rig(receiver: socket.socket) -> None:
    rig = Rig("own", ("a", "jawOpen", "thing.x"))
    rows = np.array([[0.1, 0.2, 0.3], [-1, 2, np.nan]], np.float32)
    found = messages(sent(receiver, "osc", block(rows, rig=rig), prefix="/my/face"))
    assert [address for address, _ in found] == 2 * [f"/my/face/{c}" for c in rig.channels]
    values = np.array([v for _, (v,) in found], np.float32).reshape(2, 3)
    np.testing.assert_array_equal(values, np.nan_to_num(rows))


def test_plain_sends_one_message_of_floats(receiver: socket.socket) -> None:
    rows = np.random.default_rng(0).normal(size=(3, 61)).astype(np.float32)
    datagrams = sent(receiver, "osc", block(rows), message="floats", prefix="/f")
    assert [(a, len(v)) for a, v in messages(datagrams)] == 3 * [("/f", 61)]
    np.testing.assert_array_equal(np.array([v for _, v in messages(datagrams)], np.float32), rows)


@pytest.mark.parametrize("name", ["osc", "osc.vrchat", "osc.facecap"])
def test_without_bundles_every_message_goes_alone(receiver: socket.socket, name: str) -> None:
    what = block(face(jawOpen=0.25))
    alone = sent(receiver, name, what, bundle=False)
    assert not any(datagram.startswith(b"#bundle") for datagram in alone)
    assert messages(alone) == messages(sent(receiver, name, what))


# -- vmc -----------------------------------------------------------------------------------------


def test_vmc_frame(receiver: socket.socket) -> None:
    rows = np.random.default_rng(0).uniform(0, 1, (2, 61)).astype(np.float32)
    datagrams = sent(receiver, "osc.vmc", block(rows, start=90))
    assert all(d.startswith(b"#bundle\0") and len(d) <= 1400 for d in datagrams)
    frames = [
        messages(datagrams[: len(datagrams) // 2]),
        messages(datagrams[len(datagrams) // 2 :]),
    ]
    for i, frame in enumerate(frames):
        assert frame[0] == ("/VMC/Ext/OK", [1])
        assert frame[1][0] == "/VMC/Ext/T" and frame[1][1] == pytest.approx([(90 + i) / 60])
        assert frame[2][0] == "/VMC/Ext/Bone/Pos" and frame[2][1][:4] == ["Head", 0, 0, 0]
        assert frame[-1] == ("/VMC/Ext/Blend/Apply", [])
        weights = {v[0]: v[1] for a, v in frame if a == "/VMC/Ext/Blend/Val"}
        assert weights["JawOpen"] == rows[i, RIG.index("jawOpen")]
        assert weights["MouthSmileLeft"] == rows[i, RIG.index("mouthSmileLeft")]
        assert [n[0].lower() + n[1:] for n in weights] == list(CHANNELS)
        assert len(frame) == 3 + 52 + 1


def test_vmc_is_what_a_second_library_writes(receiver: socket.socket) -> None:
    oscpy = pytest.importorskip("oscpy.parser", reason="oscpy is not installed")
    for datagram in sent(receiver, "osc.vmc", block(face(jawOpen=0.5, headYaw=0.3))):
        content = [
            (a.encode(), [v.encode() if isinstance(v, str) else v for v in values])
            for a, values in messages([datagram])
        ]
        assert oscpy.format_bundle(content)[0] == datagram


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"casing": "camel"}, {"jawOpen": 0.5, "eyeBlinkLeft": 1.0}),
        ({"names": "vrm0"}, {"Blink_L": 1.0, "Blink_R": 0.0, "A": 0.68}),
        ({"names": "vrm1"}, {"blinkLeft": 1.0, "blinkRight": 0.0, "aa": 0.68}),
    ],
)
def test_vmc_names(
    receiver: socket.socket, options: dict[str, str], wanted: dict[str, float]
) -> None:
    what = block(face(jawOpen=0.5, eyeBlinkLeft=1))
    found = messages(sent(receiver, "osc.vmc", what, head=False, **options))
    assert "/VMC/Ext/Bone/Pos" not in dict(found)
    weights = {v[0]: v[1] for a, v in found if a == "/VMC/Ext/Blend/Val"}
    assert {name: weights[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


def turned(q: tuple[float, float, float, float], vector: list[float]) -> FloatArray:
    """Rotate a vector by a quaternion x, y, z, w."""
    axis, v = np.array(q[:3]), np.array(vector)
    return v + 2 * np.cross(axis, np.cross(axis, v) + q[3] * v)


def test_head_in_unity() -> None:
    """x is the subject's right, y up, z forward."""
    quarter = math.pi / 2
    forward, up = [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]
    np.testing.assert_allclose(
        turned(Angles(quarter, 0, 0).in_unity(), forward), [1, 0, 0], atol=1e-9
    )
    np.testing.assert_allclose(
        turned(Angles(0, quarter, 0).in_unity(), forward), [0, -1, 0], atol=1e-9
    )
    # right ear to right shoulder: the crown goes to the right
    np.testing.assert_allclose(turned(Angles(0, 0, quarter).in_unity(), up), [1, 0, 0], atol=1e-9)
    both = turned(Angles(0.3, 0.2, 0.1).in_unity(), forward)  # roll leaves the gaze where it is
    expected = [math.sin(0.3) * math.cos(0.2), -math.sin(0.2), math.cos(0.3) * math.cos(0.2)]
    np.testing.assert_allclose(both, expected, atol=1e-9)


def test_head_in_arkit() -> None:
    """x is the subject's left, y up, z forward; the same turn as in Unity, x mirrored."""
    angles = Angles(0.4, -0.2, 0.3)
    for vector in ([0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]):
        unity = turned(angles.in_unity(), vector)
        arkit = turned(angles.quaternion_in_arkit(), [-vector[0], *vector[1:]])
        np.testing.assert_allclose(arkit, [-unity[0], *unity[1:]], atol=1e-9)
    assert angles.in_arkit() == pytest.approx([math.degrees(a) for a in (-0.2, -0.4, 0.3)])


# -- vrchat, steam link, face cap ----------------------------------------------------------------


def test_vrchat_frame(receiver: socket.socket) -> None:
    look = {"eyeLookInLeft": 0.5, "eyeLookOutRight": 0.5, "eyeLookUpLeft": 1, "eyeLookUpRight": 1}
    what = block(face(jawOpen=0.5, eyeBlinkLeft=1, **look))
    datagrams = sent(receiver, "osc.vrchat", what)
    assert max(map(len, datagrams)) <= 1400
    found = messages(datagrams)
    values = values_of(found, "/avatar/parameters/FT/v2/")
    assert len(values) == 102 and values["JawOpen"] == 0.5
    for name in ("EyeLeftX", "EyeRightX", "EyeX"):
        assert values[name] == pytest.approx(0.305 / math.radians(45), abs=1e-6)
    assert values["EyeLeftY"] == pytest.approx(0.61 / math.radians(45), abs=1e-6)
    assert dict(found)["/tracking/eye/EyesClosedAmount"] == [0.5]
    pitch, yaw = dict(found)["/tracking/eye/CenterPitchYaw"]
    assert (pitch, yaw) == pytest.approx((-math.degrees(0.61), math.degrees(0.305)), abs=1e-4)
    active = [v for a, v in found if a == "/avatar/parameters/EyeTrackingActive"]
    assert active == [[True], [False]]  # while it runs, and when it ends


def test_vrchat_options(receiver: socket.socket) -> None:
    what = block(face(jawOpen=0.5))
    chosen = {"parameters": ("JawOpen", "EyeX"), "prefix": "", "eyes": False}
    found = messages(sent(receiver, "osc.vrchat", what, **chosen))
    assert values_of(found, "/avatar/parameters/v2/") == {"EyeX": 0, "JawOpen": 0.5}
    assert "/tracking/eye/EyesClosedAmount" not in dict(found)
    with pytest.raises(ProfileError) as caught:
        made("osc.vrchat", parameters=("JawOpn",))
    assert str(caught.value) == (
        "osc.vrchat: parameters has 'JawOpn', expected v2 parameters without prefix;"
        " did you mean 'JawOpen'?"
    )


def test_steam_link_frame(receiver: socket.socket) -> None:
    what = block(face(jawOpen=0.5, mouthFunnel=0.25, eyeLookInLeft=1, eyeLookOutRight=1))
    datagrams = sent(receiver, "osc.steamlink", what)
    assert len(datagrams) == 3 and max(map(len, datagrams)) <= 1400
    found = messages(datagrams)
    weights = values_of(found, "/sl/xrfb/facew/")
    assert len(weights) == 64 and weights["JawDrop"] == 0.5 and weights["LipFunnelerRB"] == 0.25
    assert values_of(found, "/sl/xrfb/facec/") == {"UpperFace": 1, "LowerFace": 1}
    point = dict(found)["/sl/eyeTrackedGazePoint"]
    assert point == pytest.approx([math.sin(0.61), 0, -math.cos(0.61)], abs=1e-6)


def test_steam_link_looks_straight_ahead_at_rest(receiver: socket.socket) -> None:
    point = dict(messages(sent(receiver, "osc.steamlink", block(face()))))[
        "/sl/eyeTrackedGazePoint"
    ]
    assert [str(number) for number in point] == ["0.0", "0.0", "-1.0"]  # as the vector has it


def test_face_cap_frame(receiver: socket.socket) -> None:
    rows = np.random.default_rng(1).uniform(0, 0.5, (1, 61)).astype(np.float32)
    found = messages(sent(receiver, "osc.facecap", block(rows)))
    yaw, pitch, roll = (float(rows[0, RIG.index(f"head{a}")]) for a in ("Yaw", "Pitch", "Roll"))
    expected = [math.degrees(a) for a in (pitch, -yaw, roll)]
    assert dict(found)["/HT"] == [0, 0, 0]
    assert dict(found)["/HR"] == pytest.approx(expected, abs=1e-4)
    assert np.linalg.norm(dict(found)["/HRQ"]) == pytest.approx(1)
    out, inner = (rows[0, RIG.index(f"eyeLook{side}Left")] for side in ("Out", "In"))
    assert dict(found)["/ELR"][1] == pytest.approx(math.degrees(0.61 * (out - inner)), abs=1e-4)
    weights = {v[0]: v[1] for a, v in found if a == "/W"}
    assert list(weights) == list(range(52))
    for index, channel in enumerate(facecap_order()):
        assert weights[index] == rows[0, RIG.index(channel)]


# -- ifacialmocap --------------------------------------------------------------------------------


def test_ifacialmocap_reproduces_the_frame(data: Path) -> None:
    text = (data / "protocols/ifacialmocap_v1_frame.txt").read_text("utf-8")
    weights = {}
    for part in text.split("|=head#")[0].split("|"):
        name, _, value = part.rpartition("-")
        weights[name] = int(value) / 100
    assert len(weights) == 52
    head = (1.0, -2.0, 3.0, 0.01, 0.02, 0.03)
    assert line(weights, head, (1.0, 2.0, 0.0), (1.0, 2.0, 0.0)) == text


@pytest.mark.parametrize(("version", "parted"), [("v1", "-"), ("v2", "&")])
def test_ifacialmocap_frame(receiver: socket.socket, version: str, parted: str) -> None:
    what = block(face(jawOpen=0.374, mouthSmileLeft=1.5, jawLeft=-0.2, headYaw=math.pi / 6))
    (datagram,) = sent(receiver, "osc.ifacialmocap", what, version=version)
    parts = datagram.decode().split("|")
    assert parts[-1] == "" and len(parts) == 52 + 3 + 1
    shapes = dict(part.split(parted) for part in parts[:52])
    assert (shapes["jawOpen"], shapes["mouthSmile_L"], shapes["jawLeft"]) == ("37", "100", "0")
    assert parts[52] == "=head#0.000000,-30.000001,0.000000,0.000000,0.000000,0.000000"
    assert parts[53:55] == ["rightEye#0.0,0.0,0.0", "leftEye#0.0,0.0,0.0"]


def test_ifacialmocap_eyes_turn_as_in_the_apps_own_frames(receiver: socket.socket) -> None:
    """Compare with frames that the makers of two apps publish: weights in, angles out.

    iFacialMocap: look down 17, in 4 and 6; Facemotion3d: look down 36, in 15 to the right only.
    Signs must be equal, and sizes within 1.6 degrees (weights are whole hundredths).
    """
    for down, in_left, in_right, left, right in (
        (0.17, 0.04, 0.06, (6.03, -1.67), (6.03, 2.44)),
        (0.36, 0.0, 0.15, (12.86, 0.0), (12.76, 5.53)),
    ):
        looks = {"eyeLookDownLeft": down, "eyeLookDownRight": down}
        looks |= {"eyeLookInLeft": in_left, "eyeLookInRight": in_right}
        (datagram,) = sent(receiver, "osc.ifacialmocap", block(face(**looks)))
        parts = datagram.decode().split("|")
        found_right, found_left = (p.split("#")[1].split(",") for p in parts[53:55])
        assert [float(a) for a in found_left[:2]] == pytest.approx(left, abs=1.6)
        assert [float(a) for a in found_right[:2]] == pytest.approx(right, abs=1.6)
