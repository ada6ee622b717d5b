"""``facewire doctor``: every installed plugin's checks."""

from __future__ import annotations

import platform
import sys

import click

from facewire import __version__
from facewire.cli.show import listing, say
from facewire.registry import Registry


@click.command("doctor")
def command() -> None:
    """Run every installed plugin's checks; ends with 1 if one fails."""
    registry = Registry()
    rows = [
        [
            "facewire",
            "ok",
            f"{__version__}, Python {platform.python_version()}, {platform.platform()}",
        ]
    ]
    checks = registry.checks()
    for plugin in registry.plugins:
        if plugin.status != "loaded":
            rows.append([plugin.name, "failed", plugin.cause])
    for check in checks:
        try:
            rows.append([check.name, "ok", check.run()])
        except Exception as error:
            rows.append([check.name, "failed", str(error) or type(error).__name__])
    say(listing(["check", "result", ""], rows))
    if any(row[1] == "failed" for row in rows):
        sys.exit(1)
