"""The command on text as it is written, as processes of their own: what an error leaves behind."""

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
from elevenlabs_parts import KEY, Fault, Service, detail, serving

ALPHA = "Alpha has come to us here. "
TEXT = f"{ALPHA}Bravo has come to us, too. Charlie came as well. Delta is the last of them all."
BUSY = Fault(429, detail("system_busy"), (("Retry-After", "120"),))
BILL = Fault(401, detail("quota_exceeded", "You have 0 credits left"))
REFUSED = Fault(422, detail("unprocessable", "cannot say that"))
RUNS = 5
NEEDS_SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(
    service: Service, *args: str, text: str = "", profile: str = "elevenlabs"
) -> subprocess.Popen[str]:
    """Begin a command whose standard input stays open."""
    voice = ["--profile", profile, "--set", f"voice.url={service.url}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "facewire", *args, *voice],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(text)
    process.stdin.flush()
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Return the exit code, and the lines on standard error."""
    _, told = process.communicate(timeout=60)
    return process.returncode, told.splitlines()


def words() -> list[str]:
    with np.load("out/stdin.npz") as made:
        return [str(mark["text"]) for mark in made["marks"] if mark["kind"] == "word"]


@pytest.mark.parametrize("profile", ["elevenlabs", "elevenlabs-metahuman"])
def test_a_wrong_key_is_one_line_every_time(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_wr0ngwr0ngwr0ng")
    with serving() as service:
        for _ in range(RUNS):
            run = start(service, "run", "-", "-q", text=TEXT, profile=profile)
            code, told = ended(run)
            assert code == 2 and len(told) == 1, told
            assert told[0].startswith("facewire: elevenlabs: the account gives nothing more (401")
    assert not Path("out").exists() or not list(Path("out").iterdir())


def test_a_quota_that_ends_leaves_what_was_said_whole() -> None:
    with serving(lambda number, body: None if "Alpha" in body["text"] else BILL) as service:
        for _ in range(RUNS):
            code, told = ended(start(service, "run", "-", "-q", text=TEXT))
            assert code == 2 and len(told) == 2, told
            assert told[0].startswith("the run ended early: the outputs that stay hold ")
            assert "quota_exceeded" in told[1]
            assert words() == ["Alpha", "has", "come", "to", "us", "here"]


def test_a_clause_that_is_refused_is_told_and_the_others_are_said() -> None:
    with serving(lambda number, body: REFUSED if "Bravo" in body["text"] else None) as service:
        code, told = ended(start(service, "run", "-", "-q", text=TEXT))
    assert code == 2 and len(told) == 2, told
    assert told[0].startswith("'Bravo has come to us,' is not said: elevenlabs: the service refus")
    assert told[1].startswith("facewire: 1 clause was not said: elevenlabs: the service refused")
    said = words()
    assert "Alpha" in said and "Bravo" not in said and said[-5:] == TEXT[:-1].split()[-5:]


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


@NEEDS_SIGNALS
@pytest.mark.parametrize("fault", [BUSY, Fault(wait=20)], ids=["busy", "slow"])
def test_ctrl_c_ends_a_live_run_that_waits(fault: Fault) -> None:
    with serving(lambda number, body: fault if "Bravo" in body["text"] else None) as service:
        run = start(service, "run", "-", text=TEXT)
        wait_for(lambda: any("Bravo" in text for text in service.texts))
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        begun = time.monotonic()
        code, told = ended(run)
    assert code == 0 and time.monotonic() - begun < 10
    busy = "elevenlabs: the service answered 429 system_busy: no; asking again in 120 s"
    ending = "ending; press Ctrl-C again to stop at once and discard"
    assert [line for line in told if line] == [*([busy] if fault is BUSY else []), ending]
    assert words()[0] == "Alpha"


@pytest.fixture
def script(folder: Path) -> None:
    rows = [{"id": f"t{i}", "text": f"This is turn number {i}."} for i in range(4)]
    (folder / "s.jsonl").write_text("\n".join(map(json.dumps, rows)))


@pytest.mark.usefixtures("script")
def test_a_quota_that_ends_in_a_batch_ends_the_other_workers_waits() -> None:
    faults = {"number 0": BUSY, "number 2": BILL}

    def fault(number: int, body: dict[str, Any]) -> Fault | None:
        return next((faults[key] for key in faults if key in body["text"]), None)

    with serving(fault) as service:
        begun = time.monotonic()
        code, told = ended(start(service, "voice", "batch", "s.jsonl", "--out", "a"))
    assert code == 2 and time.monotonic() - begun < 20
    assert "quota_exceeded" in told[-1] and sum("number 0" in text for text in service.texts) == 1
    made = sorted(path.stem for path in Path("a").glob("*.wav"))
    assert "t0" not in made and "t2" not in made
    assert f"{4 - len(made)} turns are left" in told[-1]


@NEEDS_SIGNALS
@pytest.mark.usefixtures("script")
def test_ctrl_c_ends_a_batch_that_waits() -> None:
    with serving(lambda number, body: BUSY if "number 1" in body["text"] else None) as service:
        batch = start(service, "voice", "batch", "s.jsonl", "--out", "a", "--workers", "1")
        wait_for(lambda: len(service.asked) == 2)
        time.sleep(0.3)
        batch.send_signal(signal.SIGINT)
        begun = time.monotonic()
        code, told = ended(batch)
    assert code == 130 and time.monotonic() - begun < 10
    assert "turn 't1': elevenlabs: the service answered 429 system_busy: no; asking" in told[1]
    assert "stopped: 3 turns are left" in told[-1]
    names = sorted(os.listdir("a"))
    assert names == ["manifest.jsonl", "t0.json", "t0.wav"]
    assert len(Path("a/manifest.jsonl").read_text().splitlines()) == 1
