"""``facewire voice``: list voices, say a text, and speak whole scripts."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from facewire.assemble import Assembly, assemble, shared
from facewire.cli.show import Plain, listing, say
from facewire.emotion import wanted
from facewire.errors import FacewireError, InputError
from facewire.inputs import text_name
from facewire.pipeline import call
from facewire.profile import ComponentSpec, Profile, load_profile
from facewire.registry import Registry
from facewire.speech import Speech
from facewire.turns import load_turns
from facewire.types import Component, Text
from facewire.voicing import Listing
from facewire.voicing.batch import Batch, Outcome, gathered
from facewire.voicing.disk import MANIFEST, sweep, write_manifest, write_wav
from facewire.voicing.retry import WAITING, Waiting
from facewire.voicing.script import Job, Plan, plan

MAX_WORKERS = 32
AGAIN = "run the same command again to go on"
PROFILE = click.option(
    "--profile", default="default", show_default=True, metavar="NAME|FILE", help="Which voice."
)
SET = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the profile."
)


@click.group("voice")
def command() -> None:
    """Speak: list the voices, say a text, or make the sound of a whole script."""


# -- list ----------------------------------------------------------------------------------------


@command.command("list")
@click.argument("name", required=False)
def list_(name: str | None) -> None:
    """List the voices that are installed, or those that one of them can speak with."""
    registry: Registry = shared("facewire.registry", Registry)
    if name is None:
        voices = registry.catalogue()["voice"]
        rows = [[part.name, part.summary, _missing(part)] for part in voices]
        say(listing(["voice", "what it does", "needs"], rows))
        return
    context = assemble(Profile(name="list", sinks=()), "list", Path(), registry=registry).context
    built = registry.build("voice", ComponentSpec(name, {}, "voice list"), context)
    WAITING.set(Waiting(_wait))
    if not isinstance(built.stage, Listing):
        raise InputError(f"{built} does not list its voices; see its README for what it takes")
    entries = call(built, built.stage.voices)
    say(listing(["id", "name", "about"], [[e.id, e.name, e.about] for e in entries]))


def _wait(line: str) -> None:
    click.echo(line, err=True)


def _missing(part: Component) -> str:
    """Return what a voice needs; of variables only those that are not set."""
    return ", ".join(need for need in part.needs if not os.environ.get(need))


# -- say -----------------------------------------------------------------------------------------


@command.command("say")
@click.argument("text")
@click.option("--out", type=click.Path(path_type=Path), help="The WAV file to write.")
@PROFILE
@SET
@click.option("--lang", help="The language, such as en or de.")
def say_(
    text: str, out: Path | None, profile: str, overrides: tuple[str, ...], lang: str | None
) -> None:
    """Speak a text, tags and all, into a WAV file."""
    if not text.strip():
        raise InputError("the text is empty; write what shall be said")
    path = out or Path(f"{text_name(text)}.wav")
    if path.suffix.lower() != ".wav":
        raise InputError(f"--out {path}: expected a name that ends in .wav")
    chosen = load_profile(profile, [*overrides, *([f"lang={lang}"] if lang else [])])
    keys = wanted(chosen.emotion, "emotion:")
    speech = Speech(assemble(chosen, path.stem, path.parent), keys=keys)
    WAITING.set(Waiting(_wait))
    spoken = (part.audio for part in speech.speak(Text(text)))
    audio = gathered(speech.voice, spoken)
    if not len(audio):
        raise InputError("nothing was said: the text holds no words that can be spoken")
    write_wav(path, audio.samples, audio.rate)
    words = sum(mark.kind == "word" for mark in audio.marks)
    timed = f", {words} words with times" if words else ""
    say(f"{path}: {len(audio) / audio.rate:.2f} s by {speech.voice.name}{timed}")


# -- batch ---------------------------------------------------------------------------------------


@command.command("batch")
@click.argument("script", type=click.Path(path_type=Path))
@click.option("--out", "folder", type=click.Path(path_type=Path), required=True, metavar="FOLDER")
@PROFILE
@SET
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), default=4, show_default=True)
@click.option("--dry-run", is_flag=True, help="Say what would be made and what it costs; stop.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors alone.")
def batch(
    script: Path,
    folder: Path,
    profile: str,
    overrides: tuple[str, ...],
    workers: int,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Speak a script's turns (JSONL) into a folder; what is there already is not made again."""
    lines = load_turns(script)
    chosen = load_profile(profile, overrides)
    registry: Registry = shared("facewire.registry", Registry)

    def prepared() -> Assembly:
        several = len(lines) > 1
        return assemble(chosen, script.stem, folder, registry=registry, several=several)

    first = prepared()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder}: is a file, expected a folder")
    todo = plan(lines, first, folder)
    if not quiet or dry_run:
        say(planned(todo, len(lines)))
    if dry_run:
        return
    sweep(folder)
    write_manifest(folder, todo.names)
    try:
        work = Batch(todo.todo, todo.everything, [first, *(prepared() for _ in range(workers - 1))],
                     folder)  # fmt: skip
        outcome = _run(work, todo, quiet)
    except KeyboardInterrupt:
        click.echo(f"facewire: stopped at once; {AGAIN}", err=True)
        raise click.exceptions.Exit(130) from None
    finally:
        listed = write_manifest(folder, todo.names)
    if not quiet:
        say(f"{folder / MANIFEST}: {listed} sounds")
    _end(outcome, work)


