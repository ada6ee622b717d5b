"""The add-on's own maths, without a Blender, against Facewire's."""

from __future__ import annotations

import gzip
import json
import math
import os
import runpy
from array import array
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from blender_addon_parts import INTEGRATION, addon
from facewire import animate
from facewire.articulation import (
    PLANNED,
    PhoneTime,
    Solver,
    Spoken,
    closures,
    decode,
    lip_gap,
    measure,
    read_phone,
)
from facewire.resample import FrameResampler
from facewire.rig import Rig
from facewire_files.livelink_take import LiveLinkTake
from facewire_preview.binding import channel_of

clips = addon("clip")
errors = addon("errors")
RIG = Rig.named("arkit61")
DATA = Path(os.environ.get("FACEWIRE_DATA", Path(__file__).parents[2].parent / "shared/data"))
TEXT = "Bob may buy the map. My mum, Pam, hopes to be about. Happy people bump pumps."
RATES = [Fraction(24), Fraction(25), Fraction(30), Fraction(24000, 1001), Fraction(60)]
SENTENCES = """
P IY1 T ER0 P AY1 P ER0 P IH1 K T AH0 P EH1 K M AY1 M AH1 DH ER0 M EY1 D W AO1 R M B R EH1 D
B AA1 B AE1 N D M AA1 M JH AH1 M P T P AE1 M B R IH1 NG M IY0 DH AH0 P ER1 P AH0 L M AE1 P
AH0 S IH1 M P AH0 L IH0 G Z AE1 M P AH0 L M EY1 HH EH1 L P B IH1 G B EH1 N B EY1 K S
"""


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """A spoken take in every format that the add-on reads, and what was written."""
    folder = tmp_path_factory.mktemp("talk")
    clip = animate(text=TEXT, overrides=["rig=arkit61", "seed=1"])
    for suffix in ("csv", "json", "npz"):
        clip.save(folder / f"take.{suffix}")
    return folder, clip


def values(clip) -> np.ndarray:
    return np.stack([np.array(column) for column in clip.columns], 1)


@pytest.mark.parametrize("suffix", ["csv", "json", "npz"])
def test_a_clip_is_read_as_it_was_written(talk, suffix: str) -> None:
    folder, made = talk
    read = clips.read(folder / f"take.{suffix}")
    expected = made.frames.values[:, [made.frames.rig.index(name) for name in read.channels]]
    count = len(made.frames.values)  # a short CSV is held on its last face
    np.testing.assert_allclose(values(read)[:count], expected, atol=1e-7)
    assert (read.name, read.fps, read.path) == ("take", 60, str(folder / f"take.{suffix}"))
    if suffix != "csv":
        assert len(read) == count
        words = [mark.text for mark in read.marks if mark.kind == "word"]
        assert words[:3] == ["Bob", "may", "buy"]
        assert sum(mark.kind == "phone" for mark in read.marks) > 20


def test_the_sound_beside_a_clip_is_found(talk) -> None:
    folder, _ = talk
    assert clips.read(folder / "take.json").sound == ""
    (folder / "take.wav").write_bytes(b"RIFF")
    assert clips.read(folder / "take.json").sound == str(folder / "take.wav")
    (folder / "take.wav").unlink()


def test_a_cut_csv_names_its_line(talk, tmp_path: Path) -> None:
    text = (talk[0] / "take.csv").read_text("utf-8")
    lines = text.splitlines()
    for broken, said in [
        ("\n".join([*lines[:40], lines[40][:200]]), "line 41: .* cells, expected 63; was the take"),
        (lines[0], "header and no rows"),
        ("", "empty"),
        (text.replace("Timecode", "Time"), "line 1: expected Timecode"),
        ("\n".join([*lines[:9], lines[9].replace(",61,", ",61,x", 1)]), "line 10: .* expected a"),
        ("\n".join([lines[0], *lines[1:9], lines[3]]), "timecodes are to rise"),
    ]:
        path = tmp_path / "cut.csv"
        path.write_text(broken, "utf-8")
        with pytest.raises(errors.AddonError, match=said):
            clips.read(path)
    whole = tmp_path / "whole.csv"
    whole.write_text(text[:-1], "utf-8")
    assert any("does not end" in note for note in clips.read(whole).notes)


