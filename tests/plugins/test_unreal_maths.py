"""The Unreal plugin's own Python, without Unreal: equal to Facewire's engine, number for number."""

from __future__ import annotations

import importlib.util
import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire.articulation import lip_gap as core_gap
from facewire.resample import FrameResampler
from facewire.rig import Rig
from facewire.types import Audio, Block, Emotion, FloatArray, Frames, Mark, RunInfo
from facewire_files.json_sink import JsonSink
from facewire_files.livelink_csv import LiveLinkCsv
from facewire_files.livelink_take import LiveLinkTake
from facewire_retarget.layer import Bound
from facewire_retarget.tables import shipped

HERE = Path(__file__).parents[2] / "integrations/unreal"
sys.path.insert(0, str(HERE / "FacewireTools/Content/Python"))

import facewire_unreal  # noqa: E402
from facewire_unreal import clip as clips  # noqa: E402
from facewire_unreal import engine, face, keys, plan, retime  # noqa: E402
from facewire_unreal.clip import Clip, ClipError  # noqa: E402
from facewire_unreal.headless import arguments  # noqa: E402

RIG = Rig.named("arkit61")


def talking(rows: int, seed: int = 0) -> FloatArray:
    """Smooth random faces whose lips close now and then for a few rows."""
    random = np.random.default_rng(seed)
    knots = random.uniform(0, 0.6, (rows // 5 + 2, 61))
    at = np.arange(rows) / 5
    columns = [np.interp(at, np.arange(len(knots)), knots[:, i]) for i in range(61)]
    values = np.stack(columns, axis=1).astype(np.float32)
    values[:, 52:] -= 0.3
    for name in face.GAP:
        if name not in ("jawOpen", "mouthClose"):
            values[:, RIG.index(name)] *= 0.1
    jaw, close = RIG.index("jawOpen"), RIG.index("mouthClose")
    values[:, close] = 0
    for k in range(7, rows, 23):
        values[k : k + 3, jaw], values[k : k + 3, close] = 0.2, 0.25
    return values


def made(values: FloatArray, fps: Fraction = Fraction(60)) -> Clip:
    return Clip(RIG.channels, values.astype(float).tolist(), fps)


def write(sink: LiveLinkCsv | JsonSink, values: FloatArray, fps: Fraction) -> None:
    rate, n = 16000, len(values)
    sink.open(RunInfo("take", RIG, fps, rate))
    feeling = Emotion(np.zeros((n, 3), np.float32), np.zeros((n, 16), np.float32), fps, 0)
    marks = (Mark("word", "héllo", 4000, 8000), Mark("phone", "h", 4000, 6000))
    sound = Audio(np.zeros(int(n * rate / fps), np.float32), rate, 0, marks)
    sink.push(Block(Frames(values, RIG, fps, 0), feeling, sound))
    sink.close()


def test_the_tables_are_the_engines() -> None:
    spec = importlib.util.spec_from_file_location("make_tables", HERE / "make_tables.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shipped_text = module.OUT.read_text("utf-8")
    assert shipped_text == module.text(), "run integrations/unreal/make_tables.py"
    assert list(json.loads(shipped_text)["metahuman"]) == list(shipped("metahuman").rows)


def test_metahuman_curves_are_the_retargets() -> None:
    values = talking(200)
    ours = face.to_metahuman(made(values))
    bound = Bound(shipped("metahuman"), RIG)
    assert ours.channels == bound.out.channels
    assert np.abs(np.array(ours.rows) - bound.apply(values)).max() < 2e-5
    shut = core_gap(values, RIG) < 0.03
    together = np.array(ours.column("CTRL_expressions_mouthLipsTogetherUL"))
    assert shut.sum() > 10 and together[shut].min() >= 0.98


def test_the_gap_is_the_engines() -> None:
    values = talking(50)
    assert np.allclose(
        face.lip_gap(RIG.channels, values.tolist()), core_gap(values, RIG), atol=1e-5
    )


@pytest.mark.parametrize("target", [Fraction(30), Fraction(24), Fraction(30000, 1001)])
def test_another_rate_is_the_cores(target: Fraction) -> None:
    values = talking(241, seed=3)
    core = FrameResampler(Fraction(60), target, 61, RIG)
    wanted = np.concatenate([core.push(values), core.flush()])
    found = retime.retime(made(values), target)
    assert len(found.rows) == len(wanted) and found.fps == target
    assert np.abs(np.array(found.rows) - wanted).max() < 1e-5
    gap = core_gap(np.array(found.rows, np.float32), RIG)
    for k in range(7, 238, 23):  # every closure is there at the new rate
        at = round(k / 60 * target)
        assert gap[max(0, at - 1) : at + 4].min() < 0.03


@pytest.mark.parametrize("fps", [Fraction(60), Fraction(30), Fraction(30000, 1001)])
def test_takes_are_read_as_the_engine_reads_them(tmp_path: Path, fps: Fraction) -> None:
    path = tmp_path / "take.csv"
    write(LiveLinkCsv(path, "23:59:59:31"), talking(90), fps)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:20] + lines[23:]))  # three rows were dropped
    frames = list(LiveLinkTake(path, Fraction(60)).blocks())
    found = clips.read(path)
    assert found.fps == frames[0].fps == fps
    assert found.channels == frames[0].rig.channels
    wanted = np.concatenate([f.values for f in frames])
    assert np.array(found.rows).shape == wanted.shape
    assert np.abs(np.array(found.rows) - wanted).max() < 1e-6


