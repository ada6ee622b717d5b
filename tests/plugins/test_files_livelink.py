"""Live Link Face takes: what is written, what Unreal makes of it, and what is read back."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire.errors import InputError, ProfileError, StageError
from facewire.rig import Rig
from facewire.types import Audio, Block, Context, Emotion, FloatArray, Frames, RunInfo
from facewire_files.livelink_csv import LiveLinkCsv
from facewire_files.livelink_take import LiveLinkTake
from facewire_files.plugin import LiveLinkCsvConfig, facewire_sinks
from facewire_files.timecode import DAY, TICKS, grid, parse, rate_of, spacing, ticks_of, timecode
from hypothesis import given
from hypothesis import strategies as st

RIG = Rig.named("arkit61")
NTSC = Fraction(30000, 1001)


def block(values: FloatArray, fps: Fraction, start: int = 0, rig: Rig = RIG) -> Block:
    n = len(values)
    feeling = Emotion(np.zeros((n, 3), np.float32), np.zeros((n, 16), np.float32), fps, start)
    return Block(Frames(values, rig, fps, start), feeling, Audio(np.zeros(0, np.float32), 16000))


def write(path: Path, values: FloatArray, fps: Fraction, start: str = "00:00:00:00") -> LiveLinkCsv:
    sink = LiveLinkCsv(path, start)
    sink.open(RunInfo("take", RIG, fps, 16000))
    for at in range(0, len(values), 64):
        sink.push(block(values[at : at + 64], fps, at))
    sink.close()
    return sink


def read(path: Path) -> tuple[FloatArray, Fraction, Sequence[str]]:
    source = LiveLinkTake(path, Fraction(60))
    frames = list(source.blocks())
    assert [f.start for f in frames] == list(np.cumsum([0] + [len(f) for f in frames[:-1]]))
    assert max(map(len, frames)) <= 64
    return np.concatenate([f.values for f in frames]), frames[0].fps, source.report()


def moving(rows: int, seed: int = 0) -> FloatArray:
    values = np.random.default_rng(seed).uniform(0, 1, (rows, 61)).astype(np.float32)
    values[:, 52:] -= 0.5
    return values


@dataclass
class UnrealTake:
    """What Unreal's LiveLinkFaceImporter makes of a file, by its rules (5.8)."""

    names: list[str]
    seconds: list[float]
    values: FloatArray
    base: int

    @staticmethod
    def load(path: Path) -> UnrealTake:
        lines = [line for line in path.read_bytes().decode("ascii").split("\n") if line]
        assert len(lines) >= 2, "no data"
        # Empty cells are dropped by its tokeniser, so the count below would be wrong.
        keys = [key for key in lines[0].split(",") if key]
        assert [key.lower() for key in keys[:2]] == ["timecode", "blendshapecount"]
        assert len(keys) >= 3
        codes, rows = [], []
        for line in lines[1:]:
            cells = [cell for cell in line.split(",") if cell]
            assert len(cells) == len(keys), "wrong number of columns"
            tokens = cells[0].split(":")
            assert len(tokens) == 4, "malformed timecode"
            codes.append([int(t) for t in tokens[:3]] + [float(tokens[3])])
            rows.append([float(cell) for cell in cells[2:]])
        base = 60 if any(int(code[3]) > 30 for code in codes) else 30
        seconds = [h * 3600 + m * 60 + s + f / base for h, m, s, f in codes]
        return UnrealTake(keys[2:], seconds, np.array(rows, np.float32), base)


def test_columns_are_those_of_the_app(tmp_path: Path, data: Path) -> None:
    with gzip.open(data / "livelink" / "rom_3.csv.gz", "rt") as real:
        header = real.readline()
    write(tmp_path / "a.csv", moving(3), Fraction(60))
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw.decode().splitlines(keepends=True)[0] == header
    assert raw.endswith(b"\n") and b"\r" not in raw and raw[:1] == b"T"


def test_right_comes_before_left_in_the_jaw_and_the_mouth(tmp_path: Path) -> None:
    row = np.arange(61, dtype=np.float32) / np.float32(64)
    write(tmp_path / "a.csv", row[None], Fraction(60))
    names, cells = (line.split(",") for line in (tmp_path / "a.csv").read_text().split("\n")[:2])
    for channel in RIG.channels:
        value = float(cells[names.index(channel[0].upper() + channel[1:])])
        assert value == RIG.index(channel) / 64
    assert names[16:19] == ["JawForward", "JawRight", "JawLeft"]
    assert names.index("MouthRight") + 1 == names.index("MouthLeft")


