"""What the engine and the Blender add-on say to each other: the same file, bytes others know."""

from __future__ import annotations

import ast
import gzip
import io
import json
import struct
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blender_addon_parts import CODE, addon
from facewire.rig import Rig
from facewire_blender import wire
from facewire_livelink import wire as livelink
from hypothesis import example, given
from hypothesis import strategies as st

OURS = Path(wire.__file__)
MARKS = (wire.Timed("word", "Grüße", 0.1, 0.5), wire.Timed("phone", "ʁ", 0.15, 0.2))
TOLD = wire.Manifest("take", (30000, 1001), ("jawOpen", "mouthClose"), 3, MARKS)
ROWS = np.array([[0.1, 0.2], [1 / 3, -0.5], [1.0, 0.0]], "<f4")


def packed(manifest: wire.Manifest = TOLD, sound: bytes | None = b"RIFFsound") -> bytes:
    file = io.BytesIO()
    wire.write_package(
        file, manifest, io.BytesIO(ROWS.tobytes()), io.BytesIO(sound) if sound else None
    )
    return file.getvalue()


def changed(data: bytes, **parts: bytes | None) -> bytes:
    """Return a package with parts replaced, or (None) left out."""
    names = {"manifest": wire.MANIFEST, "frames": wire.FRAMES, "sound": wire.SOUND}
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for key, name in names.items():
            part = parts.get(key, old.read(name) if name in old.namelist() else None)
            if part is not None:
                new.writestr(name, part)
    return file.getvalue()


# -- the file itself -----------------------------------------------------------------------------


def test_the_two_copies_are_equal() -> None:
    assert OURS.read_bytes() == (CODE / "wire.py").read_bytes()


def test_it_is_under_both_licences_and_needs_nothing() -> None:
    text = OURS.read_text("utf-8")
    assert text.startswith("# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later\n")
    tree = ast.parse(text, feature_version=(3, 10))
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    modules = {name.name for n in nodes if isinstance(n, ast.Import) for name in n.names}
    modules |= {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in modules} <= sys.stdlib_module_names


def test_channels_are_the_engines() -> None:
    assert Rig.named("arkit61").channels == wire.CHANNELS


# -- live ----------------------------------------------------------------------------------------

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
packets = st.builds(
    wire.Packet,
    st.text(max_size=40),
    st.text(max_size=40),
    st.integers(-(2**31), 2**31 - 1),
    floats,
    st.integers(1, 240_000),
    st.integers(1, 1001),
    st.none() | st.lists(floats, min_size=61, max_size=61).map(tuple),
)


@given(packets)
def test_a_packet_is_the_live_link_plugins_byte_for_byte(packet: wire.Packet) -> None:
    values = None if packet.values is None else np.array(packet.values, np.float32)
    other = livelink.pack(livelink.Packet(*packet[:6], values))
    assert wire.pack(packet) == other
    assert wire.unpack(other) == packet
    assert packet.seconds == pytest.approx(
        (packet.frame + (packet.sub_frame if 0 <= packet.sub_frame < 1 else 0))
        * packet.denominator
        / packet.numerator
    )


def test_a_real_phones_packets_are_read(data: Path) -> None:
    found = sorted((data / "livelink").glob("*.gesichter"))
    raw = gzip.decompress(found[0].read_bytes())
    at, count = 5, struct.unpack_from(">I", raw, 1)[0]
    seen = []
    for _ in range(count):
        (size,) = struct.unpack_from(">I", raw, at)
        seen.append(wire.unpack(raw[at + 4 : at + 4 + size]))
        at += 4 + size
    assert len(seen) == count > 100
    jaw = [p.values[wire.CHANNELS.index("jawOpen")] for p in seen if p.values]
    assert 0 <= min(jaw) < max(jaw) <= 1


@pytest.mark.parametrize(
    "data", [b"", b"\x05", b"\x06", b"\x06\0\0\0\x09abc", b"\x06" + b"\xff" * 40, b"FWM1{}"]
)
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.unpack(data)


@given(st.binary(max_size=1300))
def test_no_datagram_breaks_the_reader(data: bytes) -> None:
    for read in (wire.unpack, wire.unpack_marks):
        for start in (b"", b"\x06", wire.MARKS):
            try:
                read(start + data)
            except wire.WireError as error:
                assert "\n" not in str(error)


def test_values_that_are_not_finite_go_out_and_come_in_as_0() -> None:
    bad = (float("nan"), float("inf"), 1e300, -1e300, 0.5) + (0.0,) * 56
    packet = wire.Packet("d", "s", 0, 0.0, 60, 1, bad)
    assert wire.unpack(wire.pack(packet)).values == (0, 0, 0, 0, 0.5) + (0,) * 56
    raw = wire.pack(packet._replace(values=(0.0,) * 61))[:-4] + struct.pack(">f", float("nan"))
    values = wire.unpack(raw).values
    assert values is not None and values[-1] == 0.0


def test_marks_come_in_datagrams_that_fit() -> None:
    marks = [wire.Timed("phone", "ʁ" * 30, k / 10, k / 10 + 0.1) for k in range(100)]
    found = wire.pack_marks("Ada", marks)
    assert len(found) > 3 and max(map(len, found)) <= wire.MAX_PACKET
    assert [mark for data in found for mark in wire.unpack_marks(data)[1]] == marks
    assert {wire.unpack_marks(data)[0] for data in found} == {"Ada"}
    assert wire.pack_marks("Ada", []) == []
    with pytest.raises(wire.WireError):
        wire.unpack_marks(wire.MARKS + b'{"subject": "a", "marks": [["word", "a", 1, NaN]]}')


