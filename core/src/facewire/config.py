"""Fill a component's config dataclass from a profile's options, and say exactly what is wrong.

msgspec checks the leaves. It ignores unknown keys of dataclasses and knows neither Path nor
Fraction, so dataclasses and containers are walked here: that also gives every error its place.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from facewire.errors import FacewireError, ProfileError, nearest
from facewire.yaml_loader import scalar, show

MAX_FPS = 1000
# SMPTE ST 12-1: the rates written 23.976, 29.97, 59.94 … are these times 1000/1001.
_NTSC = (24, 30, 48, 60, 72, 96, 120, 240)
_RATE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}|/0*[1-9][0-9]{0,8})?")
_NAMES: dict[Any, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "text",
    Path: "a path",
    Fraction: "a frame rate such as 30, 29.97 or 30000/1001",
    NoneType: "null",
    Any: "a value",
}


class EnvText(str):
    """Text that came from the environment: read as a number or boolean where one is expected."""

    __slots__ = ()


def frame_rate(value: int | float | str) -> Fraction:
    """Return a frame rate exactly: 29.97 is 30000/1001. ValueError unless it is 1 to 1000.

    Text is a decimal number or a quotient of integers (``"30000/1001"``).
    """
    # Fraction() itself would take "1e999999999" and never return.
    if isinstance(value, bool) or not _RATE.fullmatch(str(value)):
        raise ValueError(f"expected {_NAMES[Fraction]}")
    rate = Fraction(str(value))
    for whole in _NTSC:
        exact = Fraction(whole * 1000, 1001)
        # 23.976, 23.98 and 23.97602 all mean the same; 24 itself is .024 away.
        if rate.denominator != 1 and abs(rate - exact) < Fraction(6, 1000):
            rate = exact
    if not 1 <= rate <= MAX_FPS:
        raise ValueError(f"expected 1 to {MAX_FPS} frames a second")
    return rate


def found(value: Any) -> str:
    """Return how a value is called in an error."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return show(str(value))
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else show(str(value)).strip("'")


def members(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type alone."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def is_list(kind: Any) -> bool:
    """Tell whether a type is read from a YAML list."""
    return kind in (list, tuple) or get_origin(kind) in (list, tuple, Sequence)


def is_mapping(kind: Any) -> bool:
    """Tell whether a type is read from a YAML mapping of free keys."""
    return kind in (dict, Mapping) or get_origin(kind) in (dict, Mapping)


def expected(kind: Any) -> str:
    """Return how a type is called in an error and in the docs."""
    if len(members(kind)) > 1:
        return " or ".join(expected(member) for member in members(kind))
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(kind))
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return f"a mapping of {', '.join(f.name for f in dataclasses.fields(kind) if f.init)}"
    if is_list(kind):
        args = get_args(kind)
        if not args or args[-1] is Ellipsis or len(args) == 1:
            return f"a list (each {expected(args[0])})" if args else "a list"
        return f"a list of {len(args)} ({', '.join(expected(arg) for arg in args)})"
    return "a mapping" if is_mapping(kind) else _NAMES.get(kind, getattr(kind, "__name__", "?"))


def _mismatch(value: Any, kind: Any, where: str) -> ProfileError:
    words = [choice for member in members(kind) for choice in get_args(member)]
    choices = [word for word in words if isinstance(word, str)]
    near = nearest(value, choices) if isinstance(value, str) else ""
    return ProfileError(f"{where}: found {found(value)}, expected {expected(kind)}{near}")


def convert(options: Mapping[str, Any], config_type: type, where: str) -> Any:
    """Return a config of ``config_type`` (a dataclass) filled from a profile's options.

    ``where`` is the component's place (``default.yaml: sinks[0]``). ProfileError in one line for
    unknown and missing keys, wrong types, NaN, and what ``__post_init__`` refuses by ValueError.
    Values keep their type: text is never read as a number, an integer is never a boolean. Paths
    stay as written; the component resolves them against ``context.base``.
    """
    hints = get_type_hints(config_type)
    fields = {field.name: field for field in dataclasses.fields(config_type) if field.init}
    check_keys(options, fields, where)
    for name, field in fields.items():
        lacks_default = field.default is field.default_factory is dataclasses.MISSING
        if lacks_default and name not in options:
            raise ProfileError(f"{place(where, name)}: missing, expected {expected(hints[name])}")
    given = {key: read(value, hints[key], place(where, key)) for key, value in options.items()}
    try:
        return config_type(**given)
    except FacewireError:
        raise
    except ValueError as error:
        raise ProfileError(f"{where}: {' '.join(str(error).split())}") from None