def test_json_with_its_words(tmp_path: Path) -> None:
    path, values = tmp_path / "take.json", talking(60)
    write(JsonSink(path), values, Fraction(30000, 1001))
    found = clips.read(path)
    assert found.fps == Fraction(30000, 1001)
    assert (np.array(found.rows, np.float32) == values).all()
    assert found.words == (clips.Word("héllo", 0.25, 0.5),)


HEAD = "Timecode,BlendShapeCount,JawOpen\n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", HEAD, "expected a header and rows"),
        ("a.csv", HEAD + "00:00:00:00,61\n", "line 2: 2 cells; was the take cut?"),
        ("a.csv", HEAD + "00:00:00:00,61,nan\n", "jawOpen is 'nan', expected a number"),
        ("a.csv", HEAD + "nine,61,0\n", "timecode 'nine' is no timecode"),
        ("a.csv", HEAD + "00:00:00:01,61,0\n" * 2, "timecodes are to rise"),
        ("a.csv", "a,b,c\n1,2,3\n", "expected Timecode,BlendShapeCount"),
        ("a.json", "[", "is not JSON"),
        ("a.json", "{}", "has no 'fps'"),
        ("a.json", '{"fps": 0, "channels": ["a"], "values": [[1]]}', "fps is 0, expected 1"),
        ("a.json", '{"fps": 60, "channels": ["a"], "values": [[1e999]]}', "a: expected a finite"),
        ("a.json", '{"fps": 60, "channels": ["a", "a"], "values": []}', "is there twice"),
        ("a.npz", "", "expected .csv or .json"),
    ],
)
def test_bad_takes_are_one_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ClipError, match=r"^[^\n]*$") as error:
        clips.read(tmp_path / name)
    assert said in str(error.value)


def test_thinned_keys_keep_the_lips() -> None:
    values = talking(300, seed=5)
    clip = made(values)
    held = keys.held_rows(clip, 0.005, 0.01)
    columns, count = [], 0
    for name in clip.channels:
        kept = keys.reduced(clip.column(name), 0.005, held)
        columns.append(keys.drawn(clip.column(name), kept))
        assert np.abs(np.array(columns[-1]) - clip.column(name)).max() <= 0.005 + 1e-9
        count += len(kept)
    gap = core_gap(np.stack(columns, axis=1).astype(np.float32), RIG)
    given = core_gap(values, RIG)
    assert np.abs(gap - given).max() <= 0.01 + 1e-5
    assert ((gap < 0.03) == (given < 0.03)).all()
    assert count < 0.6 * values.size


