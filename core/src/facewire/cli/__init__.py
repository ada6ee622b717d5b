"""The command line. Each command is a module that is imported when the command is called."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from facewire import __version__
from facewire.errors import FacewireError, nearest
from facewire.hookspecs import COMMANDS

OWN = {
    "run": "Animate text, a sound file, frames or a script of turns.",
    "check": "Say what a profile would run, its latency, and what is missing.",
    "plugins": "List what is installed and what failed to load.",
    "schema": "Print a JSON Schema of profiles, for editors.",
    "new-plugin": "Make a working plugin with its test, in one folder.",
    "voice": "List voices, say a text, or speak a whole script.",
    "bake": "Animate every line of a script, with all cores.",
    "doctor": "Run every installed plugin's checks.",
}


class Commands(click.Group):
    """The core's commands and those of plugins, each loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, the core's first."""
        return [*OWN, *sorted(entry.name for entry in _plugged() if entry.name not in OWN)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a command."""
        if name in OWN:
            module = importlib.import_module(f"facewire.cli.{name.replace('-', '_')}")
            command: click.Command = module.command
            return command
        entry = next((entry for entry in _plugged() if entry.name == name), None)
        return _load(entry) if entry else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was meant."""
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            known = self.list_commands(ctx)
            hint = nearest(args[0], known) or f"; known: {', '.join(known)}"
            raise FacewireError(f"no command '{args[0]}'{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing any plugin."""
        rows = [(name, OWN.get(name) or _source(name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _plugged() -> Sequence[EntryPoint]:
    return tuple(entry_points(group=COMMANDS))


def _source(name: str) -> str:
    entry = next(entry for entry in _plugged() if entry.name == name)
    return f"(from {entry.dist.name})" if entry.dist else ""


def _load(entry: EntryPoint) -> click.Command:
    try:
        command: Any = entry.load()
    except Exception as error:
        where = entry.dist.name if entry.dist else entry.value
        raise FacewireError(f"command '{entry.name}' of {where} failed to load: {error}") from error
    if not isinstance(command, click.Command):
        raise FacewireError(
            f"command '{entry.name}' is a {type(command).__name__}, expected a click command"
        )
    return command


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="facewire")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Speech and text to facial animation, delivered where characters live.

    Begin with:  facewire run "Hello! I can talk now."
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with 0, 2 for the user's mistakes, 1 for ours."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in args
    sys.setswitchinterval(0.0005)  # live frames are 10 ms late behind a busy thread at the default
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # no word may end a run on a narrow code page
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main([a for a in args if a != "--debug"], "facewire", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        if debug:
            raise
        _fail(error.format_message(), error.exit_code)
    except FacewireError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.exceptions.Abort):
        _fail("stopped; what was not finished is discarded", 130)
    except Exception as error:
        if debug:
            raise
        _fail(
            f"unexpected {type(error).__name__}: {error}; run again with --debug and report it", 1
        )


def _fail(text: str, code: int) -> None:
    print(f"facewire: {' '.join(text.split())}", file=sys.stderr)
    sys.exit(code)
