"""Loads the plugin's tables of numbers and checks them against the dataclasses that hold them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import yaml

Range = tuple[float, float]
T = TypeVar("T")


@cache
def load(name: str, shape: type[T]) -> T:
    """Return ``data/<name>.yaml`` as ``shape``: a dataclass of floats, ranges and such tables.

    ValueError if a key is missing or unknown, a value is no finite number, or a range descends.
    """
    text = files("facewire_idle").joinpath(f"data/{name}.yaml").read_text("utf-8")
    return _convert(yaml.safe_load(text), shape, f"{name}.yaml")  # type: ignore[no-any-return]


def _convert(found: Any, shape: Any, where: str) -> Any:
    if is_dataclass(shape) and isinstance(shape, type):
        hints = get_type_hints(shape)
        expected = [field.name for field in fields(shape)]
        if not isinstance(found, dict) or set(found) != set(expected):
            raise ValueError(f"{where}: found {found!r}, expected the keys {expected}")
        inside = {key: _convert(found[key], hints[key], f"{where}: {key}") for key in expected}
        return shape(**inside)
    if get_origin(shape) is dict:
        if not isinstance(found, dict):
            raise ValueError(f"{where}: found {found!r}, expected a table")
        inner = get_args(shape)[1]
        return {key: _convert(value, inner, f"{where}: {key}") for key, value in found.items()}
    if get_origin(shape) is tuple:
        return _numbers(found, get_args(shape), where)
    return _number(found, where)


def _numbers(found: Any, shape: tuple[Any, ...], where: str) -> tuple[float, ...]:
    if not isinstance(found, list) or (... not in shape and len(found) != len(shape)):
        raise ValueError(f"{where}: found {found!r}, expected {len(shape)} numbers")
    values = tuple(_number(value, where) for value in found)
    if shape == (float, float) and values[0] > values[1]:
        raise ValueError(f"{where}: found {found!r}, expected a range that ascends")
    return values


def _number(found: Any, where: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not isfinite(found):
        raise ValueError(f"{where}: found {found!r}, expected a finite number")
    return float(found)
