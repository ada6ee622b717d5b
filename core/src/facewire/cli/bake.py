"""``facewire bake``: animate every line of a script, with all cores, again and again."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from facewire.baking.decisions import (
    Decision,
    keep,
    kept_decisions,
    load_decisions,
    names_of,
    unknown,
)
from facewire.baking.plan import Plan, plan_script
from facewire.baking.pool import Local, Runner
from facewire.baking.record import sweep, write_manifest
from facewire.baking.review import review_jobs, write_review
from facewire.baking.script import load_script
from facewire.baking.show import FOLDER
from facewire.baking.work import Job, Outcome
from facewire.cli.show import Plain, say
from facewire.errors import FacewireError, InputError, PluginError

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
@click.option("--review", is_flag=True, help="Write OUT/review.html: the lines, worst first.")
@click.option(
    "--decisions",
    type=click.Path(path_type=Path),
    metavar="review.json",
    help="What was decided on that page: lock lines, bake rejected ones again.",
)
@click.option("--ray", metavar="ADDRESS", help="Bake on a Ray cluster; 'local' for this machine.")
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
    review: bool,
    decisions: Path | None,
    ray: str | None,
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
    new = load_decisions(decisions) if decisions else {}
    kept = {**kept_decisions(out), **new}
    locks, rejects = names_of(kept, "lock"), names_of(new, "reject")
    plan = plan_script(
        lines, script, out, profile, overrides, text_emotion, locks.__contains__,
        rejects.__contains__,
    )  # fmt: skip
    for name in unknown(new, plan.names):
        click.echo(f"facewire: {decisions}: {script} has no line '{name}'", err=True)
    if not quiet or dry_run:
        for text in plan.lines():
            say(text)
    if dry_run:
        _end([], wrong)
        return
    if plan.changed and not yes and sys.stdin.isatty() and sys.stdout.isatty():
        click.confirm(f"bake {_lines(len(plan.changed))} again?", abort=True)
    runner = chosen_runner(ray, workers)
    sweep({*plan.folders, out / FOLDER})
    if new:
        keep(out, new)
    _bake(runner, plan, out, (script.name, kept) if review else None, quiet, wrong)


def _bake(
    runner: Runner,
    plan: Plan,
    out: Path,
    review: tuple[str, dict[str, Decision]] | None,
    quiet: bool,
    wrong: list[str],
) -> None:
    """Bake what there is to do, write the manifest and the page, and tell how it ended.

    ``review``: the page's title, and what was decided of lines.
    """
    jobs = review_jobs(plan) if review else plan.todo
    failed: list[tuple[Job, str]] = []
    try:
        left = _run(runner, jobs, failed, quiet)
    except KeyboardInterrupt:
        click.echo(f"facewire: stopped at once; {AGAIN}", err=True)
        raise click.exceptions.Exit(130) from None
    finally:
        manifest = write_manifest(out, plan.names)
        page = write_review(out, review[0], plan.jobs, review[1]) if review else None
    if not quiet:
        extra = sum(job.review == "only" for job in jobs)
        more = f", {_lines(extra)} run again for the page" if extra else ""
        baked = len(jobs) - extra - left - len(failed)
        say(f"{manifest}: {_lines(max(0, baked))} baked{more}")
        if page:
            say(f"{page}: open it in a browser; the worst lines come first")
    if left:
        click.echo(f"facewire: stopped: {_lines(left)} left; {AGAIN}", err=True)
        raise click.exceptions.Exit(130)
    script = [job.name for job in jobs]  # workers end in any order
    _end(sorted(failed, key=lambda one: script.index(one[0].name)), wrong)


def _end(failed: list[tuple[Job, str]], wrong: list[str]) -> None:
    """Raise what is to be told at the end: lines that failed, lines that cannot be read."""
    unread = f"{_lines(len(wrong))} cannot be read" if wrong else ""
    if failed:
        names = ", ".join(job.name for job, _ in failed[:8])
        more = f" and {len(failed) - 8} more" if len(failed) > 8 else ""
        also = f"; {unread}" if unread else ""
        raise FacewireError(f"{_lines(len(failed))} failed: {names}{more}{also}; {AGAIN}")
    if wrong:
        raise InputError(f"{unread}; mend them, and {AGAIN}")


def _lines(count: int) -> str:
    return f"{count} line" + ("" if count == 1 else "s")


def chosen_runner(ray: str | None, workers: int | None) -> Runner:
    """Return where lines are baked: this machine's processes, or a Ray cluster."""
    if ray is None:
        return Local(workers or os.cpu_count() or 1)
    try:
        cluster = import_module("facewire_ray.runner")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("facewire_ray", "ray"):
            raise
        raise PluginError("--ray needs facewire-ray; pip install facewire-ray") from error
    runner: Runner = cluster.Cluster(ray, workers)
    return runner


def _run(runner: Runner, todo: Sequence[Job], failed: list[tuple[Job, str]], quiet: bool) -> int:
    """Bake; return how many lines are left undone."""
    console = Plain(stderr=True)
    columns = (TextColumn("lines"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
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
        console.print(f"{job.name} failed: {outcome.error}", soft_wrap=True)
    elif not brief:
        console.print(f"{job.name}: {outcome.seconds:.2f} s", soft_wrap=True)


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
