"""Which takes a batch bakes: those of a folder, of a manifest, or of ``facewire bake``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from . import clip as clips
from . import package
from .clip import Clip
from .errors import AddonError, cause
from .options import KEYS, PLACES, Options

SUFFIXES = (package.SUFFIX, *clips.SUFFIXES)
RECORD = ".bake.json"  # what `facewire bake` writes beside each line
MOST = 100_000  # takes
CHANGED = ("keys", "place", "start", "strength", "tolerance", "blend_in", "blend_out")
"""The options that a manifest may set for a take."""


@dataclass(frozen=True)
class Item:
    """One take to bake. ``objects``: meshes by name, none for those of the batch."""

    path: Path
    name: str
    objects: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    def changed(self, options: Options) -> Options:
        """Return a batch's options as this take has them."""
        return replace(options, **{"take": self.name, **dict(self.options)})

    def read(self) -> Clip:
        """Return the clip; a package's sound stays in it."""
        packed = self.path.suffix.lower() == package.SUFFIX
        made = package.read(self.path, None) if packed else clips.read(self.path)
        return replace(made, name=self.name)


def listed(path: str | os.PathLike[str]) -> list[Item]:
    """Return the takes of a folder (in order of name) or of a manifest (in its own order).

    A manifest is JSON (a list) or JSONL, an object a take: ``clip``, and if need be ``take``,
    ``objects`` and options; paths are relative to it. ``bake.jsonl`` of
    ``facewire bake`` is one too. AddonError in one line that says where.
    """
    given = Path(path)
    try:
        if given.is_dir():
            found = [Item(file, file.stem) for file in _files(given)]
        elif given.suffix.lower() in (".json", ".jsonl"):
            found = [_item(told, where, given.parent) for told, where in _rows(given)]
        else:
            raise AddonError(f"{given}: expected a folder of takes, or a manifest (.json, .jsonl)")
    except OSError as error:
        raise AddonError(f"{given}: cannot be read: {cause(error)}") from None
    if not found:
        raise AddonError(f"{given}: holds no takes ({', '.join(SUFFIXES)})")
    return _apart(found, given)


def _files(folder: Path) -> Iterator[Path]:
    """Yield one file a take: where a take is there in several formats, the fullest."""
    best: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        suffix = file.suffix.lower()
        if suffix not in SUFFIXES or not file.is_file() or file.name.startswith("."):
            continue
        if file.name.endswith(RECORD):
            continue
        other = best.get(file.stem)
        if other is None or _rank(file) < _rank(other):
            best[file.stem] = file
    yield from best.values()


def _rank(file: Path) -> int:
    # npz and json have the words and phones, which a CSV lacks
    return (package.SUFFIX, ".npz", ".json", ".csv").index(file.suffix.lower())


def _rows(path: Path) -> Iterator[tuple[Any, str]]:
    """Yield a manifest's objects, each with the place it stands at."""
    text = path.read_bytes().decode("utf-8-sig", "replace")
    if path.suffix.lower() == ".jsonl":
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield _decoded(line, f"{path.name}: line {number}"), f"{path.name}: line {number}"
        return
    told = _decoded(text, path.name)
    if not isinstance(told, list):
        raise AddonError(f"{path.name}: expected a list of takes, each an object with 'clip'")
    for number, row in enumerate(told, 1):
        yield row, f"{path.name}: take {number}"


def _decoded(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AddonError(f"{where}: is not JSON: {str(error)[:100].lower()}") from None


def _item(told: Any, where: str, base: Path) -> Item:
    if not isinstance(told, dict):
        raise AddonError(f"{where}: expected an object with 'clip'")
    if "digests" in told and "outputs" in told:
        return _baked(told, where, base)
    known = ("clip", "take", "objects", *CHANGED)
    unknown = [key for key in told if key not in known]
    if unknown:
        raise AddonError(f"{where}: unknown '{unknown[0]}' (known: {', '.join(known)})")
    path = base / _text(told, "clip", where)
    objects = told.get("objects", [])
    objects = [objects] if isinstance(objects, str) else objects
    if not isinstance(objects, list) or not all(isinstance(name, str) for name in objects):
        raise AddonError(f"{where}: objects: expected the names of meshes")
    name = _text(told, "take", where) if "take" in told else path.stem
    return Item(path, name, tuple(objects), _options(told, where))


def _text(told: dict[str, Any], key: str, where: str) -> str:
    value = told.get(key)
    if not isinstance(value, str) or not value:
        raise AddonError(f"{where}: {key} is {json.dumps(value)[:40]}, expected text")
    return value


def _options(told: dict[str, Any], where: str) -> tuple[tuple[str, Any], ...]:
    """Return the options that a row sets, each of the kind that Options has."""
    defaults = {each.name: each.default for each in fields(Options)}
    words = {"keys": KEYS, "place": PLACES}
    found = []
    for key in CHANGED:
        if key not in told:
            continue
        value = told[key]
        if key in words:
            value = value.upper() if isinstance(value, str) else value
            right = value in words[key]
            wanted = " or ".join(word.lower() for word in words[key])
        else:
            whole = isinstance(defaults[key], int) or key == "start"
            right = isinstance(value, int if whole else (int, float)) and not isinstance(
                value, bool
            )
            wanted = "a whole number" if whole else "a number"
        if not right:
            raise AddonError(f"{where}: {key} is {json.dumps(value)[:40]}, expected {wanted}")
        found.append((key, value))
    return tuple(found)


def _baked(told: dict[str, Any], where: str, base: Path) -> Item:
    """Return the take of a record of ``facewire bake``."""
    name, outputs = _text(told, "name", where), told["outputs"]
    files = [base / str(each) for each in outputs] if isinstance(outputs, list) else []
    takes = [each for each in files if each.suffix.lower() in SUFFIXES]
    if not takes:
        raise AddonError(
            f"{where}: '{name}' has no take among its outputs; bake it with a sink that writes one "
            f"({', '.join(SUFFIXES)})"
        )
    return Item(min(takes, key=_rank), name)


def _apart(found: Sequence[Item], given: Path) -> list[Item]:
    if len(found) > MOST:
        raise AddonError(f"{given}: {len(found)} takes, expected at most {MOST}")
    seen: dict[str, Path] = {}
    for item in found:
        if item.name in seen:
            raise AddonError(
                f"{given.name}: {seen[item.name].name} and {item.path.name} are both called "
                f"'{item.name}'; give one another 'take'"
            )
        seen[item.name] = item.path
    return list(found)
