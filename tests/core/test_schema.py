"""The JSON Schema: valid itself, says what the loader says, and the shipped profiles obey it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest
from facewire.docstrings import field_docs
from facewire.profile import KEYS, Profile
from facewire.schema import component_schema, profile_schema, type_schema
from facewire.types import Component, Context

jsonschema = pytest.importorskip("jsonschema")


@dataclass(frozen=True, slots=True)
class Inner:
    """Inner options. ``gain``: how
    much. ``points`` are pairs."""

    gain: float = 1.0
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """Options."""

    weights: Path
    """Where the weights lie,
    relative to the profile."""
    port: int = 1
    fps: Fraction | None = Fraction(30000, 1001)
    mode: Literal["clock", "run"] = "clock"
    inner: Inner = field(default_factory=Inner)
    table: Mapping[str, Inner] = field(default_factory=dict)
    nested: Any = None


def nothing(config: object, context: Context) -> None:
    raise AssertionError("a schema builds nothing")


NEEDY = Component("needy", nothing, Config, "it needs weights")
PLAIN = Component("plain", nothing, Inner, "it needs nothing")
CATALOGUE = {"model": [NEEDY, PLAIN], "sink": [PLAIN], "voice": [PLAIN]}


def accepts(schema: dict[str, Any], value: Any) -> bool:
    jsonschema.Draft202012Validator.check_schema(schema)
    json.dumps(schema, allow_nan=False)
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def test_a_component_with_its_options() -> None:
    schema = component_schema(NEEDY)
    assert schema["required"] == ["use", "weights"]
    assert schema["properties"]["weights"] == {
        "type": "string",
        "minLength": 1,
        "description": "Where the weights lie, relative to the profile.",
    }
    assert schema["properties"]["fps"]["default"] == "30000/1001"
    assert schema["properties"]["inner"]["default"] == {"gain": 1.0, "points": []}
    right = {"use": "needy", "weights": "w", "port": "${PORT}", "fps": 30, "mode": "run"}
    deep = {"inner": {"gain": 2, "points": [[0, 1]]}, "table": {"a": {}}, "nested": [1]}
    assert accepts(schema, right | deep)


@pytest.mark.parametrize(
    "wrong",
    [
        {"prot": 1},
        {"port": "1"},
        {"port": True},
        {"port": 1.5},
        {"mode": "clocks"},
        {"weights": 3},
        {"inner": {"gian": 1}},
        {"inner": {"points": [[0]]}},
        {"table": {"a": 1}},
        {"use": "plain"},
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    assert not accepts(component_schema(NEEDY), {"use": "needy", "weights": "w", **wrong})


def test_a_bare_name_stands_for_a_component_that_needs_nothing() -> None:
    assert accepts(component_schema(PLAIN), "plain")
    assert accepts(component_schema(PLAIN), {"use": "plain", "gain": 2})
    assert not accepts(component_schema(NEEDY), "needy")
    assert not accepts(component_schema(NEEDY), {"use": "needy"})


def test_types_that_no_schema_knows_are_left_to_the_loader() -> None:
    assert type_schema(bytes) == {} and type_schema(Any) == {}


def test_profiles() -> None:
    schema = profile_schema(CATALOGUE)  # type: ignore[arg-type]
    assert list(schema["properties"]) == list(KEYS)
    right = {"sinks": ["plain"], "model": [{"use": "needy", "weights": "w"}, "plain"]}
    for more in (
        {},
        {"layers": ["anything.at.all"]},  # no layer is installed
        {"voice": "plain"},
        {"voice": ["plain"]},
        {"text_emotion": None},
        {"fps": "30000/1001", "rate": 48000, "rig": "arkit52", "seed": "${SEED:-1}"},
        {"speakers": {"ada": {"voice": "plain", "subject": "Ada"}}},
    ):
        assert accepts(schema, right | more), more
    mistakes: tuple[dict[str, Any], ...] = (
        {"layer": []},
        {"sinks": "plain"},
        {"sinks": ["plane"]},
        {"model": "needy"},
        {"rig": "arkit"},
        {"rate": 1},
        {"turns": "dialog"},
        {"speakers": {"ada": {"voice": "nobody"}}},
    )
    for wrong in mistakes:
        assert not accepts(schema, right | wrong), wrong
    assert not accepts(schema, {"seed": 1})  # neither sinks nor extends
    assert accepts(schema, {"extends": "default"})


def test_meanings_come_from_where_they_are_written() -> None:
    assert field_docs(Inner) == {"gain": "how much.", "points": "are pairs."}
    assert field_docs(Config)["port"] == ""
    docs = field_docs(Profile)
    assert all(docs[key].endswith(".") for key in KEYS)
    made = type("Made", (), {"__dataclass_fields__": {"x": None}})  # no source is at hand
    assert field_docs(made) == {"x": ""}
