"""The livelink sink, over real sockets on this machine."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest
from facewire.errors import InputError, ProfileError, StageError
from facewire.rig import ROTATIONS, Rig
from facewire.types import Audio, Block, Context, Emotion, FloatArray, Frames, RunInfo
from facewire_livelink import checks, plugin
from facewire_livelink.plugin import LiveLinkConfig
from facewire_livelink.sink import LiveLink, device_id
from facewire_livelink.timecode import frame_time, time_of_day, wire_rate
from facewire_livelink.wire import Packet, unpack
from hypothesis import given
from hypothesis import strategies as st

RIG = Rig.named("arkit61")


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    """Yield a socket that listens on a free port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        yield receiver


def info(fps: Fraction | int = 60, epoch: float = 0.0) -> RunInfo:
    return RunInfo("clip", RIG, Fraction(fps), 16000, epoch)


def block(values: FloatArray, start: int = 0, fps: Fraction | int = 60) -> Block:
    n, rate = len(values), Fraction(fps)
    emotion = Emotion(np.zeros((n, 3), np.float32), np.zeros((n, 16), np.float32), rate, start)
    return Block(Frames(values, RIG, rate, start), emotion, Audio(np.zeros(0, np.float32), 16000))


def sent(
    receiver: socket.socket, what: Block, run: RunInfo | None = None, **options: object
) -> list[Packet]:
    """Push a block through a sink; return the packets that arrive."""
    host, port = receiver.getsockname()
    sink = LiveLink(LiveLinkConfig(host=host, port=port, **options))  # type: ignore[arg-type]
    sink.open(run or info())
    sink.push(what)
    sink.close()
    return [unpack(receiver.recv(2000)) for _ in range(len(what.frames))]


def test_every_row_goes_out_whole(receiver: socket.socket) -> None:
    values = np.random.default_rng(0).normal(size=(5, 61)).astype(np.float32)
    packets = sent(receiver, block(values, start=100), subject="Zoë", timecode="run")
    for i, packet in enumerate(packets):
        assert (packet.subject, packet.device) == ("Zoë", device_id("Zoë"))
        assert (packet.frame, packet.sub_frame) == (100 + i, 0.0)
        assert (packet.numerator, packet.denominator) == (60, 1)
        np.testing.assert_array_equal(packet.values, values[i])


def test_the_component_builds_the_sink(receiver: socket.socket) -> None:
    (component,) = plugin.facewire_sinks()
    sink = component.make(component.example, Context())
    assert (component.name, sink.live, sink.rig, sink.fps) == ("livelink", True, RIG, None)
    sink.open(info())
    sink.push(block(np.zeros((1, 61), np.float32)))  # nothing listens: no error
    assert sink.result == "127.0.0.1:11111 Facewire"
    sink.close()
    sink.abort()


def test_flip_negates_the_rotations_named(receiver: socket.socket) -> None:
    values = np.full((1, 61), 0.25, np.float32)
    (packet,) = sent(receiver, block(values), flip=("headYaw", "rightEyeRoll"))
    assert packet.values is not None
    flipped = {RIG.channels[i] for i in np.flatnonzero(packet.values == -0.25)}
    assert flipped == {"headYaw", "rightEyeRoll"}
    assert np.sum(packet.values == 0.25) == 59


def test_nothing_but_numbers_goes_out(receiver: socket.socket) -> None:
    values = np.full((1, 61), 1e30, np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    (packet,) = sent(receiver, block(values), flip=tuple(ROTATIONS))
    assert packet.values is not None
    assert packet.values[:3].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(np.abs(packet.values[3:]), np.float32(1e30))


def test_clock_is_the_local_time_of_day(
    receiver: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change a process's time zone")
    epoch = datetime(2024, 7, 1, 10, 30, 15, 250_000, tzinfo=UTC).timestamp()
    frames = []
    for zone in ("UTC0", "XYZ-5:30"):  # the second is 5 h 30 min ahead
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        (packet,) = sent(receiver, block(np.zeros((1, 61), np.float32), start=7), info(60, epoch))
        assert packet.sub_frame == 0
        frames.append(packet.frame)
    monkeypatch.undo()
    time.tzset()
    utc = (10 * 3600 + 30 * 60 + 15) * 60 + 15 + 7
    assert frames == [utc, utc + (5 * 3600 + 30 * 60) * 60]


def test_rate_of_television_is_exact(receiver: socket.socket) -> None:
    zeros = np.zeros((1, 61), np.float32)
    fps = Fraction("29.97")
    (packet,) = sent(receiver, block(zeros, 3, fps), info(fps), timecode="run")
    assert (packet.frame, packet.numerator, packet.denominator) == (3, 30000, 1001)


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        ("60", "60"), ("24", "24"), ("1000", "1000"), ("12.5", "25/2"),
        ("29.97", "30000/1001"), ("30000/1001", "30000/1001"), ("59.94", "60000/1001"),
        ("23.976", "24000/1001"), ("23.98", "24000/1001"), ("119.88", "120000/1001"),
    ],
)  # fmt: skip
def test_wire_rate(fps: str, rate: str) -> None:
    assert wire_rate(Fraction(fps)) == Fraction(rate)
    assert wire_rate(Fraction(float(Fraction(fps)))) == Fraction(rate)


@pytest.mark.parametrize("fps", ["0", "-60", "25000", "1/2000"])
def test_wire_rate_refuses_what_does_not_fit(fps: str) -> None:
    with pytest.raises(InputError) as caught:
        wire_rate(Fraction(fps))
    assert str(caught.value) == (
        f"livelink: fps is {float(Fraction(fps)):g}, expected 0.001 to 24855"
    )


