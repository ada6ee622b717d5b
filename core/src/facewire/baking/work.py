"""Bake one line: what a worker does. A job and its outcome are plain values that can be sent."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from facewire.assemble import shared
from facewire.baking.record import write_record
from facewire.baking.score import Judge
from facewire.baking.show import show_path, write_show
from facewire.baking.talk import plain
from facewire.errors import FacewireError
from facewire.pipeline import Built
from facewire.profile import Profile, load_profile
from facewire.registry import Registry
from facewire.session import Session
from facewire.sources import AudioFile
from facewire.stages import Source
from facewire.turns import Line, read_turns
from facewire.types import Text


@dataclass(frozen=True, slots=True)
class Job:
    """One line to bake: its row of the script, and all that decides what comes of it.

    ``row``: the turn's fields. ``folder``: that of the script. ``live``: the places of the
    profile's live sinks, which are left out. ``digests``: see ``facewire.baking.digest``.
    ``review``: whether the data of the review page are made: beside the outputs, or only they.
    """

    name: str
    row: dict[str, Any]
    folder: Path
    profile: str
    overrides: tuple[str, ...]
    out: Path
    live: tuple[int, ...]
    text_emotion: bool
    digests: dict[str, str]
    review: Literal["none", "beside", "only"] = "none"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job: the error in one line, or None."""

    name: str
    error: str | None = None
    seconds: float = 0.0


class OneTurn(Source):
    """Plays one line of a script."""

    def __init__(self, line: Line, folder: Path) -> None:
        self._line, turn = line, line.turn
        self._file = AudioFile(folder / turn.audio) if turn.audio else None
        if self._file:
            self.brings, self.rate, self.path = "audio", self._file.rate, self._file.path
            self.transcript = turn.transcript
        else:
            self.brings = "text"

    def blocks(self) -> Any:
        """Yield the text, or the emotion and the sound."""
        turn = self._line.turn
        yield Text(turn.text or "", turn.lang, turn.speaker, self._line.state)
        if self._file:
            yield from self._file.blocks()

    def report(self) -> list[str]:
        """Say if the sound was cut off."""
        return list(self._file.report()) if self._file else []


@lru_cache(maxsize=64)
def _profile(name: str, overrides: tuple[str, ...]) -> Profile:
    return load_profile(name, overrides)


def baking_profile(
    profile: Profile, live: tuple[int, ...], text_emotion: bool, lang: str | None
) -> Profile:
    """Return a profile as it is baked: no live sinks, emotion from text only if asked for.

    A line is one face, whoever speaks it.
    """
    sinks = tuple(spec for i, spec in enumerate(profile.sinks) if i not in live)
    return replace(
        profile,
        sinks=sinks,
        speakers={n: replace(one, subject=None) for n, one in profile.speakers.items()},
        text_emotion=profile.text_emotion if text_emotion else None,
        lang=lang or profile.lang,
    )


def bake_line(job: Job) -> Outcome:
    """Bake a line into its files and write its record; errors are told in the outcome."""
    outcome = _bake(job)
    # A session's parts hold each other: Python's collector would come by every hundred lines.
    gc.collect()
    return outcome


def _bake(job: Job) -> Outcome:
    record: dict[str, Any] = {"id": job.row["id"], "name": job.name, "digests": job.digests}
    try:
        made = _baked(job)
        if job.review != "only":
            write_record(job.out, record | made)
    except Exception as error:  # one line must not stop the others
        said = str(error)
        if not isinstance(error, FacewireError):
            said = f"{type(error).__name__}: {' '.join(said.split())}"
        if job.review != "only":
            with suppress(FacewireError):  # where no output can be written, no record can
                write_record(job.out, record | {"error": said})
        return Outcome(job.name, said)
    return Outcome(job.name, None, made["seconds"])


def _baked(job: Job) -> dict[str, Any]:
    (line,) = read_turns([(1, job.row)], f"line '{job.row['id']}'")
    profile = baking_profile(
        _profile(job.profile, job.overrides), job.live, job.text_emotion, line.turn.lang
    )
    registry: Registry = shared("facewire.registry", Registry)
    if job.review == "only":
        profile = replace(profile, sinks=())
    judge = Judge(line.turn.transcript or line.turn.text)
    session = Session(
        profile,
        OneTurn(line, job.folder),
        job.name,
        job.out,
        sinks=[Built(judge, "judge", "sink")],
        registry=registry,
    )
    _overhear(judge, session, line)
    report = session.run()
    if job.review == "none":
        show_path(job.out, job.name).unlink(missing_ok=True)  # it tells of another bake
    else:
        write_show(job.out, job.name, judge)
    paths = sorted({os.path.relpath(path, job.out.resolve()) for path in session.paths})
    return {
        "outputs": [Path(path).as_posix() for path in paths],
        "seconds": round(report.seconds, 3),
        "frames": report.frames,
        "fps": report.fps,
        "notes": report.notes,
        "scores": judge.scores(report.notes),
    }


def _overhear(judge: Judge, session: Session, line: Line) -> None:
    """Tell the judge how sure the emotion is that is read from untagged text."""
    reader = session.assembly.text_emotion() if line.turn.text else None
    if reader:
        judge.readings = reader.stage.read(plain(line.turn.text), ())
