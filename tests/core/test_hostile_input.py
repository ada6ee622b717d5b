"""Two tables of hostile input to ``facewire run``: what works, and what is refused in one line."""

from __future__ import annotations

import os
import resource
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from facewire.cli import main
from facewire.testing import voiced

TONE = voiced(0.6, 16000).samples
PROFILE = """
extends: default
layers: [clamp]
sinks: [{use: files.npz, path: "{out}/{name}.npz"}, {use: files.wav, path: "{out}/{name}.wav"}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.yaml").write_text(PROFILE)
    return tmp_path


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["run", *args])
    code = ended.value.code
    return code if isinstance(code, int) else 0


def sound(rate: int = 16000, channels: int = 1, n: int | None = None) -> np.ndarray:
    samples = voiced(0.6, rate).samples[:n]
    return np.repeat(samples[:, None], channels, axis=1)


def truncated(path: Path) -> None:
    soundfile.write(path, sound(), 16000, "PCM_16")
    path.write_bytes(path.read_bytes()[:-8000])


WORKS: dict[str, Callable[[Path], object]] = {
    "192 kHz": lambda p: soundfile.write(p, sound(192000), 192000, "PCM_16"),
    "8 bit": lambda p: soundfile.write(p, sound(), 16000, "PCM_U8"),
    "24 bit": lambda p: soundfile.write(p, sound(), 16000, "PCM_24"),
    "float": lambda p: soundfile.write(p, sound(), 16000, "FLOAT"),
    "loud float": lambda p: soundfile.write(p, sound() * 1e30, 16000, "FLOAT"),
    "6 channels": lambda p: soundfile.write(p, sound(channels=6), 16000, "PCM_16"),
    "one sample": lambda p: soundfile.write(p, sound(n=1), 16000, "PCM_16"),
    "truncated": truncated,
    "silence": lambda p: soundfile.write(p, np.zeros(16000), 16000, "PCM_16"),
}


@pytest.mark.parametrize("what", WORKS)
def test_works(folder: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    WORKS[what](folder / "a.wav")
    assert run("a.wav", "--profile", "./plain.yaml") == 0
    with np.load(folder / "out" / "a.npz") as clip:
        values = clip["values"]
    samples, rate = soundfile.read(folder / "out" / "a.wav")
    assert len(values) == -(-len(samples) * 60 // rate)
    assert np.isfinite(values).all()
    out = capsys.readouterr().out
    assert ("the file is cut off" in out) == (what == "truncated")
    if what == "truncated":
        assert len(samples) == len(TONE) - 4000


def bad_samples(path: Path) -> None:
    samples = sound()[:, 0].copy()
    samples[1600] = np.nan
    soundfile.write(path, samples, 16000, "FLOAT")


def infinite(path: Path) -> None:
    samples = sound()[:, 0].copy()
    samples[-1] = np.inf
    soundfile.write(path, samples, 16000, "FLOAT")


def header_only(path: Path) -> None:
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000,
                       2, 16, b"data", 0)  # fmt: skip
    path.write_bytes(head)


KNOWN = "aif, aiff, flac, mp3, oga, ogg, opus, w64, wav"
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "not audio": (
        lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9),
        f"a.wav: not a sound file this can read (expected {KNOWN}); convert it to WAV first",
    ),
    "zero bytes": (lambda p: p.touch(), "a.wav: is empty (0 bytes)"),
    "header only": (header_only, "a.wav: holds no sound (a header with nothing after it)"),
    "NaN": (
        bad_samples,
        "a.wav: sample 1600 (0.100 s) is not a finite number; export the sound again, or repair "
        "it in an audio editor",
    ),
    "infinity": (
        infinite,
        "a.wav: sample 9599 (0.600 s) is not a finite number; export the sound again, or repair "
        "it in an audio editor",
    ),
    "a folder": (lambda p: p.mkdir(), "a.wav: is a folder; name a file in it"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(folder: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    make, text = REFUSED[what]
    make(folder / "a.wav")
    old = folder / "out" / "a.npz"
    old.parent.mkdir()
    old.write_bytes(b"precious")
    assert run("a.wav", "--profile", "./plain.yaml") == 2
    assert capsys.readouterr().err == f"facewire: {text}\n"
    assert old.read_bytes() == b"precious"
    assert [p.name for p in old.parent.iterdir()] == ["a.npz"]


LINES = {
    "spech.wav": "spech.wav: no such file; did you mean 'speech.wav'?; to speak it, add --text",
    "takes/one": "takes/one: no such file; to speak it, add --text",
    "a.csv": "a.csv: no such file; to speak it, add --text",
    "": "the text is empty; write what shall be said",
    "[joi] hi": "text, character 1: emotion 'joi' is unknown; did you mean 'joy'?",
}


@pytest.mark.parametrize("text", LINES)
def test_words_that_cannot_be_meant(
    folder: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(folder / "speech.wav", sound(), 16000)
    assert run(text, "--profile", "./plain.yaml") == 2
    err = capsys.readouterr().err
    assert err.startswith(f"facewire: {LINES[text]}") and err.count("\n") == 1
    assert not (folder / "out").exists()


PROFILES = {
    "sinks: [a]\nsinks: [b]\n": "sinks",
    "sinks: []\nlayer: [clamp]\n": "did you mean 'layers'?",
    "sinks: []\nfps: fast\n": "expected a frame rate",
    "sinks: &a []\nlayers: *a\n": "anchor",
    "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nsinks: [*c]\n": "anchor",
}


@pytest.mark.parametrize("text", PROFILES)
def test_hostile_profiles(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.yaml").write_text(text)
    assert run("hello", "--profile", "./bad.yaml") == 2
    err = capsys.readouterr().err
    assert err.startswith("facewire: bad.yaml") and PROFILES[text] in err and err.count("\n") == 1


def test_two_inputs_of_one_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("x", "y"):
        (folder / name).mkdir()
        soundfile.write(folder / name / "a.wav", sound(), 16000)
    assert run("x/a.wav", "y/a.wav", "--profile", "./plain.yaml") == 2
    assert "two inputs are called 'a'" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_an_input_is_never_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "out").mkdir()
    soundfile.write(folder / "out" / "a.wav", sound(), 16000)
    before = (folder / "out" / "a.wav").read_bytes()
    assert run("out/a.wav", "--profile", "./plain.yaml") == 2
    assert "would write over the input" in capsys.readouterr().err
    assert (folder / "out" / "a.wav").read_bytes() == before


def as_another_user(work: Callable[[], None], before: Callable[[], None]) -> tuple[int, str]:
    """Run in a child that has everything imported; return its exit code and standard error."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.dup2(writer, 2)
            sys.stderr = os.fdopen(2, "w", closefd=False)
            before()
            work()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), text


