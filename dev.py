#!/usr/bin/env python3
"""Run, test and build Facewire from its source tree, with nothing but Python installed.

    python dev.py run INPUT...       facewire run, from this tree
    python dev.py facewire ARGS...   any other command of facewire
    python dev.py test [ARGS...]     ruff, mypy, and pytest with ARGS
    python dev.py build              wheels into dist/, tried in a clean environment

Packages are installed into .venv, again only when a requirement or a package changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "facewire-installed.json"  # fingerprint of what is installed, by requirements file
UNFINISHED = VENV / "facewire-unfinished"  # there while packages change: an interruption leaves it
LOCK = VENV / "facewire-lock"
DIST = ROOT / "dist"
OLDEST = (3, 11)
MAIN_JOB = ("run", "Hello, this is Facewire.", "--out", "out")
TOOLS = (("ruff", "check", "--output-format=concise", "."), ("mypy",))
WHOLE = ("-n", "2", "--dist", "loadfile")  # tests that wait for real time leave a core idle
OFFLINE = re.compile(
    r"failed to establish a new connection|name resolution|name or service not known"
    r"|getaddrinfo failed|network is unreachable|connection (?:refused|reset|broken)|timed out"
    r"|--no-index|from versions: none",
    re.IGNORECASE,
)


class DevError(Exception):
    """What ends dev.py with one line."""


def main(args: list[str]) -> int:
    """Do what the first argument says; return the exit code."""
    verb, rest = (args[0], args[1:]) if args else ("--help", [])
    if verb == "run":
        return facewire("run", *rest)
    if verb == "facewire":
        return facewire(*rest)
    if verb == "test":
        return test(rest)
    if verb == "build" and not rest:
        return build()
    print((__doc__ or "").strip())
    return 0 if verb in ("-h", "--help") else 2


def facewire(*args: str) -> int:
    """Turn into the command ``facewire``, with what it needs installed."""
    install("run")
    command = [str(program(VENV, "facewire")), *args]
    if os.name != "nt":
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # facewire got it too, and ends in its own way
            continue


def test(args: list[str]) -> int:
    """Run the linter, the type checker and the tests, whatever each says."""
    install("test")
    python = str(program(VENV, "python"))
    failed = False
    for tool in TOOLS:
        say(tool[0])
        if subprocess.call([python, "-m", *tool], cwd=ROOT):
            say(f"{tool[0]} failed")
            failed = True
    code = subprocess.call([python, "-m", "pytest", *(args or WHOLE)], cwd=ROOT)
    return code or int(failed)


def build() -> int:
    """Build a wheel of every package, and run the main job from them in an empty folder."""
    install("run")
    shutil.rmtree(DIST, ignore_errors=True)
    wheel = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(DIST))
    pip(VENV, *wheel, *(str(folder) for folder in packages()))
    wheels = sorted(DIST.glob("*.whl"))
    if len(wheels) != len(packages()):
        raise DevError(f"{len(wheels)} wheels in dist/, expected {len(packages())}")
    with tempfile.TemporaryDirectory(prefix="facewire-build-") as scratch:
        venv, empty = Path(scratch, "venv"), Path(scratch, "empty")
        make_venv(venv)
        say(f"installing {len(wheels)} wheels into a clean environment")
        pip(venv, "install", *map(str, wheels))
        empty.mkdir()
        run_main_job(program(venv, "facewire"), empty)
    print("\n".join(f"dist/{path.name}" for path in wheels))
    return 0


def run_main_job(command: Path, folder: Path) -> None:
    """Run ``facewire run`` in an empty folder; DevError where it fails or makes nothing."""
    say(f"facewire {' '.join(MAIN_JOB)}")
    isolated = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if subprocess.call([str(command), *MAIN_JOB], cwd=folder, env=isolated):
        raise DevError("the main job failed from the wheels")
    made = [path for path in (folder / "out").rglob("*") if path.is_file() and path.stat().st_size]
    if not made:
        raise DevError("the main job made no file from the wheels")
    say(f"the main job made {', '.join(sorted(path.name for path in made))}")


def packages() -> list[Path]:
    """Return the folders of all distributions, the core first."""
    return [ROOT / "core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]


def install(name: str) -> None:
    """Bring .venv up to date with requirements/NAME.txt; do nothing where it is."""
    if ready(name):
        return
    VENV.mkdir(exist_ok=True)
    with locked():
        if ready(name):  # another dev.py did it meanwhile
            return
        if not usable():
            empty_venv()
            make_venv(VENV)
        say(f"installing requirements/{name}.txt into .venv")
        install_requirements(name)


def install_requirements(name: str) -> None:
    """Run pip; leave the mark that .venv is unfinished only if that is interrupted."""
    UNFINISHED.touch()
    done = {"run": fingerprint("run"), name: fingerprint(name)}
    try:
        pip(VENV, "install", "-r", str(ROOT / "requirements/build.txt"))
        requirements = str(ROOT / f"requirements/{name}.txt")
        pip(VENV, "install", "--no-build-isolation", "-r", requirements)
        STAMP.write_text(json.dumps(done), "utf-8")
    except DevError:  # pip put back what it had begun
        UNFINISHED.unlink()
        raise
    UNFINISHED.unlink()


@contextmanager
def locked() -> Iterator[None]:
    """Hold off every other dev.py of this tree that wants to change .venv."""
    with LOCK.open("a") as file:
        if sys.platform == "win32":
            import msvcrt

            while True:
                with suppress(OSError):  # it gives up after ten seconds
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ready(name: str) -> bool:
    """Tell whether .venv holds what requirements/NAME.txt asks for, whole."""
    if UNFINISHED.exists() or not program(VENV).exists():
        return False
    return installed().get(name) == fingerprint(name)


def installed() -> dict[str, str]:
    """Return the fingerprints of the requirements that .venv holds."""
    try:
        done = json.loads(STAMP.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return done if isinstance(done, dict) else {}


def fingerprint(name: str) -> str:
    """Return a hash of what decides the installation: requirements, packages, the tree's place."""
    files = [*requirement_files(ROOT / f"requirements/{name}.txt")]
    for folder in packages():
        files += [folder / "pyproject.toml", *sorted(folder.glob("src/*/__init__.py"))]
    digest = hashlib.sha256(str(ROOT).encode())
    for path in files:
        digest.update(f"\0{path.relative_to(ROOT).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def requirement_files(path: Path) -> list[Path]:
    """Return a requirements file and those it includes with ``-r``."""
    included = re.findall(r"^-r +(\S+)", path.read_text("utf-8"), re.MULTILINE)
    return [path, *(file for name in included for file in requirement_files(path.parent / name))]


def usable() -> bool:
    """Tell whether .venv was not left half made: it has a Python, and that a pip."""
    python = program(VENV)
    if UNFINISHED.exists() or not python.exists():
        return False
    asked = subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True)
    return asked.returncode == 0


