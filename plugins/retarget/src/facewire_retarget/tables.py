"""Tables of channels in YAML, read once and checked. Errors are one line and say where."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from facewire.errors import ProfileError, nearest
from facewire.rig import Rig
from facewire.yaml_loader import load_yaml

GAP = "gap"
"""The input that is no channel: the lips' gap, never below 0 (jawOpen = 1)."""
INPUTS = (*Rig.named("arkit61").channels, *Rig.named("arkit52_tongue").channels[52:], GAP)
_KEYS = ("from", "ratio", "dead", "curve", "gain", "offset", "low", "high", "closed")
_TOP = ("rig", "about", "mirror", "channels")
Mix = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """How one channel is made: ``inputs`` mixed, dead zone, curve, gain and offset, range, lips.

    ``ratio`` (above, below) stands for the mix where it is given. ``closed``: what the channel is
    where the lips are closed.
    """

    inputs: Mix = field(default_factory=dict)
    ratio: tuple[str, str] | None = None
    dead: float = 0.0
    curve: tuple[tuple[float, float], ...] = ()
    gain: float = 1.0
    offset: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    closed: Mix | float | None = None

    @property
    def read(self) -> tuple[str, ...]:
        """The names of all inputs that it is made of."""
        closed = self.closed if isinstance(self.closed, Mapping) else {}
        return (*(self.ratio or self.inputs), *closed)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the rows of the channels it makes. ``rig`` None keeps the rig it is given."""

    name: str
    about: str
    rig: Rig | None
    mirror: bool
    rows: Mapping[str, Row]


def names() -> list[str]:
    """Return the names of the tables that come with the plugin."""
    folder = files("facewire_retarget").joinpath("data")
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".yaml"))


def find(table: str, base: Path) -> Table:
    """Return a table by its name, or by its path from ``base``; ProfileError if there is none."""
    if table in names():
        return shipped(table)
    path = base / table
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise ProfileError(
            f"retarget: no table '{table}'{nearest(table, names())} "
            f"(known: {', '.join(names())}; or the path of a .yaml file)"
        )
    return read(load_yaml(path, str(path)), path.stem, str(path))


@cache
def shipped(name: str) -> Table:
    """Return a table that comes with the plugin."""
    path = Path(str(files("facewire_retarget").joinpath("data", f"{name}.yaml")))
    return read(load_yaml(path, path.name), name, path.name)


def read(data: Any, name: str, where: str) -> Table:
    """Return a table from what its YAML holds; ProfileError that says what is wrong."""
    _keys(data, _TOP, where)
    if not isinstance(data.get("mirror", False), bool):
        raise ProfileError(f"{where}: mirror: found {data['mirror']!r}, expected true or false")
    given = data.get("channels") or {}
    if not isinstance(given, dict) or not (given or data.get("mirror")):
        raise ProfileError(f"{where}: channels: expected channels with what they are made of")
    keeps = data.get("rig") is None
    rows = {str(to): _row(row, str(to), keeps, f"{where}: {to}") for to, row in given.items()}
    if not keeps and data.get("mirror"):
        raise ProfileError(f"{where}: mirror: only a table without 'rig' can have it")
    rig = None if keeps else Rig(str(data["rig"]), tuple(rows))
    return Table(name, str(data.get("about", "")), rig, bool(data.get("mirror")), rows)


def _keys(found: Any, known: Collection[str], where: str) -> None:
    if not isinstance(found, dict):
        raise ProfileError(f"{where}: found {found!r}, expected a mapping of {', '.join(known)}")
    for key in found:
        if key not in known:
            raise ProfileError(
                f"{where}: '{key}' is unknown{nearest(str(key), known)} (known: {', '.join(known)})"
            )


def _row(data: Any, channel: str, keeps: bool, where: str) -> Row:
    """Read one channel: a mix alone (``{jawOpen: 1}``), or a mapping of ``from`` and the rest."""
    if keeps and channel not in INPUTS:
        raise ProfileError(f"{where}: no such channel{nearest(channel, INPUTS)}")
    if isinstance(data, dict) and not set(data) & set(_KEYS):
        data = {"from": data}
    _keys(data, _KEYS, where)
    own = {channel: 1.0} if keeps else {}
    ends = (-math.inf, math.inf) if keeps else (0.0, 1.0)
    low = number(data.get("low", ends[0]), f"{where}: low", ends[0])
    high = number(data.get("high", ends[1]), f"{where}: high", ends[1])
    if not low < high:
        raise ProfileError(f"{where}: low is {low:g} and high {high:g}, expected low below high")
    return Row(
        _mix(data["from"], f"{where}: from") if "from" in data else own,
        _ratio(data.get("ratio"), f"{where}: ratio"),
        _dead(data.get("dead", 0.0), f"{where}: dead"),
        _curve(data.get("curve"), f"{where}: curve"),
        number(data.get("gain", 1.0), f"{where}: gain"),
        number(data.get("offset", 0.0), f"{where}: offset"),
        low,
        high,
        _closed(data.get("closed"), f"{where}: closed"),
    )


def _closed(found: Any, where: str) -> Mix | float | None:
    if found is None or not isinstance(found, dict):
        return None if found is None else number(found, where)
    return _mix(found, where)


def number(found: Any, where: str, endless: float = math.nan) -> float:
    """Return a finite number, or ``null`` (and ``endless`` itself) as no bound."""
    if found is None and not math.isnan(endless):
        return -math.inf if where.endswith("low") else math.inf
    real = isinstance(found, int | float) and not isinstance(found, bool)
    if not real or not (math.isfinite(found) or found == endless):
        raise ProfileError(f"{where}: found {found!r}, expected a number")
    return float(found)


def _dead(found: Any, where: str) -> float:
    value = number(found, where)
    if not 0.0 <= value < 1.0:
        raise ProfileError(f"{where}: found {value:g}, expected 0 to below 1")
    return value


def _mix(found: Any, where: str) -> dict[str, float]:
    if not isinstance(found, dict):
        raise ProfileError(f"{where}: found {found!r}, expected channels and weights")
    return {_known(key, where): number(value, f"{where}: {key}") for key, value in found.items()}


def _known(name: Any, where: str) -> str:
    if name not in INPUTS:
        raise ProfileError(f"{where}: '{name}' is no channel{nearest(str(name), INPUTS)}")
    return str(name)


def _ratio(found: Any, where: str) -> tuple[str, str] | None:
    if found is None:
        return None
    if not isinstance(found, list) or len(found) != 2:
        raise ProfileError(f"{where}: found {found!r}, expected two channels: [above, below]")
    return _known(found[0], where), _known(found[1], where)


def _curve(found: Any, where: str) -> tuple[tuple[float, float], ...]:
    if found is None:
        return ()
    if not isinstance(found, list) or len(found) < 2:
        raise ProfileError(f"{where}: found {found!r}, expected points such as [[0, 0], [1, 0.8]]")
    points = []
    for i, point in enumerate(found):
        if not isinstance(point, list) or len(point) != 2:
            raise ProfileError(f"{where}[{i}]: found {point!r}, expected [in, out]")
        points.append((number(point[0], f"{where}[{i}]"), number(point[1], f"{where}[{i}]")))
    if any(a[0] >= b[0] for a, b in pairwise(points)):
        raise ProfileError(f"{where}: expected points with rising first numbers")
    return tuple(points)
