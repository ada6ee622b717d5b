"""Sound over RTP: the bytes, and a run received on a socket."""

from __future__ import annotations

import socket
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire.delivery import Delivery
from facewire.emotion import neutral
from facewire.errors import FacewireError, InputError
from facewire.testing import FakeClock, voiced
from facewire.types import Audio, Block, Frames, RunInfo, first_sample
from facewire_audio.plugin import RtpConfig
from facewire_audio.rtp import Rtp
from facewire_audio.rtp_wire import NTP_EPOCH, RtpPacket, pack, pack_report, unpack
from parts import RIG, built

FPS, RATE = Fraction(60), 16000


def test_a_packet_is_what_the_standard_says() -> None:
    samples = np.array([0, 1, -1, 0.5, 2], np.float32)
    data = pack(RtpPacket(96, 65537, 2**32 + 5, 0xDEADBEEF, samples, marker=True))
    head = bytes.fromhex("80 e0 0001 00000005 deadbeef")
    assert data == head + bytes.fromhex("0000 7fff 8001 4000 7fff")
    back = unpack(data)
    assert (back.payload, back.sequence, back.timestamp, back.marker) == (96, 1, 5, True)
    assert np.allclose(back.samples, [0, 1, -1, 0.5, 1], atol=1e-4)
    with pytest.raises(InputError, match="no plain RTP"):
        unpack(data[:9])


def test_a_report_ties_samples_to_the_wall_clock() -> None:
    data = pack_report(7, 1_700_000_000.25, 4800, 3, 1000)
    size = struct.unpack_from(">H", data, 2)[0]
    assert data[:2] == bytes([0x80, 200]) and size == 6 and len(data) % 4 == 0
    _, high, low, stamp, packets, octets = struct.unpack_from(">6I", data, 4)
    assert high - NTP_EPOCH + low / 2**32 == pytest.approx(1_700_000_000.25)
    assert (stamp, packets, octets) == (4800, 3, 1000)
    description = data[28:]
    assert description[:2] == bytes([0x81, 202])
    assert struct.unpack_from(">H", description, 2)[0] * 4 + 4 == len(description)
    assert description[8:10] == bytes([1, 8]) and description[10:18] == b"facewire"


def receivers() -> tuple[socket.socket, socket.socket]:
    """Return sockets on two ports that follow each other."""
    for _ in range(50):
        one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        one.bind(("127.0.0.1", 0))
        try:
            other.bind(("127.0.0.1", one.getsockname()[1] + 1))
        except (OSError, OverflowError):
            one.close()
            other.close()
            continue
        one.setblocking(False)
        other.setblocking(False)
        return one, other
    pytest.skip("no two free ports side by side")


def received(receiver: socket.socket) -> list[bytes]:
    found = []
    try:
        while True:
            found.append(receiver.recv(2000))
    except BlockingIOError:
        return found


def test_a_run_arrives_with_the_frames_own_sample_numbers(tmp_path: Path) -> None:
    sound_to, reports_to = receivers()
    port = sound_to.getsockname()[1]
    sink = Rtp(RtpConfig(port=port, offset=0.02), 42, tmp_path / "clip.sdp")
    assert sink.latency == 0.02
    delivery = Delivery([built(sink, "audio.rtp", "sink")], (RIG, FPS), FakeClock())
    sound, epoch = voiced(3, RATE).samples, 0.0
    packets: list[RtpPacket] = []
    delivery.start(RunInfo("clip", RIG, FPS, RATE, epoch))
    for start in range(0, 180, 20):
        first, last = (first_sample(k, RATE, FPS) for k in (start, start + 20))
        frames = Frames(np.zeros((20, len(RIG)), np.float32), RIG, FPS, start)
        audio = Audio(sound[first:last], RATE, first)
        delivery.push(Block(frames, neutral(20, start, FPS), audio))
        packets += map(unpack, received(sound_to))
    delivery.finish()
    packets += map(unpack, received(sound_to))
    reports = received(reports_to)
    sound_to.close()
    reports_to.close()
    at = 0
    for number, packet in enumerate(packets):
        assert (packet.sequence, packet.timestamp, packet.source) == (number, at, 42)
        assert packet.marker == (number == 0)
        at += len(packet.samples)
    assert np.allclose(np.concatenate([p.samples for p in packets]), sound, atol=1e-4)
    stamps = [struct.unpack_from(">I", report, 16)[0] for report in reports]
    assert stamps == [0, 32000]
    times = [struct.unpack_from(">2I", report, 8) for report in reports]
    seconds = [high + low / 2**32 for high, low in times]
    assert seconds[1] - seconds[0] == pytest.approx(2.0, abs=1e-4)
    text = (tmp_path / "clip.sdp").read_bytes().decode()
    assert f"m=audio {port} RTP/AVP 96\r\na=rtpmap:96 L16/16000/1\r\n" in text


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (RtpConfig(port=65535), "audio.rtp: port is 65535, expected 1 to 65534"),
        (RtpConfig(payload=11), "audio.rtp: payload is 11, expected 96 to 127"),
        (RtpConfig(host="no such host"), "audio.rtp: host 'no such host' cannot be found"),
    ],
)
def test_bad_options_are_one_line(config: RtpConfig, line: str) -> None:
    with pytest.raises(FacewireError) as caught:
        Rtp(config, 1).open(RunInfo("clip", RIG, FPS, RATE))
    assert str(caught.value).startswith(line) and "\n" not in str(caught.value)
