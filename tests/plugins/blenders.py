"""The Blenders of this machine, and how a script runs in one.

``FACEWIRE_BLENDER`` is a Blender program (else ``blender`` on PATH), ``FACEWIRE_BPY`` Pythons that
have PyPI's bpy, with the system's path separator between them (else those in ``/opt``). A test says
``@pytest.mark.parametrize("blender", blenders.every())`` and gets each, or a skip with its reason.

A script sees ``bpy``, ``args`` (texts) and ``tell(value)``, whose values (JSON) come back. The
add-on's folder is on its path; with ``addon=True`` it is registered. Each run is a process with
settings of its own, and begins with an empty scene or with ``blend``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ADDON = Path(__file__).parents[2] / "integrations/blender"
DEFAULT = ("/opt/facewire-bpy45/bin/python", "/opt/facewire-bpy50/bin/python")
MARK = "facewire-told:"
# The process ends at once, since bpy as a module may crash while Python shuts down.
FRAME = """
import json, os, sys, traceback
sys.path.insert(0, {folder!r})
def tell(value):
    print("\\n" + {mark!r} + json.dumps(value), flush=True)  # a line may be open
def main():
    import bpy
    if {blend!r}:
        bpy.ops.wm.open_mainfile(filepath={blend!r})
    else:
        bpy.ops.wm.read_factory_settings(use_empty=True)
    if {addon!r}:
        import facewire_blender
        facewire_blender.register()
    names = {{"__name__": "__main__", "bpy": bpy, "args": {args!r}, "tell": tell}}
    exec(compile({script!r}, "script", "exec"), names)
try:
    main()
    code = 0
except BaseException:
    traceback.print_exc()
    code = 1
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
"""


@dataclass(frozen=True)
class Done:
    """What a script did: its exit status, what it told, and all that was printed."""

    code: int
    told: list[Any]
    output: str


@dataclass(frozen=True)
class Blender:
    """A Blender program, or a Python with bpy."""

    path: str
    program: bool

    @property
    def version(self) -> tuple[int, ...]:
        """Its version, such as (4, 5, 15)."""
        return _version(self)

    def command(self, script: Path) -> list[str]:
        """Return the command that runs a script file."""
        if not self.program:
            return [self.path, "-P", str(script)]
        quiet = ["-b", "--factory-startup", "-noaudio", "--python-exit-code", "1"]
        return [self.path, *quiet, "--python", str(script)]

    def run(
        self,
        script: str,
        *args: str | Path,
        addon: bool = False,
        blend: Path | None = None,
        timeout: float = 180,
        check: bool = True,
    ) -> Done:
        """Run a script's text; AssertionError with its output where it fails."""
        with tempfile.TemporaryDirectory(prefix="facewire-blender-") as folder:
            file = Path(folder) / "script.py"
            file.write_text(
                FRAME.format(
                    folder=str(ADDON), mark=MARK, blend=str(blend or ""), addon=addon,
                    script=script, args=[str(each) for each in args],
                ),
                "utf-8",
            )  # fmt: skip
            found = subprocess.run(
                self.command(file), capture_output=True, text=True, timeout=timeout,
                env=environment(folder), errors="replace", stdin=subprocess.DEVNULL,
            )  # fmt: skip
        output = found.stdout + found.stderr
        lines = [line for line in found.stdout.splitlines() if line.startswith(MARK)]
        done = Done(found.returncode, [json.loads(line[len(MARK) :]) for line in lines], output)
        assert not check or done.code == 0, output[-6000:]
        return done


def environment(folder: str) -> dict[str, str]:
    """Return an environment in which a Blender neither finds nor leaves anything of a user's."""
    own = {name: f"{folder}/{name}" for name in ("config", "scripts", "datafiles", "extensions")}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "BLENDER"))}
    # Debian's Blender takes the modules of the first python3 on PATH for its own.
    kept["PATH"] = os.pathsep.join((str(Path(shutil.which("blender") or "").parent), kept["PATH"]))
    return {**kept, **{f"BLENDER_USER_{k.upper()}": v for k, v in own.items()},
            "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip


@cache
def _version(blender: Blender) -> tuple[int, ...]:
    (found,) = blender.run("tell(list(bpy.app.version))").told
    return tuple(found)


@cache
def _pythons() -> list[tuple[str, str]]:
    """Return (path, why it cannot be used or nothing) of each Python with bpy."""
    named = os.environ.get("FACEWIRE_BPY", os.pathsep.join(DEFAULT))
    found = []
    for path in filter(None, named.split(os.pathsep)):
        # a venv's Python is a link, and resolved it would be another one
        probe = "import importlib.util as u, sys; sys.exit(not u.find_spec('bpy'))"
        if not os.access(path, os.X_OK):
            found.append((path, f"{path} is missing: see FACEWIRE_BPY"))
        elif subprocess.run([path, "-P", "-c", probe], capture_output=True).returncode:
            found.append((path, f"{path} has no bpy: pip install bpy there"))
        else:
            found.append((path, ""))
    return found


@cache
def _program() -> tuple[str, str]:
    named = os.environ.get("FACEWIRE_BLENDER")
    found = shutil.which(named or "blender")
    return found or "", "" if found else f"{named or 'blender'} is no program: FACEWIRE_BLENDER"


def every() -> list[Any]:
    """Return a parameter for each Blender; those that are missing are skipped with the reason."""
    path, missing = _program()
    listed = [(Blender(path, True), "blender", missing)]
    for python, why in _pythons():
        listed.append((Blender(python, False), Path(python).parents[1].name, why))
    return [
        pytest.param(
            blender,
            id=name,
            marks=[pytest.mark.external, *([pytest.mark.skip(why)] if why else [])],
        )
        for blender, name, why in listed
    ]


def ends() -> list[Any]:
    """Return the first and the last of ``every``, for what hardly differs between Blenders."""
    found = every()
    return [found[0], *found[1:][-1:]]


def program() -> Blender:
    """Return the Blender program; skip without one."""
    path, missing = _program()
    if missing:
        pytest.skip(missing)
    return Blender(path, True)


def newest() -> Blender:
    """Return the newest Blender there is (Pythons with bpy first); skip without one."""
    usable = [Blender(path, False) for path, why in _pythons() if not why]
    return usable[-1] if usable else program()
