"""Profile files: where they lie, what they extend, and the environment they read."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from facewire.config import EnvText, check_keys, found, place
from facewire.errors import ProfileError, nearest
from facewire.yaml_loader import load_yaml, show

_SUFFIXES = (".yaml", ".yml")
# ${NAME}, ${NAME:-default} (the default may hold {out}), and $${ for a plain ${.
_REFERENCE = re.compile(r"\$?\$\{(?:([A-Za-z_]\w*)(?::-((?:[^{}]|\{[^{}]*\})*))?\})?")


@dataclass
class Entry:
    """A top-level key's value as written, and the file that wrote it."""

    value: Any
    file: str
    base: Path


def config_folder() -> Path | None:
    """Return the user's folder for profiles, or None if the user has no home."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        root = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        root = home / "Library" / "Application Support"
    else:
        # XDG Base Directory Specification: a relative path is invalid and to be ignored.
        given = Path(os.environ.get("XDG_CONFIG_HOME") or ".")
        root = given if given.is_absolute() else home / ".config"
    return root / "facewire" / "profiles"


def folders() -> list[Path]:
    """Return where a profile's name is looked up: ``./profiles``, the user's, the package's."""
    user = config_folder()
    shipped = Path(str(files("facewire"))) / "profiles"
    return [Path("profiles"), *([user] if user else []), shipped]


def profile_names() -> list[str]:
    """Return the names of all profiles that can be named, sorted."""
    names = set()
    for folder in folders():
        names |= {path.stem for suffix in _SUFFIXES for path in folder.glob(f"*{suffix}")}
    return sorted(names)


def _is_path(name: str) -> bool:
    return name.endswith(_SUFFIXES) or "/" in name or "\\" in name


def _candidates(name: str) -> Iterator[Path]:
    for folder in folders():
        for suffix in _SUFFIXES:
            if os.path.isfile(folder / f"{name}{suffix}"):
                yield folder / f"{name}{suffix}"


def find_profile(name_or_path: str | Path) -> Path:
    """Return a profile's file: a path as it is, a name from the first folder that has it.

    The folders are ``./profiles``, the user's (``~/.config/facewire/profiles`` and its like) and
    the package's. ProfileError with the nearest name if there is none.
    """
    return _find(str(name_or_path), Path(), (), "")


def _find(name: str, base: Path, chain: Sequence[Path], where: str) -> Path:
    """Find a profile that is not in ``chain`` yet: a file may extend its namesake further on."""
    chosen = [base / name] if _is_path(name) else list(_candidates(name))
    present = [path for path in chosen if os.path.exists(path)]
    for path in present:
        if path.resolve() not in chain:
            return path
    if present:
        names = " -> ".join([path.name for path in chain] + [present[0].name])
        raise ProfileError(f"{where}profiles extend each other in a circle: {names}; remove one")
    known = profile_names()
    near = nearest(Path(name).stem, known)
    what = "no such file" if _is_path(name) else "no such profile"
    listed = f" (known: {', '.join(known)})" if known else ""
    raise ProfileError(f"{where}{what} {show(name)}{near}{listed}")


def read_profile(path: Path, known: Sequence[str]) -> dict[str, Entry]:
    """Read a profile and those it extends; a key replaces the same key of what is extended."""
    entries: dict[str, Entry] = {}
    chain: list[Path] = []
    following: Path | None = path
    while following is not None:
        chain.append(following.resolve())
        tree = _tree(following, known)
        for key, value in tree.items():
            entries.setdefault(key, Entry(value, following.name, following.parent.absolute()))
        following = _extended(tree.get("extends"), following, chain)
    return entries


def _tree(path: Path, known: Sequence[str]) -> dict[str, Any]:
    tree = load_yaml(path, path.name)
    tree = {} if tree is None else tree
    if not isinstance(tree, dict):
        keys = "keys such as model: and sinks:"
        raise ProfileError(f"{path.name}: found {found(tree)}, expected {keys}")
    check_keys(tree, known, path.name)
    return tree


def _extended(name: Any, path: Path, chain: Sequence[Path]) -> Path | None:
    if name is None:
        return None
    where = place(path.name, "extends")
    name = expand(name, where)
    if not isinstance(name, str):
        raise ProfileError(f"{where}: found {found(name)}, expected a profile's name or path")
    return _find(str(name), path.parent, chain, f"{where}: ")


def expand(value: Any, where: str) -> Any:
    """Fill in ``${NAME}`` and ``${NAME:-default}`` in every text of a tree.

    An empty variable counts as unset where there is a default, as in a shell. ProfileError if a
    variable without a default is unset. ``$${`` stands for ``${``.
    """
    if isinstance(value, dict):
        return {key: expand(item, place(where, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    return EnvText(_REFERENCE.sub(lambda match: _lookup(match, where), value))


def _lookup(match: re.Match[str], where: str) -> str:
    if match[0].startswith("$$"):
        return match[0][1:]
    name: str | None = match[1]
    default: str | None = match[2]
    if name is None:
        near = show(match.string[match.start() :])
        raise ProfileError(f"{where}: found {near}, expected ${{NAME}} or ${{NAME:-default}}")
    text = os.environ.get(name)
    if text is None and default is None:
        either = f"set it, or write ${{{name}:-default}}"
        raise ProfileError(f"{where}: environment variable {name} is not set: {either}")
    return text or default or ""
