"""The command: a small corpus, made in two runs, the same as in one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from facewire_trajectory.corpus import __main__ as command
from facewire_trajectory.corpus import load, plan, recordings, voices
from facewire_trajectory.corpus.build import build
from facewire_trajectory.targets import SPEECH


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["corpus", *arguments])
    return command.main()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave three of the anchors' jobs, so that a test is quick."""
    monkeypatch.setattr(plan, "ANCHOR_KINDS", ("quiet",))
    whole = plan.plan
    monkeypatch.setattr(command, "plan", lambda *a: whole(*a)[44:])


@pytest.mark.usefixtures("few")
def test_a_corpus_in_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--out", str(tmp_path / "a"), "--tiny", "--turns", "3") == 0
    table = capsys.readouterr().out
    assert "turns" in table and "espeak" in table and "vocal" in table
    one = load(tmp_path / "a")
    kinds = {entry.kind for entry in one.entries}
    assert kinds == {"speech", "vocal", "other", "anchor"}
    # what is gone is made again, byte for byte
    speech = [item for item in one.items(kind="speech")][-1]
    before = speech.path.read_bytes()
    speech.path.unlink()
    assert run(monkeypatch, "--out", str(tmp_path / "a"), "--tiny", "--turns", "3") == 0
    assert speech.path.read_bytes() == before
    again = load(tmp_path / "a")
    assert {entry.id for entry in again.entries} == {entry.id for entry in one.entries}
    for item in again.items():
        assert item.entry.rows == len(item["mel"]) == len(item["phones"])
        assert np.isfinite(item["mel"].astype(np.float32)).all()
        assert set(np.unique(item["sound"])) <= {0, 1, 2}
        if item.entry.kind in ("other", "anchor"):
            assert not item["artic"].any()


def test_a_clean_item_and_its_augmented_one_share_targets() -> None:
    jobs = [job for job in plan.plan(20, tiny=True) if job.kind == "speech"]
    made = next(two for two in map(list, map(build, jobs)) if len(two) == 2)
    (one, clean), (other, heard) = made
    assert other.augmented and not one.augmented and other.id == f"{one.id}-a"
    assert other.augmentation and other.labels == one.labels
    assert np.array_equal(clean["artic"], heard["artic"])
    assert not np.array_equal(clean["mel"], heard["mel"])
    assert one.marks == sorted(one.marks, key=lambda mark: mark[1])


def test_sustained_sounds_are_speech() -> None:
    jobs = [job for job in plan.plan(100, tiny=True) if job.source == "sustained"]
    assert len(jobs) == 5
    for job in jobs:
        entry, arrays = next(build(job))
        assert entry.kind == "speech" and entry.voice.startswith("espeak ")
        long = [mark for mark in entry.marks if mark[2] - mark[1] > 0.25]
        assert long  # half a sentence's syllable is .15 s
        for _, start, end in long:
            middle = int((start + end) / 2 * 60)
            assert arrays["sound"][middle] == SPEECH


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "flite_voices", lambda: ())
    monkeypatch.setattr(plan, "festival_voices", lambda: ("kal",))
    assert plan.missing() == [
        "flite is not installed: its voices are left out",
        "festival has no voice slt-hts: left out",
    ]
    assert {job.source for job in plan.plan(50) if job.kind == "speech"} == {
        "espeak", "festival", "sustained",
    }  # fmt: skip
    monkeypatch.setattr(recordings, "_POCKET", Path("/nowhere"))
    assert any(
        line.startswith("pocketsphinx-testdata is not") for line in recordings.recordings()[1]
    )


@pytest.mark.external
@pytest.mark.parametrize("source", ["flite", "festival"])
def test_synthesisers_say_when(source: str) -> None:
    there = {"flite": voices.flite_voices, "festival": voices.festival_voices}[source]()
    if not there:
        pytest.skip(f"needs {source}")
    said = voices.SPEAK[source]("Please put the map here.", there[0], voices.Manner(0.8))
    assert said.phones[0].text == "P" and said.phones[0].start > 0.05
    assert all(a.end <= b.start + 1e-9 for a, b in zip(said.phones, said.phones[1:], strict=False))
    assert said.phones[-1].end <= len(said.samples) / 24000


def test_the_command_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "facewire_trajectory.corpus", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "--tiny" in done.stdout and "--faces" in done.stdout
