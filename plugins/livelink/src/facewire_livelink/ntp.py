"""How far this machine's clock is off, asked of a time server once (SNTP, RFC 4330)."""

from __future__ import annotations

import socket
import struct
import time

from facewire.errors import InputError

NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
PORT = 123
PATIENCE = 2.0  # seconds
_PACKET = struct.Struct(">BBbb11I")
_CLIENT = 0b00_100_011  # no warning, version 4, a client asks


def offset(server: str) -> float:
    """Return by how many seconds the server's clock is ahead; InputError where none answers."""
    host, _, port = server.partition(":")
    try:
        number = int(port) if port else PORT
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(PATIENCE)
            asker.connect((host, number))
            asked = time.time()
            asker.send(_PACKET.pack(_CLIENT, 0, 0, 0, *[0] * 9, *_stamp(asked)))
            answer = asker.recv(1024)
            answered = time.time()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"livelink: time server '{server}' does not answer ({error});"
            " name another in ntp_server, or use timecode: clock"
        ) from error
    return _read(server, answer, asked, answered)


def _read(server: str, answer: bytes, asked: float, answered: float) -> float:
    """Return the offset as RFC 4330 section 5 has it: ((T2 - T1) + (T3 - T4)) / 2."""
    if len(answer) < _PACKET.size:
        raise InputError(f"livelink: time server '{server}' sent {len(answer)} bytes, expected 48")
    fields = _PACKET.unpack_from(answer)
    mode, stratum, ours = fields[0] & 7, fields[1], tuple(fields[9:11])
    if mode != 4 or not 1 <= stratum <= 15 or ours != _stamp(asked):
        raise InputError(f"livelink: time server '{server}' sent no answer to our question")
    received, sent = _seconds(*fields[11:13]), _seconds(*fields[13:15])
    return ((received - asked) + (sent - answered)) / 2


def _stamp(seconds: float) -> tuple[int, int]:
    whole = int(seconds)
    return (whole + NTP_EPOCH) % 2**32, int((seconds - whole) * 2**32)


def _seconds(whole: int, part: int) -> float:
    return whole - NTP_EPOCH + (2**32 if whole < 2**31 else 0) + part / 2**32