def empty_venv() -> None:
    """Delete what is in .venv, but for the mark that it is unfinished."""
    UNFINISHED.touch()
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path not in (UNFINISHED, LOCK):
            path.unlink()


def make_venv(folder: Path) -> None:
    """Make a virtual environment; DevError where this Python cannot."""
    if importlib.util.find_spec("ensurepip") is None:
        raise DevError(
            "this python has no ensurepip; on Debian and Ubuntu: apt install python3-venv"
        )
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True
    )
    if made.returncode:
        raise DevError(
            f"no virtual environment could be made: {last_line(made.stdout + made.stderr)}"
        )


def pip(venv: Path, *args: str) -> None:
    """Run pip in a virtual environment; DevError with its own words where it fails."""
    command = [str(program(venv)), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(
        [*command, *args], cwd=ROOT, stdout=sys.stderr, stderr=subprocess.PIPE, text=True
    )
    if done.returncode == 0:
        return
    sys.stderr.write(done.stderr)
    if OFFLINE.search(done.stderr):
        raise DevError("packages could not be fetched: is there a connection to the package index?")
    raise DevError(f"pip {args[0]} failed: {last_line(done.stderr)}")


def program(venv: Path, name: str = "python") -> Path:
    """Return the path of a program of a virtual environment's."""
    return venv / "Scripts" / f"{name}.exe" if os.name == "nt" else venv / "bin" / name


def last_line(text: str) -> str:
    """Return the last line that is not blank."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def say(line: str) -> None:
    """Tell what happens, apart from what facewire prints."""
    print(f"dev.py: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"dev.py: this is Python {found}; Facewire needs Python 3.11 or newer")
    try:
        sys.exit(main(sys.argv[1:]))
    except DevError as error:
        sys.exit(f"dev.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
