"""What ``facewire doctor`` does for this plugin: a packet over loopback."""

from __future__ import annotations

import socket

import numpy as np
from facewire.errors import StageError

from facewire_livelink.sink import device_id
from facewire_livelink.wire import CHANNELS, Packet, pack

_PATIENCE = 2.0  # seconds; loopback needs microseconds


def check_loopback() -> str:
    """Send a test packet to this machine and read it back. StageError where it does not arrive."""
    values = np.linspace(0, 1, CHANNELS, dtype=np.float32)
    sent = pack(Packet(device_id("Facewire test"), "Facewire test", 0, 0.0, 60, 1, values))
    try:
        received = _through_loopback(sent)
    except OSError as error:
        raise StageError(
            f"livelink: a packet to 127.0.0.1 did not arrive ({error});"
            " look for a firewall that blocks UDP"
        ) from error
    if received != sent:
        raise StageError("livelink: a packet came back from 127.0.0.1 changed")
    return f"a packet of {len(sent)} bytes went over loopback and came back whole"


def _through_loopback(datagram: bytes) -> bytes:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_PATIENCE)
        sender.sendto(datagram, receiver.getsockname())
        return receiver.recv(len(datagram) + 1)
