"""The tables of names and weights, read once and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from facewire.rig import Rig
from facewire.types import FloatArray

CHANNELS = Rig.named("arkit52").channels


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Named values that are linear in others, each held in a range.

    ``weights`` (inputs, names), ``base``, ``low`` and ``high`` (names,).
    """

    names: tuple[str, ...]
    weights: FloatArray
    base: FloatArray
    low: FloatArray
    high: FloatArray

    def apply(self, inputs: FloatArray) -> FloatArray:
        """Return the values (names,) of one row of inputs (inputs,)."""
        values: FloatArray = np.clip(inputs @ self.weights + self.base, self.low, self.high)
        return values


@dataclass(frozen=True, slots=True, eq=False)
class Unified:
    """Unified Expressions: shapes from channels, and VRCFaceTracking's parameters from shapes.

    ``shapes`` takes a row (61,); ``larger`` are pairs of shape columns whose larger value is one
    more shape; ``parameters`` takes all of them.
    """

    shapes: Table
    larger: tuple[tuple[int, int], ...]
    parameters: Table

    def apply(self, row: FloatArray) -> FloatArray:
        """Return the parameters (names,) of a row (61,)."""
        shapes = self.shapes.apply(row)
        return self.parameters.apply(
            np.concatenate(
                [shapes, [max(shapes[one], shapes[other]) for one, other in self.larger]]
            )
        )


def _read(name: str) -> Any:
    return yaml.safe_load(files("facewire_osc").joinpath("data", name).read_text("utf-8"))


@cache
def names(column: str) -> dict[str, tuple[str, ...]]:
    """Return channel -> its names in ``names.yaml``'s column (ifacialmocap, unified, xrfb)."""
    data = _read("names.yaml")
    if not isinstance(data, dict) or tuple(data) != CHANNELS:
        raise ValueError("names.yaml: expected ARKit's 52 channels in the rig's order")
    found: dict[str, tuple[str, ...]] = {}
    for channel, row in data.items():
        value = row.get(column)
        given = value if isinstance(value, list) else [value]
        if not given or not all(isinstance(name, str) and name for name in given):
            raise ValueError(f"names.yaml: {channel}.{column}: expected names, found {value!r}")
        found[channel] = tuple(given)
    return found


@cache
def facecap_order() -> tuple[str, ...]:
    """Return the channels in the order of Face Cap's indices."""
    order = tuple(_read("facecap.yaml")["order"])
    if sorted(order) != sorted(CHANNELS):
        raise ValueError("facecap.yaml: order: expected each of ARKit's 52 channels once")
    return order


@cache
def steamlink(inputs: tuple[str, ...]) -> Table:
    """Return Steam Link's expressions from channels ``inputs``."""
    expressions = _read("steamlink.yaml")["expressions"]
    rows: dict[str, dict[str, float]] = {name: {} for name in expressions}
    if len(rows) != len(expressions):
        raise ValueError("steamlink.yaml: an expression is named twice")
    for channel, targets in names("xrfb").items():
        for target in targets:
            if target not in rows:
                raise ValueError(f"names.yaml: {channel}.xrfb: '{target}' is not in steamlink.yaml")
            rows[target][channel] = 1.0
    return table("steamlink.yaml", rows, inputs)


@cache
def unified(inputs: tuple[str, ...]) -> Unified:
    """Return Unified Expressions from channels ``inputs``."""
    shapes: dict[str, dict[str, float]] = {}
    for channel, targets in names("unified").items():
        for target in targets:
            shapes.setdefault(target, {})[channel] = 1.0
    data = _read("unified.yaml")
    order = tuple(shapes)
    for name, pair in data["larger"].items():
        if len(pair) != 2 or not set(pair) <= set(order):
            raise ValueError(f"unified.yaml: larger.{name}: expected two shapes, found {pair}")
    larger = tuple((order.index(one), order.index(other)) for one, other in data["larger"].values())
    return Unified(
        table("names.yaml", shapes, inputs),
        larger,
        table("unified.yaml", data["parameters"], (*order, *data["larger"])),
    )


@cache
def vrm(version: str, inputs: tuple[str, ...]) -> Table:
    """Return the expressions of VRM 0 or 1 (``vrm0``, ``vrm1``) from channels ``inputs``."""
    rows, other = _read("vrm.yaml")["expressions"], _read("vrm.yaml")["vrm0"]
    if not set(other) <= set(rows):
        raise ValueError("vrm.yaml: vrm0: expected names of expressions as keys")
    if version == "vrm0":
        rows = {other[name]: row for name, row in rows.items() if name in other}
    return table("vrm.yaml", rows, inputs)


@cache
def vtubestudio(inputs: tuple[str, ...]) -> Table:
    """Return VTube Studio's default parameters from channels ``inputs``."""
    return table("vtubestudio.yaml", _read("vtubestudio.yaml"), inputs)


def table(where: str, rows: Mapping[str, Mapping[str, float]], inputs: Sequence[str]) -> Table:
    """Return rows ``name: {input: weight, base: 0, low: 0, high: 1}`` as arrays.

    ValueError where an input is unknown, a number is none, or a range is empty.
    """
    column = {name: i for i, name in enumerate(inputs)}
    weights = np.zeros((len(inputs), len(rows)), np.float32)
    ends = np.zeros((3, len(rows)), np.float32)
    for i, (name, row) in enumerate(rows.items()):
        given = {"base": 0.0, "low": 0.0, "high": 1.0, **row}
        for key, value in given.items():
            _check(f"{where}: {name}.{key}", key in column or key in _ENDS, value)
        ends[:, i] = [given.pop(end) for end in _ENDS]
        for key, value in given.items():
            weights[column[key], i] = value
        if not ends[1, i] < ends[2, i]:
            raise ValueError(f"{where}: {name}: low is not below high")
    return Table(tuple(rows), weights, *ends)


_ENDS = ("base", "low", "high")


def _check(where: str, known: bool, value: object) -> None:
    if not known:
        raise ValueError(f"{where}: unknown")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value):  # type: ignore[arg-type]
        raise ValueError(f"{where}: expected a finite number, found {value!r}")
