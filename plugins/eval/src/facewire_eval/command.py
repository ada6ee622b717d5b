"""``facewire eval``: measure engines, let people judge, analyse their votes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from facewire.atomic import AtomicFile, told
from facewire.errors import InputError, ProfileError

from facewire_eval.bench import PARTS

if TYPE_CHECKING:
    from facewire_eval.engines import Engine, ProfileEngine
    from facewire_eval.table import Report

FOLDER = click.Path(path_type=Path)


@click.group("eval", invoke_without_command=True)
@click.option("--profile", "profiles", multiple=True, metavar="NAME", help="A profile, repeatable.")
@click.option(
    "--csv", "folders", multiple=True, metavar="NAME=FOLDER",
    help="Another engine's files, one a recording (csv, npz or json).",
)  # fmt: skip
@click.option("--faces", type=FOLDER, help="A folder of sound and captured motion, a.wav a.csv.")
@click.option("--speech", type=FOLDER, help="A folder of transcribed speech, a.wav a.txt.")
@click.option("--lang", help="The language spoken in both, such as zh.")
@click.option("--live", is_flag=True, help="Measure the profiles' live variants too.")
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Measure this part alone.")
@click.option("--out", type=FOLDER, help="Write eval.json and eval.html into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.pass_context
def command(
    context: click.Context,
    profiles: tuple[str, ...],
    folders: tuple[str, ...],
    faces: Path | None,
    speech: Path | None,
    lang: str | None,
    live: bool,
    only: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure engines on captured faces and transcribed speech, against baselines.

    Without --profile and --csv the default profile is measured.
    """
    if context.invoked_subcommand is not None:
        return
    from facewire_eval.bench import Task, run

    names = profiles or (() if folders else ("default",))
    task = Task.read(_engines(names, folders, live), faces, speech, only or PARTS, lang)
    with _progress(task.seconds()) as tick:
        report = run(task, tick)
    _deliver(report, "eval", out, as_json)


def _deliver(report: Report, name: str, out: Path | None, as_json: bool) -> None:
    """Print a report, and write it as JSON and as a page."""
    made = json.dumps(report.data(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    click.echo(made.rstrip() if as_json else report.text())
    if out is not None:
        from facewire_eval.page import page

        write(out / f"{name}.json", made.encode())
        write(out / f"{name}.html", page(report).encode())
        click.echo(f"wrote {out / name}.json and {name}.html", err=True)


def _profiles(names: Sequence[str], live: bool) -> list[ProfileEngine]:
    from facewire.profile import load_profile

    from facewire_eval.engines import ProfileEngine

    made = []
    for name in names:
        profile = load_profile(name)
        if not profile.model:
            raise ProfileError(f"profile '{profile.name}' has no model, so nothing moves to sound")
        made.append(ProfileEngine(profile))
        if live:
            made.append(ProfileEngine(profile, live=True))
    _distinct(made)
    return made


def _engines(profiles: Sequence[str], folders: Sequence[str], live: bool) -> list[Engine]:
    from facewire_eval.engines import FolderEngine

    made: list[Engine] = [*_profiles(profiles, live)]
    for given in folders:
        name, mark, folder = given.partition("=")
        if not mark or not name or not folder:
            raise InputError(f"--csv: found '{given}', expected NAME=FOLDER, such as theirs=takes/")
        made.append(FolderEngine(name, Path(folder)))
    _distinct(made)
    return made


def _distinct(engines: Sequence[Engine]) -> None:
    names = [engine.name for engine in engines]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"two engines are called '{twice}'; give each its own name")


@contextmanager
def _progress(total: float) -> Iterator[Callable[[str, float], None]]:
    """Show a bar on standard error while it is a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda what, seconds: None
        return
    with click.progressbar(length=max(1, round(10 * total)), file=sys.stderr,
                           item_show_func=lambda what: what or "") as bar:  # fmt: skip
        yield lambda what, seconds: bar.update(round(10 * seconds), what)


def write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    with told(path):
        file = AtomicFile(path)
        try:
            file.write(data)
            file.commit()
        except BaseException:
            file.discard()
            raise


@command.command()
@click.option("--profiles", multiple=True, required=True, metavar="NAME", help="Repeat, or A,B.")
@click.argument("more", nargs=-1)
@click.option("--lines", type=FOLDER, required=True, help="A text, or a sound file, on each line.")
@click.option("--out", type=FOLDER, default=Path("out"), show_default=True)
@click.option("--seed", type=int, default=0, help="Draws other sides and another order.")
def judge(
    profiles: tuple[str, ...], more: tuple[str, ...], lines: Path, out: Path, seed: int
) -> None:
    """Make a page of blind pairs and of emotions to name; it exports votes."""
    from facewire.profile import load_profile

    from facewire_eval.judge import judging_page, read_lines

    names = [name for given in profiles for name in given.split(",")] + list(more)
    engines = _profiles(names, live=False)
    sounds = read_lines(lines, load_profile(names[0]))
    seconds = sum(sound.seconds for sound in sounds) + 16 * sounds[0].seconds
    with _progress(len(engines) * seconds) as tick:
        made = judging_page(engines, sounds, seed, tick)
    write(out / "judge.html", made.encode())
    click.echo(str(out / "judge.html"))


@command.command()
@click.argument("files", nargs=-1, required=True, type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--out", type=FOLDER, help="Write votes.json and votes.html into this folder.")
def votes(files: tuple[Path, ...], as_json: bool, out: Path | None) -> None:
    """Analyse votes: strengths of engines with intervals, and which emotions were named."""
    from facewire_eval.votes import analysis, read_votes

    _deliver(analysis(*read_votes(files)), "votes", out, as_json)
