# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
"""What Facewire and its Blender add-on say to each other: live packets, and a package of a take.

This file is in both, byte for byte, under either licence. Python 3.10, the standard library alone.

Live, one UDP datagram a frame: the packet of the Live Link Face app, version 6, so that a phone is
understood too (big-endian: u8 version; device and subject, each an i32 count of UTF-8 bytes and the
bytes; i32 frame, f32 sub frame, i32 numerator, i32 denominator; u8 count = 61; 61 f32). Words and
phones come in a datagram of our own: ``FWM1`` and JSON.

A package is a zip file: ``manifest.json``, ``frames.f32`` (rows of little-endian float32) and,
where there is sound, ``sound.wav``.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import sys
import zipfile
import zlib
from array import array
from collections.abc import Sequence
from typing import IO, Any, NamedTuple

VERSION = 6
CHANNELS = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight",
    "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward",
    "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft",
    "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft",
    "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft",
    "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft",
    "noseSneerRight", "tongueOut", "headYaw", "headPitch", "headRoll", "leftEyeYaw",
    "leftEyePitch", "leftEyeRoll", "rightEyeYaw", "rightEyePitch", "rightEyeRoll",
)  # fmt: skip
"""The order of the packet's values; rotations are radians."""
PORT = 11111
MAX_NAME = 256
"""Characters of a device or a subject."""
MAX_PACKET = 1286
"""Bytes of the longest packet; a datagram of marks may have as many."""
MARKS = b"FWM1"
SUFFIX = ".facewire"
FORMAT = 1
MANIFEST, FRAMES, SOUND = "manifest.json", "frames.f32", "sound.wav"
MOST = {MANIFEST: 64 << 20, FRAMES: 1 << 30, SOUND: (4 << 30) + 64}
"""Bytes that the parts of a package may have."""

_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error,
    EOFError, NotImplementedError, OverflowError, RuntimeError, ValueError,
)  # fmt: skip
"""What Python's zipfile raises where bytes are wrong."""
_LENGTH = struct.Struct(">i")
_TIME = struct.Struct(">ifii")
_VALUES = struct.Struct(f">{len(CHANNELS)}f")
_LARGEST = 3.4028234663852886e38  # of float32


class WireError(ValueError):
    """What came is not what this file describes: one line."""


class Packet(NamedTuple):
    """One frame. ``values`` are those of CHANNELS; None: the sender saw no face.

    ``frame`` and ``sub_frame`` are a time in frames at ``numerator`` / ``denominator`` a second.
    """

    device: str
    subject: str
    frame: int
    sub_frame: float
    numerator: int
    denominator: int
    values: tuple[float, ...] | None

    @property
    def seconds(self) -> float:
        """The packet's time; that of 60 frames a second where its rate is nonsense."""
        sane = self.numerator > 0 and self.denominator > 0
        rate = self.numerator / self.denominator if sane else 60.0
        sub = self.sub_frame if 0 <= self.sub_frame < 1 else 0.0
        return (self.frame + sub) / rate


class Timed(NamedTuple):
    """A word, phone or sound in seconds: of the packets' time, or from a package's row 0."""

    kind: str
    text: str
    start: float
    end: float


# -- live ----------------------------------------------------------------------------------------


def pack(packet: Packet) -> bytes:
    """Return the datagram. What is not finite, or no float32, goes out as 0."""
    head = bytes([VERSION]) + _pack_text(packet.device) + _pack_text(packet.subject)
    head += _TIME.pack(packet.frame, packet.sub_frame, packet.numerator, packet.denominator)
    if packet.values is None:
        return head
    if len(packet.values) != len(CHANNELS):
        raise WireError(f"a packet holds {len(CHANNELS)} values, not {len(packet.values)}")
    sane = [value if abs(value) <= _LARGEST else 0.0 for value in packet.values]
    return head + bytes([len(CHANNELS)]) + _VALUES.pack(*sane)


def unpack(data: bytes) -> Packet:
    """Read a datagram; WireError where it is of another kind, cut off or too long."""
    if not data or data[0] != VERSION or len(data) > MAX_PACKET:
        raise WireError("no packet of the Live Link Face app, version 6")
    device, at = _unpack_text(data, 1)
    subject, at = _unpack_text(data, at)
    if len(data) < at + _TIME.size:
        raise WireError("the packet ends in the time")
    frame, sub_frame, numerator, denominator = _TIME.unpack_from(data, at)
    rest = data[at + _TIME.size :]
    values = None
    if rest not in (b"", b"\0"):
        if rest[0] != len(CHANNELS) or len(rest) != 1 + _VALUES.size:
            raise WireError(f"the packet has {rest[0]} values in {len(rest) - 1} bytes")
        found = _VALUES.unpack_from(rest, 1)
        values = tuple(value if math.isfinite(value) else 0.0 for value in found)
    return Packet(device, subject, frame, sub_frame, numerator, denominator, values)


def pack_marks(subject: str, marks: Sequence[Timed]) -> list[bytes]:
    """Return datagrams that hold all marks, each small enough for a packet."""
    found: list[bytes] = []
    told: list[Timed] = []
    for mark in marks:
        if told and len(_marks(subject, [*told, mark])) > MAX_PACKET:
            found.append(_marks(subject, told))
            told = []
        told.append(mark._replace(text=mark.text[:MAX_NAME]))
    return [*found, _marks(subject, told)] if told else found


