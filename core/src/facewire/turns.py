"""A script of many turns: JSONL, one turn a line, and the source that plays it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from facewire.config import convert
from facewire.emotion import NEUTRAL, State
from facewire.emotion.track import state_of
from facewire.errors import InputError, ProfileError
from facewire.sources import AudioFile, check_readable
from facewire.stages import Source
from facewire.types import Audio, Text

SCRIPT_SUFFIX = ".jsonl"
MAX_PAUSE = 600.0  # seconds
PAUSE_RATE = 16000  # samples a second of silence between turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a script: text to speak, or the path of a sound file, and how."""

    id: str = ""
    """Its name; by default its number."""
    speaker: str | None = None
    """Who speaks, by a name of the profile's ``speakers``."""
    text: str | None = None
    """What is said; tags are allowed."""
    audio: str | None = None
    """A sound file instead, relative to the script."""
    transcript: str | None = None
    """What is said in the sound file."""
    lang: str | None = None
    emotion: str | None = None
    """An emotion such as ``joy`` or ``joy:80``."""
    vad: list[float] | None = None
    """Valence, arousal, dominance in 0 to 1, instead of ``emotion``."""
    level: int | str | None = None
    """1 to 5, or ``80%``, beside ``emotion``."""
    pause: float = 0.0
    """Seconds of silence before it."""
    profile: str | None = None
    """Another profile for this turn (``facewire bake``)."""
    out: str | None = None
    """Another output name for this turn (``facewire bake``)."""
    locked: bool = False
    """Not to be made again (``facewire bake``)."""

    def __post_init__(self) -> None:
        if (self.text is None) == (self.audio is None):
            raise ValueError("expected either 'text' or 'audio'")
        if not 0 <= self.pause <= MAX_PAUSE:
            raise ValueError(f"pause: found {self.pause:g}, expected 0 to {MAX_PAUSE:g} seconds")


@dataclass(frozen=True, slots=True)
class Line:
    """A turn as it is played: with its emotion read."""

    turn: Turn
    state: State | None


def load_turns(path: Path, wrong: list[str] | None = None) -> list[Line]:
    """Read a script; InputError in one line, with the file's line number.

    With ``wrong`` such errors are put there, and the lines that have none are returned.
    """
    check_readable(path)
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: not UTF-8 text ({error.reason})") from error
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    return read_turns(numbered, path.name, _object, wrong)


def read_turns(
    rows: Iterable[tuple[int, Any]],
    name: str,
    fields: Callable[[Any, str], dict[str, Any]] = lambda row, where: row,
    wrong: list[str] | None = None,
) -> list[Line]:
    """Return turns from (line number, row); ``fields`` makes a turn's fields of a row.

    InputError in one line that says where, or as in ``load_turns``.
    """
    turns: list[Line] = []
    names: dict[str, int] = {}
    for number, row in rows:
        where = f"{name}:{number}"
        try:
            line = _line(fields(row, where), where, len(turns) + 1)
            taken = names.setdefault(line.turn.id, number)
            if taken != number:
                raise InputError(f"{where}: id '{line.turn.id}' is taken by line {taken}")
        except InputError as error:
            if wrong is None:
                raise
            wrong.append(str(error))
        else:
            turns.append(line)
    if not turns and not wrong:
        raise InputError(f'{name}: has no turns; write one a line, such as {{"text": "Hi"}}')
    return turns


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row: Any = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise InputError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise InputError(f'{where}: expected an object such as {{"text": "Hi"}}')
    return row


def _line(given: dict[str, Any], where: str, number: int) -> Line:
    row = {"id": f"{number:03d}", **given}
    state = None
    if row.get("emotion") is not None or row.get("vad") is not None:
        wanted = {key: row[key] for key in ("emotion", "vad", "level") if row.get(key) is not None}
        state = state_of(wanted, where)
    try:
        return Line(convert(row, Turn, where), state)
    except ProfileError as error:
        raise InputError(str(error)) from error


class Script(Source):
    """Plays a script's turns one after another, each with its emotion and the pause before it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = load_turns(path)
        self.several = len(self.lines) > 1
        self._felt = any(line.state for line in self.lines)
        said = [line.turn.transcript for line in self.lines]
        self._untold = 0
        if all(line.turn.audio and line.turn.transcript for line in self.lines):
            self.transcript = " ".join(text for text in said if text)
        else:
            self._untold = sum(text is not None for text in said)
        self._files = {
            line.turn.id: AudioFile(path.parent / line.turn.audio)
            for line in self.lines
            if line.turn.audio
        }
        self.known = [text for line in self.lines if (text := self._text(line)).text]
        self.brings = "text" if len(self._files) < len(self.lines) else "audio"
        if self.brings == "audio":
            self.rate = self._files[self.lines[0].turn.id].rate

    def said_by(self, speakers: Collection[str]) -> str | None:
        """Return what some of the speakers say, where every turn's sound has a transcript."""
        if self.transcript is None:
            return None
        turns = [line.turn for line in self.lines if line.turn.speaker in speakers]
        return " ".join(turn.transcript or "" for turn in turns)

    def blocks(self) -> Iterator[Audio | Text]:
        """Yield silence, text and sound in the order of the turns."""
        for line in self.lines:
            turn = line.turn
            if turn.pause:
                yield Audio(np.zeros(int(turn.pause * PAUSE_RATE), np.float32), PAUSE_RATE)
            yield self._text(line)
            if turn.audio:
                yield from self._files[turn.id].blocks()

    def _text(self, line: Line) -> Text:
        """Return what is said; an empty text sets the emotion. A turn without one is neutral."""
        state = line.state or (NEUTRAL if self._felt else None)
        return Text(line.turn.text or "", line.turn.lang, line.turn.speaker, state)

    def report(self) -> list[str]:
        """Say which sound files were cut off, and whether transcripts were of no use."""
        notes = [line for file in self._files.values() for line in file.report()]
        if self._untold:
            notes.append(f"{self._untold} transcripts not used: not every turn has one and sound")
        return notes
