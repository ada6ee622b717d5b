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
from facewire.profile import Profile, component
from facewire.registry import Registry
from facewire.sources import AUDIO_SUFFIXES, AudioFile, GivenText, StreamedText
from facewire.stages import Source
from facewire.turns import SCRIPT_SUFFIX, Script

NAME_WORDS = 6


@dataclass(frozen=True, slots=True)
class Input:
    """A source and the name that its outputs get."""

    source: Source
    name: str


def text_name(text: str) -> str:
    """Return a text's name: its first six words and six hex digits of its hash."""
    plain = re.sub(r"(?<!\\)\[[^\]]*\]", " ", text).lower()
    words = re.findall(r"\w+", plain)[:NAME_WORDS]
    digits = hashlib.sha256(text.encode()).hexdigest()[:6]
    return "-".join([*words, digits])[:80]


def looks_like_path(text: str, suffixes: Sequence[str]) -> bool:
    """Whether a word that is no existing path was meant as one."""
    word = text.strip()
    if "\n" in word or len(word) > 1024:
        return False
    known = Path(word).suffix.lower() in suffixes
    return (known and " " not in Path(word).suffix) or (
        ("/" in word or "\\" in word) and " " not in word
    )


def open_input(text: str, profile: Profile, registry: Registry, speak: bool = False) -> Input:
    """Return the source of one INPUT: a file, ``mic``, ``-`` or text; ``speak`` forces text.

    InputError if it is a path that does not exist or cannot be used.
    """
    if speak:
        return Input(GivenText(text), text_name(text))
    if text == "-":
        return Input(StreamedText(), "stdin")
    if text == "mic":
        return Input(_component("audio.mic", profile, registry, text), "mic")
    path = Path(text)
    if text.strip() and _exists(path):
        return Input(_file(path, profile, registry), path.stem)
    suffixes = [*AUDIO_SUFFIXES, SCRIPT_SUFFIX, *_frame_suffixes(registry)]
    if looks_like_path(text, suffixes):
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(
            f"{text}: no such file{nearest(path.name, beside)}; to speak it, add --text"
        )
    return Input(GivenText(text), text_name(text))


def open_audio(path: str) -> Input:
    """Return the source of ``--audio PATH``; ``-`` is a sound file on standard input."""
    if path == "-":
        return Input(AudioFile(io.BytesIO(sys.stdin.buffer.read())), "stdin")
    return Input(AudioFile(Path(path)), Path(path).stem)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a text too long for a file name
        return False


def _frame_suffixes(registry: Registry) -> list[str]:
    return [suffix for part in registry.catalogue()["source"] for suffix in part.suffixes]


def _file(path: Path, profile: Profile, registry: Registry) -> Source:
    suffix = path.suffix.lower()
    if suffix in AUDIO_SUFFIXES or path.is_dir():
        return AudioFile(path)
    if suffix == SCRIPT_SUFFIX:
        return Script(path)
    part = registry.by_suffix("source", suffix)
    if part is None:
        return AudioFile(path)
    return _component(
        {"use": part.name, "path": str(path.absolute())}, profile, registry, path.stem
    )


def _component(spec: object, profile: Profile, registry: Registry, name: str) -> Source:
    context = assemble(profile, name, Path("out"), registry=registry).context
    source: Source = registry.build("source", component(spec, "INPUT"), context).stage
    return source


def same_names(inputs: Sequence[Input]) -> None:
    """Raise InputError if two inputs of one call would write the same outputs."""
    seen: set[str] = set()
    for given in inputs:
        if given.name in seen:
            raise InputError(
                f"two inputs are called '{given.name}' and would write the same files; "
                "run them apart, with another --out"
            )
        seen.add(given.name)
