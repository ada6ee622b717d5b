"""What a baked line depends on, as digests: its input, its profile, its plugins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from facewire.errors import FacewireError
from facewire.profile import ComponentSpec, Profile
from facewire.profile_values import Speaker
from facewire.registry import Registry
from facewire.turns import Line
from facewire.types import Kind

PARTS = ("input", "profile", "plugins")
_KINDS: dict[str, Kind] = {
    "voice": "voice", "text_emotion": "text_emotion", "pronounce": "voice",
    "features": "features", "model": "model", "layers": "layer", "sinks": "sink",
}  # fmt: skip
_CHUNK = 1 << 20


def short(value: Any) -> str:
    """Return sixteen hex digits that stand for a value that JSON can hold."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@lru_cache(maxsize=4096)
def _bytes_digest(path: Path, size: int, changed: int) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Return sixteen hex digits that stand for a file's bytes; ``""`` where there is none."""
    try:
        facts = path.stat()
        return _bytes_digest(path, facts.st_size, facts.st_mtime_ns)
    except OSError:
        return ""


def input_digest(line: Line, name: str, folder: Path) -> str:
    """Digest what is said and how; sound by its bytes."""
    turn, state = line.turn, line.state
    felt = [[round(float(v), 6) for v in (*state.vad, *state.weights)]] if state else []
    sound = file_digest(folder / turn.audio) if turn.audio else ""
    said = [turn.text, sound, turn.transcript, turn.lang, turn.speaker, turn.pause]
    return short([name, said, felt])


def profile_digest(profile: Profile) -> str:
    """Digest every value of a profile, with the bytes of the files that its options name."""
    skipped = ("name", "base", "extends", "requires")
    values = {f.name: getattr(profile, f.name) for f in fields(profile) if f.name not in skipped}
    return short({key: _plain(value, profile.base) for key, value in values.items()})


def _plain(value: Any, base: Path) -> Any:
    if isinstance(value, ComponentSpec):
        return [value.use, _plain(value.options, value.base or base)]
    if isinstance(value, Speaker):
        return [_plain(value.voice, base), value.subject]
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): _plain(item, base) for key, item in sorted(value.items())}
    if isinstance(value, tuple | list):
        return [_plain(item, base) for item in value]
    if isinstance(value, str) and 0 < len(value) < 1024 and "\n" not in value:
        path = base / value
        return [value, file_digest(path)] if _is_file(path) else value
    return value if isinstance(value, bool | int | float | None) else str(value)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def plugins_digest(profile: Profile, registry: Registry) -> str:
    """Digest names and versions of the core and of every plugin that a profile may use."""
    origins = {f"facewire {version('facewire')}"}
    for kind, spec in _specs(profile):
        try:
            origins.add(registry.find(kind, spec.use, spec.where)[1].origin)
        except FacewireError as error:
            origins.add(f"{spec.use}: {error}")  # a fallback that is not installed
    return short(sorted(origins))


def _specs(profile: Profile) -> Iterator[tuple[Kind, ComponentSpec]]:
    for key, kind in _KINDS.items():
        value = getattr(profile, key)
        for spec in (value,) if isinstance(value, ComponentSpec) else value or ():
            yield kind, spec
    for speaker in profile.speakers.values():
        for spec in speaker.voice or ():
            yield "voice", spec
