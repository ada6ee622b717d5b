"""All sinks over UDP: bad targets, extremes, a network that fails; and what the doctor says."""

from __future__ import annotations

import socket
import time
from fractions import Fraction

import numpy as np
import pytest
from facewire.errors import InputError, ProfileError, StageError
from facewire.types import RunInfo
from facewire_osc import checks, plugin
from facewire_osc.pose import posed, signs
from test_osc_sinks import OVER_UDP, RIG, block, face, made, messages, receiver, sent

__all__ = ["receiver"]  # the fixture


@pytest.mark.parametrize("name", OVER_UDP)
def test_extremes_go_out_as_numbers(receiver: socket.socket, name: str) -> None:
    rows = np.full((4, 61), 1e30, np.float32)
    rows[1] = -3e38
    rows[2] = np.nan
    rows[3, ::2] = np.inf
    for datagram in sent(receiver, name, block(rows)):
        if name == "osc.ifacialmocap":
            assert "nan" not in datagram.decode() and "inf" not in datagram.decode()
            continue
        numbers = [v for _, vs in messages([datagram]) for v in vs if isinstance(v, float)]
        assert np.all(np.isfinite(numbers))


@pytest.mark.parametrize("name", OVER_UDP)
def test_bad_targets(name: str) -> None:
    info = RunInfo("clip", RIG, Fraction(60), 16000)
    for port in (0, 70000):
        with pytest.raises(InputError) as caught:
            made(name, port=port).open(info)
        assert str(caught.value) == f"{name}: port is {port}, expected 1 to 65535"
    for host in ("no-such-host.invalid", "1.2.3.4.5", "x" * 70, ""):
        with pytest.raises(InputError, match=f"{name}: host '") as caught:
            made(name, host=host).open(info)
        assert str(caught.value).endswith("expected a name or an address such as 127.0.0.1")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in OVER_UDP if name != "osc"])
def test_flip_takes_rotations_alone(name: str) -> None:
    with pytest.raises(ProfileError) as caught:
        made(name, flip=("headYawn",))
    assert str(caught.value).startswith(
        f"{name}: flip has 'headYawn', expected rotations; did you mean 'headYaw'? (known: "
    )


def test_flip_turns_head_and_eyes() -> None:
    row = face(headYaw=0.5, eyeLookInLeft=1)[0]
    flipped = posed(row, signs("osc.vmc", ("headYaw", "leftEyeYaw")))
    assert flipped[RIG.index("headYaw")] == -0.5
    assert flipped[RIG.index("leftEyeYaw")] == np.float32(-0.61)


@pytest.mark.parametrize("prefix", ["face", "/fa ce", "/face/", "/é"])
def test_bad_prefixes(prefix: str) -> None:
    info = RunInfo("clip", RIG, Fraction(60), 16000)
    with pytest.raises(InputError, match=r"osc: prefix '.*' gives the address"):
        made("osc", prefix=prefix).open(info)
    with pytest.raises(InputError, match=r"osc.vrchat: prefix '.*' gives the address"):
        made("osc.vrchat", prefix=f"{prefix} /").open(info)


@pytest.mark.parametrize("name", OVER_UDP)
def test_errors_of_the_network_pass_as_they_are(receiver: socket.socket, name: str) -> None:
    """A closed socket stands for a network that went away; then it is back."""
    host, port = receiver.getsockname()
    sink, info = made(name, host=host, port=port), RunInfo("clip", RIG, Fraction(60), 16000)
    sink.open(info)
    assert sink.result == f"{host}:{port}" and sink._socket is not None
    sink._socket.close()
    with pytest.raises(OSError):
        sink.push(block(face()))
    sink.open(info)
    sink.push(block(face()))
    assert receiver.recv(65536)
    sink.close()
    sink.abort()


@pytest.mark.parametrize("name", OVER_UDP)
def test_a_frame_takes_little_time(name: str) -> None:
    """Hold a frame under a tenth of a 60 Hz period."""
    sink = made(name, port=9)
    sink.open(RunInfo("clip", RIG, Fraction(60), 16000))
    what = block(np.random.default_rng(0).uniform(0, 1, (64, 61)).astype(np.float32))
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        sink.push(what)
        times.append((time.perf_counter() - begin) / 64)
    sink.close()
    assert min(times) < 1 / 600


def test_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    loopback, receivers, _ = plugin.facewire_checks()
    assert loopback.run() == "a bundle of 56 bytes went over loopback and came back whole"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        monkeypatch.setattr(checks, "_RECEIVERS", (("VMC", port),))
        assert receivers.run() == f"on this machine listen: VMC ({port}); nothing: -"
    assert receivers.run() == f"on this machine listen: none; nothing: VMC ({port})"

    def blocked(datagram: bytes) -> bytes:
        raise TimeoutError("timed out")

    monkeypatch.setattr(checks, "_through_loopback", blocked)
    with pytest.raises(StageError, match=r"did not arrive \(timed out\); look for a firewall"):
        loopback.run()
