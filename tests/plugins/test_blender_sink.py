"""The sink ``blender``: packages of whole runs, and live frames into the add-on's receiver."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import facewire
import numpy as np
import pytest
import soundfile
from blender_addon_parts import addon
from facewire.errors import FacewireError, InputError, StageError
from facewire.profile import ComponentSpec, load_profile
from facewire.rig import Rig
from facewire.session import Session
from facewire.sources import GivenText
from facewire.stages import Sink
from facewire.types import Audio, Block, Context, Emotion, Frames, Mark, RunInfo
from facewire_blender import find, plugin, wire

RIG = Rig.named("arkit61")
JAW = RIG.index("jawOpen")
INFO = RunInfo("take", RIG, Fraction(60), 16000, lang="de")
(COMPONENT,) = plugin.facewire_sinks()


def made(tmp_path: Path, **options: Any) -> Sink:
    sink = COMPONENT.make(replace(plugin.BlenderConfig(), **options), Context("take", out=tmp_path))
    assert isinstance(sink, Sink)
    return sink


def block(rows: int = 30, start: int = 0, marks: tuple[Mark, ...] = (), loud: float = 0.5) -> Block:
    values = np.zeros((rows, 61), np.float32)
    values[:, JAW] = np.linspace(0, 1, rows)
    emotion = Emotion(
        np.zeros((rows, 3), np.float32), np.zeros((rows, 16), np.float32), INFO.fps, start
    )
    first, last = start * 16000 // 60, (start + rows) * 16000 // 60
    samples = np.full(last - first, loud, np.float32)
    return Block(Frames(values, RIG, INFO.fps, start), emotion, Audio(samples, 16000, first, marks))


# -- packages ------------------------------------------------------------------------------------


def test_a_clip_is_saved_and_the_add_on_reads_the_same(tmp_path: Path) -> None:
    clip = facewire.animate(text="[joy:80] Mama, papa and Bob.")
    path = clip.save(tmp_path / "take.facewire")
    read = addon("package").read(path)
    columns = np.array([np.array(column) for column in read.columns]).T
    assert read.channels == clip.frames.rig.channels and read.fps == clip.frames.fps
    assert np.array_equal(columns, clip.frames.values)
    assert {(m.kind, m.text) for m in read.marks} >= {("word", "Mama"), ("word", "Bob")}
    words = [m for m in clip.marks if m.kind == "word"]
    told = [m for m in read.marks if m.kind == "word"]
    rate = clip.audio.rate
    assert [m.start for m in told] == pytest.approx([m.start / rate for m in words])
    samples, heard = soundfile.read(read.sound, dtype="float32")
    assert heard == rate and np.abs(samples - clip.audio.samples).max() <= 0.5 / 32768 + 1e-6


def test_a_run_writes_a_package_twice_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        sinks = (ComponentSpec("blender", {"path": "{out}/{name}.facewire"}),)
        profile = replace(load_profile("default", []), sinks=sinks)
        report = Session(profile, GivenText("Hello."), "hello", tmp_path / name).run()
        assert Path(str(report.results[0])).name == "hello.facewire"
    one, two = ((tmp_path / name / "hello.facewire").read_bytes() for name in ("one", "two"))
    assert one == two


def test_takes_without_sound_have_none(tmp_path: Path) -> None:
    for loud, name in ((0.0, "silent"), (0.5, "heard")):
        sink = made(tmp_path, path=str(tmp_path / f"{name}.facewire"))
        sink.open(INFO)
        sink.push(block(30, loud=loud))
        sink.push(block(30, 30, loud=loud))
        sink.close()
        manifest, values = wire.read_package(tmp_path / f"{name}.facewire")
        assert manifest.sound == (loud > 0) and manifest.lang == "de" and manifest.rows == 60
        assert len(values) == 60 * 61


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "take.facewire"
    path.write_bytes(b"mine")
    sink = made(tmp_path, path=str(path))
    sink.open(INFO)
    bad = block(30)
    bad.frames.values[3, JAW] = np.nan
    with pytest.raises(StageError, match="frame 3: jawOpen is nan"):
        sink.push(bad)
    sink.abort()
    sink.open(INFO)
    sink.push(block(30))
    sink.abort()
    assert path.read_bytes() == b"mine" and list(tmp_path.iterdir()) == [path]


def pieces(sizes: tuple[int, ...]) -> list[Block]:
    whole = block(90, marks=(Mark("word", "hi", 100, 9000), Mark("word", "ho", 12000, 13000)))
    found, at = [], 0
    for size in sizes:
        end, rate = at + size, 16000
        first, last = at * rate // 60, end * rate // 60
        marks = tuple(m for m in whole.audio.marks if first <= m.start < last)
        audio = Audio(whole.audio.samples[first:last], rate, first, marks)
        emotion = Emotion(whole.emotion.vad[at:end], whole.emotion.weights[at:end], INFO.fps, at)
        frames = Frames(whole.frames.values[at:end], RIG, INFO.fps, at)
        found.append(Block(frames, emotion, audio))
        at = end
    return found


def test_random_cuts_give_the_same_package(tmp_path: Path) -> None:
    found = []
    for sizes in ((7, 3, 33, 47), (64, 26)):
        path = tmp_path / f"{sizes[0]}.facewire"
        sink = COMPONENT.make(plugin.BlenderConfig(path=str(path)), Context("same"))
        sink.open(INFO)
        for each in pieces(sizes):
            sink.push(each)
        sink.close()
        found.append(path.read_bytes())
    assert found[0] == found[1]


# -- live ----------------------------------------------------------------------------------------


@pytest.fixture
def receiver() -> Iterator[Any]:
    found = addon("receiver").Receiver("127.0.0.1", 0)
    yield found
    found.close()


def drained(receiver: Any, count: int) -> None:
    end = time.monotonic() + 5
    while sum(s.count for s in receiver.subjects.values()) < count:
        receiver.drain()
        assert time.monotonic() < end, receiver.subjects
        time.sleep(0.001)
    receiver.drain()


def test_frames_and_marks_arrive_in_the_add_on(tmp_path: Path, receiver: Any) -> None:
    sink = made(tmp_path, port=receiver.port, subject="Ada")
    assert sink.live and sink.rig == RIG
    sink.open(INFO)
    sink.push(block(1))
    drained(receiver, 1)
    receiver.begin_record("Ada")
    marks = (Mark("word", "hi", 800, 4800), Mark("phone", "h", 800, 1600))
    sink.push(block(30, 1, marks))
    sink.close()
    drained(receiver, 31)
    record = receiver.end_record()
    clip = record.clip("live")
    assert clip.fps == 60 and len(clip) == 30
    assert np.allclose(clip.column("jawOpen"), np.linspace(0, 1, 30), atol=1e-6)
    told = [(m.kind, m.text, round(m.start + 1 / 60, 6)) for m in clip.marks]
    assert sorted(told) == [("phone", "h", 0.05), ("word", "hi", 0.05)]
    assert receiver.chosen("").name == "Ada" and receiver.broken == 0


def test_a_paced_run_arrives(tmp_path: Path, receiver: Any) -> None:
    sinks = (ComponentSpec("blender", {"port": receiver.port, "subject": "Ada"}),)
    profile = replace(load_profile("default", []), sinks=sinks)
    report = Session(profile, GivenText("Papa."), "papa", tmp_path).run()
    drained(receiver, 20)
    assert report.frames > 20
    subject = receiver.chosen("Ada")
    jaw = subject.values[JAW]
    assert abs(jaw) < 1e-6  # a live run ends in neutral


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"subject": ""}, "blender: subject has 0 characters, expected 1 to 256"),
        ({"subject": "x" * 257}, "blender: subject has 257 characters"),
        ({"subject": "a\nb"}, "blender: subject has 3 characters"),
        ({"port": 0}, "blender: port is 0, expected 1 to 65535"),
        ({"host": "no such host"}, "blender: host 'no such host' cannot be found"),
    ],
)
def test_what_is_wrong_is_said_before_the_run(
    options: dict[str, Any], line: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=line):
        made(tmp_path, **options).open(INFO)


def test_numbers_that_are_none_go_out_as_0(tmp_path: Path, receiver: Any) -> None:
    sink = made(tmp_path, port=receiver.port)
    sink.open(INFO)
    bad = block(1)
    bad.frames.values[0, :3] = (np.nan, np.inf, 1e30)
    sink.push(bad)
    sink.close()
    drained(receiver, 1)
    values = receiver.chosen("").values
    assert values[:2] == (0, 0) and values[2] == pytest.approx(1e30)


# -- the doctor ----------------------------------------------------------------------------------


def test_the_doctor_says_which_blender(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (check,) = plugin.facewire_checks()
    fake = tmp_path / "blender"
    fake.write_text("#!/bin/sh\necho 'Blender 4.2.1 LTS'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("FACEWIRE_BLENDER", str(fake))
    assert check.run().startswith(f"{fake} (4.2.1 LTS), the add-on ")
    fake.write_text("#!/bin/sh\necho 'no display' >&2\nexit 3\n")
    with pytest.raises(FacewireError, match="does not run: no display"):
        check.run()
    monkeypatch.setenv("FACEWIRE_BLENDER", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"FACEWIRE_BLENDER: '.*none' is no program"):
        check.run()
    monkeypatch.delenv("FACEWIRE_BLENDER")
    monkeypatch.delenv("FACEWIRE_BPY", raising=False)
    monkeypatch.setenv("PATH", "")
    assert check.run().startswith("no blender on PATH; ")
    with pytest.raises(InputError, match=r"there is no blender on PATH; install Blender 3\.4"):
        find.find_blender()


def test_the_add_on_is_found_by_its_folder_or_the_one_it_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "facewire_blender"
    folder.mkdir()
    for name in ("__init__.py", "wire.py"):
        (folder / name).write_text("")
    assert find.find_addon(folder) == find.find_addon(tmp_path) == tmp_path
    monkeypatch.setenv("FACEWIRE_BLENDER_ADDON", str(folder))
    assert find.find_addon() == tmp_path
    with pytest.raises(InputError, match="expected the Facewire add-on's folder"):
        find.find_addon(tmp_path / "elsewhere")