@given(
    st.integers(0, 10**9),
    st.integers(0, 86_399_999_999),
    st.sampled_from(["60", "24000/1001", "30000/1001", "25", "24854"]),
)
def test_frame_time_says_when_the_frame_is(frame: int, micros: int, fps: str) -> None:
    """Frame plus sub frame is the time since midnight within 1/65536 of a frame."""
    start, rate = Fraction(micros, 1_000_000), Fraction(fps)
    number, sub = frame_time(frame, start, rate)
    assert 0 <= number < 2**31
    assert 0 <= float(np.float32(sub)) < 1
    exact = (start + frame / rate) % 86400 * rate
    assert 0 <= exact - number - Fraction(sub) < Fraction(1, 65536)


def test_frame_time_begins_again_at_midnight() -> None:
    last = 86400 * 60 - 1
    assert frame_time(0, Fraction(last, 60), Fraction(60)) == (last, 0.0)
    assert frame_time(1, Fraction(last, 60), Fraction(60)) == (0, 0.0)


def test_time_of_day_keeps_microseconds() -> None:
    assert time_of_day(1000.25) % 1 == Fraction(1, 4)
    assert 0 <= time_of_day(time.time()) < 86400


def test_a_subject_keeps_its_device() -> None:
    """The id must never change: Unreal knows a character by it."""
    assert device_id("Facewire") == "0F7F9025-9B12-55D8-9164-D84C2C8A3F2A"
    assert len(device_id("顔")) == 36
    assert device_id("Ada") == device_id("Ada").upper() != device_id("Zoë")


def test_a_device_of_ones_own(receiver: socket.socket) -> None:
    (packet,) = sent(receiver, block(np.zeros((1, 61), np.float32)), device="phone-1")
    assert packet.device == "phone-1"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"port": 0}, "port is 0, expected 1 to 65535 (Unreal listens on 11111)"),
        ({"port": 70000}, "port is 70000, expected 1 to 65535 (Unreal listens on 11111)"),
        ({"subject": ""}, "subject has 0 characters, expected 1 to 256"),
        ({"subject": "a" * 257}, "subject has 257 characters, expected 1 to 256"),
        ({"subject": "\ud800"}, "subject '\\ud800' cannot be written as UTF-8"),
        ({"device": ""}, "device has 0 characters, expected 1 to 256"),
        (
            {"subject": "顔" * 256, "device": "é" * 200},
            "with this subject and device a packet has 1438 bytes, expected at most 1286:"
            " use a shorter name",
        ),
    ],
)
def test_open_refuses_what_unreal_would_drop(options: dict[str, object], text: str) -> None:
    sink = LiveLink(LiveLinkConfig(**options))  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        sink.open(info())
    assert str(caught.value) == f"livelink: {text}"
    sink.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "1.2.3.4.5", "x" * 70, ""])
def test_open_refuses_a_host_that_is_none(host: str) -> None:
    with pytest.raises(InputError, match="livelink: host '") as caught:
        LiveLink(LiveLinkConfig(host=host)).open(info())
    assert str(caught.value).endswith("expected a name or an address such as 127.0.0.1")
    assert "\n" not in str(caught.value)


def test_longest_names_fit(receiver: socket.socket) -> None:
    (packet,) = sent(
        receiver, block(np.zeros((1, 61), np.float32)), subject="顔" * 256, device="d" * 248
    )
    assert packet.subject == "顔" * 256


def test_flip_takes_rotations_alone() -> None:
    with pytest.raises(ProfileError) as caught:
        LiveLink(LiveLinkConfig(flip=("headYawn",)))
    assert str(caught.value).startswith(
        "livelink: flip has 'headYawn', expected rotations; did you mean 'headYaw'? (known: "
    )


@pytest.mark.parametrize("host", ["255.255.255.255", "239.255.10.10", "localhost"])
def test_addresses_of_many_machines_are_taken(host: str) -> None:
    sink = LiveLink(LiveLinkConfig(host=host))
    sink.open(info())
    assert sink.result == f"{host}:11111 Facewire"
    sink.close()


def test_errors_of_the_network_pass_as_they_are(
    receiver: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed socket stands for a network that went away; then it is back."""
    host, port = receiver.getsockname()
    sink = LiveLink(LiveLinkConfig(host=host, port=port))
    sink.open(info())
    one = block(np.zeros((1, 61), np.float32))
    assert sink._sender is not None
    sink._sender.close()
    with pytest.raises(OSError):
        sink.push(one)
    sink.open(info())
    sink.push(one)
    assert unpack(receiver.recv(2000)).subject == "Facewire"
    sink.close()


def test_doctor_sends_a_packet_over_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    (check,) = plugin.facewire_checks()
    assert check.run() == "a packet of 319 bytes went over loopback and came back whole"

    def blocked(datagram: bytes) -> bytes:
        raise TimeoutError("timed out")

    monkeypatch.setattr(checks, "_through_loopback", blocked)
    with pytest.raises(StageError, match=r"did not arrive \(timed out\); look for a firewall"):
        check.run()


def test_a_packet_takes_little_time() -> None:
    """Hold a frame under a tenth of a 60 Hz period, by far."""
    sink = LiveLink(LiveLinkConfig(port=9))
    sink.open(info())
    what = block(np.zeros((64, 61), np.float32))
    begin = time.perf_counter()
    for _ in range(10):
        sink.push(what)
    assert (time.perf_counter() - begin) / 640 < 1 / 600
    sink.close()
