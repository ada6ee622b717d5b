"""The emotions that have names: 16 labels, 22 archetypes, 27 names, their aliases and VAD.

The numbers, with the source of each, are in ``facewire/data/emotion/vocabulary.yaml``; this module
checks and offers them. VAD is valence, arousal, dominance in [0, 1].
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml

from facewire.errors import InputError, nearest
from facewire.types import FloatArray

Vad = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Entry:
    """A named emotion: where it lies at level 3, and how it is drawn.

    ``family`` is the label whose face is drawn. ``weights`` (16) are the soft labels a model is
    told, in ``LABELS``' order, sum 1, the family the largest. ``source``: where ``vad`` is from.
    """

    name: str
    vad: Vad
    family: str
    weights: tuple[float, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All of the data file, checked. The first 16 of ``entries`` are labels, 22 archetypes."""

    entries: Mapping[str, Entry]
    aliases: Mapping[str, str]
    levels: tuple[float, ...]


def _fail(found: str) -> ValueError:
    return ValueError(f"facewire/data/emotion/vocabulary.yaml: {found}; reinstall facewire")


def _entry(
    name: str, row: Mapping[str, Any], labels: list[str], sources: Mapping[str, str]
) -> Entry:
    vad = tuple(float(value) for value in row["vad"])
    if len(vad) != 3 or not all(0.0 <= value <= 1.0 for value in vad):
        raise _fail(f"{name}: vad {vad} is not three numbers in [0, 1]")
    if "nudge" in row and "why" not in row:
        raise _fail(f"{name}: a nudge without a reason")
    family = row.get("family", name)
    shares = row.get("weights", {family: 1.0})
    if not {family, *shares} <= set(labels) or abs(sum(shares.values()) - 1.0) > 1e-9:
        raise _fail(f"{name}: weights {shares} are not shares of labels")
    if max(shares, key=shares.__getitem__) != family:
        raise _fail(f"{name}: the family {family} does not weigh most")
    weights = tuple(float(shares.get(label, 0.0)) for label in labels)
    return Entry(name, (vad[0], vad[1], vad[2]), family, weights, sources[row["source"]].strip())


def _aliases(data: Mapping[str, list[str]], names: Mapping[str, Entry]) -> dict[str, str]:
    table: dict[str, str] = {}
    for name, words in data.items():
        for word in map(folded, words):
            if name not in names or word in names or word in table:
                raise _fail(f"alias '{word}' of {name} is ambiguous or names nothing")
            table[word] = name
    return table


@cache
def vocabulary() -> Vocabulary:
    """Return the data file's contents, checked; ValueError if the installed file is damaged."""
    text = files("facewire").joinpath("data/emotion/vocabulary.yaml").read_text("utf-8")
    data = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    labels = list(data["labels"])
    rows = {**data["labels"], **data["archetypes"], **data["lexicon"]}
    entries = {name: _entry(name, row, labels, data["sources"]) for name, row in rows.items()}
    if (len(labels), len(labels) + len(data["archetypes"]), len(entries)) != (16, 22, 27):
        raise _fail("there are not 16 labels, 22 archetypes and 27 names")
    levels = tuple(float(level) for level in data["levels"])
    if len(levels) != 5 or sorted(levels) != list(levels) or levels[2] != 1.0:
        raise _fail(f"levels {levels} are not five growing multiples with 1 in the middle")
    return Vocabulary(entries, _aliases(data["aliases"], entries), levels)


def folded(word: str) -> str:
    """Return a word as it is looked up: composed, case folded, one space for blanks and hyphens."""
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", word).casefold()).strip()


NAMES: tuple[str, ...] = tuple(vocabulary().entries)
"""All 27 names, the labels first, then the other archetypes."""
LABELS: tuple[str, ...] = NAMES[:16]
"""The 16 labels, in the order of ``Emotion.weights``."""
ARCHETYPES: tuple[str, ...] = NAMES[:22]
"""The 22 names that have a face of their own in the overlay."""
LEVELS: tuple[float, ...] = vocabulary().levels
"""L1..L5 as multiples of the way from neutral to an emotion's VAD."""
NEUTRAL_VAD: Vad = vocabulary().entries["neutral"].vad


def names() -> tuple[str, ...]:
    """Return all 27 names, the 16 labels first."""
    return NAMES


def aliases() -> Mapping[str, str]:
    """Return what else the names are called: alias (folded) -> name."""
    return vocabulary().aliases


def shown(text: str) -> str:
    """Return found text for a message: quoted, on one line, at most 40 characters of it."""
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def resolve(word: str, where: str = "emotion") -> str:
    """Return the name that a name or alias stands for; InputError with the nearest if none."""
    known, key = vocabulary(), folded(word)
    if key in known.entries:
        return key
    if key in known.aliases:
        return known.aliases[key]
    hint = nearest(key[:40], (*known.entries, *known.aliases))
    listed = "" if hint else f" (known: {', '.join(NAMES)}, and aliases)"
    raise InputError(f"{where}: emotion {shown(word)} is unknown{hint}{listed}")


def lookup(word: str, where: str = "emotion") -> Entry:
    """Return the entry of a name or alias; InputError with the nearest if there is none."""
    return vocabulary().entries[resolve(word, where)]


def weights_of(word: str) -> FloatArray:
    """Return the soft labels (16,) of a name or alias; InputError with the nearest if none."""
    return np.array(lookup(word).weights, np.float32)


def anchors() -> FloatArray:
    """Return the VAD of the labels: (16, 3)."""
    return np.array([lookup(label).vad for label in LABELS], np.float32)
