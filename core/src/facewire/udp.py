"""Datagrams for live sinks: an address that is looked up once, a socket that never waits."""

from __future__ import annotations

import socket
from typing import Any

from facewire.errors import InputError


def resolve(
    where: str,
    host: str,
    port: int,
    note: str = "",
    kind: socket.SocketKind = socket.SOCK_DGRAM,
) -> tuple[socket.AddressFamily, Any]:
    """Return the address family and the address to send to; InputError where there is none.

    ``where`` begins the error's text, ``note`` ends what it says of a wrong port; ``kind`` is that
    of the socket.
    """
    if not 1 <= port <= 65535:
        raise InputError(f"{where}: port is {port}, expected 1 to 65535{note}")
    try:
        found = socket.getaddrinfo(host, port, type=kind)
    except (OSError, ValueError) as error:  # ValueError: no host name could be written so
        raise InputError(
            f"{where}: host '{host}' cannot be found ({error});"
            " expected a name or an address such as 127.0.0.1"
        ) from error
    # Receivers listen on IPv4, many on it alone, and "localhost" is often IPv6 first.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address


class Sender:
    """Sends datagrams to one machine, a broadcast or a multicast address.

    Nothing listening is no error. Those of the network, and of a full buffer, are OSError.
    """

    def __init__(self, where: str, host: str, port: int, note: str = "") -> None:
        self.family, self.address = resolve(where, host, port, note)
        self._socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.setblocking(False)  # a full buffer is an error to count, not a late frame

    def send(self, data: bytes) -> None:
        """Send a datagram."""
        self._socket.sendto(data, self.address)

    def close(self) -> None:
        """Let the socket go: what was sent is sent."""
        self._socket.close()
