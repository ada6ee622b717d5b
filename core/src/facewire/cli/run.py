"""``facewire run``: animate inputs with a profile."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from facewire.assemble import shared
from facewire.cli.show import Progress, closing_table, say
from facewire.errors import FacewireError, InputError, StageError
from facewire.inputs import Input, open_audio, open_input, same_names
from facewire.profile import Profile, load_profile
from facewire.registry import Registry
from facewire.report import Report
from facewire.session import Session
from facewire.voicing import VoiceError


@click.command("run")
@click.argument("inputs", nargs=-1, metavar="INPUT…")
@click.option("--profile", "profile", default="default", show_default=True, metavar="NAME|FILE")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True)
@click.option("--audio", metavar="FILE", help="A sound file; '-' reads one from standard input.")
@click.option(
    "--text", "speak", is_flag=True, help="Take every INPUT as text, whatever it looks like."
)
@click.option(
    "--transcript", type=click.Path(path_type=Path), help="What is said in the sound file."
)
@click.option("--lang", help="The language spoken, such as en or de.")
@click.option("--emotion", metavar="TAGS", help="Emotion of the whole: joy:80, or a track's path.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the profile.")
@click.option("--live", is_flag=True, help="Use nothing from the future, as with a microphone.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors alone.")
@click.option("--verbose", "-v", is_flag=True, help="Print each live sink's lateness too.")
@click.option(
    "--log", type=click.Path(path_type=Path), help="Also write what is printed to a file."
)
def command(
    inputs: tuple[str, ...],
    profile: str,
    out: Path,
    audio: str | None,
    speak: bool,
    transcript: Path | None,
    lang: str | None,
    emotion: str | None,
    overrides: tuple[str, ...],
    live: bool,
    quiet: bool,
    verbose: bool,
    log: Path | None,
) -> None:
    """Animate text, sound files or frames.

    INPUT is the path of a sound file, a frames file or a script of turns (.jsonl), 'mic' or
    'mic:NAME' for a microphone, '-' for text from standard input, or text to speak: facewire run
    "[joy:80] Hello!"
    """
    chosen = load_profile(profile, [*overrides, *([f"lang={lang}"] if lang else [])])
    registry: Registry = shared("facewire.registry", Registry)
    given = [open_input(text, chosen, registry, speak) for text in inputs]
    given += [open_audio(audio)] if audio else []
    if not given:
        raise InputError('nothing to animate; try: facewire run "Hello! I can talk now."')
    same_names(given)
    words = _transcript(transcript, given)
    with _log(log) as record:
        options = {"live": live, "transcript": words, "emotion": emotion}
        written: dict[Path, str] = {}
        unsent: list[str] = []
        unsaid: list[str] = []
        for one in given:
            report, asked = _animate(one, chosen, out, options, (quiet, verbose, record), written)
            unsent += [line for line in _unsent(report) if line not in unsent]
            unsaid += report.unsaid
            if asked:
                break
    if unsent:
        raise StageError(f"nothing was sent: {'; '.join(unsent)}")
    if unsaid:
        clauses = "1 clause was" if len(unsaid) == 1 else f"{len(unsaid)} clauses were"
        raise VoiceError(f"{clauses} not said: {unsaid[0]}")


def _animate(
    one: Input,
    profile: Profile,
    out: Path,
    options: dict[str, Any],
    shown: tuple[bool, bool, Any],
    written: dict[Path, str],
) -> tuple[Report, bool]:
    """Run one input; return its report, and whether a person asked to stop."""
    quiet, verbose, record = shown
    total = getattr(one.source, "seconds", None)
    with Progress(one.name, total, quiet, record) as progress:
        session = Session(
            profile, one.built, one.name, out, progress=progress.at, tell=progress.note, **options
        )
        for path in session.paths:
            if path in written:
                raise InputError(
                    f"{path}: '{one.name}' would write over what '{written[path]}' wrote; "
                    "put {name} into the path"
                )
            written[path] = one.name
        if quiet:  # what goes wrong with a live sink is an error, and may be told hours on
            session.delivery.tell = lambda line: _alarm(line, record)
        with _stop_on_signal(session) as asked:
            report = session.run()
    table = closing_table(report, verbose)
    if not quiet:
        say(table)
    if record:
        say(table, record)
    return report, bool(asked)


def _alarm(line: str, record: Any) -> None:
    for file in (sys.stderr, record):
        if file:
            print(line, file=file, flush=True)


def _unsent(report: Report) -> list[str]:
    """Return the last error of each live sink that sent nothing, since sending failed."""
    tallies = (tally for _, tally in report.tallies)
    return [tally.last_error for tally in tallies if tally.errors and not tally.sent]


def _transcript(path: Path | None, given: list[Input]) -> str | None:
    if path is None:
        return None
    if len(given) > 1 or given[0].source.brings != "audio":
        raise InputError("--transcript goes with one sound file")
    try:
        text = path.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the transcript cannot be read as UTF-8 text: {error}") from error
    if not text:
        raise InputError(f"{path}: the transcript is empty")
    return text


@contextmanager
def _log(path: Path | None) -> Iterator[Any]:
    if path is None:
        yield None
        return
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise FacewireError(f"{path}: the log cannot be written: {error.strerror}") from error
    with file:
        yield file


@contextmanager
def _stop_on_signal(session: Session) -> Iterator[list[int]]:
    """Let the first Ctrl-C end the input and keep the outputs, the second abort."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def stop(number: int, frame: object) -> None:
        asked.append(number)
        if len(asked) == 1:
            print("ending; press Ctrl-C again to stop at once and discard", file=sys.stderr)
            session.end()
        else:
            session.abort()
            if not session.leaving:
                raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
