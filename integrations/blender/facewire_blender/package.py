"""Packages of Facewire's sink ``blender``: a clip, its words and phones, and the sound."""

from __future__ import annotations

import os
from array import array
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from . import wire
from .clip import Clip, Mark, finite
from .errors import AddonError, cause

SUFFIX = wire.SUFFIX


def read(path: str | os.PathLike[str], folder: str | None = "") -> Clip:
    """Read a package; its WAV is put into ``folder`` ("": beside the package; None: left there).

    A file of that name is never written over: one that holds the same is used, beside another the
    name gets a number. AddonError in one line if the package is not as it should be.
    """
    file = Path(path)
    try:
        if not file.is_file():
            raise AddonError(f"{file}: there is no such file")
        manifest, values = wire.read_package(file)
        clip = _clip(file, manifest, values)
        if not manifest.sound or folder is None:
            return clip
        return replace(clip, sound=str(_sound(file, Path(folder or file.parent))))
    except wire.WireError as error:
        raise AddonError(f"{file.name}: {error}") from None
    except OSError as error:
        raise AddonError(f"{error.filename or file}: {cause(error)}") from error


def _clip(file: Path, manifest: wire.Manifest, values: array[float]) -> Clip:
    size = len(manifest.channels)
    columns = tuple(
        finite(values[at::size], name, file.name) for at, name in enumerate(manifest.channels)
    )
    marks = tuple(Mark(*mark) for mark in manifest.marks)
    fps = Fraction(*manifest.fps)
    name = manifest.name or file.stem
    return Clip(name, fps, manifest.channels, columns, marks, path=str(file))


def _sound(file: Path, folder: Path) -> Path:
    """Put the WAV into a folder; return its path."""
    part = folder / f".{file.stem[:40]}.{os.getpid()}.wav"
    wire.copy_sound(file, part)
    return keep(part, folder, file.stem)


def keep(part: Path, folder: Path, stem: str) -> Path:
    """Give a sound its name in a folder, over no other file; return its path."""
    try:
        for number in range(1000):
            target = folder / f"{stem}{f'.{number:03d}' if number else ''}.wav"
            if not target.exists():
                os.replace(part, target)
                return target
            if _same(part, target):
                return target
    finally:
        part.unlink(missing_ok=True)
    raise AddonError(f"{folder}: holds a thousand sounds called {stem}.wav; remove some")


def _same(one: Path, other: Path) -> bool:
    if not other.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        while piece := a.read(1 << 20):
            if piece != b.read(1 << 20):
                return False
    return True
