# SPDX-License-Identifier: GPL-3.0-or-later
"""Which voices espeak-ng has, and which of them is meant by a name or a language."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
from facewire.errors import FacewireError, InputError, ProfileError
from facewire.voicing import VoiceEntry

from facewire_espeak.library import RATE, Library, Listed

_VARIANTS = Path(espeakng_loader.get_data_path()) / "voices" / "!v"


@dataclass(frozen=True, slots=True)
class Choice:
    """A voice and its variant (``+f3``, or nothing)."""

    listed: Listed
    variant: str = ""

    @property
    def identifier(self) -> str:
        """What espeak-ng loads."""
        return self.listed.identifier + self.variant

    @property
    def echo(self) -> tuple[int, float]:
        """Its delay in samples and its gain, as the variant's file asks for; (0, 0.0) without."""
        text = (_VARIANTS / self.variant[1:]).read_text("utf-8", "replace") if self.variant else ""
        found = re.search(r"^echo\s+(\d+)\s+(\d+)", text, re.MULTILINE)
        delay, gain = map(int, found.groups()) if found else (0, 0)
        # Milliseconds and 256ths; espeak-ng takes no gain above 100 of them.
        return delay * RATE // 1000, min(gain, 100) / 256

    def speaks(self, language: str) -> bool:
        """Whether ``en`` or ``en-us`` is one of its languages, or what one of them begins with."""
        tags = [tag for tag, _ in self.listed.languages]
        return any(tag == language or tag.startswith(f"{language}-") for tag in tags)


@functools.cache
def installed() -> tuple[Listed, ...]:
    """Return all voices."""
    with Library() as library:
        return tuple(library.voices())


def entries() -> list[VoiceEntry]:
    """Return an entry for each voice, by its best language, sorted by that."""
    best: dict[str, VoiceEntry] = {}
    for voice in installed():
        tag = min(voice.languages, key=lambda pair: pair[1])[0] if voice.languages else ""
        name = tag if tag and _find(tag) == voice else _file(voice)
        others = [other for other, _ in voice.languages if other != name]
        about = f"also {', '.join(others)}" if others else ""
        best[name] = VoiceEntry(name, voice.name, about)
    return [best[name] for name in sorted(best)]


def describe() -> str:
    """Load the library; return a line about it for ``facewire doctor``."""
    with Library() as library:
        count = sum(1 for _ in library.voices())
        return f"espeak-ng {library.version} with {count} voices"


def choose(name: str) -> Choice:
    """Return the voice called ``name`` (``en-us``, ``de+f3``). ProfileError if there is none."""
    base, plus, variant = name.partition("+")
    listed = _find(_tag(base))
    if listed is None:
        raise _unknown(ProfileError, "voice", base, _names())
    if not plus:
        return Choice(listed)
    files = {path.name.lower(): path.name for path in _VARIANTS.iterdir()}
    if variant.lower() not in files:
        raise _unknown(ProfileError, "variant", variant, files.values())
    return Choice(listed, f"+{files[variant.lower()]}")


def choose_language(own: Choice, language: str) -> Choice:
    """Return the voice for an utterance: ``own`` if it speaks the language, else the best other.

    A region that espeak-ng does not have falls back on the language: ``de-at`` on ``de``, and
    ``en-au`` on ``own`` if that is English. InputError if nothing speaks it.
    """
    tag = _tag(language)
    while tag:
        if own.speaks(tag):
            return own
        if listed := _find(tag):
            return Choice(listed, own.variant)
        tag = tag.rpartition("-")[0]
    raise _unknown(InputError, "language", language, _names())


def _tag(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def _find(tag: str) -> Listed | None:
    """Return the best voice of a language, else the one whose file is called so."""
    ranked = [
        (rank, index)
        for index, voice in enumerate(installed())
        for language, rank in voice.languages
        if language == tag
    ]
    if ranked:
        return installed()[min(ranked)[1]]
    return next((voice for voice in installed() if _file(voice).lower() == tag), None)


def _file(voice: Listed) -> str:
    return re.split(r"[\\/]", voice.identifier)[-1]


def _names() -> set[str]:
    return {tag for voice in installed() for tag, _ in voice.languages}


def _unknown(
    kind: type[FacewireError], what: str, found: str, choices: Iterable[str]
) -> FacewireError:
    names = sorted(choices, key=str.lower)
    near = difflib.get_close_matches(found, names, n=4, cutoff=0)
    return kind(f"espeak: there is no {what} '{found[:40]}'; the nearest are {', '.join(near)}")
