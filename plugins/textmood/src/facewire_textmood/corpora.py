"""The corpora's file formats: GoEmotions (TSV) and EmoBank (CSV).

Demszky et al., GoEmotions, 2020: ``text <tab> label,label <tab> id`` with label numbers by line of
``labels.txt``. Buechel and Hahn, EmoBank, 2017: a table with the columns V, A, D (1 to 5) and text.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from facewire.errors import InputError
from facewire.types import FloatArray

# The order of the labels is that of the published files.
ORIGINAL = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion",
    "curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment",
    "excitement", "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism", "pride",
    "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip
EKMAN = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
LABEL_SETS = {"original": ORIGINAL, "ekman": EKMAN}


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Texts with labels: ``targets`` (n, len(labels)) of 0 and 1."""

    labels: tuple[str, ...]
    texts: list[str]
    targets: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """Texts with ratings: ``vad`` (n, 3) from 1 to 5. ``ids`` and ``splits`` may be empty words."""

    texts: list[str]
    vad: FloatArray
    ids: list[str]
    splits: list[str]


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise InputError(f"{path}: cannot be read ({reason}); name a text file") from None
    return text.split("\n")


def label_set(path: Path, named: str | None = None) -> tuple[str, ...]:
    """Return the labels of a GoEmotions file: ``labels.txt`` beside it, else a named set.

    InputError if there is neither, or if they are none of the two sets.
    """
    beside = path.parent / "labels.txt"
    if beside.is_file():
        found = tuple(line.strip() for line in _lines(beside) if line.strip())
        if set(found) not in (set(ORIGINAL), set(EKMAN)):
            raise InputError(f"{beside}: found {len(found)} labels, expected GoEmotions' 28 or 7")
        return found
    if named is None:
        raise InputError(f"{path}: no labels.txt beside it; say --labels ekman or original")
    return LABEL_SETS[named]


def read_goemotions(path: Path, labels: Sequence[str]) -> Labelled:
    """Read a GoEmotions file; InputError with the line that is wrong."""
    texts: list[str] = []
    rows: list[list[int]] = []
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        parts = line.rstrip("\r").split("\t")
        marks = parts[1].split(",") if len(parts) > 1 else []
        if not marks or not all(m.isdecimal() and int(m) < len(labels) for m in marks):
            raise InputError(
                f"{path}:{number}: found {line[:40]!r}, expected text, tab, "
                f"label numbers 0 to {len(labels) - 1}"
            )
        texts.append(parts[0])
        rows.append([int(mark) for mark in marks])
    if not texts:
        raise InputError(f"{path}: found no line, expected text, tab, label numbers")
    targets = np.zeros((len(texts), len(labels)), np.float32)
    for row, numbers in zip(targets, rows, strict=True):
        row[numbers] = 1.0
    return Labelled(tuple(labels), texts, targets)


def read_emobank(path: Path) -> Rated:
    """Read an EmoBank file; InputError with the line that is wrong."""
    rows = list(csv.DictReader(_lines(path)))
    if not rows or not {"V", "A", "D", "text"} <= set(rows[0]):
        raise InputError(f"{path}: expected a CSV table with the columns V, A, D and text")
    vad = np.zeros((len(rows), 3), np.float32)
    for number, row in enumerate(rows, 2):
        try:
            vad[number - 2] = [float(row[axis]) for axis in "VAD"]
            assert row["text"] is not None
        except (TypeError, ValueError, AssertionError):
            found = [row.get(axis) for axis in "VAD"]
            raise InputError(
                f"{path}: row {number}: found V, A, D {found}, expected three numbers and a text"
            ) from None
    return Rated(
        [row["text"] for row in rows],
        vad,
        [row.get("id") or "" for row in rows],
        [row.get("split") or "" for row in rows],
    )
