"""Takes from elsewhere, and broken ones: each is read right, or refused in one line."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import Context, FloatArray, Frames
from facewire_files.plugin import facewire_sources
from hypothesis import given
from hypothesis import strategies as st

SOURCES = {component.name: component for component in facewire_sources()}
SUFFIX = {name: component.suffixes[0] for name, component in SOURCES.items()}


def frames_of(path: Path) -> list[Frames]:
    (component,) = (c for c in SOURCES.values() if path.suffix in c.suffixes)
    return list(component.make(component.config(str(path)), Context()).blocks())


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        frames_of(path)
    text = str(error.value)
    assert text.startswith(str(path)) and "\n" not in text and len(text) < len(str(path)) + 250
    return text[len(str(path)) :].lstrip(":, ")


def values(rows: int = 100, channels: int = 3) -> FloatArray:
    return np.random.default_rng(0).uniform(0, 1, (rows, channels)).astype(np.float32)


def arrays(**changes: Any) -> dict[str, Any]:
    whole = {"values": values(), "channels": np.array(["jawOpen", "a", "b"]), "fps": 30.0}
    return {key: value for key, value in (whole | changes).items() if value is not None}


def saved(path: Path, **changes: Any) -> Path:
    np.savez(path, **arrays(**changes))
    return path


def test_takes_of_other_tools_are_read(data: Path) -> None:
    path = sorted((data / "motion" / "facegood").glob("*.npz"))[0]
    frames = frames_of(path)
    with np.load(path) as take:
        np.testing.assert_array_equal(np.concatenate([f.values for f in frames]), take["values"])
    assert frames[0].rig == Rig.named("arkit52") and frames[0].fps == 30


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, ">f8"])
def test_any_float_is_read(tmp_path: Path, save: Callable[..., None], kind: Any) -> None:
    given_values = values(3000).astype(kind)
    save(tmp_path / "a.npz", **arrays(values=given_values, fps=np.int32(25)))
    frames = frames_of(tmp_path / "a.npz")
    got = np.concatenate([f.values for f in frames])
    np.testing.assert_array_equal(got, given_values.astype(np.float32))
    assert frames[0].fps == 25 and frames[0].rig.channels == ("jawOpen", "a", "b")


def test_the_exact_rate_wins(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", fps=29.97, fps_fraction=np.array([30000, 1001]))
    assert frames_of(path)[0].fps == Fraction(30000, 1001)
    assert frames_of(saved(path, fps=29.97))[0].fps == Fraction(2997, 100)


NPZ: dict[str, tuple[dict[str, Any], str]] = {
    "no values": ({"values": None}, "has no 'values' (it has channels.npy, fps.npy)"),
    "no channels": ({"channels": None}, "has no 'channels'"),
    "no fps": ({"fps": None}, "has no 'fps'"),
    "one row of values": (
        {"values": np.zeros(3)},
        "values are float64 (3,), expected floats (n, 3)",
    ),
    "a column too many": ({"values": values(9, 4)}, "values are float32 (9, 4), expected floats"),
    "integers": ({"values": np.zeros((3, 3), int)}, "values are int64 (3, 3), expected floats"),
    "no rows": ({"values": values(0)}, "the take has no frames"),
    "by columns": ({"values": np.asfortranarray(values())}, "'values' is in Fortran order"),
    "nan": (
        {"values": np.where(np.eye(100, 3, -70), np.nan, 0)},
        "frame 70: jawOpen is nan, expected",
    ),
    "infinite": (
        {"values": np.full((9, 3), -np.inf)},
        "frame 0: jawOpen is -inf, expected a finite",
    ),
    "too large": ({"values": np.full((9, 3), 1e200)}, "frame 0: jawOpen is inf, expected a finite"),
    "pickled": ({"values": np.array([[None]])}, "'values' is pickled; save it as plain numbers"),
    "pickled names": ({"channels": np.array([object()])}, "'channels' is pickled"),
    "numbers as names": ({"channels": np.arange(3)}, "channels are int64 (3,), expected text (n,)"),
    "no names": ({"channels": np.zeros(0, "U1")}, "0 channels, expected 1 to 1024"),
    "an empty name": ({"channels": np.array(["a", "", "b"])}, "channel '' is not a name"),
    "a name twice": ({"channels": np.array(["a", "b", "a"])}, "channel 'a' is there twice"),
    "long names": ({"channels": np.array(["x" * 200, "b", "a"])}, "channel 'xxx"),
    "huge names": (
        {"channels": np.zeros(3, "U1000000")},
        "'channels' has 12000000 bytes, expected",
    ),
    "fps 0": ({"fps": 0.0}, "fps is 0, expected 1 to 1000"),
    "fps below 0": ({"fps": -30}, "fps is -30, expected 1 to 1000"),
    "absurd fps": ({"fps": 1e9}, "fps is 1e+09, expected 1 to 1000"),
    "fps nan": ({"fps": np.nan}, "fps is nan, expected a number"),
    "fps inf": ({"fps": np.inf}, "fps is inf, expected a number"),
    "fps as text": ({"fps": "30"}, "fps is <U2 (), expected one number"),
    "two fps": ({"fps": [30, 60]}, "fps is int64 (2,), expected one number"),
    "fps over 0": ({"fps_fraction": np.array([30, 0])}, "fps is [30, 0], expected a number"),
    "no fraction": ({"fps_fraction": np.array([30.0])}, "fps_fraction is no pair of integers"),
}


@pytest.mark.parametrize("case", NPZ)
def test_an_archive_that_is_not_a_take_is_refused(tmp_path: Path, case: str) -> None:
    changes, text = NPZ[case]
    assert refused(saved(tmp_path / "a.npz", **changes)).startswith(text)


def archive(path: Path, **members: bytes) -> Path:
    saved(path)
    with zipfile.ZipFile(path) as old:
        whole = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, raw in (whole | {f"{key}.npy": raw for key, raw in members.items()}).items():
            new.writestr(name, raw)
    return path


def header(shape: tuple[int, ...], descr: Any = "<f4") -> bytes:
    out = io.BytesIO()
    form = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, form)
    return out.getvalue()


def test_archives_that_lie_or_burst_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    short = "'values' has not the size that its"
    assert refused(archive(path, values=header((10**15, 3)))).startswith("the take is 925925925")
    assert refused(archive(path, values=header((1000, 3)))).startswith(short)
    assert refused(archive(path, values=header((9, 3)) + bytes(10**6))).startswith(short)
    assert refused(archive(path, values=header((-9, 3)))).startswith("'values' is not a numpy")
    assert "is not a numpy array" in refused(archive(path, values=b"no array"))
    assert "is not a numpy array" in refused(archive(path, values=b""))
    assert "is not a numpy array" in refused(archive(path, values=b"\x93NUMPY\x09\x00" + bytes(99)))
    assert refused(archive(path, channels=header((10**12,), "<U9"))).startswith("'channels' has 36")
    assert refused(archive(path, channels=header((-1,), "<U9"))).startswith("'channels' is not a")
    assert "bytes are missing" in refused(archive(path, channels=header((3,), "<U9")))
    assert "is not a numpy array" in refused(archive(path, fps=b"cos\nsystem\n(S'true'\ntR."))
    bad_text = header((3,), "<U1") + b"\xff" * 12
    assert "channels" in refused(archive(path, channels=bad_text))


def test_a_bomb_of_zeros_costs_no_memory(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", values=header((2_000_000, 3)) + bytes(24_000_000))
    assert path.stat().st_size < 50_000
    (component,) = (c for c in SOURCES.values() if c.name == "files.npz")
    tracemalloc.start()
    rows = sum(map(len, component.make(component.config(str(path)), Context()).blocks()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 2_000_000 and peak < 2e6


@given(st.data())
def test_a_damaged_archive_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = saved(tmp_path_factory.mktemp("npz") / "a.npz")
    raw = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        raw = raw[: data.draw(st.integers(1, len(raw) - 1))]
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    try:
        assert sum(map(len, frames_of(path))) > 0
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 500


def as_json(**changes: Any) -> str:
    whole = {"fps": 30, "channels": ["jawOpen", "a"], "values": [[0, 0.5], [1, -2.5e-3]]}
    return json.dumps({k: v for k, v in (whole | changes).items() if v is not None})


def test_json_in_any_layout_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + as_json().encode())
    (frames,) = frames_of(tmp_path / "a.json")
    assert frames.values.tolist() == [[0, 0.5], [1, np.float32(-2.5e-3)]] and frames.fps == 30


JSON: dict[str, tuple[str | bytes, str]] = {
    "cut": (as_json()[:-9], "is not JSON: expecting"),
    "a list": ("[1]", "expected an object with fps, channels and values"),
    "no fps": (as_json(fps=None), "has no 'fps'"),
    "fps as text": (as_json(fps="fast"), "fps is fast, expected a number"),
    "fps of an object": (as_json(fps={}), "fps is {}, expected a number"),
    "fps 0": (as_json(fps=0), "fps is 0, expected 1 to 1000"),
    "a fraction of three": (as_json(fps_fraction=[1, 2, 3]), "fps is [1, 2, 3], expected a number"),
    "no names": (as_json(channels="jawOpen"), "channels and values are to be lists"),
    "numbers as names": (as_json(channels=[1, 2]), "channel '1' is not a name"),
    "half a character": (as_json(channels=["a", "\ud800"]), "channel "),
    "no rows": (as_json(values=[]), "the take has no frames"),
    "a short row": (as_json(values=[[0, 0], [0]]), "frame 1: expected 2 numbers"),
    "no row": (as_json(values=[[0, 0], 7]), "frame 1: expected 2 numbers"),
    "text": (as_json(values=[[0, "0"]]), "frame 0: a value is no number"),
    "true": (as_json(values=[[0, True]]), "frame 0: a value is no number"),
    "nan": (as_json(values=[[0, 0], [0, float("nan")]]), "frame 1: a is nan, expected a finite"),
    "huge": (as_json(values=[[0, 10**400]]), "frame 0: jawOpen is inf, expected a finite"),
    "huge digits": (as_json().replace("0.5", "9" * 5000), "is not JSON: exceeds the limit"),
    "deep": ("[" * 100_000, "is not JSON of this kind: nested too deep"),
    "latin-1": (as_json().replace("jawOpen", "j\xe4w").encode("latin-1"), "is not JSON: 'utf-8'"),
}


@pytest.mark.parametrize("case", JSON)
def test_json_that_is_not_a_take_is_refused(tmp_path: Path, case: str) -> None:
    text, wanted = JSON[case]
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert refused(tmp_path / "a.json").startswith(wanted)


@pytest.mark.parametrize("suffix", SUFFIX.values())
def test_what_is_no_file_is_refused(tmp_path: Path, suffix: str) -> None:
    assert refused(tmp_path / f"missing{suffix}") == "there is no such file"
    (tmp_path / f"folder{suffix}").mkdir()
    assert refused(tmp_path / f"folder{suffix}") == "is a folder, expected a file"
    (tmp_path / f"empty{suffix}").touch()
    assert refused(tmp_path / f"empty{suffix}") == "the file is empty"
    os.mkfifo(tmp_path / f"pipe{suffix}")
    assert refused(tmp_path / f"pipe{suffix}") == "is no plain file (a device or a pipe)"
    (tmp_path / f"noise{suffix}").write_bytes(np.random.default_rng(0).bytes(100_000))
    assert refused(tmp_path / f"noise{suffix}")
    assert "file name too long" in refused(tmp_path / ("x" * 300 + suffix))


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_stops_when_it_is_closed_and_starts_over(tmp_path: Path, name: str) -> None:
    component = SOURCES[name]
    path = tmp_path / f"a{SUFFIX[name]}"
    if name == "files.livelink_csv":
        codes = [f"00:00:{n // 60:02}:{n % 60:02}" for n in range(300)]
        lines = ["Timecode,BlendShapeCount,JawOpen", *(f"{code},61,0" for code in codes)]
        path.write_text("\n".join(lines))
    elif name == "files.npz":
        saved(path, values=values(300))
    elif name == "files.rhubarb":
        path.write_text("0.00\tA\n0.50\tD\n5.00\tX\n")
    else:
        path.write_text(as_json(values=[[0, 0]] * 300))
    source = component.make(component.config(str(path)), Context())
    blocks = source.blocks()
    next(blocks)
    source.close()
    assert list(blocks) == []
    source.reset()
    assert sum(map(len, source.blocks())) == 300


def test_paths_are_relative_to_the_profile(tmp_path: Path) -> None:
    saved(tmp_path / "a.npz")
    component = SOURCES["files.npz"]
    assert list(component.make(component.config("a.npz"), Context(base=tmp_path)).blocks())
