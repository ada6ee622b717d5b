"""``facewire schema``: JSON Schema for editors."""

from __future__ import annotations

import json

import click

from facewire.errors import ProfileError, nearest
from facewire.registry import KINDS, Registry
from facewire.schema import component_schema, profile_schema


@click.command("schema")
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """Print the JSON Schema of profiles, or of the components of one KIND (sink, layer, …)."""
    catalogue = Registry().catalogue()
    if kind is None:
        print(json.dumps(profile_schema(catalogue), indent=2))
        return
    if kind not in KINDS:
        raise ProfileError(
            f"kind '{kind}' is unknown{nearest(kind, KINDS)} (known: {', '.join(KINDS)})"
        )
    print(json.dumps({c.name: component_schema(c) for c in catalogue[kind]}, indent=2))