@pytest.mark.parametrize("fps", [24, 25, NTSC, 30, 48, 50, Fraction(60000, 1001), 60, 120, 3])
def test_unreal_keys_each_frame_when_it_is_due(tmp_path: Path, fps: int | Fraction) -> None:
    fps, values = Fraction(fps), moving(200)
    write(tmp_path / "a.csv", values, fps)
    take = UnrealTake.load(tmp_path / "a.csv")
    due = np.arange(200) / float(fps)
    assert take.base == 60
    assert np.abs(np.array(take.seconds) - due).max() <= 0.5 / TICKS + 1e-9
    order = [RIG.index(name[0].lower() + name[1:]) for name in take.names]
    assert np.abs(take.values - values[:, order]).max() <= 1e-10


@pytest.mark.parametrize(("fps", "rows"), [(60, 1), (60, 31), (60, 32), (30, 1), (24, 5), (120, 1)])
def test_a_short_take_is_held_until_unreal_knows_its_rate(
    tmp_path: Path, fps: int, rows: int
) -> None:
    sink = write(tmp_path / "a.csv", moving(rows), Fraction(fps))
    take = UnrealTake.load(tmp_path / "a.csv")
    assert take.base == 60
    assert take.seconds[-1] < max(rows / fps, 31 / 60 + 1 / fps)
    held = take.values[rows:]
    assert (held == take.values[rows - 1]).all()
    assert sink.report() == (
        [] or ((f"a.csv: the last face is held for {len(held)} more frames",) if len(held) else ())
    )


def test_a_rate_that_never_passes_30_is_told(tmp_path: Path) -> None:
    sink = write(tmp_path / "a.csv", moving(9), Fraction(2))
    assert sink.report() == ("a.csv: Unreal will play it at half speed; set start: 00:00:00:31",)
    assert write(tmp_path / "b.csv", moving(9), Fraction(2), "00:00:00:31").report() == ()