def planned(todo: Plan, turns: int) -> str:
    """Return the plan as a person reads it."""
    characters = sum(job.price.characters for job in todo.todo)
    credits = [job.price.credits for job in todo.todo if job.price.credits is not None]
    cost = f", {sum(credits):,.0f} credits" if credits else ""
    changed = f" ({todo.changed} because the turn changed)" if todo.changed else ""
    silent = f", {todo.silent} without words to speak" if todo.silent else ""
    return (
        f"{turns} turns: {len(todo.present)} on disk{silent}, "
        f"{len(todo.todo)} to make{changed}: {characters:,} characters{cost}"
    )


def _run(work: Batch, todo: Plan, quiet: bool) -> Outcome:
    console = Plain(stderr=True)
    columns = (TextColumn("turns"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=quiet or not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=len(todo.todo))

        def told(job: Job, error: str | None) -> None:
            bar.advance(task)
            if error:
                console.print(f"turn '{job.turn.id}' failed: {error}", soft_wrap=True)
            elif not quiet and not console.is_terminal:
                console.print(f"{job.name}.wav", soft_wrap=True)

        def waits(job: Job, line: str) -> None:
            if not quiet:
                console.print(f"turn '{job.turn.id}': {line}", soft_wrap=True)

        work.told, work.waits = told, waits
        with _stop_on_signal(work):
            return work.run()


def _end(outcome: Outcome, work: Batch) -> None:
    """Say what is left, as the error it is; nothing where all was made."""
    left = outcome.left
    rest = f"{len(left)} turns are left" if left else "no turn is left"
    if left:
        rest += f" ({sum(job.price.characters for job in left):,} characters)"
    failed = f"; {len(outcome.failed)} failed" if outcome.failed else ""
    if isinstance(outcome.stopped, FacewireError):
        raise type(outcome.stopped)(f"{outcome.stopped}; {rest}{failed}; {AGAIN}")
    if outcome.stopped is not None:
        raise outcome.stopped
    if work.stopped and left:
        click.echo(f"facewire: stopped: {rest}{failed}; {AGAIN}", err=True)
        raise click.exceptions.Exit(130)
    if outcome.failed:
        raise FacewireError(f"{len(outcome.failed)} turns failed: {_ids(outcome)}; {AGAIN}")


def _ids(outcome: Outcome, most: int = 8) -> str:
    ids: Sequence[str] = [job.turn.id for job, _ in outcome.failed]
    return ", ".join(ids[:most]) + (f" and {len(ids) - most} more" if len(ids) > most else "")


@contextmanager
def _stop_on_signal(work: Batch) -> Iterator[None]:
    """Let the first Ctrl-C finish the turns in hand, the second leave at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        if work.stopped:
            raise KeyboardInterrupt
        click.echo("finishing the turns in hand; press Ctrl-C again to stop at once", err=True)
        work.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
