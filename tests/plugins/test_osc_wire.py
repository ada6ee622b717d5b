"""OSC bytes against vectors, and against a second author's library."""

from __future__ import annotations

import itertools
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.errors import InputError
from facewire_osc.wire import MAX_DATAGRAM, bundles, check_address, head, message, pack, pack_each
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

# of our own, written out by hand from OSC 1.0
SMALL: list[tuple[tuple[Any, ...], str]] = [
    (("/a",), "2f610000 2c000000"),
    (("/abc", 0.5), "2f616263 00000000 2c660000 3f000000"),
    (("/a", 1), "2f610000 2c690000 00000001"),
    (("/a", -2.0, 0.25), "2f610000 2c666600 c0000000 3e800000"),
    (("/a", "Kopf", 1.0), "2f610000 2c736600 4b6f7066 00000000 3f800000"),
    (("/a", "é", 0.0), "2f610000 2c736600 c3a90000 00000000"),
    (("/a", True), "2f610000 2c540000"),
    (("/a", False), "2f610000 2c460000"),
]
BUNDLE = (
    "2362756e646c6500 0000000000000001 00000008 2f6100002c000000 0000000c 2f6200002c69000000000007"
)


@pytest.mark.parametrize(("arguments", "expected"), SMALL, ids=str)
def test_small_messages(arguments: tuple[Any, ...], expected: str) -> None:
    assert message(*arguments).hex() == expected.replace(" ", "")


def test_small_bundle() -> None:
    assert bundles([message("/a"), message("/b", 7)]) == [bytes.fromhex(BUNDLE)]


@pytest.fixture(scope="module")
def vectors(data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((data / "protocols/osc_vectors.json").read_text("utf-8"))
    return loaded


def test_every_vector_byte_for_byte(vectors: dict[str, Any]) -> None:
    assert len(vectors) >= 12
    for name, vector in vectors.items():
        messages = [message(*arguments) for arguments in vector["messages"]]
        (found,) = messages if len(messages) == 1 else bundles(messages)
        assert found.hex() == vector["hex"], name
        assert len(found) == vector["len"], name


def test_heads_and_floats_are_the_vectors_too(vectors: dict[str, Any]) -> None:
    """Build them the way the sinks do: a head once, floats for each frame."""
    checked = 0
    for name, vector in vectors.items():
        messages = []
        for address, *arguments in vector["messages"]:
            floats = [a for a in arguments if isinstance(a, float)]
            fixed = [a for a in arguments if not isinstance(a, float)]
            if any(a is True for a in fixed):
                break  # a message without floats: there is nothing to fill in
            messages.append(pack(head(address, *fixed, floats=len(floats)), floats))
            checked += 1
        else:
            (found,) = messages if len(messages) == 1 else bundles(messages)
            assert found.hex() == vector["hex"], name
    assert checked >= 16


def test_a_second_library_agrees_on_the_vectors(vectors: dict[str, Any]) -> None:
    oscpy = pytest.importorskip("oscpy.parser", reason="oscpy is not installed")
    for name, vector in vectors.items():
        messages = [(a, v) for a, *v in vector["messages"]]
        if any(value is True for _, values in messages for value in values):
            continue  # it cannot write truth values
        encoded = [(a.encode(), [_bytes(v) for v in values]) for a, values in messages]
        if len(messages) == 1:
            found, _ = oscpy.format_message(*encoded[0])
        else:
            found, _ = oscpy.format_bundle(encoded)
        assert found.hex() == vector["hex"], name


def _bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


# minus zero goes out as zero
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@given(WORDS, st.lists(FLOATS, max_size=8))
def test_a_second_library_agrees_on_anything(word: str, floats: list[float]) -> None:
    oscpy = pytest.importorskip("oscpy.parser", reason="oscpy is not installed")
    found, _ = oscpy.format_message(b"/face/x", [word.encode(), *floats])
    assert pack(head("/face/x", word, floats=len(floats)), floats) == found


@given(st.lists(st.integers(1, 60), max_size=80))
def test_bundles_keep_order_and_size(lengths: list[int]) -> None:
    messages = [message("/" + "x" * n, i) for i, n in enumerate(lengths)]
    packed = bundles(messages)
    assert all(len(bundle) <= MAX_DATAGRAM for bundle in packed)
    contents = [m for bundle in packed for m in OscBundle(bundle)]
    assert [m.dgram for m in contents if isinstance(m, OscMessage)] == messages
    # as few as it takes: no bundle's content would have fitted into the one before
    for one, other in itertools.pairwise(packed):
        (size,) = struct.unpack_from(">i", other, 16)
        assert len(one) + 4 + size > MAX_DATAGRAM


def test_a_long_message_goes_alone() -> None:
    long = message("/long", *[0.0] * 400)
    packed = bundles([message("/a"), long, message("/b")])
    assert [len(bundle) > MAX_DATAGRAM for bundle in packed] == [False, True, False]


def test_only_numbers_are_written() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 1e30], np.float32)
    texts = pack_each([head("/a")] * 4, odd)
    written = [struct.unpack(">f", text[-4:])[0] for text in texts]
    assert written == [0, 0, 0, np.float32(1e30)]
    assert pack(head("/a"), [1e300])[-4:] == bytes(4)


@pytest.mark.parametrize("address", ["", "face", "/", "/face/", "/a//b", "/a b", "/é", "/a#", "/*"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InputError) as caught:
        check_address("osc: prefix 'x'", address)
    assert str(caught.value).startswith(f"osc: prefix 'x' gives the address {address!r}, expected ")
    assert "\n" not in str(caught.value)
