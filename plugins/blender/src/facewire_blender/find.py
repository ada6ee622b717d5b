"""Which Blender there is, and where its add-on lies."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from facewire.errors import FacewireError, InputError

ADDON = "facewire_blender"
PATIENCE = 60.0  # seconds that a Blender may take to say its version


@dataclass(frozen=True, slots=True)
class Blender:
    """A Blender program, or (not ``program``) a Python that has bpy."""

    path: str
    program: bool

    def command(self, script: Path, *args: str) -> list[str]:
        """Return the command that runs a script, which finds ``args`` after ``--``."""
        if not self.program:
            return [self.path, str(script), "--", *args]
        quiet = ["-b", "--factory-startup", "-noaudio", "--python-exit-code", "1"]
        return [self.path, *quiet, "--python", str(script), "--", *args]


def environment(program: str) -> dict[str, str]:
    """Return the environment a Blender runs in, that no other Python's settings reach.

    A distribution's Blender takes the modules of the first ``python3`` on PATH for its own, also
    where that is a virtual environment's: its own folder comes first.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return kept | {"PATH": os.pathsep.join((str(Path(program).parent), kept.get("PATH", "")))}


def find_blender(blender: str | None = None, python: str | None = None) -> Blender:
    """Return the Blender to use: the one named, else the environment's, else PATH's.

    InputError where there is none.
    """
    for named, program, where in (
        (python, False, "--python"),
        (blender, True, "--blender"),
        (os.environ.get("FACEWIRE_BLENDER"), True, "FACEWIRE_BLENDER"),
        (os.environ.get("FACEWIRE_BPY", "").split(os.pathsep)[0], False, "FACEWIRE_BPY"),
    ):
        if named:
            found = shutil.which(named)
            if found is None:
                raise InputError(f"{where}: '{named}' is no program; expected the path of one")
            return Blender(found, program)
    found = shutil.which("blender")
    if found is None:
        raise InputError(
            "there is no blender on PATH; install Blender 3.4 or later, or say where one is: "
            "--blender PATH, or --python PATH of a Python with bpy"
        )
    return Blender(found, True)


def find_addon(named: Path | None = None) -> Path | None:
    """Return the folder that holds the add-on's; None: the one installed in Blender.

    ``named``, else ``FACEWIRE_BLENDER_ADDON``, is the add-on's folder or the one it is in; without
    them a checkout of the project knows its own. InputError where it is not there.
    """
    given = named or (Path(os.environ.get("FACEWIRE_BLENDER_ADDON", "")) or None)
    if given is None or given == Path():
        checkout = Path(__file__).parents[4] / "integrations/blender"
        return checkout if (checkout / ADDON / "__init__.py").is_file() else None
    folder = given.absolute().parent if given.name == ADDON else given.absolute()
    if all((folder / ADDON / name).is_file() for name in ("__init__.py", "wire.py")):
        return folder
    raise InputError(f"{given}: expected the Facewire add-on's folder, '{ADDON}'")


def check_blender() -> str:
    """Return a line on the Blender that would be used. FacewireError where it does not run."""
    named = any(os.environ.get(name) for name in ("FACEWIRE_BLENDER", "FACEWIRE_BPY"))
    if not named and shutil.which("blender") is None:
        return "no blender on PATH; 'facewire blender bake' needs one, the sink does not"
    found = find_blender()
    ask = ["--version"] if found.program else ["-c", "import bpy; print(bpy.app.version_string)"]
    try:
        done = subprocess.run(
            [found.path, *ask], capture_output=True, text=True, timeout=PATIENCE, errors="replace",
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FacewireError(f"{found.path}: does not run: {str(error).lower()}") from error
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode or not lines:
        last = lines[-1].lower() if lines else "without a word"
        raise FacewireError(f"{found.path}: does not run: {last}")
    addon = find_addon()
    where = f"the add-on in {addon}" if addon else "the add-on as it is installed in Blender"
    return f"{found.path} ({lines[0].removeprefix('Blender ')}), {where}"
