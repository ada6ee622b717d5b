"""The Live Link Face packet, version 6: pack and unpack, nothing else.

One UDP datagram a frame, everything big-endian, no padding: u8 version; the device's id and the
subject's name, each an i32 count of UTF-8 bytes and the bytes; the time as i32 frame, f32 sub
frame, i32 numerator, i32 denominator; u8 count = 61 and 61 f32. Layout and limits are those of
Unreal Engine's Apple ARKit Face Support plugin, which drops what breaks them without a word.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from facewire.errors import InputError
from facewire.types import FloatArray

VERSION = 6
CHANNELS = 61
MAX_NAME = 256
"""Characters in the device's id or in the subject's name that Unreal accepts."""
MAX_PACKET = 1286
"""Bytes of the longest packet that Unreal accepts."""

_LENGTH = struct.Struct(">i")
_TIME = struct.Struct(">ifii")
_FLOATS = np.dtype(">f4")


@dataclass(frozen=True, slots=True, eq=False)
class Packet:
    """What one datagram says.

    ``frame`` and ``sub_frame`` are a time in frames at ``numerator`` / ``denominator`` frames a
    second; the app counts from midnight. ``values`` (61,) float32 are in the order of the rig
    ``arkit61``, rotations in radians; None: the sender saw no face.
    """

    device: str
    subject: str
    frame: int
    sub_frame: float
    numerator: int
    denominator: int
    values: FloatArray | None


def pack(packet: Packet) -> bytes:
    """Return the datagram. NaN and infinity go out as 0.

    ValueError where ``values`` are not (61,) or the denominator is 0.
    """
    if packet.denominator == 0:
        raise ValueError("a rate's denominator must not be 0")
    head = bytes([VERSION]) + _pack_text(packet.device) + _pack_text(packet.subject)
    head += _TIME.pack(packet.frame, packet.sub_frame, packet.numerator, packet.denominator)
    if packet.values is None:
        return head
    if packet.values.shape != (CHANNELS,):
        raise ValueError(f"a packet holds ({CHANNELS},) values, not {packet.values.shape}")
    finite = np.where(np.isfinite(packet.values), packet.values, 0)
    return head + bytes([CHANNELS]) + finite.astype(_FLOATS).tobytes()


def unpack(data: bytes) -> Packet:
    """Read a datagram; one that ends before its values is from a sender that saw no face.

    Numbers are handed on as they came: a value may be NaN, a denominator 0. InputError where the
    datagram is of another version, cut off or too long.
    """
    if not data or data[0] != VERSION:
        found = f"version {data[0]}" if data else "no bytes"
        raise InputError(f"live link packet: found {found}, expected version {VERSION}")
    device, at = _unpack_text(data, 1)
    subject, at = _unpack_text(data, at)
    end = at + _TIME.size
    if len(data) < end:
        raise InputError(f"live link packet: ends in the time after {len(data)} bytes")
    frame, sub_frame, numerator, denominator = _TIME.unpack_from(data, at)
    values = _unpack_values(data[end:])
    return Packet(device, subject, frame, sub_frame, numerator, denominator, values)


def _pack_text(text: str) -> bytes:
    encoded = text.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def _unpack_text(data: bytes, at: int) -> tuple[str, int]:
    """Return the text at ``at`` and the index after it."""
    start = at + _LENGTH.size
    if len(data) < start:
        raise InputError(f"live link packet: ends in a name's length after {len(data)} bytes")
    (length,) = _LENGTH.unpack_from(data, at)
    if not 0 <= length <= len(data) - start:
        held = len(data) - start
        raise InputError(
            f"live link packet: a name of {length} bytes at byte {start}, {held} follow"
        )
    try:
        return data[start : start + length].decode(), start + length
    except UnicodeDecodeError as error:
        raise InputError(f"live link packet: the name at byte {start} is not UTF-8") from error


def _unpack_values(data: bytes) -> FloatArray | None:
    """Read the count and the floats (61,); None where there is neither, or the count is 0."""
    if not data or data == b"\0":
        return None
    if data[0] != CHANNELS or len(data) != 1 + CHANNELS * _FLOATS.itemsize:
        raise InputError(
            f"live link packet: {len(data) - 1} bytes for {data[0]} values,"
            f" expected {CHANNELS * _FLOATS.itemsize} for {CHANNELS}"
        )
    return np.frombuffer(data, _FLOATS, CHANNELS, offset=1).astype(np.float32)
