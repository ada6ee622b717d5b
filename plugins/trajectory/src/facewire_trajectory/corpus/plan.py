"""What the corpus consists of: every item by name, before any is made. The same seed, the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from facewire.types import Context
from facewire.yaml_loader import load_yaml

from facewire_trajectory.corpus.store import Kind, Split
from facewire_trajectory.corpus.texts import Expander, Turn, languages
from facewire_trajectory.corpus.voices import festival_voices, flite_voices

TURNS = 7400
TINY = 60
VOCAL, OTHER, SUSTAINED = 0.10, 0.09, 0.05
"""Scenes of vocal sounds, of noise and of sustained speech, as shares of the turns."""
ANCHOR_KINDS = ("digital", "quiet", "room")
"""Kinds of silence in which each preset is shown."""
_MONOLOGUE, _DIALOGUE = 0.12, 0.10


@dataclass(frozen=True, slots=True)
class Job:
    """An item to be made; ``turn`` is what is said, if anything.

    Of ``sustained`` speech, sounds that are held, ``voice`` is a program and its voice.
    """

    id: str
    kind: Kind
    source: str
    voice: str
    lang: str
    group: str
    split: Split
    licence: str
    turn: Turn | None = None
    detail: int = 0


@dataclass(frozen=True, slots=True)
class _Reader:
    """A voice of a synthesiser, and its share of the turns."""

    source: str
    voice: str
    lang: str
    split: Split
    share: float


@cache
def table() -> dict[str, Any]:
    """Return ``data/voices.yaml``."""
    path = Path(str(files("facewire_trajectory").joinpath("data/voices.yaml")))
    found: dict[str, Any] = load_yaml(path, path.name)
    return found


def missing() -> list[str]:
    """Return a line for each program or voice that is not there and what that leaves out."""
    lines = []
    for name, there in (("flite", flite_voices()), ("festival", festival_voices())):
        wanted = list(table()[name]["voices"])
        lacking = [voice for voice in wanted if voice not in there]
        if not there:
            lines.append(f"{name} is not installed: its voices are left out")
        elif lacking:
            lines.append(f"{name} has no voice {', '.join(lacking)}: left out")
    return lines


def _readers(tiny: bool) -> list[_Reader]:
    """Return the voices that are there, their shares scaled to a sum of 1."""
    found = []
    if not tiny:
        for source, there in (("flite", flite_voices()), ("festival", festival_voices())):
            for voice, row in table()[source]["voices"].items():
                if voice in there:
                    split = row.get("split", "train")
                    found.append(_Reader(source, voice, "en", split, row["share"]))
    for lang, row in table()["espeak"]["voices"].items():
        if lang in languages():
            found.append(_Reader("espeak", lang, lang, row.get("split", "train"), row["share"]))
    total = sum(reader.share for reader in found)
    return [_Reader(r.source, r.voice, r.lang, r.split, r.share / total) for r in found]


def turns_of(expander: Expander, count: int, random: np.random.Generator) -> list[Turn]:
    """Return ``count`` turns of a language: single ones, monologues and dialogues."""
    turns: list[Turn] = []
    while len(turns) < count:
        drawn = random.random()
        if drawn < _MONOLOGUE:
            turns.append(expander.monologue())
        elif drawn < _MONOLOGUE + _DIALOGUE / 3:
            turns.extend(expander.dialogue())
        else:
            turns.append(expander.single())
    return turns[:count]


def _voice(reader: _Reader, random: np.random.Generator) -> tuple[str, str, Split]:
    """Return an espeak voice for a reader, its group and its split."""
    espeak = table()["espeak"]
    names = espeak["voices"][reader.lang]["names"]
    split, share = reader.split, random.random()
    if split == "train":
        apart = espeak["apart"]
        split = "held" if share < apart["held"] else "train"
        split = "dev" if apart["held"] <= share < apart["held"] + apart["dev"] else split
    pool = espeak["variants"]["train" if reader.split != "train" else split]
    variant = str(random.choice(pool))
    group = f"espeak-{reader.lang}" if reader.split != "train" else f"espeak-{variant}"
    return f"{random.choice(names)}+{variant}", group, split


def _speech(count: int, tiny: bool, seed: int) -> list[Job]:
    jobs = []
    expanders: dict[str, Expander] = {}
    for reader in _readers(tiny):
        random = Context(name=f"{reader.source}-{reader.voice}", seed=seed).random("plan")
        texts = Context(name=reader.lang, seed=seed).random("texts")
        expander = expanders.setdefault(reader.lang, Expander(reader.lang, texts))
        licence = table()[reader.source]["licence"]
        wanted = max(1, round(reader.share * count))
        for number, turn in enumerate(turns_of(expander, wanted, random)):
            name = f"{reader.source}-{reader.voice}-{number:05d}"
            voice, group, split = reader.voice, f"{reader.source}-{reader.voice}", reader.split
            if reader.source == "espeak":
                voice, group, split = _voice(reader, random)
            jobs.append(
                Job(name, "speech", reader.source, voice, reader.lang, group, split, licence, turn)
            )
    return jobs


def _sustained(count: int, tiny: bool, seed: int) -> list[Job]:
    """Return jobs of sustained speech: a voice of a program that can speak slowly."""
    readers = [reader for reader in _readers(tiny) if reader.source in ("flite", "espeak")]
    random = Context(name="sustained", seed=seed).random("plan")
    shares = np.array([reader.share for reader in readers])
    jobs = []
    for number in range(count if readers else 0):
        reader = readers[int(random.choice(len(readers), p=shares / shares.sum()))]
        voice, group, split = reader.voice, f"{reader.source}-{reader.voice}", reader.split
        if reader.source == "espeak":
            voice, group, split = _voice(reader, random)
        name, said = f"sustained-{number:05d}", f"{reader.source} {voice}"
        licence = table()[reader.source]["licence"]
        jobs.append(Job(name, "speech", "sustained", said, reader.lang, group, split, licence))
    return jobs


def _own(kind: Kind, count: int, random: np.random.Generator) -> list[Job]:
    """Return jobs of synthesised sounds; each tenth is for looking, each twentieth is held."""
    jobs = []
    for number in range(count):
        split: Split = "dev" if number % 10 == 5 else "held" if number % 20 == 9 else "train"
        name = f"{kind}-{number:05d}"
        jobs.append(Job(name, kind, "synthesised", "", "", f"{kind}-{split}", split, "Apache-2.0"))
    return jobs


def plan(turns: int = TURNS, tiny: bool = False, seed: int = 0) -> list[Job]:
    """Return the items that are synthesised, mixed so that any beginning has some of everything."""
    random = Context(name="corpus", seed=seed).random("order")
    jobs = _speech(turns, tiny, seed)
    jobs += _own("vocal", max(6, round(VOCAL * turns)), random)
    jobs += _own("other", max(6, round(OTHER * turns)), random)
    mixed = [jobs[i] for i in random.permutation(len(jobs))]
    slow = _sustained(max(2, round(SUSTAINED * turns)), tiny, seed)
    every = len(mixed) // max(len(slow), 1)
    for number, job in enumerate(slow):
        mixed.insert(number * (every + 1), job)
    kinds = range(1 if tiny else len(ANCHOR_KINDS))
    shown = [
        Job(f"anchor-{ANCHOR_KINDS[k]}-{i:02d}", "anchor", "presets", "", "", "anchor", "train",
            "Apache-2.0", None, i)
        for k in kinds for i in range(47)
    ]  # fmt: skip
    return shown + mixed
