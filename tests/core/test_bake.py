"""``facewire bake``: what is planned, made, skipped and told; workers; a kill in the middle."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from facewire.baking.plan import plan_script
from facewire.baking.pool import Local
from facewire.baking.record import MANIFEST
from facewire.baking.script import load_script
from facewire.baking.work import Job, Outcome, bake_line
from facewire.cli.bake import command
from facewire.errors import FacewireError, InputError, ProfileError

PROFILE = """
model: phonemes
layers: [clamp]
sinks:
  - {use: files.npz, path: "{out}/{name}.npz"}
  - {use: files.livelink_csv, path: "{out}/{name}.csv"}
"""


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A folder with a profile and a function that writes a script."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(PROFILE, "utf-8")

    def write(*turns: dict, name: str = "s.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(turn) + "\n" for turn in turns), "utf-8")
        return path

    return write


def bake(*args: str, code: int = 0) -> str:
    done = CliRunner().invoke(command, ["--profile", "p.yaml", *args], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def turns(count: int) -> list[dict]:
    return [{"id": f"line{i}", "text": f"This is number {i}."} for i in range(count)]


def test_a_script_becomes_files_and_a_second_bake_does_nothing(scene) -> None:
    scene({"id": "a", "text": "Hello."}, {"id": "b", "text": "[joy:80] Bye!", "out": "bye"})
    assert "2 lines: 0 done, 2 new" in bake("s.jsonl")
    made = outputs(Path("out"))
    kinds = ("bake.json", "csv", "npz")
    assert set(made) == {f"{n}.{k}" for n in ("a", "bye") for k in kinds} | {MANIFEST}
    rows = [json.loads(line) for line in made[MANIFEST].splitlines()]
    assert [(row["id"], row["name"], row["outputs"]) for row in rows] == [
        ("a", "a", ["a.csv", "a.npz"]),
        ("b", "bye", ["bye.csv", "bye.npz"]),
    ]
    assert "2 lines: 2 done, 0 new" in bake("s.jsonl")
    assert outputs(Path("out")) == made


def test_a_line_is_one_face_whoever_speaks(scene) -> None:
    plain = PROFILE + "speakers: {ada: {}, bob: {}}\n"
    Path("p.yaml").write_text(plain.replace("{}", "{subject: A}"), "utf-8")
    scene({"id": "a", "text": "Hello.", "speaker": "ada"})
    bake("s.jsonl")
    assert set(outputs(Path("out"))) == {"a.bake.json", "a.csv", "a.npz", MANIFEST}
    Path("p.yaml").write_text(plain, "utf-8")
    assert "1 line: 1 done, 0 new" in bake("s.jsonl")


def test_a_worker_keeps_nothing_of_a_line(scene, tmp_path) -> None:
    path = scene(*turns(9))
    jobs = plan_script(load_script(path)[0], path, tmp_path / "out", "p.yaml").todo
    counts = []
    for job in jobs:
        assert bake_line(job).error is None
        counts.append(len(gc.get_objects()))
    assert max(counts[-3:]) - counts[4] < 100, counts


def test_only_what_changed_is_baked_again_and_it_says_why(scene) -> None:
    scene({"id": "a", "text": "Hello."}, {"id": "b", "text": "Bye."}, {"id": "c", "text": "Oh."})
    bake("s.jsonl")
    before = outputs(Path("out"))
    scene({"id": "a", "text": "Hello!"}, {"id": "b", "text": "Bye."}, {"id": "c", "text": "Oh."})
    said = bake("s.jsonl", "--dry-run")
    assert "3 lines: 2 done, 0 new, 1 changed" in said and "changed (input): a" in said
    assert outputs(Path("out")) == before
    bake("s.jsonl")
    after = outputs(Path("out"))
    changed = {name for name in after if after[name] != before[name]}
    assert {"a.bake.json", MANIFEST} <= changed and not any(
        n[0] in "bc" for n in changed - {MANIFEST}
    )
    said = bake("s.jsonl", "--set", "fps=30", "--dry-run")
    assert "changed (profile): a, b, c" in said
    Path("out/b.csv").unlink()
    assert "changed (outputs are gone): b" in bake("s.jsonl", "--dry-run")


def test_a_locked_line_is_never_baked_again(scene) -> None:
    scene({"id": "a", "text": "Hello."})
    bake("s.jsonl")
    before = outputs(Path("out"))
    scene({"id": "a", "text": "Quite another thing.", "locked": True})
    said = bake("s.jsonl")
    assert "1 locked" in said and "locked, though they changed: a" in said
    assert outputs(Path("out")) == before


def test_one_bad_line_never_stops_the_rest(scene) -> None:
    script = scene(
        {"id": "a", "text": "Hello."},
        {"id": "b", "audio": "gone.wav"},
        {"id": "c", "text": "[jou]Hi."},
        {"id": "d", "text": "Bye."},
    )
    script.write_text(script.read_text("utf-8") + '{"text": 3}\nnot json\n', "utf-8")
    told = r"^2 lines failed: b, c; 2 lines cannot be read; run the same"
    with pytest.raises(FacewireError, match=told):
        CliRunner().invoke(
            command, ["--profile", "p.yaml", "s.jsonl"], catch_exceptions=False,
            standalone_mode=False,
        )  # fmt: skip
    args = ["--profile", "p.yaml", "s.jsonl", "--dry-run"]
    done = CliRunner().invoke(command, args)  # ends as the bake itself does
    assert isinstance(done.exception, InputError) and done.exception.exit_code == 2
    assert str(done.exception).startswith("2 lines cannot be read; mend them, and run the same")
    made = outputs(Path("out"))
    assert {"a.npz", "d.npz"} <= set(made) and "b.npz" not in made
    assert "no such file" in json.loads(made["b.bake.json"])["error"]
    assert "did you mean" in json.loads(made["c.bake.json"])["error"]
    plan = plan_script(load_script(script)[0], script, Path("out"), "p.yaml")
    assert [job.name for job in plan.failed] == ["b", "c"] and len(plan.done) == 2
    assert len(load_script(script)[1]) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that root cannot write to")
def test_where_nothing_can_be_written_each_line_says_so(scene) -> None:
    """Workers died of it, each with tracebacks, and no line said why."""
    script = scene(*turns(1))
    (job,) = plan_script(load_script(script)[0], script, Path("/proc/x"), "p.yaml").todo
    assert bake_line(job).error == (
        "/proc/x/line0.npz: cannot be written: no such file or directory; "
        "make room, or choose another path or --out"
    )


def test_sound_is_known_by_its_bytes(scene) -> None:
    tone = np.sin(np.arange(8000) / 9).astype(np.float32) * 0.2
    soundfile.write("x.wav", tone, 16000)
    scene({"id": "a", "audio": "x.wav", "emotion": "joy:60"})
    bake("s.jsonl")
    assert "1 done" in bake("s.jsonl")
    soundfile.write("x.wav", tone * 0.5, 16000)
    assert "changed (input): a" in bake("s.jsonl", "--dry-run")


def test_csv_is_read_as_jsonl_is(scene, tmp_path) -> None:
    (tmp_path / "s.csv").write_text(
        "id,text,emotion,level,vad,pause,locked\n"
        'a,"Hello, you.",joy,4,,,\nb,Bye.,,,.7 .5 .5,.5,no\n',
        "utf-8",
    )
    lines, wrong = load_script(tmp_path / "s.csv")
    assert not wrong and [line.turn.text for line in lines] == ["Hello, you.", "Bye."]
    assert lines[0].turn.level == 4 and lines[1].turn.vad == [0.7, 0.5, 0.5]
    assert lines[0].state is not None and not lines[1].turn.locked
    (tmp_path / "bad.csv").write_text("id,text\na,Hi,there\nb,Hi\nc,Hi\nc,Hi\n", "utf-8")
    lines, wrong = load_script(tmp_path / "bad.csv")
    assert [line.turn.id for line in lines] == ["b", "c"]
    assert wrong[0].startswith("bad.csv:2: 3 cells, expected 2 (id, text)")
    assert wrong[1] == "bad.csv:5: id 'c' is taken by line 4"
    (tmp_path / "head.csv").write_text("id;txt\n" + "a;Hi\n" * 9, "utf-8")
    with pytest.raises(ProfileError, match=r"^head\.csv:1: 'id;txt': unknown key.*known: id, spea"):
        load_script(tmp_path / "head.csv")
    with pytest.raises(InputError, match=r"expected a script, \.jsonl or \.csv"):
        load_script(tmp_path / "x.txt")


def test_live_sinks_are_left_out_and_paths_need_a_name(scene, tmp_path) -> None:
    scene({"id": "a", "text": "Hello."})
    (tmp_path / "p.yaml").write_text(PROFILE + "  - {use: livelink}\n", "utf-8")
    assert "live sinks are left out: livelink" in bake("s.jsonl")
    (tmp_path / "p.yaml").write_text(PROFILE.replace("{name}.npz", "x.npz"), "utf-8")
    with pytest.raises(ProfileError, match=r"sinks\[0\] writes every line to .*put \{name\}"):
        bake("s.jsonl")
    (tmp_path / "p.yaml").write_text("model: phonemes\nsinks: [livelink]\n", "utf-8")
    with pytest.raises(ProfileError, match="has no sink that writes a file"):
        bake("s.jsonl")


def test_outputs_do_not_depend_on_the_number_of_workers(scene) -> None:
    scene(*turns(5))
    bake("s.jsonl", "--workers", "1", "--out", "one")
    bake("s.jsonl", "--workers", "2", "--out", "two")
    assert outputs(Path("one")) == outputs(Path("two"))


def dies(job: Job) -> Outcome:
    if job.name == "line1":
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(job.name)


def test_a_worker_that_dies_fails_its_line_alone(scene) -> None:
    script = scene(*turns(4))
    plan = plan_script(load_script(script)[0], script, Path("out"), "p.yaml")
    done = {outcome.name: outcome.error for _, outcome in Local(2, dies).results(plan.todo)}
    assert [done[f"line{i}"] for i in (0, 2, 3)] == [None] * 3
    assert done["line1"] == (
        "the worker that had this line was killed by signal 9; "
        "is there enough memory for so many workers?"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_killed_in_the_middle_a_second_bake_gives_the_same_bytes(scene, tmp_path) -> None:
    scene(*turns(6))
    bake("s.jsonl", "--out", "whole")
    words = [sys.executable, "-m", "facewire", "bake", "s.jsonl", "--profile", "p.yaml"]
    words += ["--out", "cut", "--workers", "2"]
    process = subprocess.Popen(words, cwd=tmp_path, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(Path("cut").glob("*.bake.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not Path("cut", MANIFEST).exists()
    Path("cut/.line9.npz.0123456789ab.part").write_bytes(b"half")
    bake("s.jsonl", "--out", "cut")
    assert outputs(Path("cut")) == outputs(Path("whole"))


def test_two_lines_with_one_name_are_refused(scene) -> None:
    script = scene({"id": "a", "text": "Hi.", "out": "x"}, {"id": "b", "text": "Hi.", "out": "X"})
    with pytest.raises(InputError, match="lines 'a' and 'b' would share the name X"):
        plan_script(load_script(script)[0], script, Path("out"), "p.yaml")
