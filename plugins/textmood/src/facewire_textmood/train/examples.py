"""What the network is trained on: sentences with context, and targets where a corpus has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from facewire.emotion import LABELS
from facewire.errors import InputError
from facewire.types import FloatArray

from facewire_textmood.corpora import (
    EKMAN,
    ORIGINAL,
    Rated,
    label_set,
    read_emobank,
    read_goemotions,
)
from facewire_textmood.mapping import table
from facewire_textmood.wordpiece import OTHER, SELF, WordPiece

Context = tuple[tuple[str, str], ...]

STRANGE = 0.25  # of GoEmotions' lines get an unrelated line before them: most talk is no hint
CUT = 0.12  # of those with two sentences are read as the last one after the others
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
OWN_DEV = 8  # every so many of our own lines is kept for choosing
NEIGHBOURS = 400  # characters: EmoBank's sentences that far apart are not in one paragraph


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A sentence, what was said before it (oldest first), and targets by head; missing: unknown."""

    text: str
    context: Context = ()
    targets: dict[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corpora:
    """Both corpora, and our own lines: for training and for choosing."""

    goemotions: list[Example]
    goemotions_dev: list[Example]
    emobank: list[Example]
    emobank_dev: list[Example]
    own: list[Example]
    own_dev: list[Example]


def load(folder: Path, own: Path) -> Corpora:
    """Read ``goemotions`` (both label sets) and ``emobank`` below a folder, and our own lines."""
    lines = read_own(own)
    rated = read_emobank(folder / "emobank/train_dev.csv")
    emobank = _emobank(rated)
    parts = {
        split: [e for e, of in zip(emobank, rated.splits, strict=True) if of == split]
        for split in ("train", "dev")
    }
    return Corpora(
        _goemotions(folder / "goemotions", "train"),
        _goemotions(folder / "goemotions", "dev"),
        parts["train"],
        [Example(e.text, (), e.targets) for e in parts["dev"]],  # measured without context
        [line for i, line in enumerate(lines) if i % OWN_DEV],
        lines[::OWN_DEV],
    )


def _goemotions(folder: Path, split: str) -> list[Example]:
    sets = []
    for name, order in (("original", ORIGINAL), ("ekman", EKMAN)):
        path = folder / name / f"{split}.tsv"
        found = read_goemotions(path, label_set(path))
        sets.append((found.texts, found.targets[:, [found.labels.index(label) for label in order]]))
    (texts, original), (same, ekman) = sets
    if texts != same:
        raise InputError(f"{folder}: {split}.tsv of original and ekman are not the same lines")
    faces = table().weights(original)
    return [
        Example(text, (), {"original": o, "ekman": e, "faces": f})
        for text, o, e, f in zip(texts, original, ekman, faces, strict=True)
    ]


def _emobank(rated: Rated) -> list[Example]:
    """Return rated sentences; each after the one that precedes it in its document."""
    places: list[tuple[str, int, int]] = []
    for name in rated.ids:
        document, *span = name.rsplit("_", 2)
        known = len(span) == 2 and all(part.isdecimal() for part in span)
        places.append((document, int(span[0]), int(span[1])) if known else ("", 0, 0))
    before: dict[int, int] = {}
    order = sorted((place, i) for i, place in enumerate(places) if place[0])
    for (earlier, i), (later, k) in pairwise(order):
        if earlier[0] == later[0] and 0 <= later[1] - earlier[2] < NEIGHBOURS:
            before[k] = i
    out = []
    for i, (text, vad) in enumerate(zip(rated.texts, rated.vad, strict=True)):
        context = ((SELF, rated.texts[before[i]]),) if i in before else ()
        out.append(Example(text, context, {"vad": vad - 3}))
    return out


def read_own(path: Path) -> list[Example]:
    """Read our own lines: ``label <tab> sentence [<tab> context …]``, context with its speaker.

    ``#`` begins a comment. InputError with the line that is wrong.
    """
    out = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        label, *texts = line.split("\t")
        if label not in LABELS or not texts:
            raise InputError(f"{path}:{number}: found {line[:40]!r}, expected a label, tab, text")
        context = tuple(_spoken(part, f"{path}:{number}") for part in texts[1:])
        target = np.array([float(label == name) for name in LABELS], np.float32)
        out.append(Example(texts[0], context, {"faces": target}))
    return out


def _spoken(part: str, where: str) -> tuple[str, str]:
    for who in (SELF, OTHER):
        if part.startswith(f"{who} "):
            return who, part.removeprefix(who).strip()
    raise InputError(f"{where}: found {part[:40]!r}, expected context to begin with [SELF]/[OTHER]")


def varied(examples: list[Example], random: np.random.Generator) -> Iterator[Example]:
    """Yield GoEmotions' lines, some after an unrelated line, some as the end of what was said."""
    for example, dice in zip(examples, random.random(len(examples)), strict=True):
        if dice < STRANGE:
            other = examples[int(random.integers(len(examples)))].text
            who = (OTHER, SELF)[int(random.integers(4)) == 0]
            yield Example(example.text, ((who, other),), example.targets)
        elif dice < STRANGE + CUT and len(parts := _SENTENCE_END.split(example.text)) > 1:
            context = ((SELF, " ".join(parts[:-1])),)
            yield Example(parts[-1], context, example.targets)
        else:
            yield example


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Token numbers (n, t), the sentences' lengths (n,), and targets (n, width) with NaN gaps."""

    tokens: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    sentence: np.ndarray[tuple[int], np.dtype[np.int64]]
    targets: dict[str, FloatArray]


def batches(
    examples: Iterable[Example],
    pieces: WordPiece,
    tasks: dict[str, int],
    size: int,
    random: np.random.Generator | None = None,
) -> list[Batch]:
    """Return batches of examples of like length, in a random order if ``random`` is given."""
    laid = []
    for example in examples:
        context = [(who, pieces.encode(text)) for who, text in example.context]
        laid.append((*pieces.layout(pieces.encode(example.text), context), example.targets))
    order = np.arange(len(laid))
    if random is not None:
        order = random.permutation(order)
    # ties stay in the random order: no batch is the same in the next epoch
    order = order[np.argsort([len(laid[i][0]) for i in order], kind="stable")]
    groups = [order[at : at + size] for at in range(0, len(order), size)]
    out = [_batch([laid[i] for i in group], tasks) for group in groups]
    return [out[i] for i in random.permutation(len(out))] if random is not None else out


def _batch(
    laid: list[tuple[list[int], int, dict[str, FloatArray]]], tasks: dict[str, int]
) -> Batch:
    width = max(len(tokens) for tokens, _, _ in laid)
    table = np.zeros((len(laid), width), np.int64)
    targets = {name: np.full((len(laid), n), np.nan, np.float32) for name, n in tasks.items()}
    for i, (tokens, _, known) in enumerate(laid):
        table[i, : len(tokens)] = tokens
        for name in known.keys() & tasks.keys():
            targets[name][i] = known[name]
    return Batch(table, np.array([length for _, length, _ in laid]), targets)
