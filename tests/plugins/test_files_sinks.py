"""npz, JSON and WAV files, and how every file appears: whole or not at all."""

from __future__ import annotations

import json
import tracemalloc
import wave
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from facewire.assemble import assemble, shared
from facewire.emotion import LABELS
from facewire.errors import FacewireError, StageError
from facewire.profile import Profile
from facewire.registry import Registry
from facewire.rig import Rig
from facewire.types import (
    Audio,
    Block,
    Component,
    Context,
    Emotion,
    FloatArray,
    Frames,
    Mark,
    RunInfo,
    first_sample,
)
from facewire_files import wav
from facewire_files.base import FileSink
from facewire_files.plugin import facewire_sinks, facewire_sources
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

RIG = Rig.named("arkit52_tongue")
RATE = 16000
NTSC = Fraction(30000, 1001)
SINKS = {component.name: component for component in facewire_sinks()}
SOURCES = {component.name: component for component in facewire_sources()}
ALL = sorted(SINKS)


def blocks(rows: int, fps: Fraction = NTSC, seed: int = 0, rig: Rig = RIG) -> Iterator[Block]:
    """Yield a run of ``rows`` frames with sound, emotion, a word and a phone in each block."""
    random = np.random.default_rng(seed)
    for at in range(0, rows, 64):
        n = min(64, rows - at)
        values = random.normal(0, 1, (n, len(rig))).astype(np.float32)
        weights = random.dirichlet(np.ones(16), n).astype(np.float32)
        vad = random.uniform(0, 1, (n, 3)).astype(np.float32)
        start, end = (first_sample(k, RATE, fps) for k in (at, at + n))
        marks = (
            Mark("word", f"wörd{at}", start, start + 9000),
            Mark("phone", "W", start, start + 4000),
        )
        sound = random.uniform(-1, 1, end - start).astype(np.float32)
        yield Block(
            Frames(values, rig, fps, at),
            Emotion(vad, weights, fps, at),
            Audio(sound, RATE, start, marks),
        )


def built(name: str, folder: Path, stem: str = "clip") -> FileSink:
    component: Component = SINKS[name]
    own = {"retarget": None} if "retarget" in component.config.__dataclass_fields__ else {}
    sink = component.make(component.config(**own), Context(name=stem, out=folder))
    assert isinstance(sink, FileSink)
    return sink


def write(name: str, folder: Path, run: Iterator[Block], fps: Fraction = NTSC) -> Path:
    sink = built(name, folder)
    sink.open(RunInfo("clip", RIG, fps, RATE))
    for block in run:
        sink.push(block)
    sink.close()
    assert isinstance(sink.result, Path)
    return sink.result


def read(name: str, path: Path) -> tuple[FloatArray, Rig, Fraction]:
    component = SOURCES[name]
    source = component.make(component.config(path.name), Context(base=path.parent))
    frames = list(source.blocks())
    assert source.brings == "frames" and max(map(len, frames)) <= 64
    assert [f.start for f in frames] == list(np.cumsum([0] + [len(f) for f in frames[:-1]]))
    return np.concatenate([f.values for f in frames]), frames[0].rig, frames[0].fps


def joined(rows: int, seed: int = 0) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    run = list(blocks(rows, seed=seed))
    return (
        np.concatenate([b.frames.values for b in run]),
        np.concatenate([b.emotion.vad for b in run]),
        np.concatenate([b.emotion.weights for b in run]),
        np.concatenate([b.audio.samples for b in run]),
    )


# -- npz and JSON ---------------------------------------------------------------------------------


def test_an_npz_holds_the_run_without_pickle(tmp_path: Path) -> None:
    path = write("files.npz", tmp_path, blocks(150))
    values, vad, weights, _ = joined(150)
    with np.load(path, allow_pickle=False) as take:
        assert {key: take[key].dtype.str for key in take if key != "marks"} == {
            "channels": "<U19",
            "fps": "<f8",
            "fps_fraction": "<i8",
            "start": "<i8",
            "emotion_labels": "<U13",
            "values": "<f4",
            "emotion_vad": "<f4",
            "emotion_weights": "<f4",
        }
        np.testing.assert_array_equal(take["values"], values)
        np.testing.assert_array_equal(take["emotion_vad"], vad)
        np.testing.assert_array_equal(take["emotion_weights"], weights)
        assert tuple(take["channels"]) == RIG.channels and tuple(take["emotion_labels"]) == LABELS
        assert Fraction(*take["fps_fraction"].tolist()) == NTSC and take["fps"] == float(NTSC)
        assert take["start"] == 0
        marks = take["marks"]
        assert marks.dtype.names == ("kind", "text", "start", "end") and len(marks) == 6
        assert list(marks["kind"]) == ["phone", "word"] * 3 and marks["text"][3] == "wörd64"
        assert marks["start"][3] == first_sample(64, RATE, NTSC) / RATE
        assert marks["end"][3] - marks["start"][3] == pytest.approx(9000 / RATE)