def unpack_marks(data: bytes) -> tuple[str, list[Timed]]:
    """Return the subject and its marks; WireError where it is no datagram of marks."""
    if not data.startswith(MARKS):
        raise WireError("no marks")
    try:
        told = json.loads(data[len(MARKS) :])
        return str(told["subject"]), [timed(*mark) for mark in told["marks"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError(f"marks that cannot be read: {error}") from None


def _marks(subject: str, marks: Sequence[Timed]) -> bytes:
    told = {"subject": subject, "marks": [list(mark) for mark in marks]}
    return MARKS + json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def timed(kind: Any, text: Any, start: Any, end: Any) -> Timed:
    """Return a mark, checked; ValueError if it is none."""
    found = Timed(str(kind), str(text), float(start), float(end))
    if found.kind not in ("word", "phone", "sound") or not 0 <= found.end - found.start <= 3600:
        raise WireError(f"a mark '{found.kind}' from {found.start:g} to {found.end:g} s")
    return found


def _pack_text(text: str) -> bytes:
    encoded = text.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def _unpack_text(data: bytes, at: int) -> tuple[str, int]:
    start = at + _LENGTH.size
    (length,) = _LENGTH.unpack_from(data, at) if len(data) >= start else (-1,)
    if not 0 <= length <= len(data) - start:
        raise WireError(f"the packet ends in a name at byte {at}")
    try:
        return data[start : start + length].decode(), start + length
    except UnicodeDecodeError:
        raise WireError(f"the packet's name at byte {start} is not UTF-8") from None


# -- packages ------------------------------------------------------------------------------------


class Manifest(NamedTuple):
    """What a package says of itself: ``rows`` rows of ``channels`` at ``fps`` (a fraction)."""

    name: str
    fps: tuple[int, int]
    channels: tuple[str, ...]
    rows: int
    marks: tuple[Timed, ...] = ()
    lang: str = "en"
    sound: bool = False


def write_package(
    file: IO[bytes], manifest: Manifest, frames: IO[bytes], sound: IO[bytes] | None = None
) -> None:
    """Write a package; ``frames`` are its rows, ``sound`` a WAV. The same in gives the same out."""
    told = manifest._replace(sound=sound is not None)._asdict()
    text = json.dumps({"format": FORMAT, **told}, ensure_ascii=False, indent=1, allow_nan=False)
    with zipfile.ZipFile(file, "w") as package:
        package.writestr(_entry(MANIFEST), text)
        for name, part in ((FRAMES, frames), (SOUND, sound)):
            if part is not None:
                with package.open(_entry(name), "w", force_zip64=True) as entry:
                    shutil.copyfileobj(part, entry, 1 << 20)


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)  # of 1980, whenever it is written
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info


def read_package(path: str | os.PathLike[str]) -> tuple[Manifest, array[float]]:
    """Return a package's manifest and its rows, one after the other, as single precision.

    WireError where it is not as it should be; OSError where the system refuses.
    """
    with _opened(path) as package:
        manifest = _manifest(_part(package, MANIFEST))
        values = array("f")
        data = _part(package, FRAMES)
        if len(data) != 4 * manifest.rows * len(manifest.channels):
            raise WireError(f"{len(data)} bytes of frames, expected {manifest.rows} rows")
        values.frombytes(data)
        if sys.byteorder == "big":
            values.byteswap()
        if manifest.sound and SOUND not in package.namelist():
            raise WireError("its sound is missing")
    return manifest, values


def copy_sound(path: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Put a package's WAV at a path: whole, or not at all."""
    target = os.fspath(target)
    part = f"{target}.{os.getpid()}.part"
    try:
        with (
            _opened(path) as package,
            package.open(_sized(package, SOUND)) as sound,
            open(part, "wb") as file,
        ):
            shutil.copyfileobj(sound, file, 1 << 20)
        os.replace(part, target)
    except WireError:
        raise
    except _DAMAGE as error:
        raise WireError(f"its sound is damaged: {error}") from None
    finally:
        if os.path.exists(part):
            os.unlink(part)


def _opened(path: str | os.PathLike[str]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _DAMAGE:
        raise WireError("no package of Facewire, or cut off") from None


def _sized(package: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return an entry that has a sane size: a zip file may promise anything."""
    try:
        info = package.getinfo(name)
    except KeyError:
        raise WireError(f"no package of Facewire: it has no {name}") from None
    if info.file_size > MOST[name]:
        raise WireError(f"{name} has {info.file_size} bytes, expected at most {MOST[name]}")
    return info


def _part(package: zipfile.ZipFile, name: str) -> bytes:
    info = _sized(package, name)
    try:
        return package.read(info)
    except _DAMAGE as error:
        raise WireError(f"{name} is damaged: {error}") from None


def _manifest(data: bytes) -> Manifest:
    try:
        told = json.loads(data.decode())
        if told.pop("format") != FORMAT:
            raise WireError("a package of another version; update Facewire or the add-on")
        marks = tuple(timed(*mark) for mark in told.pop("marks"))
        above, below = (int(part) for part in told.pop("fps"))
        channels = tuple(map(str, told.pop("channels")))
        found = Manifest(fps=(above, below), channels=channels, marks=marks, **told)
    except WireError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WireError(f"{MANIFEST} cannot be read: {error}") from None
    sane = 0 < below and below <= above <= 1000 * below and isinstance(found.rows, int)
    unique = 0 < len(channels) <= 1024 and len(set(channels)) == len(channels)
    if not sane or not unique or found.rows < 1 or not isinstance(found.name, str):
        raise WireError(f"{MANIFEST}: name, fps, channels or rows are not as expected")
    return found
