"""The plugin's Unreal side: typed against the published stub, and run against a fake made of it.

Unreal itself was never run.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from unreal_parts import CODE, Unreal, published, sliced

pytestmark = [pytest.mark.external, pytest.mark.slow]
sys.path.insert(0, str(CODE.parent))
ROWS = 13


@cache
def stub() -> str:
    return sliced(published())


@pytest.fixture
def unreal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Unreal]:
    fake = Unreal(stub())
    project: dict[str, Any] = {}
    tags: dict[tuple[int, str], str] = {}
    fake.__dict__["project"] = project
    fake.answers |= {
        "SystemLibrary.get_engine_version": lambda: "5.6.0",
        "EditorAssetLibrary.does_asset_exist": lambda path: path in project,
        "EditorAssetLibrary.load_asset": lambda path: project.get(path),
        "EditorAssetLibrary.get_metadata_tag": lambda one, tag: tags.get((id(one), tag), ""),
        "EditorAssetLibrary.set_metadata_tag": lambda one, tag, text: tags.update(
            {(id(one), tag): text}
        ),
        "AssetTools.create_asset": lambda name, folder, cls, factory: project.setdefault(
            f"{folder}/{name}", cls()
        ),
        "load_class": lambda outer, name: fake.Class(),
        "uclass": lambda: lambda cls: cls,
        "new_object": lambda cls: cls(),
    }
    face = project["/MetaHumanCharacter/Face/Face_Archetype_Skeleton"] = fake.Skeleton()
    fake.answers["AnimSequence.get_editor_property"] = lambda name: {"skeleton": face}[name]
    monkeypatch.setitem(sys.modules, "unreal", fake)
    others = ours()
    yield fake
    ours()
    sys.modules.update(others)


def ours() -> dict[str, Any]:
    """Take the plugin's modules away, so that they are imported with the fake, and return them."""
    names = [name for name in sys.modules if name.partition(".")[0] == "facewire_unreal"]
    return {name: sys.modules.pop(name) for name in names}


def of(name: str) -> Any:
    return importlib.import_module(f"facewire_unreal.{name}")


def named(unreal: Unreal, end: str) -> list[tuple[Any, ...]]:
    return [args for name, args in unreal.calls if name.endswith(end)]


def take(path: Path, jaw: float = 0.5) -> Path:
    values = [[jaw * k / ROWS, 0.0, 0.0] for k in range(ROWS)]
    marks = [{"kind": "word", "text": "hey", "start": 0.1, "end": 0.2}]
    channels = ["jawOpen", "mouthClose", "browInnerUp"]
    given = {"fps": 60, "channels": channels, "values": values, "marks": marks}
    path.write_text(json.dumps(given))
    return path


def silence(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(2 * 8000))
    return path


