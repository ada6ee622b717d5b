"""A script of 40 turns and four workers against a service that fails: what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from elevenlabs_parts import CHAR, KEY, Fault, Faults, Service, detail, serving
from facewire.cli import main
from facewire_elevenlabs.tables import tables

TURNS = 40
BAD = [2, 3, 4, 5, 6, 7, 8, 23, 24, 39]  # many in a row: that says nothing of the next one
EMOTIONS = ["joy", "joy", "sadness", "fear", "joy:40"]
Run = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("facewire.voicing.retry.FIRST", 0.002)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    rows = [
        {"id": f"t{i:02d}", "text": f"This is turn number {i}.", "emotion": EMOTIONS[i % 5]}
        for i in range(TURNS)
    ]
    path = tmp_path / "scenarios.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def arguments(script: Path, service: Service, *more: str) -> list[str]:
    out = str(script.parent / "audio")
    chosen = ["--profile", "elevenlabs", "--set", f"voice.url={service.url}"]
    return ["voice", "batch", str(script), "--out", out, *chosen, *more]


@pytest.fixture
def run(script: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def _run(service: Service, *more: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments(script, service, *more))
        told = capfd.readouterr()
        return int(ended.value.code or 0), " ".join((told.out + told.err).split())

    return _run


def folder(script: Path) -> Path:
    return script.parent / "audio"


def check_folder(script: Path, words: int = 5) -> list[dict[str, Any]]:
    """Check that nothing is half written, the manifest is true, and the key is nowhere."""
    out = folder(script)
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    sounds = {path.name for path in out.glob("*.wav")}
    assert {row["file"] for row in rows} == sounds and len(rows) == len(sounds)
    names = sounds | {f"{name[:-4]}.json" for name in sounds} | {"manifest.jsonl"}
    assert {path.name for path in out.iterdir()} == names
    for row in rows:
        samples, rate = soundfile.read(out / row["file"])
        known = json.loads((out / row["file"]).with_suffix(".json").read_text())
        assert rate == row["rate"] == 24000
        assert len(samples) / rate == pytest.approx(row["seconds"], abs=1e-3)
        assert len(samples) == pytest.approx(row["characters"] * CHAR * rate, abs=1)
        assert row["credits"] == row["characters"] and np.abs(samples).max() > 0.2
        assert known["text"] == row["text"] and "marks" not in row
        spans = [known["text"][slice(*mark["chars"])] for mark in known["marks"]]
        assert spans == known["text"].rstrip(".").split() and len(spans) == words
    for path in script.parent.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path
    return rows


def quota(after: int) -> Faults:
    """Give sound to so many requests, then none."""
    bill = Fault(401, detail("quota_exceeded", "You have 0 credits remaining"))
    return lambda number, body: bill if number >= after else Fault(pause=0.002)


def test_the_plan_costs_nothing(script: Path, run: Run) -> None:
    with serving() as service:
        code, told = run(service, "--dry-run")
        assert service.asked == [] and not folder(script).exists()
        assert code == 0
        assert told.startswith("40 turns: 0 on disk, 40 to make: ")
        characters = int(told.split(" characters")[0].split()[-1].replace(",", ""))
        assert f"{characters:,} credits" in told
        code, _ = run(service)
        assert code == 0 and sum(map(len, service.texts)) == characters
        code, told = run(service, "--dry-run")
        assert told == "40 turns: 40 on disk, 0 to make: 0 characters"
    rows = check_folder(script)
    assert [row["id"] for row in rows] == [f"t{i:02d}" for i in range(TURNS)]
    # one voice for the whole monologue: that of joy, which most turns have
    assert {one.path.split("/")[3] for one in service.asked} == {tables().voices["joy"]}


def test_quota_in_the_middle_stops_cleanly_and_the_rest_follows(script: Path, run: Run) -> None:
    with serving(quota(17)) as service:
        code, told = run(service)
        made = len(check_folder(script))
        assert code == 2 and made == 17
        assert 18 <= len(service.asked) <= 21  # each worker may have met it once, none twice
        assert "elevenlabs: the account gives nothing more (401 quota_exceeded:" in told
        assert "23 turns are left (" in told and "run the same command again" in told
        assert KEY not in told
        before = {path.name: path.stat().st_mtime_ns for path in folder(script).glob("*.wav")}

        service.faults, service.asked[:] = quota(10**6), []
        code, told = run(service)
        assert code == 0 and "17 on disk, 23 to make" in told
        assert len(service.asked) == 23
        after = {path.name: path.stat().st_mtime_ns for path in folder(script).glob("*.wav")}
        assert len(check_folder(script)) == 40
        assert {name: after[name] for name in before} == before


def test_a_service_that_stumbles_all_the_way(script: Path, run: Run) -> None:
    kinds = [
        Fault(429, detail("system_busy"), (("Retry-After", "0"),)),
        Fault(500, None),
        Fault(cut=1),
        Fault(pause=0.01),
    ]
    with serving(lambda number, body: kinds[number % 8] if number % 8 < 4 else None) as service:
        code, told = run(service, "--workers", "4")
        assert code == 0, told
    assert len(service.asked) > 60
    assert len(check_folder(script)) == 40


def test_a_wrong_key_asks_once_for_each_worker(
    script: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "sk_wr0ngwr0ngwr0ng"
    monkeypatch.setenv("ELEVENLABS_API_KEY", wrong)
    with serving() as service:
        code, told = run(service)
    assert code == 2 and 1 <= len(service.asked) <= 4
    assert "invalid_api_key" in told and "40 turns are left" in told and wrong not in told
    assert check_folder(script) == []


def test_turns_that_fail_alone_do_not_stop_the_others(script: Path, run: Run) -> None:
    def faults(number: int, body: dict[str, Any]) -> Fault | None:
        bad = any(f"number {i}." in body["text"] for i in BAD)
        return Fault(422, detail("unprocessable", "cannot say that")) if bad else None

    with serving(faults) as service:
        code, told = run(service, "--workers", "2")
        assert code == 2 and "turn 't07' failed: elevenlabs: the service refused" in told
        assert f"{len(BAD)} turns failed: " in told and "t07" in told and "and 2 more" in told
        assert len(check_folder(script)) == TURNS - len(BAD)


def test_a_service_that_is_down_stops_the_batch(script: Path, run: Run) -> None:
    with serving(lambda number, body: Fault(503, None)) as service:
        code, told = run(service, "--workers", "2")
    assert code == 2 and "7 times in a row" in told and "turns are left" in told
    assert len(service.asked) <= 4 * 7
    assert check_folder(script) == []


def test_a_turn_that_changed_is_made_again_and_a_locked_one_is_not(script: Path, run: Run) -> None:
    with serving() as service:
        run(service)
        rows = [json.loads(line) for line in script.read_text().splitlines()]
        rows[3] |= {"text": "This is quite another turn."}
        rows[4] |= {"emotion": "anger"}
        rows[5] |= {"text": "This is locked for good, really.", "locked": True}
        script.write_text("\n".join(map(json.dumps, rows)))
        (folder(script) / "t06.wav").unlink()
        (folder(script) / "stray.json").write_text("{}")
        service.asked[:] = []
        code, told = run(service)
        (folder(script) / "stray.json").unlink()
        assert "37 on disk, 3 to make (2 because the turn changed)" in told and code == 0
        assert len(service.asked) == 3
        texts = {row["id"]: row["text"] for row in check_folder(script)}
    assert texts["t03"] == rows[3]["text"] and texts["t05"] == "This is turn number 5."


def start(script: Path, service: Service) -> subprocess.Popen[str]:
    code = "import sys; from facewire.cli import main; main(sys.argv[1:])"
    args = [sys.executable, "-c", code, *arguments(script, service), "--debug"]
    return subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_traceback_shows_no_key(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "sk_wr0ngwr0ngwr0ng"
    monkeypatch.setenv("ELEVENLABS_API_KEY", wrong)
    with serving() as service:
        told, _ = start(script, service).communicate(timeout=20)
    assert "Traceback" in told and "QuotaExhausted" in told and wrong not in told


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


@pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")
def test_killed_or_interrupted_it_can_be_run_again(script: Path, run: Run) -> None:
    slow = Fault(pause=0.02)
    with serving(lambda number, body: slow) as service:
        killed = start(script, service)
        wait_for(lambda: len(list(folder(script).glob("*.wav"))) >= 4)
        assert KEY not in lists_of_processes()
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
        there = len(list(folder(script).glob("*.wav")))
        (folder(script) / ".facewire-0123.part").write_bytes(b"half")

        stopped = start(script, service)
        wait_for(lambda: len(list(folder(script).glob("*.wav"))) >= there + 4)
        stopped.send_signal(signal.SIGINT)
        told, _ = stopped.communicate(timeout=20)
        assert stopped.returncode == 130, told
        assert "finishing the turns in hand" in told and "turns are left" in told
        assert KEY not in told
        made = len(check_folder(script))
        assert there + 4 <= made < TURNS

        service.faults = lambda number, body: None
        service.asked[:] = []
        code, _ = run(service)
        assert code == 0 and len(service.asked) == TURNS - made
        assert len(check_folder(script)) == TURNS


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_second_interrupt_leaves_at_once(script: Path) -> None:
    with serving(lambda number, body: Fault(pause=30.0)) as service:
        running = start(script, service)
        wait_for(lambda: len(service.asked) == 4)
        for _ in range(2):
            running.send_signal(signal.SIGINT)
            time.sleep(0.3)
        told, _ = running.communicate(timeout=10)
    assert running.returncode == 130 and "stopped at once; run the same command again" in told
    assert check_folder(script) == []


def lists_of_processes() -> str:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text("utf-8", "replace"))
        except OSError:
            continue
    assert any("scenarios.jsonl" in line for line in found)
    return "\n".join(found)
