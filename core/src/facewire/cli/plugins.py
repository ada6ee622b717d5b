"""``facewire plugins``: what is installed, and what failed to load."""

from __future__ import annotations

import json
from typing import Any

import click

from facewire.cli.show import listing, say
from facewire.registry import KINDS, Plugin, Registry


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List what is installed and what failed to load."""
    registry = Registry()
    registry.load_all()
    rows = [_row(plugin, registry) for plugin in registry.plugins]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    cells = [
        [r["name"], r["version"], ", ".join(r["offers"]), r["status"], r["cause"]] for r in rows
    ]
    say(listing(["name", "version", "offers", "status", "cause"], cells))


def _row(plugin: Plugin, registry: Registry) -> dict[str, Any]:
    offers: list[str] = []
    if plugin.status == "loaded":
        offers = [f"{kind} {name}" for kind in KINDS for name in registry.offers(kind, plugin)]
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "offers": offers,
        "status": plugin.status,
        "cause": plugin.cause,
    }
