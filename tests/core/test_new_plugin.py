"""What ``facewire new-plugin`` makes installs, is found, and passes its own test as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from facewire.cli import main


def new(folder: Path, name: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["new-plugin", name, "--in", str(folder)])
    return ended.value.code if isinstance(ended.value.code, int) else 0


def test_it_installs_is_found_and_passes_its_test(tmp_path: Path) -> None:
    assert new(tmp_path, "squint") == 0
    made, site = tmp_path / "facewire-squint", tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "--target", str(site), str(made)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    run = [sys.executable, "-m"]
    listed = subprocess.run(
        [*run, "facewire", "plugins"], env=environment, capture_output=True, text=True, check=True
    )
    assert "squint" in listed.stdout and "layer squint" in listed.stdout
    tests = subprocess.run(
        [*run, "pytest", "-q", "-p", "no:cacheprovider", str(made)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout
    assert "3 passed" in tests.stdout


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(tmp_path, "Squint!") == 2
    assert new(tmp_path, "squint") == 0
    assert new(tmp_path, "squint") == 2
    (tmp_path / "file").touch()
    assert new(tmp_path / "file", "wink") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and "exists already" in lines[1]
    assert not list(tmp_path.glob(".facewire*"))
