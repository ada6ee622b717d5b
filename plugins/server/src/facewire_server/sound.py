"""Sound from a request's bytes: containers by their content, raw samples only where they say so."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import soundfile
from facewire.errors import InputError
from facewire.sources import finite
from facewire.types import FloatArray

FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "MPEG", "AIFF"})
RATES = (8000, 192000)
RAW = {
    "audio/l16": "be",  # RFC 2586: network byte order
    "audio/pcm": "le",
    "audio/x-pcm": "le",
    "audio/x-raw": "le",
}
_PIECE = 1 << 16


class Undecodable(InputError):
    """The bytes are no sound that this can read."""


class TooLong(InputError):
    """The sound is longer than the server takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Mono samples (n,) float32 at ``rate`` samples a second."""

    samples: FloatArray
    rate: int

    @property
    def seconds(self) -> Fraction:
        """Its length."""
        return Fraction(len(self.samples), self.rate)


def read_sound(body: bytes, content_type: str, most: float, query_rate: str | None = None) -> Sound:
    """Return the sound of a body, mixed to mono; at most ``most`` seconds.

    A content type of raw samples (audio/L16, audio/pcm; with rate, and channels and bits if they
    are not 1 and 16) is taken by its word; everything else is told by its content. Undecodable,
    TooLong, or InputError on wrong parameters of raw samples.
    """
    kind, options = _parsed(content_type)
    if kind in RAW:
        return _raw(body, RAW[kind], options, query_rate, most)
    return _contained(body, most)


def _parsed(content_type: str) -> tuple[str, dict[str, str]]:
    kind, *rest = content_type.split(";")
    pairs = (part.partition("=") for part in rest)
    options = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    return kind.strip().lower(), options


def _number(options: dict[str, str], name: str, default: int | None, least: int, most: int) -> int:
    text = options.get(name, "" if default is None else str(default))
    if re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most:
        return int(text)
    raise InputError(
        f"raw samples: {name} is {text[:20]!r}, expected {least} to {most} "
        "as in 'audio/pcm;rate=16000'"
    )


def _raw(
    body: bytes, order: str, options: dict[str, str], query_rate: str | None, most: float
) -> Sound:
    if query_rate is not None:
        options.setdefault("rate", query_rate)
    rate = _number(options, "rate", None, *RATES)
    channels = _number(options, "channels", 1, 1, 16)
    bits = _number(options, "bits", 16, 16, 32)
    kind = np.dtype(np.float32 if bits == 32 else np.int16)
    if bits not in (16, 32):
        raise InputError(f"raw samples: bits is {bits}, expected 16 (integers) or 32 (floats)")
    if len(body) % (kind.itemsize * channels):
        raise Undecodable(
            f"raw samples: {len(body)} bytes are no whole number of samples "
            f"({bits} bits, {channels} channels)"
        )
    _check_length(len(body) // kind.itemsize // channels, rate, most)
    table = np.frombuffer(body, kind.newbyteorder("<" if order == "le" else ">"))
    samples = table.reshape(-1, channels).astype(np.float32).mean(axis=1, dtype=np.float32)
    if bits == 16:
        samples /= np.float32(32768)
    finite(samples, "sound", 0, rate)
    return Sound(samples, rate)


def _check_length(samples: int, rate: int, most: float) -> None:
    if samples > most * rate:
        raise TooLong(f"sound: {samples / rate:.1f} s, expected at most {most:g} s; cut it")


def _contained(body: bytes, most: float) -> Sound:
    try:
        with soundfile.SoundFile(io.BytesIO(body)) as file:
            if file.format not in FORMATS:
                raise Undecodable(_unknown(f" {file.format}"))
            rate = file.samplerate
            if not RATES[0] <= rate <= RATES[1] or file.channels > 64:
                raise Undecodable(
                    f"sound: {file.channels} channels at {rate} Hz, expected {RATES[0]} to "
                    f"{RATES[1]} Hz; convert it"
                )
            samples = _read(file, rate, most)
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError) as error:
        raise Undecodable(_unknown()) from error
    finite(samples, "sound", 0, rate)
    return Sound(samples, rate)


def _unknown(what: str = "") -> str:
    return (
        f"sound: not a format this reads{what} (expected WAV, MP3, FLAC or OGG; raw samples need "
        "a content type such as 'audio/pcm;rate=16000')"
    )


def _read(file: soundfile.SoundFile, rate: int, most: float) -> FloatArray:
    """Read until the end or the damage; a header may promise more than there is, or less."""
    pieces, count = [np.zeros(0, np.float32)], 0
    try:
        while len(data := file.read(_PIECE, dtype="float32", always_2d=True)):
            count += len(data)
            _check_length(count, rate, most)
            mono = data[:, 0] if data.shape[1] == 1 else data.mean(axis=1, dtype=np.float32)
            pieces.append(mono)
    except soundfile.SoundFileError:
        if not count:
            raise
    return np.concatenate(pieces)
