"""OSC 1.0 messages and bundles: pack, nothing else.

python-osc encodes a message once; from then on only its floats change, which are its last bytes
(a frame of 52 messages takes 0.05 ms so, and 1.5 ms with a builder for each message).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np
from facewire.errors import InputError
from facewire.types import FloatArray
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

MAX_DATAGRAM = 1400
"""Bytes of the longest bundle: below an Ethernet frame's 1,500 with room for tunnels."""
_FLOATS = np.dtype(">f4")
_RESERVED = set(" #*,?[]{}")  # OSC 1.0, "OSC Address Spaces"


def message(address: str, *arguments: str | int | float | bool) -> bytes:
    """Return a message: text is typed s, whole numbers i, others f, truth values T or F."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


def head(address: str, *fixed: str | int, floats: int = 1) -> bytes:
    """Return a message's bytes up to its last arguments, ``floats`` of type f."""
    whole = message(address, *fixed, *[0.0] * floats)
    return whole[: len(whole) - floats * _FLOATS.itemsize]


def pack(head: bytes, values: Sequence[float] | FloatArray) -> bytes:
    """Return a head with its floats (as many as it was made for)."""
    return head + finite(values).astype(_FLOATS).tobytes()


def pack_each(heads: Sequence[bytes], values: FloatArray) -> list[bytes]:
    """Return messages of one float: ``heads`` and ``values`` (n,) in the same order."""
    raw, size = finite(values).astype(_FLOATS).tobytes(), _FLOATS.itemsize
    return [head + raw[i * size : (i + 1) * size] for i, head in enumerate(heads)]


def finite(values: Sequence[float] | FloatArray) -> FloatArray:
    """Return values as float32; NaN, infinity and minus zero are 0."""
    with np.errstate(over="ignore"):
        array: FloatArray = np.asarray(values, np.float32)
    return np.where(np.isfinite(array), array, np.float32(0)) + np.float32(0)


def bundles(messages: Iterable[bytes]) -> list[bytes]:
    """Return messages, in order, in as few bundles of at most ``MAX_DATAGRAM`` bytes as it takes.

    A message that is longer goes alone. Time tags say "immediately".
    """
    packed: list[bytes] = []
    bundle = _EMPTY
    for content in messages:
        element = struct.pack(">i", len(content)) + content
        if len(bundle) + len(element) > MAX_DATAGRAM and bundle != _EMPTY:
            packed.append(bundle)
            bundle = _EMPTY
        bundle += element
    return [*packed, bundle] if bundle != _EMPTY else packed


_EMPTY = OscBundleBuilder(IMMEDIATELY).build().dgram


def check_address(where: str, address: str) -> None:
    """Refuse with InputError what is no OSC address: printable ASCII after a slash."""
    wrong = [c for c in address if not "!" <= c <= "~" or c in _RESERVED]
    if wrong or not address.startswith("/") or address.endswith("/") or "//" in address:
        raise InputError(
            f"{where} gives the address {address!r}, expected words with single slashes before"
            " them, in ASCII without blanks or any of # * , ? [ ] { }"
        )
