"""The extractor's tables: read once, checked, and kept."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

VOWELS = frozenset(
    ["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"]
)
PHONES = VOWELS | frozenset(
    [
        "B",
        "CH",
        "D",
        "DH",
        "F",
        "G",
        "HH",
        "JH",
        "K",
        "L",
        "M",
        "N",
        "NG",
        "P",
        "R",
        "S",
        "SH",
        "T",
        "TH",
        "V",
        "W",
        "Y",
        "Z",
        "ZH",
    ]
)
"""The phones of the English acoustic model (ARPAbet), silence and noise left out."""


def _load(name: str) -> dict[str, Any]:
    text = files("facewire_phonemes").joinpath("lexdata", name).read_text("utf-8")
    table = yaml.safe_load(text)
    if not isinstance(table, dict):
        raise ValueError(f"{name}: expected a mapping, found {type(table).__name__}")
    return table


def _phones(name: str, key: str, text: str) -> tuple[str, ...]:
    phones = tuple(text.split())
    wrong = [phone for phone in phones if phone not in PHONES]
    if wrong:
        raise ValueError(f"{name}: '{key}' has unknown phones {wrong}")
    return phones


@cache
def spellings(name: str) -> dict[str, tuple[str, ...]]:
    """Return a table of symbols to phones: ``ipa.yaml`` or ``letters.yaml``."""
    return {key: _phones(name, key, text) for key, text in _load(name).items()}


@cache
def letters() -> dict[str, tuple[str, ...]]:
    """Return the names of the letters a to z, as phones."""
    table = text()["letters"]
    return {key: _phones("text.yaml", key, value) for key, value in table.items()}


@cache
def text() -> dict[str, Any]:
    """Return how abbreviations, symbols and numbers are spoken (``text.yaml``)."""
    return _load("text.yaml")


@cache
def durations() -> dict[str, float]:
    """Return each phone's typical length in milliseconds."""
    table = {phone: float(ms) for phone, ms in _load("durations.yaml").items()}
    if set(table) != PHONES or min(table.values()) <= 0:
        raise ValueError("durations.yaml: expected a positive number for each phone")
    return table