def test_a_real_take_is_read_as_facewire_reads_it(tmp_path: Path) -> None:
    take = DATA / "livelink/rom_3.csv.gz"
    if not take.exists():
        pytest.skip("rom_3.csv.gz is not in FACEWIRE_DATA")
    path = tmp_path / "rom_3.csv"
    path.write_bytes(gzip.decompress(take.read_bytes()))
    found, source = clips.read(path), LiveLinkTake(path, Fraction(60))
    expected = np.concatenate([block.values for block in source.blocks()])
    assert found.fps == 30 and len(found) == len(expected) > 4000
    np.testing.assert_allclose(values(found), expected, atol=1e-7)


def test_dropped_rows_are_filled(talk, tmp_path: Path) -> None:
    lines = (talk[0] / "take.csv").read_text("utf-8").splitlines(keepends=True)
    path = tmp_path / "dropped.csv"
    path.write_text("".join([*lines[:20], *lines[22:]]), "utf-8")
    one, other = clips.read(path), clips.read(talk[0] / "take.csv")
    assert len(one) == len(other)
    jaw, whole = one.column("jawOpen"), other.column("jawOpen")
    assert jaw[19] == pytest.approx(whole[18] + (whole[21] - whole[18]) / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "expected an object"),
        ('{"fps": 60, "channels": ["a"]}', "has no 'values'"),
        ('{"fps": 0, "channels": ["a"], "values": [[0]]}', "fps is 0"),
        ('{"fps": 60, "channels": ["a", "a"], "values": [[0, 0]]}', "there twice"),
        ('{"fps": 60, "channels": ["a"], "values": [[0], [0, 1]]}', "frame 1: expected 1 numbers"),
        ('{"fps": 60, "channels": ["a"], "values": [[NaN]]}', "frame 0: a is nan"),
        ('{"fps": 60, "channels": ["a"], "values": [["x"]]}', "a value is no number"),
        ('{"fps": 60, "channels": ["a"], "values": [[1' + "0" * 400 + "]]}", "too large"),
        ('{"fps": 60, "channels": ["a"], "values": []}', "no frames"),
        ('{"fps": 60, "channels": ["a"], "values": [[0]], "marks": [1]}', "marks: expected"),
    ],
)
def test_broken_json_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text, "utf-8")
    with pytest.raises(errors.AddonError, match=said):
        clips.read(path)


def test_broken_npz_is_told(talk, tmp_path: Path) -> None:
    whole = (talk[0] / "take.npz").read_bytes()
    path = tmp_path / "broken.npz"
    for broken in (b"", b"no zip", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(errors.AddonError, match="readable npz"):
            clips.read(path)
    np.savez(path, values=np.zeros((2, 3)), channels=np.array(["a", "b"]), fps=60.0)
    with pytest.raises(errors.AddonError, match=r"expected floats \(n, 2\)"):
        clips.read(path)
    np.savez(path, values=np.zeros((2, 1)), channels=np.array(["a"], object), fps=60.0)
    with pytest.raises(errors.AddonError, match="channels are"):
        clips.read(path)
    np.savez(path, values=np.ones((2, 1)), channels=np.array(["a"]), fps=np.float64(29.97))
    assert clips.read(path).fps == Fraction(2997, 100)


@pytest.mark.parametrize("name", ["none.csv", "take.txt", "."])
def test_what_is_no_clip_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.AddonError):
        clips.read(tmp_path / name)


@pytest.mark.parametrize(
    ("spelled", "channel"),
    [
        ("jawOpen", "jawOpen"), ("JawOpen", "jawOpen"), ("jaw_open", "jawOpen"),
        ("Face.jawOpen", "jawOpen"), ("blendShape1.eyeBlink_L", "eyeBlinkLeft"),
        ("eyeBlinkR", "eyeBlinkRight"), ("EYEBLINKLEFT", "eyeBlinkLeft"),
        ("ARKit-Mouth-Smile.r", "mouthSmileRight"), ("mouthLeft", "mouthLeft"),
        ("mouth_L", "mouthLeft"), ("jaw_R", "jawRight"), ("Basis", None), ("Open", None),
        ("tongue_out", "tongueOut"), ("tongueTipUp", "tongueTipUp"),
    ],
)  # fmt: skip
def test_shape_keys_are_matched_by_name(spelled: str, channel: str | None) -> None:
    assert addon("match").channel_of(spelled) == channel
    assert channel_of(spelled) == channel  # the preview's rules


def test_halves_and_better_names() -> None:
    matches = addon("match").matches
    assert matches(["browInnerUp_R", "browInnerUp_L"]) == {
        "browInnerUp": ("browInnerUp_L", "browInnerUp_R")
    }
    assert matches(["browInnerUp_L", "browInnerUp"]) == {"browInnerUp": ("browInnerUp",)}
    assert matches(["old.jawOpen", "jawOpen"]) == {"jawOpen": ("jawOpen",)}


