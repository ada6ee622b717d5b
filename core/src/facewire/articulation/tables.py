"""Read and check the tables of numbers under ``data/articulation``."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import yaml


def load_yaml(text: str, name: str, keys: Collection[str]) -> dict[str, Any]:
    """Return a YAML mapping that has exactly ``keys`` (ValueError otherwise, naming the file)."""
    data = yaml.safe_load(text)
    if not isinstance(data, dict) or set(data) != set(keys):
        raise ValueError(f"{name}: expected the keys {', '.join(keys)}, found {list(data)}")
    return data


def numbers(row: object, where: str) -> dict[str, float]:
    """Return a mapping of names to finite numbers (ValueError otherwise)."""
    if not isinstance(row, dict):
        raise ValueError(f"{where}: expected names and numbers, found {row!r}")
    for name, value in row.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value):
            raise ValueError(f"{where}: {name}: expected a finite number, found {value!r}")
    return {str(name): float(value) for name, value in row.items()}


def load_numbers(text: str, name: str, keys: Collection[str]) -> dict[str, dict[str, float]]:
    """Return a YAML mapping of ``keys`` to mappings of names to finite numbers."""
    data = load_yaml(text, name, keys)
    return {key: numbers(data[key], f"{name}: {key}") for key in keys}
