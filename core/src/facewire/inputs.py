"""What people type as INPUT, turned into sources with names."""

from __future__ import annotations

import hashlib
import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facewire.assemble import assemble
from facewire.errors import InputError, nearest
from facewire.pipeline import Built
from facewire.profile import Profile, component
from facewire.registry import Registry
from facewire.sources import AUDIO_SUFFIXES, AudioFile, GivenText, StreamedText
from facewire.stages import Source
from facewire.turns import SCRIPT_SUFFIX, Script

NAME_WORDS = 6
NAME_BYTES = 80  # file systems allow 255, endings and temporary names included
OWN = "input"
MIC = "mic"


@dataclass(frozen=True, slots=True)
class Input:
    """A source, where it came from, and the name that its outputs get."""

    built: Built[Source]
    name: str

    @property
    def source(self) -> Source:
        """The source itself."""
        return self.built.stage


def text_name(text: str) -> str:
    """Return a text's name: its first six words and six hex digits of its hash."""
    plain = re.sub(r"(?<!\\)\[[^\]]*\]", " ", text).lower()
    words = "-".join(re.findall(r"\w+", plain)[:NAME_WORDS])
    digits = hashlib.sha256(text.encode()).hexdigest()[:6]
    short = words.encode()[:NAME_BYTES].decode("utf-8", "ignore").rstrip("-")
    return f"{short}-{digits}" if short else digits


def looks_like_path(text: str, registry: Registry) -> bool:
    """Whether a word that is no existing path was meant as one."""
    word = text.strip()
    if "\n" in word or len(word) > 1024:
        return False
    suffix = Path(word).suffix.lower()
    known = suffix in (*AUDIO_SUFFIXES, SCRIPT_SUFFIX)
    if not known and re.fullmatch(r"\.\w{1,8}", suffix):  # only then are all plugins asked
        known = suffix in _frame_suffixes(registry)
    return (known and " " not in Path(word).suffix) or (
        ("/" in word or "\\" in word) and " " not in word
    )


def open_input(text: str, profile: Profile, registry: Registry, speak: bool = False) -> Input:
    """Return the source of one INPUT: a file, a microphone, ``-`` or text; ``speak`` forces text.

    ``mic`` is the system's microphone, ``mic:usb`` the one with "usb" in its name, ``mic:3`` that
    of this number. InputError if it is a path that does not exist or cannot be used.
    """
    if speak:
        return own(GivenText(text), text_name(text))
    if text == "-":
        return own(StreamedText(), "stdin")
    if text == MIC or _names_microphone(text):
        return Input(_microphone(text, profile, registry), MIC)
    path = Path(text)
    if text.strip() and _exists(path):
        return Input(_file(path, profile, registry), path.stem)
    if looks_like_path(text, registry):
        beside = [p.name for p in path.parent.iterdir()] if _is_folder(path.parent) else []
        raise InputError(
            f"{text}: no such file{nearest(path.name, beside)}; to speak it, add --text"
        )
    return own(GivenText(text), text_name(text))


def open_audio(path: str) -> Input:
    """Return the source of ``--audio PATH``; ``-`` is a sound file on standard input."""
    if path == "-" and sys.stdin is not None:
        return own(AudioFile(io.BytesIO(sys.stdin.buffer.read())), "stdin")
    return own(AudioFile(Path(path)), Path(path).stem)


def _names_microphone(text: str) -> bool:
    """Whether it is ``mic:`` and a name. A line of dialogue ("mic: One.") has a space there."""
    return re.match(rf"{MIC}:(?!\s)", text) is not None and not _exists(Path(text))


def _microphone(text: str, profile: Profile, registry: Registry) -> Built[Source]:
    if not any(plugin.name == "audio" for plugin in registry.plugins):
        raise InputError("'mic' needs a plugin called 'audio', and none is installed")
    device = text.removeprefix(MIC).removeprefix(":")
    spec = {"use": "audio.mic"} | ({"device": device} if device else {})
    return _component(spec, profile, registry, MIC)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a text too long for a file name
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _frame_suffixes(registry: Registry) -> list[str]:
    parts = registry.catalogue()["source"]
    return list(dict.fromkeys(suffix for part in parts for suffix in part.suffixes))


def own(source: Source, name: str) -> Input:
    """Return one of the core's own sources as an input."""
    return Input(Built(source, OWN, "source"), name)


def _file(path: Path, profile: Profile, registry: Registry) -> Built[Source]:
    suffix = path.suffix.lower()
    if suffix in AUDIO_SUFFIXES or path.is_dir():
        return Built(AudioFile(path), OWN, "source")
    if suffix == SCRIPT_SUFFIX:
        return Built(Script(path), OWN, "source")
    if part := registry.by_suffix("source", suffix):
        spec = {"use": part.name, "path": str(path.absolute())}
        return _component(spec, profile, registry, path.stem)
    if part := registry.by_suffix("sink", suffix):
        raise InputError(
            f"{path}: {suffix} is written ({part.name}), not read; give a sound file, text, "
            f"or frames ({', '.join(_frame_suffixes(registry))})"
        )
    return Built(AudioFile(path), OWN, "source")


def _component(spec: object, profile: Profile, registry: Registry, name: str) -> Built[Source]:
    context = assemble(profile, name, Path("out"), registry=registry).context
    return registry.build("source", component(spec, "INPUT"), context)


def same_names(inputs: Sequence[Input]) -> None:
    """Raise InputError if two inputs of one call would write the same outputs."""
    seen: set[str] = set()
    for given in inputs:
        if given.name.casefold() in seen:
            raise InputError(
                f"two inputs are called '{given.name}' and would write the same files; "
                "run them apart, with another --out"
            )
        seen.add(given.name.casefold())