# -- packages ------------------------------------------------------------------------------------


def test_a_package_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "take.facewire"
    path.write_bytes(packed())
    manifest, values = wire.read_package(path)
    assert manifest == TOLD._replace(sound=True)
    assert np.array_equal(np.array(values).reshape(3, 2), ROWS)
    wire.copy_sound(path, tmp_path / "take.wav")
    assert (tmp_path / "take.wav").read_bytes() == b"RIFFsound"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["take.facewire", "take.wav"]


def test_the_same_gives_the_same_bytes() -> None:
    assert packed() == packed()


def test_the_add_on_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "take.facewire"
    path.write_bytes(packed())
    clip = addon("package").read(path)
    assert (clip.name, len(clip), float(clip.fps)) == ("take", 3, 30000 / 1001)
    assert clip.column("jawOpen").tolist() == ROWS[:, 0].tolist()
    assert [(m.kind, m.text, m.start) for m in clip.marks] == [
        ("word", "Grüße", 0.1), ("phone", "ʁ", 0.15),
    ]  # fmt: skip
    assert Path(clip.sound) == tmp_path / "take.wav"
    assert addon("package").read(path, None).sound == ""


def test_a_sound_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "take.facewire"
    path.write_bytes(packed())
    (tmp_path / "take.wav").write_bytes(b"mine")
    read = addon("package").read
    assert Path(read(path).sound).name == "take.001.wav"
    assert Path(read(path).sound).name == "take.001.wav"  # the same: used again
    path.write_bytes(packed(sound=b"RIFFother"))
    assert Path(read(path).sound).name == "take.002.wav"
    assert (tmp_path / "take.wav").read_bytes() == b"mine"


def manifest(**told: Any) -> bytes:
    whole = {"format": 1, **TOLD._replace(sound=True)._asdict(), **told}
    return json.dumps({k: v for k, v in whole.items() if v is not ...}).encode()


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ({"manifest": None}, "no package of Facewire: it has no manifest.json"),
        ({"frames": None}, "no package of Facewire: it has no frames.f32"),
        ({"sound": None}, "its sound is missing"),
        ({"frames": b"abcd"}, "4 bytes of frames, expected 3 rows"),
        ({"manifest": b"{"}, "manifest.json cannot be read: "),
        ({"manifest": b"[" * 100_000}, "manifest.json cannot be read: "),
        ({"manifest": b"\xff\xfe"}, "manifest.json cannot be read: "),
        ({"manifest": manifest(format=2)}, "a package of another version"),
        ({"manifest": manifest(extra=1)}, "manifest.json cannot be read: "),
        ({"manifest": manifest(name=...)}, "manifest.json cannot be read: "),
        ({"manifest": manifest(fps=[0, 1])}, "manifest.json: name, fps, channels or rows"),
        ({"manifest": manifest(fps=[1, 0])}, "manifest.json: name, fps, channels or rows"),
        ({"manifest": manifest(rows=0)}, "manifest.json: name, fps, channels or rows"),
        ({"manifest": manifest(rows="3")}, "manifest.json: name, fps, channels or rows"),
        ({"manifest": manifest(channels=["a", "a"])}, "manifest.json: name, fps, channels or"),
        ({"manifest": manifest(marks=[["word", "a", 2, 1]])}, "a mark 'word' from 2 to 1 s"),
        ({"frames": ROWS.tobytes()[:-4] + b"\0\0\xc0\x7f"}, "frame 2: mouthClose is nan"),
    ],
)
def test_a_broken_package_is_told_in_one_line(
    parts: dict[str, bytes | None], line: str, tmp_path: Path
) -> None:
    path = tmp_path / "take.facewire"
    path.write_bytes(changed(packed(), **parts))
    error = addon("errors").AddonError
    with pytest.raises(error) as told:
        addon("package").read(path)
    assert str(told.value).startswith(f"take.facewire: {line}")
    assert "\n" not in str(told.value)
    assert [p.name for p in tmp_path.iterdir()] == ["take.facewire"]


def test_a_package_cut_anywhere_is_told(tmp_path: Path) -> None:
    whole, path = packed(), tmp_path / "take.facewire"
    error = addon("errors").AddonError
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(error):
            addon("package").read(path)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=8))
@example([(464, 64)])  # a version of zip files that Python does not know
def test_a_package_with_changed_bytes_never_breaks_the_reader(
    changes: list[tuple[int, int]],
) -> None:
    whole = bytearray(packed())
    for at, byte in changes:
        whole[at % len(whole)] = byte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "take.facewire"
        path.write_bytes(bytes(whole))
        try:
            addon("package").read(path)
        except addon("errors").AddonError as error:
            assert "\n" not in str(error)


def test_a_zip_file_that_promises_too_much_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "take.facewire"
    path.write_bytes(packed())
    monkeypatch.setitem(wire.MOST, wire.FRAMES, 8)
    with pytest.raises(wire.WireError, match=r"frames.f32 has 24 bytes, expected at most 8"):
        wire.read_package(path)
