"""Receiving: the source, the commands, a time server, and takes that are brought together."""

from __future__ import annotations

import gzip
import os
import socket
import struct
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import RunInfo
from facewire_livelink.align import shift
from facewire_livelink.command import addresses, livelink
from facewire_livelink.interfaces import ASK, address, interfaces
from facewire_livelink.ntp import NTP_EPOCH, offset
from facewire_livelink.plugin import LiveLinkConfig, LiveLinkSourceConfig
from facewire_livelink.receive import Arrivals, Listener
from facewire_livelink.sink import LiveLink
from facewire_livelink.source import LiveLinkSource
from facewire_livelink.wire import Packet, pack, unpack

RIG = Rig.named("arkit61")
JAW = RIG.index("jawOpen")
ROOT = Path(__file__).resolve().parents[2]
CAPTURES = Path(os.environ.get("FACEWIRE_DATA", ROOT.parent / "shared/data")) / "livelink"


def packet(frame: int, jaw: float, subject: str = "phone", rate: int = 60) -> Packet:
    values = np.zeros(61, np.float32)
    values[JAW] = jaw
    return Packet("d" * 36, subject, frame, 0.0, rate, 1, values)


def capture(name: str) -> list[bytes]:
    """Return a real capture's packets (gzip; u8 version, u32 count, per frame u32 size, packet)."""
    path = CAPTURES / name
    if not path.exists():
        pytest.skip(f"no capture {name} under FACEWIRE_DATA")
    data, found, at = gzip.decompress(path.read_bytes()), [], 5
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def send(port: int, datagrams: list[bytes], spacing: float = 0.0005) -> threading.Thread:
    def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for data in datagrams:
                sender.sendto(data, ("127.0.0.1", port))
                time.sleep(spacing)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def received(datagrams: list[bytes], **config: object) -> tuple[np.ndarray, LiveLinkSource]:
    """Send datagrams to a source over UDP and return its rows."""
    given = LiveLinkSourceConfig(host="127.0.0.1", port=0, silence=0.4, **config)  # type: ignore[arg-type]
    source = LiveLinkSource(given)
    sending = send(source.port, datagrams)
    pieces, at = [np.zeros((0, 61), np.float32)], 0
    for frames in source.blocks():
        assert frames.start == at and frames.rig is RIG
        at = frames.end
        pieces.append(frames.values)
    sending.join()
    return np.concatenate(pieces), source


def test_lost_packets_are_filled_in_and_late_ones_left_out() -> None:
    sent = [packet(1000 + k, k / 100) for k in (0, 1, 2, 6, 5, 7)]
    rows, source = received([pack(one) for one in sent])
    assert rows[:, JAW] == pytest.approx(np.arange(8) / 100)
    assert "6 packets" in source.report()[0] and "1 out of order" in source.report()[0]
    assert "2 lost" in source.report()[0]


def test_one_subject_is_taken_and_others_are_counted() -> None:
    sent = []
    for k in range(10):
        sent += [pack(packet(k, 0.1, "Ada")), pack(packet(k, 0.9, "Bo")), b"no packet"]
    rows, source = received(sent, subject="Bo")
    assert len(rows) == 10 and rows[:, JAW] == pytest.approx(0.9)
    assert set(source.arrivals) == {"Ada", "Bo"}
    assert "10 datagrams were no packets" in source.report()[-1]


def test_a_sender_that_starts_anew_goes_on_where_it_was() -> None:
    sent = [pack(packet(k, 0.2)) for k in (500_000, 500_001, 3, 4)]
    rows, _ = received(sent)
    assert len(rows) == 4


def test_a_real_capture_arrives_value_for_value() -> None:
    datagrams = capture("dao.gesichter")
    rows, _ = received(datagrams)
    packets = [unpack(data) for data in datagrams]
    first = packets[0].frame + Fraction(packets[0].sub_frame)
    places = [round(p.frame + Fraction(p.sub_frame) - first) for p in packets]
    assert len(rows) == places[-1] + 1
    for place, one in zip(places[::7], packets[::7], strict=True):
        assert one.values is not None and np.array_equal(rows[place], one.values)


@pytest.mark.parametrize("by", [-23, 0, 17])
def test_a_known_shift_of_a_real_capture_is_found_within_a_frame(by: int) -> None:
    rows, _ = received(capture("dao.gesichter"))
    jaw = rows[:, JAW]
    noise = np.random.default_rng(0).normal(0, 0.01, len(jaw)).astype(np.float32)
    one, other = jaw[30:-30], (0.6 * jaw + 0.05 + noise)[30 - by : len(jaw) - 30 - by]
    found, likeness = shift(one, other, 40)
    assert abs(found - by) <= 1 and likeness > 0.8


def test_jaws_that_stand_still_are_no_measure() -> None:
    with pytest.raises(InputError, match="first take's jaw cannot be compared"):
        shift(np.zeros(100, np.float32), np.ones(100, np.float32), 10)


def test_arrivals_know_a_slow_sender_from_a_lossy_one() -> None:
    slow, lossy = Arrivals(), Arrivals()
    for k in range(100):
        slow.note(packet(2 * k, 0), k / 30)
        if k % 10 != 5:
            lossy.note(packet(k, 0), k / 60)
    assert slow.lost == 0 and slow.per_second == pytest.approx(30)
    assert lossy.lost == 10 and slow.jitter < 1e-6 < lossy.jitter + 1e-5


