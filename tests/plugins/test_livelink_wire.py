"""The Live Link Face packet against bytes of ours, real captures and another decoder."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.errors import InputError
from facewire.rig import Rig
from facewire_livelink.wire import Packet, pack, unpack
from hypothesis import given
from hypothesis import strategies as st
from pylivelinkface import PyLiveLinkFace

DEVICE = "01234567-89AB-CDEF-0123-456789ABCDEF"
VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data/livelink/packets.json").read_text("utf-8")
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=0, max_size=256)
INT32 = st.integers(-(2**31), 2**31 - 1)


def packet_of(vector: dict[str, Any]) -> Packet:
    """Build a packet from a vector's fields (``values`` maps a float's place to what it holds)."""
    values = None
    if vector["values"] is not None:
        values = np.zeros(61, np.float32)
        for place, value in vector["values"].items():
            values[int(place)] = value
    fields = ("device", "subject", "frame", "sub_frame", "numerator", "denominator")
    device, subject, frame, sub_frame, numerator, denominator = (vector[f] for f in fields)
    return Packet(device, subject, frame, sub_frame, numerator, denominator, values)


def captured(path: Path) -> list[bytes]:
    """Read the datagrams of a capture: u8 version, u32 count, then u32 size and packet."""
    raw = gzip.decompress(path.read_bytes())
    count, at, packets = struct.unpack_from(">I", raw, 1)[0], 5, []
    for _ in range(count):
        (size,) = struct.unpack_from(">I", raw, at)
        packets.append(raw[at + 4 : at + 4 + size])
        at += 4 + size
    assert at == len(raw)
    return packets


def assert_same(one: Packet, other: Packet) -> None:
    """Compare all fields; values bit by bit."""
    for field in ("device", "subject", "frame", "sub_frame", "numerator", "denominator"):
        assert getattr(one, field) == getattr(other, field), field
    if one.values is None or other.values is None:
        assert one.values is other.values
    else:
        assert one.values.tobytes() == other.values.tobytes()


def assert_oracle_agrees(datagram: bytes) -> None:
    """Decode with pylivelinkface too (it needs a device of 36 bytes)."""
    packet = unpack(datagram)
    assert len(packet.device) == 36
    has_face, face = PyLiveLinkFace.decode(datagram)
    assert has_face == (packet.values is not None)
    if packet.values is not None:
        assert face.name == packet.subject
        assert face.uuid == "$" + packet.device  # it reads the length's last byte, 36, as "$"
        assert (face._frames, face._sub_frame) == (packet.frame, packet.sub_frame)
        assert (face.fps, face._denominator) == (packet.numerator, packet.denominator)
        assert face._blend_shapes == tuple(packet.values.tolist())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    packet, datagram = packet_of(vector), bytes.fromhex(vector["hex"])
    assert pack(packet) == datagram
    assert_same(unpack(datagram), packet)
    if len(packet.device) == 36:
        assert_oracle_agrees(datagram)


def test_size_is_270_and_the_names() -> None:
    datagram = bytes.fromhex(VECTORS[0]["hex"])
    assert len(datagram) == 270 + len(DEVICE) + len("face1")


def test_order_of_values_is_that_of_arkit61() -> None:
    """Compare with pylivelinkface's table, whose members are numbered as on the wire."""
    from pylivelinkface import FaceBlendShape

    wire = [shape.name[0].lower() + shape.name[1:] for shape in FaceBlendShape]
    assert tuple(wire) == Rig.named("arkit61").channels


def test_vectors_of_the_test_data(data: Path) -> None:
    vectors = json.loads((data / "protocols/llf_vectors.json").read_text("utf-8"))
    assert len(vectors) == 8
    for name, vector in vectors.items():
        datagram = bytes.fromhex(vector["hex"])
        packet = unpack(datagram)
        assert pack(packet) == datagram, name
        assert len(datagram) == vector["len"]
        if vector["decoders"]["pylivelinkface"] in ("OK", "no-face"):
            assert_oracle_agrees(datagram)
    ramp = unpack(bytes.fromhex(vectors["llf_v6_ramp"]["hex"]))
    assert (ramp.device, ramp.subject) == (DEVICE, "Subject")
    assert (ramp.frame, ramp.sub_frame, ramp.numerator, ramp.denominator) == (123456, 0.5, 60, 1)
    np.testing.assert_array_equal(ramp.values, np.arange(61) / 64)
    ntsc = unpack(bytes.fromhex(vectors["llf_v6_2997"]["hex"]))
    assert (ntsc.numerator, ntsc.denominator) == (30000, 1001)
    assert unpack(bytes.fromhex(vectors["llf_v6_utf8"]["hex"])).subject == "Gesicht_äö顔"


