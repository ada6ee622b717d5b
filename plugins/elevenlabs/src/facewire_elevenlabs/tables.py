"""The tables in ``data/tables.yaml``, checked: models, voices, and how labels are said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import yaml
from facewire.emotion import LABELS


@dataclass(frozen=True, slots=True)
class Model:
    """What one of the service's models takes: see the data file."""

    least: int
    most: int
    tags: bool
    previous: bool
    language: bool
    stability: tuple[float, ...]
    credits: float


@dataclass(frozen=True, slots=True)
class Label:
    """A label's base emotion, and its audio tag (``""`` for none)."""

    base: str
    tag: str


@dataclass(frozen=True, slots=True)
class Tables:
    """All of the data file; ``batch`` and ``live`` name the two default models."""

    models: Mapping[str, Model]
    batch: str
    live: str
    voices: Mapping[str, str]
    labels: Mapping[str, Label]


def read_tables(tree: Any) -> Tables:
    """Check what was read from the data file; ValueError if it does not fit together."""
    tables = msgspec.convert(tree, Tables)
    if not {tables.batch, tables.live} <= set(tables.models):
        raise ValueError(f"tables.yaml: {tables.batch} or {tables.live} is no model")
    if tuple(tables.labels) != LABELS:
        raise ValueError("tables.yaml: labels are not Facewire's 16, in their order")
    for name, label in tables.labels.items():
        if label.base not in tables.voices or tables.labels[label.base].base != label.base:
            raise ValueError(f"tables.yaml: {name}: '{label.base}' is no base emotion with a voice")
        if bool(label.tag) == (name == "neutral") or not re.fullmatch(r"(\[[a-z ]+\])?", label.tag):
            raise ValueError(f"tables.yaml: {name}: '{label.tag}' is no audio tag")
    for name, model in tables.models.items():
        if not 0 <= model.least < model.most:
            raise ValueError(f"tables.yaml: {name}: least and most are {model.least}, {model.most}")
    return tables


@cache
def tables() -> Tables:
    """Return the tables."""
    text = files("facewire_elevenlabs").joinpath("data/tables.yaml").read_text("utf-8")
    return read_tables(yaml.safe_load(text))