def check_keys(options: Mapping[Any, Any], known: Iterable[str], where: str) -> None:
    """Refuse a key that is not known, with the nearest that is."""
    known = list(known)
    for key in options:
        if not isinstance(key, str) or key not in known:
            name = str(key) if re.fullmatch(r"[\w.-]{1,40}", str(key)) else found(key)
            listed = f"known: {', '.join(known)}" if known else "it has none"
            near = nearest(str(key), known)
            raise ProfileError(f"{place(where, name)}: unknown key{near} ({listed})")


def place(where: str, key: str) -> str:
    """Return the place of a key: ``default.yaml: fps``, and below that ``default.yaml: fps.x``."""
    return f"{where}.{key}" if ": " in where else f"{where}: {key}"


def read(value: Any, kind: Any, where: str) -> Any:
    """Return ``value`` as the type ``kind``; ProfileError with ``where`` if it is not one."""
    if isinstance(value, EnvText):
        return _from_environment(value, kind, where)
    if len(members(kind)) > 1:
        return _read_union(value, kind, where)
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, Mapping):
            raise _mismatch(value, kind, where)
        return convert(value, kind, where)
    if is_list(kind):
        return _read_list(value, kind, where)
    if is_mapping(kind):
        return _read_mapping(value, kind, where)
    return _read_leaf(value, kind, where)


def _from_environment(value: EnvText, kind: Any, where: str) -> Any:
    try:
        return read(scalar(str(value)), kind, where)
    except (ProfileError, ValueError):
        return read(str(value), kind, where)


def _read_union(value: Any, kind: Any, where: str) -> Any:
    others = [member for member in members(kind) if member is not NoneType]
    if value is not None and len(others) == 1:
        return read(value, others[0], where)
    for member in others:
        nested = is_mapping(member) or dataclasses.is_dataclass(member)
        if (nested and isinstance(value, Mapping)) or (is_list(member) and isinstance(value, list)):
            return read(value, member, where)  # its errors say more than the union's
    for member in members(kind):
        try:
            return read(value, member, where)
        except ProfileError:
            continue
    raise _mismatch(value, kind, where)


def _read_list(value: Any, kind: Any, where: str) -> Any:
    args = get_args(kind) or (Any, ...)
    if not isinstance(value, list | tuple):
        raise _mismatch(value, kind, where)
    any_length = args[-1] is Ellipsis or get_origin(kind) is not tuple
    if not any_length and len(value) != len(args):
        raise ProfileError(f"{where}: found {len(value)} values, expected {expected(kind)}")
    kinds = [args[0]] * len(value) if any_length else args
    pairs = enumerate(zip(value, kinds, strict=True))
    items = [read(item, item_kind, f"{where}[{i}]") for i, (item, item_kind) in pairs]
    return items if list in (kind, get_origin(kind)) else tuple(items)


def _read_mapping(value: Any, kind: Any, where: str) -> dict[Any, Any]:
    key_kind, value_kind = get_args(kind) or (Any, Any)
    if not isinstance(value, Mapping):
        raise _mismatch(value, kind, where)
    read_items = {}
    for key, item in value.items():
        name = key if str(key).isprintable() else found(key)
        new = read(key, key_kind, f"{where}, key {found(key)}")
        read_items[new] = read(item, value_kind, f"{where}.{name}")
    return read_items


def _decode(kind: type, value: Any) -> Any:
    """Convert the types that msgspec does not know."""
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    if kind is Fraction and isinstance(value, int | float | str):
        return frame_rate(value)
    raise ValueError


def _read_leaf(value: Any, kind: Any, where: str) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ProfileError(f"{where}: found {value}, expected a finite number")
    if isinstance(value, kind if isinstance(kind, type) else ()) and type(value) is not bool:
        return value
    try:
        return msgspec.convert(value, kind, dec_hook=_decode)
    except (msgspec.ValidationError, ValueError) as error:
        # A hook's own words ("expected 1 to 1000 frames a second") say more than the type's name.
        said = str(error).split(" - at ")[0]
        if said.startswith("expected"):
            raise ProfileError(f"{where}: found {found(value)}, {said}") from None
        raise _mismatch(value, kind, where) from None