@pytest.mark.parametrize(("name", "count"), [("dao", 180), ("debug-all-blendshapes", 3660)])
def test_real_captures(data: Path, name: str, count: int) -> None:
    """Read captures of the app value for value, and write them byte for byte."""
    datagrams = captured(data / "livelink" / f"{name}.gesichter")
    assert len(datagrams) == count
    for i, datagram in enumerate(datagrams):
        packet = unpack(datagram)
        assert packet.subject == "LLV Default Device"
        assert packet.values is not None
        assert packet.values.tolist() == list(struct.unpack(">61f", datagram[-244:]))
        assert pack(packet) == datagram, f"packet {i}"


def test_eyes_of_a_real_capture_are_radians(data: Path) -> None:
    """Regress eye yaw on how far the eye looks out: 1.0 is about 35 degrees, and right is +."""
    datagrams = captured(data / "livelink/dao.gesichter")
    found = [unpack(datagram).values for datagram in datagrams]
    values = np.stack([row for row in found if row is not None])
    rig = Rig.named("arkit61")
    look = values[:, rig.index("eyeLookOutLeft")] - values[:, rig.index("eyeLookInLeft")]
    slope = np.polyfit(look, values[:, rig.index("leftEyeYaw")], 1)[0]
    assert slope == pytest.approx(-0.613, abs=0.01)


@given(
    NAMES,
    NAMES,
    INT32,
    st.floats(0, 1, width=32),
    INT32,
    INT32,
    st.binary(min_size=244, max_size=244),
)
def test_round_trip(
    device: str, subject: str, frame: int, sub: float, num: int, den: int, floats: bytes
) -> None:
    values = np.frombuffer(floats, np.float32)
    values = np.where(np.isfinite(values), values, np.float32(1e30))
    packet = Packet(device, subject, frame, sub, num, den or 1, values)
    assert_same(unpack(pack(packet)), packet)
    assert_same(
        unpack(pack(packet)[:-245]), Packet(device, subject, frame, sub, num, den or 1, None)
    )


def test_what_is_not_finite_goes_out_as_zero() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 1e30] + [0.5] * 57, np.float32)
    back = unpack(pack(Packet(DEVICE, "Ada", 0, 0.0, 60, 1, values))).values
    assert back is not None
    assert back.tolist() == [0, 0, 0, np.float32(1e30), *[0.5] * 57]


def test_pack_refuses_what_unreal_cannot_read() -> None:
    zeros = np.zeros(61, np.float32)
    with pytest.raises(ValueError, match="denominator must not be 0"):
        pack(Packet(DEVICE, "Ada", 0, 0.0, 60, 0, zeros))
    with pytest.raises(ValueError, match=r"a packet holds \(61,\) values, not \(52,\)"):
        pack(Packet(DEVICE, "Ada", 0, 0.0, 60, 1, zeros[:52]))


def test_unpack_takes_what_others_send() -> None:
    """A denominator of 0, NaN and an empty list of values occur in the wild."""
    datagram = bytearray(pack(Packet(DEVICE, "Ada", 0, 0.0, 30, 1, np.zeros(61, np.float32))))
    datagram[-249:-245] = bytes(4)
    datagram[-4:] = struct.pack(">f", np.nan)
    packet = unpack(bytes(datagram))
    assert packet.denominator == 0
    assert packet.values is not None and np.isnan(packet.values[-1])
    assert unpack(bytes(datagram[:-245]) + b"\0").values is None


def test_unpack_names_what_is_wrong() -> None:
    whole = pack(Packet("dev1", "Ada", 0, 0.0, 60, 1, np.zeros(61, np.float32)))
    cases = {
        b"": "live link packet: found no bytes, expected version 6",
        b"\5" + whole[1:]: "live link packet: found version 5, expected version 6",
        whole[:3]: "live link packet: ends in a name's length after 3 bytes",
        whole[:7]: "live link packet: a name of 4 bytes at byte 5, 2 follow",
        whole[:1] + b"\xff" * 4: "live link packet: a name of -1 bytes at byte 5, 0 follow",
        whole[:5] + b"\xff" + whole[6:]: "live link packet: the name at byte 5 is not UTF-8",
        whole[:20]: "live link packet: ends in the time after 20 bytes",
        whole[:-4]: "live link packet: 240 bytes for 61 values, expected 244 for 61",
        whole + b"\0": "live link packet: 245 bytes for 61 values, expected 244 for 61",
        whole[:-245] + b"\x34" + bytes(208): (
            "live link packet: 208 bytes for 52 values, expected 244 for 61"
        ),
    }
    for datagram, text in cases.items():
        with pytest.raises(InputError) as caught:
            unpack(datagram)
        assert str(caught.value) == text


@given(st.binary(max_size=700))
def test_unpack_of_anything_is_a_packet_or_one_line(datagram: bytes) -> None:
    for data in (datagram, b"\6" + datagram, b"\6\0\0\0\4dev1\0\0\0\3Ada" + datagram):
        try:
            assert unpack(data).values is None or len(data) >= 270
        except InputError as error:
            assert "\n" not in str(error)
