"""``--set KEY=VALUE``: change one value of a profile as if it were written there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facewire.config import found
from facewire.errors import ProfileError, nearest
from facewire.profile_files import Entry
from facewire.yaml_loader import load_yaml, scalar, show

_STEP = re.compile(r"([\w-]+)|\[(\d{1,6})\]")
_KEY = re.compile(r"[\w-]+(\[\d{1,6}\]|\.[\w-]+)*")


def override(entries: dict[str, Entry], text: str, known: Sequence[str], base: Path) -> None:
    """Apply ``KEY=VALUE`` to a profile's entries; ``base`` is the profile's folder.

    KEY is dotted and indexed (``fps``, ``layers[0].strength``, ``sinks[1].port``), VALUE one YAML
    scalar (in quotes if a number shall be text). ProfileError if nothing is there.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    where = f"--set {key}"
    if not equals or not _KEY.fullmatch(key):
        example = "KEY=VALUE such as fps=30 or sinks[0].port=9000"
        raise ProfileError(f"--set {show(text)}: expected {example}")
    steps = [int(index) if index else name for name, index in _STEP.findall(key)]
    if steps[0] not in known:
        near = nearest(str(steps[0]), known)
        raise ProfileError(f"{where}: unknown key{near} (known: {', '.join(known)})")
    top = str(steps[0])
    parsed = _parse(value.strip(), where)
    if len(steps) == 1:
        entries[top] = Entry(parsed, "--set", base)
        return
    entry = entries.setdefault(top, Entry(None, "--set", base))
    entry.value = _replace(entry.value, steps[1:], parsed, where, top)


def _parse(value: str, where: str) -> Any:
    if value[:1] in ("'", '"'):
        return load_yaml(value, where)
    try:
        return scalar(value)
    except ValueError as error:
        raise ProfileError(f"{where}: {error}") from None


def _replace(tree: Any, steps: Sequence[str | int], value: Any, where: str, at: str) -> Any:
    """Return ``tree`` with the value at ``steps`` replaced; ``at`` is where ``tree`` is."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        items = _items(tree, step, where, at)
        items[step] = _replace(items[step], rest, value, where, f"{at}[{step}]")
        return items
    options = _options(tree, where, at)
    options[step] = _replace(options.get(step), rest, value, where, f"{at}.{step}")
    return options


def _items(tree: Any, index: int, where: str, at: str) -> list[Any]:
    if not isinstance(tree, list):
        raise ProfileError(f"{where}: {at} is {found(tree)}, not a list: leave out [{index}]")
    if index >= len(tree):
        have = f"it has {len(tree)}, counted from 0" if tree else "it is empty"
        raise ProfileError(f"{where}: {at} has no [{index}] ({have})")
    return tree


def _options(tree: Any, where: str, at: str) -> dict[str, Any]:
    if isinstance(tree, list):
        raise ProfileError(f"{where}: {at} is a list: write {at}[0] for its first")
    if isinstance(tree, str):  # a bare string is `use` alone
        return {"use": tree}
    if tree is not None and not isinstance(tree, dict):
        raise ProfileError(f"{where}: {at} is {found(tree)} and has no keys")
    return tree or {}
