"""RTP packets of 16-bit sound, and the sender's reports of the clock: bytes, nothing else.

RFC 3550 sections 5.1 (header), 6.4.1 (sender report) and 6.5 (source description), RFC 3551
section 4.5.11 (L16: signed, 16 bits, network byte order), RFC 4566 (SDP).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from facewire.errors import InputError
from facewire.types import FloatArray

VERSION = 2 << 6
REPORT, DESCRIPTION = 200, 202  # RTCP packet types
CNAME = 1
NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
_HEAD = struct.Struct(">BBHII")
_REPORT = struct.Struct(">BBHIIIIII")


@dataclass(frozen=True, slots=True, eq=False)
class RtpPacket:
    """One packet: ``timestamp`` is its first sample's number modulo 2**32; samples (n,) float32.

    ``marker``: the sound before it is missing, or there was none.
    """

    payload: int
    sequence: int
    timestamp: int
    source: int
    samples: FloatArray
    marker: bool = False


def pack(packet: RtpPacket) -> bytes:
    """Return the datagram; samples beyond -1..1 are clipped."""
    kind = packet.payload | (0x80 if packet.marker else 0)
    head = _HEAD.pack(
        VERSION,
        kind,
        packet.sequence % 2**16,
        packet.timestamp % 2**32,
        packet.source,
    )
    return head + np.rint(np.clip(packet.samples, -1, 1) * 32767).astype(">i2").tobytes()


def unpack(data: bytes) -> RtpPacket:
    """Read a datagram without extension or further sources; InputError for another."""
    if len(data) < _HEAD.size or data[0] != VERSION or len(data) % 2:
        raise InputError(f"rtp packet: {len(data)} bytes that are no plain RTP of 16-bit sound")
    _, kind, sequence, timestamp, source = _HEAD.unpack_from(data)
    samples = np.frombuffer(data, ">i2", offset=_HEAD.size).astype(np.float32) / np.float32(32767)
    return RtpPacket(kind & 0x7F, sequence, timestamp, source, samples, bool(kind & 0x80))


def pack_report(source: int, epoch: float, timestamp: int, packets: int, octets: int) -> bytes:
    """Return a report: sample ``timestamp`` belongs to the wall clock's ``epoch`` (Unix seconds).

    A source description follows, as every RTCP datagram needs one.
    """
    ntp = int(epoch * 2**32) + (NTP_EPOCH << 32)
    report = _REPORT.pack(
        VERSION,
        REPORT,
        6,
        source,
        ntp >> 32 & 0xFFFFFFFF,
        ntp & 0xFFFFFFFF,
        timestamp % 2**32,
        packets % 2**32,
        octets % 2**32,
    )
    name = b"facewire"
    item = struct.pack(">IBB", source, CNAME, len(name)) + name
    item += b"\0" * (4 - len(item) % 4)
    return report + struct.pack(">BBH", VERSION | 1, DESCRIPTION, len(item) // 4) + item


def session_description(host: str, port: int, payload: int, rate: int, ipv6: bool) -> str:
    """Return the SDP text that tells a player what comes."""
    kind = "IP6" if ipv6 else "IP4"
    lines = [
        "v=0",
        f"o=- 0 0 IN {kind} {host}",
        "s=Facewire",
        f"c=IN {kind} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {payload}",
        f"a=rtpmap:{payload} L16/{rate}/1",
        "a=recvonly",
    ]
    return "\r\n".join(lines) + "\r\n"
