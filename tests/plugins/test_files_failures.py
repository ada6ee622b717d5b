"""A process that is killed, a disk that is full: what was there before stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from facewire.errors import FacewireError
from facewire.types import RunInfo
from facewire_files.wav import WavSink
from test_files_sinks import ALL, NTSC, RATE, RIG, blocks, built, write

CRASH = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from facewire_files.wav import WavSink
from test_files_sinks import *
sink = built(sys.argv[2], Path(sys.argv[3]))
sink.open(RunInfo("clip", RIG, NTSC, RATE))
for block in blocks(2000):
    sink.push(block)
if sys.argv[4] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""

FULL = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from facewire_files.wav import WavSink
from test_files_sinks import *
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), int(sys.argv[4])))
try:
    write(sys.argv[2], Path(sys.argv[3]), blocks(20000))
except FacewireError as error:
    print(type(error).__name__, error)
"""


def child(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", script, str(Path(__file__).parent)]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.parametrize("name", ["files.livelink_csv", "files.npz"])
def test_a_killed_process_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    old = built(name, tmp_path).path
    old.write_bytes(b"old")
    assert child(CRASH, name, tmp_path, "kill").returncode == -signal.SIGKILL
    assert old.read_bytes() == b"old"
    assert write(name, tmp_path, blocks(9)) == old and old.read_bytes() != b"old"


SMALL = ("files.srt", "files.textgrid", "files.rhubarb")  # written at the end


@pytest.mark.parametrize("limit", [1 << 16, 5_400_000])  # while rows come, and while it is finished
@pytest.mark.parametrize("name", [n for n in ALL if n not in (*SMALL, "files.bvh")])
def test_a_full_disk_is_one_line_and_leaves_the_old_file(
    tmp_path: Path, name: str, limit: int
) -> None:
    old = built(name, tmp_path).path
    old.write_bytes(b"old")
    run = child(FULL, name, tmp_path, limit)
    assert run.stderr == "" and run.returncode == 0
    assert run.stdout == (
        f"FacewireError {old}: cannot be written: file too large; make room, or choose another "
        "path or --out\n"
    )
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("name", [*SMALL, "files.bvh"])
def test_a_full_disk_at_the_end_is_one_line(tmp_path: Path, name: str) -> None:
    run = child(FULL, name, tmp_path, 10 if name == "files.rhubarb" else 1000)
    assert run.stdout.count("cannot be written: file too large") == 1 and run.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_told_when_the_sink_opens(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    info = RunInfo("clip", RIG, NTSC, RATE)
    for path, text in {
        tmp_path / "file" / "a.wav": "cannot be written: ",
        tmp_path / "folder.wav": "is no plain file",
        tmp_path / "pipe.wav": "is no plain file",
        Path("/dev/null"): "is no plain file",
        tmp_path / ("x" * 300 + ".wav"): "cannot be written: file name too long",
    }.items():
        with pytest.raises(FacewireError) as error:
            WavSink(path).open(info)
        assert str(path) in str(error.value) and text in str(error.value)
    assert not Path("/dev/null").is_file()