def test_still_channels_go_and_switches_stay() -> None:
    values = talking(20)
    values[:, RIG.index("cheekPuff")] = 0
    left = keys.moving(face.to_metahuman(made(values))).channels
    assert "CTRL_expressions_mouthLipsBlowL" not in left
    assert {"HeadControlSwitch", "MHFDSVersion", "CTRL_expressions_jawOpen"} <= set(left)


def test_prepared_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    options = plan.Options(fps=30)
    clip = plan.prepared(made(talking(61)), options)
    assert len(clip.rows) == 31 and clip.channels[0].startswith("CTRL_")
    arkit = plan.prepared(made(talking(61)), plan.Options(names="arkit"))
    assert set(arkit.channels) <= set(RIG.channels) and len(arkit.rows) == 61
    first = plan.content_hash(path, options)
    assert first == plan.content_hash(path, options) != plan.content_hash(path, plan.Options())
    path.write_text("y")
    assert plan.content_hash(path, options) != first


def test_folders_become_assets_in_chunks(tmp_path: Path) -> None:
    for name in ("b/line 1.csv", "b/ü.json", "a.CSV", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = plan.takes(tmp_path, "/Game/F/")
    assert "/Game/F/a" in found and "/Game/F/b/line_1" in found and len(found) == 3
    parts = list(plan.chunks(list(found.items()), 2))
    assert [len(part) for part in parts] == [2, 1] and [*parts[0], *parts[1]] == [*found.items()]
    (tmp_path / "b/line-1.json").write_text("")
    with pytest.raises(ClipError, match="is another file's too"):
        plan.takes(tmp_path, "/Game/F")


def test_a_folder_that_was_baked_holds_takes_and_no_records(tmp_path: Path) -> None:
    (tmp_path / "review").mkdir()
    for name in ("a.json", "a.csv", "a.bake.json", "b.csv", "b.bake.json", "bake.jsonl"):
        (tmp_path / name).write_text("")
    (tmp_path / "review/decisions.json").write_text("")
    found = plan.takes(tmp_path, "/Game/F")
    assert {asset: path.name for asset, path in found.items()} == {
        "/Game/F/a": "a.json",
        "/Game/F/b": "b.csv",
    }


def test_arguments_of_the_commandlet(tmp_path: Path) -> None:
    takes, options, chunk = arguments(["--takes", str(tmp_path), "--fps", "30", "--chunk", "7"])
    assert (takes, chunk, options) == (tmp_path, 7, plan.Options(fps=30))


def test_unreal_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not engine.running()
    stub = "class SystemLibrary:\n    @classmethod\n    def get_engine_version(cls) -> str: ...\n"
    (tmp_path / "unreal.py").write_text(stub)
    monkeypatch.syspath_prepend(tmp_path)
    assert not engine.running()
    monkeypatch.delitem(sys.modules, "unreal")


def test_the_plugin_folder_has_no_compiled_code() -> None:
    described = json.loads((HERE / "FacewireTools/FacewireTools.uplugin").read_text("utf-8"))
    assert described["VersionName"] == facewire_unreal.__version__
    assert "Modules" not in described and described["CanContainContent"]
    changelog = (HERE / "CHANGELOG.md").read_text("utf-8")
    assert f"## {facewire_unreal.__version__}" in changelog


def test_one_row_of_a_huge_number_stays_finite(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text(HEAD + "00:00:00:31.000,61,1e30\n")
    clip = plan.prepared(clips.read(path), plan.Options(fps=30))
    assert len(clip.rows) == 1 and np.isfinite(clip.rows).all()
