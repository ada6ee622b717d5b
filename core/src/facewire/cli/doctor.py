"""``facewire doctor``: every installed plugin's checks."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import entry_points

import click

from facewire import __version__
from facewire.cli.show import listing, say
from facewire.errors import PluginError
from facewire.hookspecs import COMMANDS
from facewire.registry import Registry


@click.command("doctor")
@click.option("--clap", is_flag=True, help="Measure how far sound and face are apart instead.")
@click.pass_context
def command(ctx: click.Context, clap: bool) -> None:
    """Run every installed plugin's checks; ends with 1 if one fails."""
    if clap:
        _clap(ctx)
        return
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


def _clap(ctx: click.Context) -> None:
    """Run the command ``clap``, which facewire-audio brings."""
    entry = next((entry for entry in entry_points(group=COMMANDS, name="clap")), None)
    if entry is None:
        raise PluginError("--clap needs a plugin with the command 'clap'; install facewire-audio")
    ctx.invoke(entry.load())