def test_an_empty_run_is_a_header(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", moving(0), Fraction(60))
    assert (tmp_path / "a.csv").read_text().count("\n") == 1
    with pytest.raises(InputError, match="has a header and no rows"):
        read(tmp_path / "a.csv")


def test_no_negative_zero_and_large_values_are_digits(tmp_path: Path) -> None:
    values = np.zeros((40, 61), np.float32)
    values[0, :3] = -0.0, -1e-12, 1e30
    values[1, :2] = -1e-10, 3e38
    write(tmp_path / "a.csv", values, Fraction(60))
    text = (tmp_path / "a.csv").read_text()
    assert "-0.0000000000" not in text and "-0.0000000001" in text and "e" not in text.split()[1]
    values[0, 1] = 0
    np.testing.assert_array_equal(read(tmp_path / "a.csv")[0], values)


def test_a_frame_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    values = moving(70)
    values[66, 17] = np.nan
    with pytest.raises(StageError, match=r"a.csv: frame 66: jawOpen is nan, expected a finite"):
        write(tmp_path / "a.csv", values, Fraction(60))
    assert list(tmp_path.iterdir()) == []


def test_a_hole_in_the_sequence_is_refused(tmp_path: Path) -> None:
    sink = LiveLinkCsv(tmp_path / "a.csv")
    sink.open(RunInfo("take", RIG, Fraction(60), 16000))
    sink.push(block(moving(2), Fraction(60)))
    with pytest.raises(StageError, match="frame 3 came where 2 was due"):
        sink.push(block(moving(2), Fraction(60), 3))


def test_the_sink_asks_for_its_rig_and_takes_another(tmp_path: Path) -> None:
    sink = LiveLinkCsv(tmp_path / "a.csv")
    assert sink.rig == RIG and sink.fps is None
    small = Rig("small", ("jawOpen", "tongueUp"))
    sink.open(RunInfo("take", small, Fraction(60), 16000))
    sink.push(block(np.array([[0.25, 1.0]] * 40, np.float32), Fraction(60), 0, small))
    sink.close()
    values, _, _ = read(tmp_path / "a.csv")
    assert (values[:, RIG.index("jawOpen")] == 0.25).all() and values.sum() == 10.0


def test_start_is_a_timecode_and_midnight_is_passed(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", moving(100), Fraction(60), "23:59:59:31")
    lines = (tmp_path / "a.csv").read_text().split("\n")
    assert lines[1].startswith("23:59:59:31.000,") and lines[30].startswith("00:00:00:00.000,")
    assert read(tmp_path / "a.csv")[0].shape == (100, 61)
    for wrong in ("1 h", "24:00:00:00", "00:00:00:60", "00:00:00"):
        with pytest.raises(ProfileError, match="start: "):
            LiveLinkCsv(tmp_path / "a.csv", wrong)


@pytest.mark.parametrize("fps", [24, 25, NTSC, 30, 60, Fraction(60000, 1001), 37, Fraction(25, 2)])
def test_what_is_written_is_read(tmp_path: Path, fps: int | Fraction) -> None:
    values = moving(150)
    write(tmp_path / "a.csv", values, Fraction(fps))
    back, rate, notes = read(tmp_path / "a.csv")
    assert rate == fps and not notes
    np.testing.assert_allclose(back, values, rtol=0, atol=1e-10)  # the last digit written


RATES = st.one_of(
    st.integers(3, 240).map(Fraction),
    st.sampled_from([Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)]),
)


@given(RATES, st.integers(2, 3000), st.integers(0, DAY))
def test_timecodes_tell_the_rate_and_never_drift(fps: Fraction, rows: int, start: int) -> None:
    codes = [timecode(start + ticks_of(frame, fps)) for frame in range(rows)]
    parsed = [parse(code.encode()) for code in codes]
    ticks = np.array([s * TICKS + f for s, f in parsed])
    ticks += DAY * np.cumsum(np.diff(ticks, prepend=ticks[:1]) < 0)
    due = np.array([float(frame / fps) for frame in range(rows)]) * TICKS
    assert np.abs(ticks - start % DAY - due).max() <= 0.5 + 1e-6
    step = spacing(ticks)
    assert list(grid(ticks, step)) == list(range(rows))
    assert rate_of(step, rows - 1) == fps


@given(st.integers(0, 10**9), RATES)
def test_timecodes_rise(frame: int, fps: Fraction) -> None:
    assert 0 < ticks_of(frame + 1, fps) - ticks_of(frame, fps) <= TICKS // 3 + 1


def test_a_real_take_is_read_value_for_value(tmp_path: Path, data: Path) -> None:
    raw = gzip.decompress((data / "livelink" / "rom_3.csv.gz").read_bytes())
    (tmp_path / "rom_3_cal.csv").write_bytes(raw)
    values, fps, notes = read(tmp_path / "rom_3_cal.csv")
    names, *rows = (line.split(",") for line in raw.decode().splitlines())
    given_values = np.array([row[2:] for row in rows], np.float32)
    order = [RIG.index(name[0].lower() + name[1:]) for name in names[2:]]
    # The phone dropped one frame in three places.
    there = np.delete(np.arange(4033), [596, 2126, 3621])
    assert fps == 30 and values.shape == (4033, 61)
    np.testing.assert_array_equal(values[there][:, order], given_values)
    np.testing.assert_allclose(values[596], (values[595] + values[597]) / 2, atol=1e-6)
    assert notes[0] == "3 dropped frames filled by interpolation"
    assert notes[1] == "read as 30 fps; its clock ends -0.018 s off"


def test_a_real_take_is_written_as_the_app_wrote_it(tmp_path: Path, data: Path) -> None:
    raw = gzip.decompress((data / "livelink" / "rom_3.csv.gz").read_bytes())
    (tmp_path / "rom_3.csv").write_bytes(raw)
    values, fps, _ = read(tmp_path / "rom_3.csv")
    kept = np.delete(values, [596, 2126, 3621], axis=0)
    write(tmp_path / "again.csv", kept, fps, "13:13:04:31")
    ours = (tmp_path / "again.csv").read_text().splitlines()
    real = raw.decode().splitlines()
    assert [line.split(",", 1)[1] for line in ours] == [line.split(",", 1)[1] for line in real]


def lines_of(rows: int, fps: int = 60) -> list[str]:
    codes = [timecode(ticks_of(frame, Fraction(fps))) for frame in range(rows)]
    return ["Timecode,BlendShapeCount,JawOpen", *(f"{code},61,0.5" for code in codes)]


def take(path: Path, lines: Sequence[str], end: str = "\n") -> Path:
    path.write_bytes("".join(f"{line}{end}" for line in lines).encode())
    return path


def test_columns_are_found_by_name_in_any_case(tmp_path: Path) -> None:
    lines = ["\ufefftimecode,BLENDSHAPECOUNT,JAWOPEN,TongueUp,headYaw"]
    lines += [f"00:00:00:{f:02},61,0.5,1,-0.25" for f in range(0, 60, 2)]
    values, fps, notes = read(take(tmp_path / "a.csv", lines, "\r\n"))
    assert fps == 30 and (values[:, RIG.index("jawOpen")] == 0.5).all()
    assert (values[:, RIG.index("headYaw")] == -0.25).all() and values.sum() == 0.25 * 30
    assert notes[0].startswith("missing columns are 0: EyeBlinkLeft, ")
    assert "JawOpen" not in notes[0] and notes[1] == "columns not used: TongueUp"


def test_dropped_rows_are_filled_and_told(tmp_path: Path) -> None:
    lines = lines_of(200)
    for at in range(1, 201):
        lines[at] = lines[at].replace("0.5", f"{at - 1}")
    del lines[64:70], lines[101]  # across the 64 rows that are read at once, and one more
    values, fps, notes = read(take(tmp_path / "a.csv", lines))
    assert fps == 60 and notes[-1] == "7 dropped frames filled by interpolation"
    np.testing.assert_allclose(values[:, RIG.index("jawOpen")], np.arange(200), atol=1e-4)


@pytest.mark.parametrize("base", [30, 25, 24])
def test_a_timecode_that_counts_the_takes_own_rate(tmp_path: Path, base: int) -> None:
    codes = [f"10:00:{n // base:02}:{n % base:02}" for n in range(3 * base)]
    lines = ["Timecode,BlendShapeCount,JawOpen", *(f"{code},61,0" for code in codes)]
    values, fps, notes = read(take(tmp_path / "a.csv", lines))
    assert fps == base and len(values) == 3 * base
    assert notes[-1] == f"the timecode counts {base} frames a second"


def test_a_last_line_without_an_end_is_told(tmp_path: Path) -> None:
    path = take(tmp_path / "a.csv", lines_of(40))
    path.write_bytes(path.read_bytes()[:-1])
    values, _, notes = read(path)
    assert len(values) == 40 and notes[-1].startswith(
        "the last line does not end; was the take cut"
    )


def test_jittered_timecodes_keep_every_row(tmp_path: Path) -> None:
    jitter = np.random.default_rng(1).integers(-200, 200, 1000)
    ticks = np.arange(1000) * 1000 + 5000 + jitter
    lines = ["Timecode,BlendShapeCount,JawOpen"]
    lines += [f"{timecode(int(t))},61,{n / 1000}" for n, t in enumerate(ticks)]
    values, fps, notes = read(take(tmp_path / "a.csv", lines))
    assert fps == 60 and len(values) == 1000 and not [note for note in notes if "filled" in note]


def test_one_row_takes_the_profiles_rate(tmp_path: Path) -> None:
    source = LiveLinkTake(take(tmp_path / "a_neutral.csv", lines_of(1)), Fraction(24))
    (frames,) = source.blocks()
    assert frames.fps == 24 and len(frames) == 1


def changed(at: int, line: str) -> list[str]:
    lines = lines_of(150)
    lines[at] = line
    return lines


HOSTILE = {
    "no header": (lines_of(9)[1:], "line 1: '00:00:00:00.000,61,0.5' is no header of a take"),
    "the on-device recorder": (
        ["Timecode, FrameRate, JawOpen"],
        "line 1: 'Timecode, FrameRate, Jaw",
    ),
    "no column known": (["Timecode,BlendShapeCount,x", "00:00:00:00,61,0"], "line 1: no column is"),
    "a column twice": (["Timecode,BlendShapeCount,JawOpen,jawopen"], "'jawopen' is there twice"),
    "cut in a row": ([*lines_of(9), "00:00:00:09.00"], "line 11: 1 cells, expected 3"),
    "too many cells": (changed(70, "00:00:01:09.000,61,0.5,0.5"), "line 71: 4 cells, expected 3"),
    "an empty cell": (changed(5, "00:00:00:04.000,,0.5"), "line 6: a cell is empty"),
    "an empty last cell": (changed(5, "00:00:00:04.000,61,"), "line 6: a cell is empty"),
    "no number": (
        changed(100, "00:00:01:39.000,61,wide"),
        "line 101: JawOpen is 'wide', expected a",
    ),
    "nan": (
        changed(100, "00:00:01:39.000,61,nan"),
        "line 101: JawOpen is 'nan', expected a number",
    ),
    "too large": (changed(100, "00:00:01:39.000,61,1e39"), "line 101: JawOpen is '1e39'"),
    "no timecode": (changed(3, "2.000,61,0"), "line 4: timecode '2.000' is no timecode like 00:00"),
    "no time": (changed(3, "00:61:00:02,61,0"), "line 4: timecode '00:61:00:02' is no time of day"),
    "backwards": (
        changed(9, "00:00:00:02,61,0"),
        "line 10: timecode 00:00:00:02.000 does not come",
    ),
    "twice": (changed(9, "00:00:00:07,61,0"), "line 10: timecode 00:00:00:07.000 does not come"),
    "a jump": (changed(150, "02:00:00:00,61,0"), "line 151: the timecode jumps by 7197.5 s"),
    "no line ends": (["x" * 70000], "line 1: has 64 KB, so this is no take"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_broken_take_is_one_line_that_names_the_line(tmp_path: Path, case: str) -> None:
    lines, text = HOSTILE[case]
    with pytest.raises(InputError) as error:
        read(take(tmp_path / "a.csv", lines))
    assert f"a.csv, {text}" in str(error.value) or text in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_the_config_fills_in_the_path(tmp_path: Path) -> None:
    (component,) = (c for c in facewire_sinks() if c.name == "files.livelink_csv")
    sink = component.make(LiveLinkCsvConfig(), Context(name="hello", out=tmp_path))
    assert sink.path == tmp_path / "hello.csv" and component.suffixes[0] == ".csv"
