"""Read the values of a profile's top-level keys: components, requirements, rates, languages."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import InvalidRequirement, Requirement

from facewire.config import check_keys, expected, found, read
from facewire.errors import PluginError, ProfileError, nearest
from facewire.rig import rigs

RATES = (8000, 192000)


Shape = Literal["one", "first", "all"]


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """One use of a component: its name, its options, and where the profile says so.

    ``base`` is the folder that the options' input paths are relative to: that of the file the
    component stands in, which may be an extended profile's. None: the session's.
    """

    use: str
    options: dict[str, Any] = field(default_factory=dict)
    where: str = ""
    base: Path | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """What differs for one speaker of a script; what is not given is the profile's."""

    voice: tuple[ComponentSpec, ...] = ()
    """The voice, or a list of which the first that builds is taken."""
    subject: str | None = None
    """The name of the speaker's face: live sinks send it under that, files carry it."""


def component(value: Any, where: str, base: Path | None = None) -> ComponentSpec:
    """Read one component: a bare name, or a mapping of ``use`` and options."""
    if isinstance(value, str) and value.strip():
        return ComponentSpec(str(value), {}, where, base)
    if not isinstance(value, dict):
        wanted = "a component's name or {use: NAME, …}"
        raise ProfileError(f"{where}: found {found(value)}, expected {wanted}")
    for key in value:
        if not isinstance(key, str):
            raise ProfileError(f"{where}: found key {found(key)}, expected a word")
    if "use" not in value:
        given = f" (found: {', '.join(value)})" if value else ""
        raise ProfileError(f"{where}: 'use' is missing: write {{use: NAME, …}}{given}")
    name = value["use"]
    if not isinstance(name, str) or not name.strip():
        raise ProfileError(f"{where}.use: found {found(name)}, expected a component's name")
    options = {key: item for key, item in value.items() if key != "use"}
    return ComponentSpec(str(name), options, where, base)


def components(value: Any, shape: Shape, where: str, base: Path) -> Any:
    """Read a component key's value: a spec or None for "one", else a tuple of specs."""
    if shape == "one":
        return None if value is None else component(value, where, base)
    if value is None:  # `sinks:` with all its lines commented out
        return ()
    if isinstance(value, list):
        return tuple(component(v, f"{where}[{i}]", base) for i, v in enumerate(value))
    if shape == "all":
        raise ProfileError(f"{where}: found {found(value)}, expected a list: put '- ' before it")
    return (component(value, where, base),)


def _speakers(value: Any, where: str, base: Path) -> dict[str, Speaker]:
    if not isinstance(value, dict):
        wanted = "a mapping such as {ada: {voice: …, subject: Ada}}"
        raise ProfileError(f"{where}: found {found(value)}, expected {wanted}")
    return {str(name): _speaker(v, f"{where}.{name}", base) for name, v in value.items()}


def _speaker(value: Any, where: str, base: Path) -> Speaker:
    if not isinstance(value, dict):
        raise ProfileError(f"{where}: found {found(value)}, expected {expected(Speaker)}")
    check_keys(value, [f.name for f in fields(Speaker)], where)
    voice = components(value.get("voice"), "first", f"{where}.voice", base)
    return Speaker(voice, read(value.get("subject"), str | None, f"{where}.subject"))


def _requires(value: Any, where: str, base: Path) -> tuple[str, ...]:
    """Check requirements (PEP 508, without addresses) against what is installed."""
    texts: tuple[str, ...] = read(value, tuple[str, ...], where)
    for i, text in enumerate(texts):
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            wanted = None
        if wanted is None or wanted.url:
            example = "a requirement such as facewire-livelink>=0.1"
            raise ProfileError(f"{where}[{i}]: found {found(text)}, expected {example}")
        if wanted.marker is None or wanted.marker.evaluate():
            _check_installed(wanted, f"{where}[{i}]")
    return texts


def _check_installed(wanted: Requirement, where: str) -> None:
    what = f"{wanted.name}{wanted.specifier}"
    advice = f"run pip install '{what}'"
    try:
        have = version(wanted.name)
    except PackageNotFoundError:
        raise PluginError(f"{where}: {what} is not installed: {advice}") from None
    if not wanted.specifier.contains(have, prereleases=True):
        raise PluginError(f"{where}: found {wanted.name} {have}, expected {what}: {advice}")


def _rate(value: Any, where: str, base: Path) -> int | None:
    rate: int | None = read(value, int | None, where)
    if rate is not None and not RATES[0] <= rate <= RATES[1]:
        wanted = f"{RATES[0]} to {RATES[1]} samples a second"
        raise ProfileError(f"{where}: found {rate}, expected {wanted}")
    return rate


def _rig(value: Any, where: str, base: Path) -> str:
    if isinstance(value, str) and value in rigs():
        return str(value)
    near = nearest(value, rigs()) if isinstance(value, str) else ""
    raise ProfileError(f"{where}: found {found(value)}, expected one of {', '.join(rigs())}{near}")


def _lang(value: Any, where: str, base: Path) -> str:
    lang: str = read(value, str, where)
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*", lang):
        wanted = "a language such as en or pt-br"
        raise ProfileError(f"{where}: found {found(lang)}, expected {wanted}")
    return lang


def _emotion(value: Any, where: str, base: Path) -> str | None:
    """Read tags, or a track's path made whole (an extended profile may lie elsewhere)."""
    text: str | None = read(value, str | None, where)
    return str(base / text) if text and os.path.isfile(base / text) else text


READERS: dict[str, Callable[[Any, str, Path], Any]] = {
    "requires": _requires,
    "rate": _rate,
    "rig": _rig,
    "lang": _lang,
    "emotion": _emotion,
    "speakers": _speakers,
}
"""How the keys are read that a type alone does not describe: value, place, folder."""
