"""``facewire run``: what it tells, and ends with, where a live sink sends nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from facewire.cli import main
from facewire.testing import voiced

LOST = "use: osc.vtubestudio, host: 127.0.0.1, token: token, port"
PROFILE = """
model: phonemes
layers: [clamp]
sinks:
  - {{{live}}}
  - {{use: files.npz, path: "{{out}}/{{name}}.npz"}}
"""


@pytest.fixture
def nobody() -> Iterator[int]:
    """Return a TCP port that nobody listens on, and nobody else can get meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("hi.wav", "you.wav"):
        soundfile.write(name, voiced(0.4, 16000).samples, 16000)
    return tmp_path


def run(folder: Path, live: str, *args: str) -> int:
    (folder / "p.yaml").write_text(PROFILE.format(live=live))
    with pytest.raises(SystemExit) as ended:
        main(["run", "--profile", "./p.yaml", *args])
    code = ended.value.code
    return code if isinstance(code, int) else 0


@pytest.mark.parametrize("more", [(), ("-q",)])
def test_where_nothing_was_sent_it_is_told_and_no_success(
    folder: Path, nobody: int, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, f"{LOST}: {nobody}", "hi.wav", "you.wav", "--log", "log", *more) == 1
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line]
    again = [line for line in lines if line.endswith("; trying again every second")]
    assert len(again) == 2 and all("nothing listens there" in line for line in again)
    assert lines[-1].startswith("facewire: nothing was sent: sink 'osc.vtubestudio'")
    assert lines[-1].count("nothing listens there") == 1
    assert (said.out == "") == bool(more)
    assert Path("log").read_text("utf-8").count("trying again") == 2
    assert Path("out/hi.npz").exists() and Path("out/you.npz").exists()


def test_what_arrives_is_quiet_and_a_success(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        live = f"use: livelink, host: 127.0.0.1, port: {ear.getsockname()[1]}"
        assert run(folder, live, "hi.wav", "-q") == 0
        assert ear.recv(2000)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="needs network namespaces")
def test_without_a_network_a_quiet_run_says_so(folder: Path) -> None:
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("this machine gives no network namespaces")
    (folder / "p.yaml").write_text(PROFILE.format(live="use: livelink, host: 127.0.0.1"))
    facewire = Path(sysconfig.get_path("scripts"), "facewire")
    done = subprocess.run(
        [*alone, facewire, "run", "hi.wav", "--profile", "./p.yaml", "-q"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert "facewire: nothing was sent: sink 'livelink'" in done.stderr
    assert "unreachable" in done.stderr and Path("out/hi.npz").exists()


@pytest.mark.parametrize(
    ("offset", "found"), [("1e30", "1e+30"), ("50", "50"), ("-10.5", "-10.5"), ("1e15", "1e+15")]
)
def test_an_offset_that_cannot_be_meant_is_one_line(
    folder: Path, offset: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    live = f"use: livelink, host: 127.0.0.1, offset: {offset}"
    assert run(folder, live, "hi.wav") == 2
    told = capsys.readouterr().err
    assert told.startswith("facewire: sink 'livelink' (facewire-livelink ")
    assert told.endswith(f"): offset is {found} s, expected -10 to 10 (seconds)\n")
    assert not Path("out").exists()


@pytest.mark.parametrize("suffix", ["glb", "usda", "usdc", "bvh"])
def test_what_is_only_written_is_told_to_be(
    folder: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(f"take.{suffix}").write_bytes(b"glTF and more")
    assert run(folder, f"{LOST}: 1", f"take.{suffix}") == 2
    told = capsys.readouterr().err
    assert told.startswith(f"facewire: take.{suffix}: .{suffix} is written (")
    assert "not read; give a sound file, text, or frames (" in told and ".csv" in told
    assert told.count("\n") == 1