def test_json_says_the_same_as_npz_one_frame_a_line(tmp_path: Path) -> None:
    text = write("files.json", tmp_path, blocks(150)).read_text("utf-8")
    take = json.loads(text)
    with np.load(write("files.npz", tmp_path, blocks(150))) as npz:
        for key in ("values", "emotion_vad", "emotion_weights"):
            np.testing.assert_array_equal(np.array(take[key], np.float32), npz[key])
        for key in ("channels", "fps", "fps_fraction", "start", "emotion_labels"):
            assert take[key] == npz[key].tolist()
        marks = [tuple(mark.values()) for mark in take["marks"]]
        assert marks == npz["marks"].tolist() and set(npz) == set(take)
    line = text.split("\n")[text.split("\n").index('"values": [') + 4]
    assert json.loads(line.rstrip(",")) == take["values"][3] and "wörd" in text


@pytest.mark.parametrize("name", ["files.npz", "files.json"])
def test_what_is_written_is_read_bit_for_bit(tmp_path: Path, name: str) -> None:
    values, rig, fps = read(name, write(name, tmp_path, blocks(150)))
    np.testing.assert_array_equal(values, joined(150)[0])
    assert rig == RIG and fps == NTSC


@given(
    arrays.arrays(
        np.float32, (3, 69), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
    )
)
def test_any_finite_float_survives_json(
    tmp_path_factory: pytest.TempPathFactory, values: FloatArray
) -> None:
    folder = tmp_path_factory.mktemp("json")
    rig = Rig("any", tuple(f"channel{i}" for i in range(69)))
    (one,) = blocks(3)
    sink = built("files.json", folder)
    sink.open(RunInfo("clip", rig, NTSC, RATE))
    sink.push(Block(Frames(values, rig, NTSC, 0), one.emotion, one.audio))
    sink.close()
    back, rig_back, _ = read("files.json", folder / "clip.json")
    np.testing.assert_array_equal(back, values)
    assert rig_back.channels == rig.channels


def test_a_run_without_frames_or_marks_is_a_whole_file(tmp_path: Path) -> None:
    for name in ALL:
        write(name, tmp_path, iter(()))
    with np.load(tmp_path / "clip.npz") as take:
        assert take["values"].shape == (0, len(RIG)) and take["marks"].shape == (0,)
    assert json.loads((tmp_path / "clip.json").read_text())["values"] == []
    assert soundfile.info(tmp_path / "clip.wav").frames == 0


def test_an_odd_word_is_written(tmp_path: Path) -> None:
    (one,) = blocks(3)
    text = 'say "a\nb"\tc\0\ud800 --> \u200d'
    audio = Audio(
        one.audio.samples, RATE, 0, (Mark("word", text, -50, 900), Mark("word", "", 0, 0))
    )
    for name in ALL:
        write(name, tmp_path, iter([Block(one.frames, one.emotion, audio)]))
    with np.load(tmp_path / "clip.npz") as take:
        assert take["marks"]["text"].tolist() == ["", 'say "a b" c? --> \u200d']
        assert take["marks"]["start"].tolist() == [0, 0]


@pytest.mark.parametrize("name", ["files.npz", "files.json"])
@pytest.mark.parametrize("part", ["vad", "weights"])
def test_emotion_that_is_not_finite_is_refused(tmp_path: Path, name: str, part: str) -> None:
    (one,) = blocks(3)
    getattr(one.emotion, part)[2, 1] = np.inf
    column = {"vad": "arousal", "weights": "joy"}[part]
    with pytest.raises(StageError, match=f"frame 2: {column} is inf"):
        write(name, tmp_path, iter([one]))


def test_memory_stays_flat(tmp_path: Path) -> None:
    peaks = []
    for rows in (2560, 10240):
        for name in ("files.npz", "files.json", "files.livelink_csv", "files.wav"):
            tracemalloc.start()
            write(name, tmp_path, blocks(rows))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    # Four times the run, 3 MB more of rows: marks alone grow.
    assert np.max(np.array(peaks[4:]) - peaks[:4]) < 1e6, peaks


# -- WAV ------------------------------------------------------------------------------------------


def test_a_wav_holds_every_sample(tmp_path: Path) -> None:
    path = write("files.wav", tmp_path, blocks(150))
    samples = joined(150)[3]
    back, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE and len(back) == len(samples)
    assert np.abs(back / 32768 - np.minimum(samples, 32767 / 32768)).max() <= 0.5 / 32768
    with wave.open(str(path)) as other:  # a second reader, stricter about the header
        assert other.getnframes() == len(samples) and other.getparams()[:3] == (1, 2, RATE)
    assert path.stat().st_size == 44 + 2 * len(samples)