def test_types_are_the_published_stubs(tmp_path: Path) -> None:
    (tmp_path / "unreal.pyi").write_text(stub(), "utf-8")
    flags = ["--strict", "--allow-untyped-decorators", "--allow-untyped-calls"]
    flags += ["--allow-subclassing-any", f"--cache-dir={tmp_path / 'cache'}", "--config-file="]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *flags, "facewire_unreal", "init_unreal.py"],
        cwd=CODE.parent, capture_output=True, text=True,
        env={**os.environ, "MYPYPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    (tmp_path / "bad.py").write_text("import unreal\nunreal.AnimationLibrary.add_curve(1, 2, 3)\n")
    bad = subprocess.run(
        [sys.executable, "-m", "mypy", *flags, str(tmp_path / "bad.py")],
        capture_output=True, text=True, env={**os.environ, "MYPYPATH": str(tmp_path)},
    )  # fmt: skip
    assert "arg-type" in bad.stdout  # the slice does say no


def test_the_fake_says_no(unreal: Unreal) -> None:
    with pytest.raises(AttributeError, match=r"no unreal\.Nothing"):
        _ = unreal.Nothing
    with pytest.raises(AttributeError, match=r"no AnimationLibrary\.nothing"):
        unreal.AnimationLibrary.nothing()
    with pytest.raises(AssertionError, match="missing"):
        unreal.AnimationLibrary.add_curve(1)
    with pytest.raises(AssertionError, match="no argument"):
        unreal.EditorAssetLibrary.load_asset("a", nothing=1)
    with pytest.raises(AssertionError, match=r"no AssetImportTask\.nothing"):
        unreal.AssetImportTask().nothing = 1


def test_a_clip_becomes_a_sequence(unreal: Unreal, tmp_path: Path) -> None:
    sequence, plan = of("sequence"), of("plan")
    path, asset = take(tmp_path / "a.json"), "/Game/F/a"
    assert sequence.import_clip(path, asset, plan.Options(fps=30))
    assert isinstance(unreal.project[asset], unreal.AnimSequence)
    curves = {args[1]: args[2:] for args in named(unreal, ".add_float_curve_keys")}
    assert len(curves["CTRL_expressions_jawOpen"][0]) == 7
    assert curves["CTRL_expressions_jawOpen"][0][:2] == [0.0, 1 / 30]
    assert curves["HeadControlSwitch"][1] == [1.0] * 7
    assert "CTRL_expressions_browDownL" not in curves
    assert [args[1:3] for args in named(unreal, ".add_animation_notify_event")] == [
        ("FacewireWords", 0.1)
    ]
    order = [name.rpartition(".")[2] for name, _ in unreal.calls]
    assert order.index("open_bracket") < order.index("add_curve") < order.index("close_bracket")
    assert order[-1] == "save_loaded_asset"


def test_unchanged_clips_are_skipped(unreal: Unreal, tmp_path: Path) -> None:
    sequence, options = of("sequence"), of("plan").Options(names="arkit")
    path = take(tmp_path / "a.json")
    assert sequence.import_clip(path, "/Game/F/a", options)
    unreal.calls.clear()
    assert not sequence.import_clip(path, "/Game/F/a", options)
    assert not named(unreal, ".add_curve") and not named(unreal, ".save_loaded_asset")
    take(path, jaw=0.6)
    assert sequence.import_clip(path, "/Game/F/a", options)
    assert len(named(unreal, ".remove_all_curve_data")) == 1
    assert [args[1] for args in named(unreal, ".add_curve")] == ["jawOpen"]


def test_compression_is_set_where_it_is(unreal: Unreal, tmp_path: Path) -> None:
    sequence, plan = of("sequence"), of("plan")
    sequence.import_clip(take(tmp_path / "a.json"), "/Game/F/a", plan.Options())
    assert not named(unreal, ".set_curve_compression_settings")
    assert "no curve compression settings" in named(unreal, "log_warning")[0][0]
    unreal.project[plan.Options().compression] = unreal.AnimCurveCompressionSettings()
    sequence.import_clip(take(tmp_path / "a.json", 0.9), "/Game/F/a", plan.Options())
    assert len(named(unreal, ".set_curve_compression_settings")) == 1


def test_other_assets_are_left_alone(unreal: Unreal, tmp_path: Path) -> None:
    unreal.project["/Game/F/a"] = unreal.LevelSequence()
    with pytest.raises(of("clip").ClipError, match="is no AnimSequence"):
        of("sequence").import_clip(take(tmp_path / "a.json"), "/Game/F/a", of("plan").Options())
    assert not named(unreal, ".save_loaded_asset")


def test_a_sequence_of_another_skeleton_is_left_alone(unreal: Unreal, tmp_path: Path) -> None:
    path, other = take(tmp_path / "a.json"), unreal.Skeleton()
    of("sequence").import_clip(path, "/Game/F/a", of("plan").Options())
    unreal.project["/Game/Dog"] = other
    unreal.calls.clear()
    with pytest.raises(of("clip").ClipError, match="is on another skeleton"):
        of("sequence").import_clip(path, "/Game/F/a", of("plan").Options(skeleton="/Game/Dog"))
    assert not named(unreal, ".remove_all_curve_data")


def test_skeletons_of_both_generations(unreal: Unreal) -> None:
    engine = of("engine")
    assert engine.running()
    old = "/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton"
    unreal.project[old] = unreal.project.pop(engine.SKELETONS[0])
    assert engine.skeleton("") is unreal.project[old]
    unreal.project.clear()
    with pytest.raises(of("clip").ClipError, match="give its path"):
        engine.skeleton("")


def test_one_bad_clip_stops_nothing(unreal: Unreal, tmp_path: Path) -> None:
    for k in range(3):
        take(tmp_path / f"{k}.json", 0.3 + k / 10)
    (tmp_path / "1.json").write_text("{")
    count = of("folder").import_folder(tmp_path, of("plan").Options(), chunk=2)
    assert (count.made, count.unchanged, count.bad) == (2, 0, 1)
    assert "1.json: is not JSON" in named(unreal, "log_error")[0][0]
    assert len(named(unreal, "collect_garbage")) == 2
    again = of("folder").import_folder(tmp_path, of("plan").Options(), chunk=2)
    assert (again.made, again.unchanged, again.bad) == (0, 2, 1)


def test_sound_goes_into_a_level_sequence(unreal: Unreal, tmp_path: Path) -> None:
    level = of("level")
    unreal.project["/Game/F/a"] = unreal.SoundBase()
    unreal.answers["AssetImportTask.imported_object_paths"] = lambda: ["/Game/F/a"]
    section = unreal.MovieSceneAudioSection()
    unreal.answers["MovieSceneAudioTrack.add_section"] = lambda: section
    unreal.answers["LevelSequence.add_track"] = lambda cls: cls()
    made = level.level_sequence("/Game/F/a_Level", of("retime").Fraction(30))
    level.attach_wav(made, silence(tmp_path / "a.wav"), "/Game/F")
    assert named(unreal, ".set_range_seconds") == [(0.0, 0.5)]
    assert named(unreal, ".set_sound") == [(unreal.project["/Game/F/a"],)]
    with pytest.raises(of("clip").ClipError, match="is no PCM WAV"):
        level.attach_wav(made, take(tmp_path / "b.wav"), "/Game/F")


def test_the_board_gets_fewer_keys_under_an_additive(unreal: Unreal, tmp_path: Path) -> None:
    level, clip = of("level"), of("clip").read(take(tmp_path / "a.json"))
    unreal.project[level.BOARDS[0]] = unreal.ControlRigBlueprint()
    channel = unreal.MovieSceneScriptingFloatChannel()
    keys = [unreal.MovieSceneScriptingFloatKey() for _ in range(ROWS)]
    times = iter(range(ROWS))
    values = iter(clip.column("jawOpen"))
    frame: Callable[[], Any] = lambda: SimpleNamespace(  # noqa: E731
        frame_number=SimpleNamespace(value=next(times))
    )
    unreal.answers |= {
        "MovieSceneSection.get_all_channels": lambda: [channel],
        "MovieSceneScriptingFloatChannel.get_keys": lambda: keys,
        "MovieSceneScriptingFloatKey.get_time": frame,
        "MovieSceneScriptingFloatKey.get_value": lambda: next(values),
    }
    unreal.answers["get_editor_subsystem"] = lambda cls: cls()
    sequence = level.level_sequence("/Game/F/a_Level", clip.fps)
    face = unreal.SkeletalMeshComponent()
    level.control_rig(sequence, unreal.AnimSequence(), face, clip)
    removed = [args[0] for args in named(unreal, ".remove_key")]
    assert keys[0] not in removed and keys[-1] not in removed and len(removed) > ROWS // 2
    assert named(unreal, ".set_blend_type") == [("MovieSceneBlendType.ADDITIVE",)]


def test_live_link(unreal: Unreal) -> None:
    live = of("live")
    assert "no subject at all" in live.check("Ada")
    name = "LiveLinkBlueprintLibrary.get_live_link_enabled_subject_names"
    unreal.answers[name] = lambda virtual: [SimpleNamespace(name="Ada")]
    assert "is there" in live.check("Ada") and "there are: Ada" in live.check("Bob")
    live.preset("/Game/F/Live")
    assert [n for n, _ in unreal.calls][-2:] == [
        "LiveLinkPreset.build_from_client", "EditorAssetLibrary.save_loaded_asset"
    ]  # fmt: skip


def test_menu_entries_and_their_errors(unreal: Unreal, monkeypatch: pytest.MonkeyPatch) -> None:
    init = CODE.parent / "init_unreal.py"
    exec(compile(init.read_text("utf-8"), str(init), "exec"), {"__name__": "init_unreal"})
    menu = of("menu")
    entries = [args[1] for args in named(unreal, ".init_menu_entry")]
    assert entries == [entry[0] for entry in menu.ENTRIES] == list(menu.ACTIONS)
    monkeypatch.setattr(menu, "ask", lambda *_: {"subject": "Ada"})
    menu.chosen("check")
    menu.chosen("board")
    shown = [args[1] for args in named(unreal, ".show_message")]
    assert "no subject at all" in shown[0] and "select a MetaHuman" in shown[1]


def test_menu_imports_a_clip_and_a_folder(
    unreal: Unreal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    menu = of("menu")
    path = take(tmp_path / "a.json")
    form = {"clip": str(path), "takes": str(tmp_path), "folder": "/Game/F", "skeleton": ""}
    monkeypatch.setattr(menu, "ask", lambda *_: {**form, "names": "metahuman", "fps": "30"})
    menu.chosen("clip")
    menu.chosen("folder")
    shown = [args[1] for args in named(unreal, ".show_message")]
    assert shown == ["/Game/F/a: made", "0 made, 1 unchanged, 0 bad (see the log)"]