@pytest.fixture
def warm(folder: Path) -> Path:
    """Return a folder that anybody may enter, with everything imported by a first run."""
    soundfile.write(folder / "a.wav", sound(), 16000)
    assert run("a.wav", "--profile", "./plain.yaml", "--quiet") == 0
    for path in [folder, *folder.parents]:
        if path.owner() != "root" or path == Path("/tmp") or path == path.parent:
            continue
        path.chmod(0o755)
    return folder


def nobody() -> None:
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


@pytest.mark.skipif(sys.platform == "win32", reason="needs users and fork")
def test_no_permission(warm: Path) -> None:
    old = (warm / "out" / "a.npz").read_bytes()
    (warm / "out").chmod(0o555)
    work = lambda: main(["run", "a.wav", "--profile", "./plain.yaml"])  # noqa: E731
    code, text = as_another_user(work, nobody)
    (warm / "out").chmod(0o755)
    assert code == 2, text
    assert "out/a.npz" in text and "permission" in text.lower() and text.count("\n") == 1
    assert (warm / "out" / "a.npz").read_bytes() == old
    assert sorted(p.name for p in (warm / "out").iterdir()) == ["a.npz", "a.wav"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs users and fork")
def test_no_permission_to_read(warm: Path) -> None:
    (warm / "a.wav").chmod(0)
    work = lambda: main(["run", "a.wav", "--profile", "./plain.yaml"])  # noqa: E731
    code, text = as_another_user(work, nobody)
    assert (code, text) == (2, "facewire: a.wav: cannot be read: Permission denied\n")


@pytest.mark.skipif(sys.platform == "win32", reason="needs file-size limits and fork")
def test_full_disk(warm: Path) -> None:
    old = {p.name: p.read_bytes() for p in (warm / "out").iterdir()}
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # noqa: E731
    work = lambda: main(["run", "a.wav", "--profile", "./plain.yaml"])  # noqa: E731
    code, text = as_another_user(work, limit)
    assert code == 2, text
    assert "out/a." in text and text.count("\n") == 1
    assert {p.name: p.read_bytes() for p in (warm / "out").iterdir()} == old