def test_every_channel_has_a_region() -> None:
    channels = addon("channels")
    regions = {name: channels.region_of(name) for name in channels.ARKIT}
    assert set(regions.values()) == set(channels.REGIONS)
    assert regions["eyeBlinkLeft"] == "lids" and regions["eyeLookInLeft"] == "gaze"
    assert regions["leftEyeYaw"] == "gaze" and regions["headRoll"] == "head"


def test_copies_are_equal_to_what_they_are_made_from() -> None:
    made = runpy.run_path(str(INTEGRATION / "make_tables.py"))["text"]()
    assert (INTEGRATION / "facewire_blender/tables.json").read_text("utf-8") == made
    unreal = INTEGRATION.parent / "unreal/FacewireTools/Content/Python/facewire_unreal/timecode.py"
    assert (INTEGRATION / "facewire_blender/timecode.py").read_bytes() == unreal.read_bytes()


def test_the_gap_is_the_engines(talk) -> None:
    clip = clips.read(talk[0] / "take.npz")
    np.testing.assert_allclose(
        np.array(addon("lips").lip_gap(clip)), lip_gap(talk[1].frames.values, RIG), atol=1e-6
    )


@pytest.mark.parametrize("target", RATES, ids=float)
def test_another_rate_is_the_engines(talk, target: Fraction) -> None:
    clip = clips.read(talk[0] / "take.npz")
    found = addon("retime").retimed(clip, target)
    core = FrameResampler(clip.fps, target, len(RIG), RIG)
    expected = np.concatenate([core.push(talk[1].frames.values), core.flush()])
    assert found.fps == target and len(found) == len(expected)
    np.testing.assert_allclose(values(found), expected, atol=1e-6)


def spoken(pace: float, seed: int):
    """A clip of many lip sounds at 60 fps, and its phones."""
    draw, at, phones = np.random.default_rng(seed), 0.8, []
    for phone in SENTENCES.split() * 3:
        length = {"0": 0.06, "1": 0.12}.get(phone[-1], 0.07) * draw.uniform(0.8, 1.4) / pace
        phones.append(PhoneTime(phone, at, at + length))
        at += length
    rows = int((at + 0.8) * 60)
    solver = Solver(60, PLANNED)
    said = [Spoken(p.start * 60, p.end * 60, read_phone(p.text)) for p in phones]
    curves = np.concatenate([solver.push(said, np.full(rows, 0.6)), solver.flush()])
    marks = [clips.Mark("phone", p.text, p.start, p.end) for p in phones]
    return clips.made("said", 60, RIG.channels, decode(curves, RIG).tolist(), marks), phones


@pytest.mark.parametrize("pace", [1.0, 1.5])
@pytest.mark.parametrize("target", RATES[:4], ids=float)
def test_closures_survive_the_scenes_rate(target: Fraction, pace: float) -> None:
    clip, phones = spoken(pace, seed=3)
    assert measure(np.array(addon("lips").lip_gap(clip)), 60, phones).recall == 1.0
    gap = addon("lips").lip_gap(addon("retime").retimed(clip, target))
    found = measure(np.array(gap), float(target), phones)
    assert found.recall >= 0.97 and found.precision == 1.0 and found.timing < 0.02


def test_closures_are_the_engines_where_frames_are_dense() -> None:
    gap = np.array([0.2, 0.0, 0.0, 0.0, 0.2, 0.2, 0.0, 0.2])
    assert addon("lips").closures(gap, 60) == [(1, 3)]
    assert len(closures(gap, 60)) == 1
    assert addon("lips").closures(gap, 24) == [(1, 3), (6, 6)]


def drawn(rows: list[int], column) -> np.ndarray:
    return np.interp(np.arange(len(column)), rows, np.array(column)[rows])


@pytest.mark.parametrize("tolerance", [0.005, 0.02, 0.1])
def test_simplified_rows_explain_every_column(tolerance: float) -> None:
    clip, _ = spoken(1.0, seed=5)
    gap = addon("lips").lip_gap(clip)
    columns = [clip.column(name) for name in ("jawOpen", "mouthClose", "mouthFunnel")] + [gap]
    held = addon("reduce").pinned(gap)
    rows = addon("reduce").simplified(columns, tolerance, held)
    for column in columns:
        assert np.abs(drawn(rows, column) - np.array(column)).max() <= tolerance + 1e-6
    assert held <= set(rows) and len(rows) < len(clip) * (0.9 if tolerance < 0.01 else 0.6)
    closed = addon("lips").closed_runs
    assert closed(drawn(rows, gap).tolist()) == closed(gap)