def test_listen_prints_who_sends_and_records_a_take(tmp_path: Path) -> None:
    free = Listener("127.0.0.1", 0)
    port = free.port
    free._socket.close()
    stop = threading.Event()

    def keep_sending() -> None:
        k = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not stop.wait(1 / 60):
                sender.sendto(pack(packet(k, 0.5 + 0.4 * np.sin(k / 9))), ("127.0.0.1", port))
                k += 1

    sending = threading.Thread(target=keep_sending)
    sending.start()
    try:
        host = ["listen", "--host", "127.0.0.1", "--port", str(port), "--seconds", "1"]
        watched = CliRunner().invoke(livelink, host)
        take = tmp_path / "take.csv"
        recorded = CliRunner().invoke(livelink, [*host, "--out", str(take)])
    finally:
        stop.set()
        sending.join()
    assert watched.exit_code == 0 and "phone sends" in watched.output, watched.output
    assert "packets" in watched.output and "jitter" in watched.output
    assert recorded.exit_code == 0, (recorded.output, recorded.exception)
    lines = take.read_text().splitlines()
    assert len(lines) > 15 and lines[0].startswith("Timecode,BlendShapeCount,")


def test_probe_sends_a_pattern_and_says_what_unreal_needs() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.2)
        port = receiver.getsockname()[1]
        done = CliRunner().invoke(livelink, ["probe", "--port", str(port), "--seconds", "1"])
        packets = []
        try:
            while True:
                packets.append(unpack(receiver.recv(2000)))
        except TimeoutError:
            pass
    assert done.exit_code == 0, done.output
    assert f"packets to 127.0.0.1:{port} leave from 127.0.0.1" in done.output
    assert "Apple ARKit Face Support" in done.output
    jaws = [one.values[JAW] for one in packets if one.values is not None]
    assert len(jaws) > 20 and max(jaws) > 0.5 and jaws[-1] == 0


def test_probe_refuses_a_bad_name_before_it_prints() -> None:
    done = CliRunner().invoke(livelink, ["probe", "--subject", "x" * 300, "--seconds", "1"])
    assert isinstance(done.exception, InputError) and not done.output
    assert str(done.exception) == "livelink: subject has 300 characters, expected 1 to 256"


def test_interfaces_are_told_with_their_addresses() -> None:
    if sys.platform not in ASK:
        pytest.skip("this system does not tell an interface's address")
    found = dict(interfaces())
    loop = next(name for name in found if name.startswith("lo"))
    assert found[loop] == "127.0.0.1" and address("no-such-one") == ""
    assert f"{loop} (127.0.0.1)" in addresses("127.0.0.1", 11111)[0]


def test_listen_says_who_sends_when_the_wanted_subject_does_not(tmp_path: Path) -> None:
    free = Listener("127.0.0.1", 0)
    port = free.port
    free._socket.close()
    listen = ["listen", "--host", "127.0.0.1", "--port", str(port), "--seconds", "0.5"]
    listen += ["--out", str(tmp_path / "take.csv"), "--subject", "Ada"]
    silent = CliRunner().invoke(livelink, listen)
    assert isinstance(silent.exception, InputError)
    assert "nothing came in: look at the app's address" in str(silent.exception)
    sending = send(port, [pack(packet(k, 0.5)) for k in range(200)], 0.01)
    other = CliRunner().invoke(livelink, listen)
    sending.join()
    assert str(other.exception) == (
        "livelink: no face came of the subject 'Ada'; packets came from: phone"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf"])
def test_listen_takes_a_time_above_0_alone(seconds: str) -> None:
    done = CliRunner().invoke(livelink, ["listen", "--port", "0", "--seconds", seconds])
    assert isinstance(done.exception, InputError) and "--seconds is" in str(done.exception)


def test_a_port_in_use_is_one_line() -> None:
    first = Listener("127.0.0.1", 0)
    try:
        with pytest.raises(InputError, match="cannot be listened on") as caught:
            Listener("127.0.0.1", first.port)
        assert "\n" not in str(caught.value)
    finally:
        first._socket.close()


class TimeServer:
    """Answers one question, ``ahead`` seconds ahead of this machine."""

    def __init__(self, ahead: float, stratum: int = 1) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(5)
        self.name = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._ahead, self._stratum = ahead, stratum
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        question, whom = self._socket.recvfrom(1024)
        now = time.time() + self._ahead
        stamp = struct.pack(">II", int(now) + NTP_EPOCH, int(now % 1 * 2**32))
        head = bytes([0b00_100_100, self._stratum]) + bytes(22)
        self._socket.sendto(head + question[40:48] + stamp + stamp, whom)
        self._socket.close()

    def join(self) -> None:
        self._thread.join()


@pytest.mark.parametrize("ahead", [0.0, 3.25, -7200.5])
def test_a_time_server_is_asked_by_how_much_the_clock_is_off(ahead: float) -> None:
    server = TimeServer(ahead)
    assert offset(server.name) == pytest.approx(ahead, abs=0.05)
    server.join()


def test_timecode_follows_the_time_server() -> None:
    server = TimeServer(3600.0)
    sink = LiveLink(LiveLinkConfig(timecode="ntp", ntp_server=server.name))
    plain = LiveLink(LiveLinkConfig())
    info = RunInfo("clip", RIG, Fraction(60), 16000, 1_700_000_000.0)
    for one in (sink, plain):
        one.open(info)
        one.close()
    server.join()
    apart = (sink._start - plain._start) % 86400
    assert float(apart) == pytest.approx(3600, abs=0.05)


def test_a_time_server_that_is_none_is_one_line() -> None:
    with pytest.raises(InputError, match="does not answer"):
        offset("127.0.0.1:notaport")
    server = TimeServer(0.0, stratum=0)
    with pytest.raises(InputError, match="sent no answer to our question"):
        offset(server.name)
    server.join()
