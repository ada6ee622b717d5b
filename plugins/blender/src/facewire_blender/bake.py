"""A clip onto a mesh in a Blender of its own: as .blend, GLB and FBX."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from facewire.api import animate
from facewire.errors import FacewireError, InputError, StageError

from facewire_blender.find import environment, find_addon, find_blender
from facewire_blender.wire import SUFFIX

KEYS = {"every": "EVERY", "simplified": "SIMPLIFIED", "phones": "PHONES"}
TAKES = (".csv", ".json", ".npz", SUFFIX)
MESHES = (".glb", ".gltf", ".fbx", ".blend")
TOLD = "facewire-told:"  # begins the one line of Blender's output that is ours
_SCRIPT = Path(__file__).with_name("inside.py")


@dataclass(frozen=True, slots=True)
class Job:
    """What to bake: ``outputs`` are paths by kind (blend, glb, fbx), one at least.

    ``fps`` None keeps the file's rate. ``objects`` are the meshes by name; none: all that match.
    ``turns`` names what turns as head, left_eye and right_eye: an object, or ``object:bone``.
    """

    clip: str
    mesh: Path
    outputs: Mapping[str, Path]
    fps: Fraction | None = None
    objects: Sequence[str] = ()
    turns: Mapping[str, str] = field(default_factory=dict)
    keys: str = "every"
    profile: str | None = None


def bake(
    job: Job, blender: str | None = None, python: str | None = None, addon: Path | None = None
) -> list[str]:
    """Bake, and return lines on what came out. All outputs appear, or none.

    InputError on what cannot be used, FacewireError with Blender's own words in one line.
    """
    _check(job)
    found, folder = find_blender(blender, python), find_addon(addon)
    with TemporaryDirectory(prefix="facewire-blender-") as work, _parts(job.outputs) as parts:
        told = {
            "clip": str(_clip(job, Path(work)).absolute()),
            "mesh": str(job.mesh.absolute()),
            "outputs": {kind: str(path) for kind, path in parts.items()},
            # a package's sound goes beside the .blend that refers to it
            "sound": str(job.outputs["blend"].absolute().parent) if "blend" in parts else None,
            "fps": [job.fps.numerator, job.fps.denominator] if job.fps else None,
            "objects": list(job.objects),
            "turns": dict(job.turns),
            "keys": KEYS[job.keys],
            "addon": str(folder) if folder else "",
        }
        file = Path(work) / "job.json"
        file.write_text(json.dumps(told), "utf-8")
        answer = _run(found.command(_SCRIPT, str(file)), work)
        for kind, path in parts.items():
            if not path.is_file():
                raise StageError(f"blender: wrote no {job.outputs[kind].name} and did not say why")
        for kind, path in parts.items():
            os.replace(path, job.outputs[kind])
    return [*answer["lines"], *(f"result: {path}" for path in job.outputs.values())]


def _check(job: Job) -> None:
    if not job.outputs:
        raise InputError(
            "nothing to write; give --out take.blend, --glb take.glb or --fbx take.fbx"
        )
    if job.mesh.suffix.lower() not in MESHES:
        raise InputError(f"--mesh {job.mesh}: expected a file that ends in {', '.join(MESHES)}")
    if not job.mesh.is_file():
        raise InputError(f"--mesh {job.mesh}: there is no such file")
    for kind, path in job.outputs.items():
        if path.suffix.lower() != f".{kind}":
            raise InputError(f"{path}: expected a file that ends in .{kind}")
        if path.absolute() in (job.mesh.absolute(), Path(job.clip).absolute()):
            raise InputError(f"{path}: is also the input; choose another path")
        if not path.absolute().parent.is_dir():
            raise InputError(f"{path}: there is no such folder; make it first")


def _clip(job: Job, work: Path) -> Path:
    """Return the take; sound and text are animated into a package."""
    path = Path(job.clip)
    if path.suffix.lower() in TAKES:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file")
        if job.profile:
            raise InputError(f"--profile: {path.name} is a take, and nothing is left to animate")
        return path
    profile = job.profile or "default"
    sound = path if _is_file(path) else None
    clip = animate(sound, text=None if sound else job.clip, profile=profile)
    return clip.save(work / f"{clip.name}{SUFFIX}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a text too long for a path
        return False


@contextmanager
def _parts(outputs: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    """Yield temporary paths beside the outputs, with endings that Blender leaves alone."""
    parts = {
        kind: path.absolute().with_name(f".{path.stem[:40]}.{secrets.token_hex(6)}.part.{kind}")
        for kind, path in outputs.items()
    }
    try:
        yield parts
    finally:
        for path in parts.values():
            for left in (path, path.with_name(f"{path.name}1")):  # Blender keeps a .blend1
                with suppress(OSError):
                    left.unlink()


def _run(command: list[str], work: str) -> dict[str, Any]:
    """Run Blender; return what the script told."""
    try:
        done = subprocess.run(
            command, cwd=work, env=environment(command[0]), capture_output=True, text=True,
            errors="replace", stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise FacewireError(f"{command[0]}: cannot be run: {str(error).lower()}") from error
    told = [line for line in done.stdout.splitlines() if line.startswith(TOLD)]
    if told:
        answer: dict[str, Any] = json.loads(told[-1][len(TOLD) :])
        if "error" in answer:
            raise FacewireError(f"blender: {answer['error']}")
        return answer
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    last = lines[-1] if lines else "without a word"
    raise FacewireError(f"{command[0]}: ended with status {done.returncode}: {last[:300]}")