def test_phone_keys_are_at_apexes_and_hold_closures() -> None:
    clip, phones = spoken(1.0, seed=6)
    gap = addon("lips").lip_gap(clip)
    rows = addon("reduce").apexes(gap, clip.marks, clip.fps)
    assert rows[0] == 0 and rows[-1] == len(clip) - 1
    for phone in phones:
        assert any(phone.start * 60 - 1 <= row <= phone.end * 60 + 1 for row in rows)
    given = addon("lips").closed_runs(gap)
    made = addon("lips").closed_runs(drawn(rows, gap).tolist())
    for a, z in given:  # each is there whole
        assert any(first <= a and z <= last for first, last in made)
    for first, last in made:  # and none is new
        assert any(first <= z and a <= last for a, z in given)
    assert len(rows) < len(clip) / 2.5


@pytest.mark.parametrize(
    ("function", "rest", "span"),
    [
        (lambda x: x, 0, 1), (lambda x: x / 100, 0, 100), (lambda x: -20 * x, 0, -0.05),
        (lambda x: max(0, x), 0, 1), (lambda x: min(max(-x / 3, 0), 1), 0, -3),
        (lambda x: 1 - x, 1, -1), (lambda x: max(0, 1 - 2 * x), 0.5, -0.5),
        (lambda x: math.degrees(x) / 45, 0, math.radians(45)),
        (lambda x: min(1, max(0, (x - 0.2) / 0.4)), 0.2, 0.4), (lambda x: x * x, 0, 1),
    ],
)  # fmt: skip
def test_a_driver_is_turned_round(function, rest: float, span: float) -> None:
    inverse = addon("inverse").invert(function)
    assert inverse.rest == pytest.approx(rest, abs=0.004) and inverse.reach == pytest.approx(1)
    assert inverse.span == pytest.approx(span, rel=0.02)
    for value in np.linspace(0, 1, 21):
        assert function(inverse.at(value)) == pytest.approx(value, abs=2e-3)


@pytest.mark.parametrize("function", [lambda x: 0.0, lambda x: 0.5 + x, lambda x: math.nan])
def test_a_driver_that_cannot_be_turned_round(function) -> None:
    assert addon("inverse").invert(function) is None


def test_one_slider_serves_both_sides() -> None:
    invert, combined = addon("inverse").invert, addon("inverse").combined
    pulls = [("a", invert(lambda x: max(0, x))), ("b", invert(lambda x: max(0, -x)))]
    assert combined(pulls, {"a": 0.3, "b": 0.0}) == pytest.approx(0.3)
    assert combined(pulls, {"a": 0.0, "b": 0.4}) == pytest.approx(-0.4)
    same = [("a", invert(lambda x: x)), ("b", invert(lambda x: x))]
    assert combined(same, {"a": 0.2, "b": 0.4}) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("var", 2), ("-var * 20 + 1", -39), ("max(0, min(var, 1))", 1), ("clamp(var)", 1),
        ("var if var > 3 else 7", 7), ("1 < var < 3 and not var == 4", 1), ("sin(pi) + var", 2),
        ("smoothstep(0, 4, var)", 0.5), ("lerp(1, 3, var)", 5), ("var ** 2 % 3", 1),
    ],
)  # fmt: skip
def test_simple_expressions(text: str, value: float) -> None:
    assert addon("expression").read(text)({"var": 2.0}) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "var.real", "[1][0]", "self.x", "lambda: 1", "foo(var)", "1 +", "f'{1}'"],
)
def test_what_is_more_than_a_simple_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        addon("expression").read(text)({"var": 1.0})


def test_marks_and_rows_are_cut_together() -> None:
    marks = [clips.Mark("word", "a", 0.0, 0.2), clips.Mark("word", "b", 0.5, 0.7)]
    clip = clips.made("x", 10, ["jawOpen"], [[k / 10] for k in range(10)], marks)
    part = clip.cut(4, 8)
    assert list(part.column("jawOpen")) == list(array("f", [0.4, 0.5, 0.6, 0.7]))
    assert [(m.text, round(m.start, 6)) for m in part.marks] == [("b", 0.1)]
    assert json.dumps(part.seconds) == "0.3"
