"""The network interfaces of the machine at hand, and their IPv4 addresses."""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress

ASK = {"linux": 0x8915, "darwin": 0xC0206921}
"""SIOCGIFADDR: from linux/sockios.h, and sys/sockio.h of macOS. Others have no such question."""


def interfaces() -> list[tuple[str, str]]:
    """Return each interface's name and address; an empty one where there is none, or none told.

    OSError, AttributeError where a system has no such list.
    """
    return [(name, address(name)) for _, name in socket.if_nameindex()]


def address(name: str) -> str:
    """Return an interface's IPv4 address, or an empty text."""
    if sys.platform not in ASK:
        return ""
    from fcntl import ioctl  # not on Windows

    # struct ifreq: the name in 16 bytes, then a sockaddr_in with the address in bytes 4 to 8
    question = struct.pack("16s256x", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking, suppress(OSError):
        return socket.inet_ntoa(ioctl(asking.fileno(), ASK[sys.platform], question)[20:24])
    return ""
