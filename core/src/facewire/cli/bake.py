"""``facewire bake``: animate every line of a script, with all cores, again and again."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from facewire.baking.plan import Plan, plan_script
from facewire.baking.pool import Local, Runner
from facewire.baking.record import sweep, write_manifest
from facewire.baking.script import load_script
from facewire.baking.work import Job, Outcome
from facewire.cli.show import say
from facewire.errors import FacewireError, InputError

AGAIN = "run the same command again to go on"


@click.command("bake")
@click.argument("script", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True)
@click.option("--profile", default="default", show_default=True, metavar="NAME|FILE")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the profile.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes; by default one a core.")
@click.option("--text-emotion", is_flag=True, help="Read emotion from untagged text too.")
@click.option("--dry-run", is_flag=True, help="Say what would be baked and why; stop.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before lines are baked again.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors alone.")
def command(
    script: Path,
    out: Path,
    profile: str,
    overrides: tuple[str, ...],
    workers: int | None,
    text_emotion: bool,
    dry_run: bool,
    yes: bool,
    quiet: bool,
) -> None:
    """Animate the lines of a script (.jsonl, .csv), each into files of its own.

    What is there and has not changed is not made again, so a bake that was stopped goes on where
    it was. Locked lines are never made again.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is a file, expected a folder")
    lines, wrong = load_script(script)
    for text in wrong:
        click.echo(f"facewire: {text}", err=True)
    plan = plan_script(lines, script, out, profile, overrides, text_emotion)
    if not quiet or dry_run:
        for text in plan.lines():
            say(escape(text))
    if dry_run:
        return
    if plan.changed and not yes and sys.stdin.isatty() and sys.stdout.isatty():
        click.confirm(f"bake {_lines(len(plan.changed))} again?", abort=True)
    sweep(plan.folders)
    runner = Local(workers or os.cpu_count() or 1)
    failed: list[tuple[Job, str]] = []
    try:
        left = _run(runner, plan, failed, quiet)
    except KeyboardInterrupt:
        click.echo(f"facewire: stopped at once; {AGAIN}", err=True)
        raise click.exceptions.Exit(130) from None
    finally:
        manifest = write_manifest(out, plan.names)
    if not quiet:
        say(escape(f"{manifest}: {_lines(len(plan.todo) - left - len(failed))} baked"))
    if left:
        click.echo(f"facewire: stopped: {_lines(left)} left; {AGAIN}", err=True)
        raise click.exceptions.Exit(130)
    _end(failed, wrong)


def _end(failed: list[tuple[Job, str]], wrong: list[str]) -> None:
    """Raise what is to be told at the end: lines that failed, lines that cannot be read."""
    if failed:
        names = ", ".join(job.name for job, _ in failed[:8])
        more = f" and {len(failed) - 8} more" if len(failed) > 8 else ""
        raise FacewireError(f"{_lines(len(failed))} failed: {names}{more}; {AGAIN}")
    if wrong:
        raise InputError(f"{_lines(len(wrong))} cannot be read; all others are baked")


def _lines(count: int) -> str:
    return f"{count} line" + ("" if count == 1 else "s")


def _run(runner: Runner, plan: Plan, failed: list[tuple[Job, str]], quiet: bool) -> int:
    """Bake; return how many lines are left undone."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("lines"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    todo = plan.todo
    left = len(todo)
    off = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=off) as bar:
        task = bar.add_task("", total=left)
        with _stop_on_signal(runner):
            for job, outcome in runner.results(todo):
                left -= 1
                bar.advance(task)
                _tell(console, job, outcome, failed, quiet or console.is_terminal)
    return left


def _tell(
    console: Console, job: Job, outcome: Outcome, failed: list[tuple[Job, str]], brief: bool
) -> None:
    if outcome.error:
        failed.append((job, outcome.error))
        console.print(escape(f"{job.name} failed: {outcome.error}"), soft_wrap=True)
    elif not brief:
        console.print(escape(f"{job.name}: {outcome.seconds:.2f} s"), soft_wrap=True)


@contextmanager
def _stop_on_signal(runner: Runner) -> Iterator[None]:
    """Let the first Ctrl-C finish the lines in hand, the second stop at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []

    def stop(number: int, frame: object) -> None:
        if asked:
            runner.quit()
            raise KeyboardInterrupt
        asked.append(number)
        click.echo("finishing the lines in hand; press Ctrl-C again to stop at once", err=True)
        runner.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