def test_sixteen_bits_pass_unchanged_and_more_is_clipped(tmp_path: Path) -> None:
    pcm = np.arange(-32768, 32768).astype(np.int16)
    loud = np.array([1.0, -1.5, 1e30, -1e30], np.float32)
    samples = np.concatenate([pcm.astype(np.float32) / 32768, loud])
    (one,) = blocks(3)
    write("files.wav", tmp_path, iter([Block(one.frames, one.emotion, Audio(samples, RATE))]))
    back, _ = soundfile.read(tmp_path / "clip.wav", dtype="int16")
    np.testing.assert_array_equal(back[:-4], pcm)
    assert back[-4:].tolist() == [32767, -32768, 32767, -32768]


def test_sound_that_is_not_finite_or_has_a_hole_is_refused(tmp_path: Path) -> None:
    first, second, third = blocks(190)
    with pytest.raises(StageError, match=f"came where {second.audio.start} was due"):
        write("files.wav", tmp_path, iter([first, third]))
    second.audio.samples[5] = np.nan
    with pytest.raises(StageError, match=f"sample {second.audio.start + 5} is not a finite number"):
        write("files.wav", tmp_path, iter([first, second]))


def test_a_wav_ends_at_four_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wav._MAX_DATA + 44 < 2**32
    monkeypatch.setattr(wav, "_MAX_DATA", 60000)
    with pytest.raises(FacewireError, match=r"clip.wav: a WAV file ends at 4 GiB, .* in parts"):
        write("files.wav", tmp_path, blocks(640))


# -- whole or not at all --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_the_same_run_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    whole = write(name, tmp_path / "a", blocks(200)).read_bytes()
    assert write(name, tmp_path / "b", blocks(200)).read_bytes() == whole


@pytest.mark.parametrize("name", ALL)
def test_any_cut_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    whole = write(name, tmp_path / "a", blocks(200)).read_bytes()

    def rowwise() -> Iterator[Block]:
        for block in blocks(200):
            for i in range(len(block.frames)):
                at = block.frames.start + i
                start, end = (first_sample(k, RATE, NTSC) for k in (at, at + 1))
                cut = slice(start - block.audio.start, end - block.audio.start)
                yield Block(
                    Frames(block.frames.values[i : i + 1], RIG, NTSC, at),
                    Emotion(
                        block.emotion.vad[i : i + 1], block.emotion.weights[i : i + 1], NTSC, at
                    ),
                    Audio(block.audio.samples[cut], RATE, start, () if i else block.audio.marks),
                )

    assert write(name, tmp_path / "b", rowwise()).read_bytes() == whole


@pytest.mark.parametrize("name", ALL)
def test_an_abort_leaves_what_was_there(tmp_path: Path, name: str) -> None:
    sink = built(name, tmp_path)
    old = sink.path
    old.write_bytes(b"old")
    sink.open(RunInfo("clip", RIG, NTSC, RATE))
    for block in blocks(200):
        sink.push(block)
    assert old.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 2
    sink.abort()
    sink.abort()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
    assert sink.result is None
    with pytest.raises(StageError, match="the sink is not open"):
        sink.close()


def test_a_sink_can_be_used_again_after_reset(tmp_path: Path) -> None:
    for name in ALL:
        sink = built(name, tmp_path)
        for run in (blocks(90, seed=1), blocks(200)):
            sink.reset()
            sink.open(RunInfo("clip", RIG, NTSC, RATE))
            for block in run:
                sink.push(block)
        sink.close()
        assert (
            Path(sink.result).read_bytes() == write(name, tmp_path / "b", blocks(200)).read_bytes()
        )
    assert len(list(tmp_path.iterdir())) == len(ALL) + 1


def test_folders_are_made_and_the_umask_holds(tmp_path: Path) -> None:
    path = write("files.npz", tmp_path / "a" / "b", blocks(9))
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
    assert zipfile.ZipFile(path).testzip() is None


@pytest.mark.parametrize("name", ALL)
def test_the_examples_work(tmp_path: Path, name: str) -> None:
    component = SINKS[name]
    registry = shared("facewire.registry", Registry)
    context = assemble(Profile(name="x", sinks=()), "example", tmp_path, registry=registry).context
    sink = component.make(component.example, context)
    if component.suffixes:  # Audio2Face's are .json and .csv, which others have
        assert sink.path.suffix == component.suffixes[0] and component.suffixes[-1].islower()
    if name in SOURCES:
        source = SOURCES[name].make(SOURCES[name].example, Context())
        frames = list(source.blocks())
        wanted = (60, "arkit52_tongue") if name == "files.rhubarb" else (20, "arkit61")
        assert (len(frames[0]), frames[0].rig.name) == wanted
