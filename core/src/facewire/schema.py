"""JSON Schema (draft 2020-12) of profiles, so that an editor completes and checks them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from facewire.config import is_list, is_mapping, members
from facewire.docstrings import field_docs
from facewire.profile import COMPONENT_KEYS, KEYS, Profile, Speaker
from facewire.profile_values import RATES
from facewire.rig import rigs
from facewire.types import Component, Kind

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"

# A number or boolean may come from the environment, and is text until it is read.
_ENV: Schema = {"type": "string", "pattern": r"\$\{[A-Za-z_]\w*"}
_SUBJECT: Schema = {
    "type": "string",
    "description": "Of several speakers with subjects, the one whose face it gets.",
}
_LEAVES: dict[Any, Schema] = {
    bool: {"anyOf": [{"type": "boolean"}, _ENV]},
    int: {"anyOf": [{"type": "integer"}, _ENV]},
    float: {"anyOf": [{"type": "number"}, _ENV]},
    str: {"type": "string"},
    Path: {"type": "string", "minLength": 1},
    Fraction: {"type": ["number", "string"]},
    NoneType: {"type": "null"},
    Any: {},
}


def type_schema(kind: Any) -> Schema:
    """Return the schema of a config field's type."""
    if len(members(kind)) > 1:
        return {"anyOf": [type_schema(member) for member in members(kind)]}
    if get_origin(kind) is Literal:
        return {"anyOf": [{"enum": list(get_args(kind))}, _ENV]}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return dataclass_schema(kind)
    if is_list(kind):
        return _list_schema(kind)
    if is_mapping(kind):
        args = get_args(kind)
        return {"type": "object", "additionalProperties": type_schema(args[1]) if args else True}
    return _LEAVES.get(kind, {})


def _list_schema(kind: Any) -> Schema:
    args = get_args(kind) or (Any, ...)
    if args[-1] is Ellipsis or get_origin(kind) is not tuple:
        return {"type": "array", "items": type_schema(args[0])}
    count = len(args)
    items = [type_schema(arg) for arg in args]
    return {"type": "array", "prefixItems": items, "minItems": count, "maxItems": count}


def dataclass_schema(kind: type) -> Schema:
    """Return the schema of a config dataclass: its fields, their defaults and meanings."""
    hints, docs = get_type_hints(kind), field_docs(kind)
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for item in dataclasses.fields(kind):
        if not item.init:
            continue
        schema = dict(type_schema(hints[item.name]))
        if docs[item.name]:
            schema["description"] = docs[item.name]
        if item.default is not dataclasses.MISSING:
            schema["default"] = _plain(item.default)
        elif item.default_factory is not dataclasses.MISSING:
            schema["default"] = _plain(item.default_factory())
        else:
            required.append(item.name)
        properties[item.name] = schema
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _plain(value: Any) -> Any:
    """Return a default as JSON can write it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def component_schema(component: Component) -> Schema:
    """Return the schema of one component: its bare name, or ``use`` with its options."""
    schema = dataclass_schema(component.config)
    use = {"const": component.name, "description": component.summary}
    required = ["use", *schema.get("required", ())]
    schema = schema | {"properties": {"use": use, **schema["properties"]}, "required": required}
    about = {"title": component.name, "description": component.summary}
    if len(required) > 1:  # the bare name would leave out what it needs
        return about | schema
    return about | {"oneOf": [{"const": component.name}, schema]}


def _kind_schema(kind: Kind, components: Sequence[Component]) -> Schema:
    """Return the schema of a component of one kind. Where none is installed, any will do."""
    if not components:
        return {"type": ["string", "object"]}
    schemas = [component_schema(component) for component in components]
    if kind == "sink":
        for schema in schemas:
            schema.get("oneOf", [schema])[-1]["properties"].setdefault("subject", _SUBJECT)
    return {"oneOf": schemas}


def _key_schema(key: str, hint: Any) -> Schema:
    if key in COMPONENT_KEYS:
        shape, kind = COMPONENT_KEYS[key]
        one = {"$ref": f"#/$defs/{kind}"}
        many = {"type": "array", "items": one}
        last = {"one": one, "first": many, "all": many}[shape]
        return {"anyOf": [{"type": "null"}, *([one] if shape == "first" else []), last]}
    if key == "rate":
        number = {"type": "integer", "minimum": RATES[0], "maximum": RATES[1]}
        return {"anyOf": [number, {"type": "null"}, _ENV]}
    if key == "rig":
        return {"anyOf": [{"enum": list(rigs())}, _ENV]}
    if key == "speakers":
        return {"type": "object", "additionalProperties": _speaker_schema()}
    return dict(type_schema(hint))


def _speaker_schema() -> Schema:
    schema = dataclass_schema(Speaker)
    voice = _key_schema("voice", None) | {"description": field_docs(Speaker)["voice"]}
    schema["properties"]["voice"] = voice
    return schema


def profile_schema(catalogue: Mapping[Kind, Sequence[Component]]) -> Schema:
    """Return the schema of a profile with the components of a catalogue.

    ``sinks`` is required only where nothing is extended. One schema serves one installation: it
    knows the components that are installed, and no others.
    """
    hints, docs = get_type_hints(Profile), field_docs(Profile)
    properties = {key: {**_key_schema(key, hints[key]), "description": docs[key]} for key in KEYS}
    kinds = sorted({kind for _, kind in COMPONENT_KEYS.values()})
    return {
        "$schema": DRAFT,
        "title": "Facewire profile",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "anyOf": [{"required": ["sinks"]}, {"required": ["extends"]}],
        "$defs": {kind: _kind_schema(kind, catalogue.get(kind, ())) for kind in kinds},
    }
