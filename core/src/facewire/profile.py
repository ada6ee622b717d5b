"""A profile: which components run, in which order, with which options.

``load_profile`` reads the YAML, what it extends, the environment and ``--set``, and checks all
that can be checked without a plugin; a component's own options are checked when it is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_type_hints

from facewire.config import expected, place, read
from facewire.docstrings import field_docs
from facewire.errors import ProfileError
from facewire.overrides import override
from facewire.profile_files import Entry, expand, find_profile, profile_names, read_profile
from facewire.profile_values import READERS, ComponentSpec, Shape, Speaker, component, components
from facewire.types import Kind

__all__ = ["ComponentSpec", "Profile", "Speaker", "component", "find_profile", "load_profile"]
__all__ += ["profile_keys", "profile_names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A checked profile. Every field but ``name`` and ``base`` is a top-level key of the YAML."""

    name: str
    base: Path = Path(".")
    extends: str | None = None
    """A profile (name, or path relative to this one) whose keys hold where this one has none."""
    requires: tuple[str, ...] = ()
    """Distributions that must be installed, as pip writes them: `facewire-livelink>=0.1`."""
    fps: Fraction = Fraction(60)
    """Frames a second of what comes out."""
    rate: int | None = None
    """Samples a second inside a session; by default that of the first audio."""
    rig: str = "arkit61"
    """The channels that layers and sinks see, by the name of their set."""
    lang: str = "en"
    """The language spoken, such as `en` or `pt-br`."""
    seed: int = 0
    """Where everything random begins: the same seed and input give the same face."""
    voice: tuple[ComponentSpec, ...] = (ComponentSpec("espeak", {}, "voice"),)
    """What speaks text; of a list the first that builds."""
    text_emotion: ComponentSpec | None = None
    """What reads emotion from text."""
    pronounce: ComponentSpec | None = None
    """The voice that tells how words are pronounced; by default the one that speaks."""
    features: ComponentSpec | None = None
    """What the model hears; by default what the model asks for."""
    model: tuple[ComponentSpec, ...] = ()
    """What turns sound into frames; of a list the first that builds. Not needed for frames."""
    layers: tuple[ComponentSpec, ...] = ()
    """What changes the frames after the model, in order."""
    sinks: tuple[ComponentSpec, ...]
    """Where the result goes: files, Live Link and so on; `[]` for nowhere."""
    emotion: str | None = None
    """Emotion of the whole: tags such as `joy:80`, or the path of a track."""
    turns: Literal["monologue", "dialogue"] = "monologue"
    """Whether emotion flows from turn to turn, or may change at once."""
    tags: Literal["strict", "lenient"] = "strict"
    """Whether an unknown tag in a text is an error, or is spoken."""
    speakers: Mapping[str, Speaker] = field(default_factory=dict)
    """Speakers of a script by name, each with a `voice` and a `subject`."""


COMPONENT_KEYS: dict[str, tuple[Shape, Kind]] = {
    "voice": ("first", "voice"),
    "text_emotion": ("one", "text_emotion"),
    "pronounce": ("one", "voice"),
    "features": ("one", "features"),
    "model": ("first", "model"),
    "layers": ("all", "layer"),
    "sinks": ("all", "sink"),
}
"""Top-level keys that name components: one, the first of a list that builds, or all of a list."""

_SHAPES: dict[Shape, str] = {
    "one": "component",
    "first": "component, or a list of them",
    "all": "list of components",
}
KEYS: tuple[str, ...] = tuple(f.name for f in fields(Profile) if f.name not in ("name", "base"))


def _read_entry(key: str, entry: Entry, kind: Any) -> Any:
    where = place(entry.file, key)
    value = expand(entry.value, where)
    if key in COMPONENT_KEYS:
        return components(value, COMPONENT_KEYS[key][0], where, entry.base)
    if key in READERS:
        return READERS[key](value, where, entry.base)
    return read(value, kind, where)


def load_profile(name_or_path: str | Path, overrides: Iterable[str] = ()) -> Profile:
    """Load a profile by name or path, with ``KEY=VALUE`` overrides as ``--set`` takes them.

    ProfileError (PluginError where a requirement is not installed) says in one line where the
    mistake is, what was found, what was expected, and the nearest right word.
    """
    path = find_profile(name_or_path)
    entries = read_profile(path, KEYS)
    for text in overrides:
        override(entries, text, KEYS, path.parent.absolute())
    hints = get_type_hints(Profile)
    values = {key: _read_entry(key, entries[key], hints[key]) for key in KEYS if key in entries}
    if "sinks" not in values:
        wanted = "a list of where the result goes ([] for nowhere)"
        raise ProfileError(f"{place(path.name, 'sinks')}: missing, expected {wanted}")
    return Profile(name=path.stem, base=path.parent.absolute(), **values)


def profile_keys() -> list[tuple[str, str, str, str]]:
    """Return (key, type, default, meaning) of every top-level key, for the docs and the schema."""
    docs, hints = field_docs(Profile), get_type_hints(Profile)
    rows = []
    for item in fields(Profile):
        if item.name in KEYS:
            shape = COMPONENT_KEYS.get(item.name)
            kind = _SHAPES[shape[0]] if shape else _type_name(item.name, hints[item.name])
            rows.append((item.name, kind, _default(item), docs[item.name]))
    return rows


def _type_name(key: str, kind: Any) -> str:
    names = {"requires": "list of requirements", "speakers": "mapping of speakers"}
    if key in names:
        return names[key]
    return expected(kind).removesuffix(" or null").removeprefix("an ").removeprefix("a ")


def _default(item: Any) -> str:
    if item.default is MISSING and item.default_factory is MISSING:
        return "required"
    value = item.default_factory() if item.default is MISSING else item.default
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(spec.use for spec in value) or "[]"
    return str(value)
