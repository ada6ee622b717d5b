"""A script of many turns: JSONL, one turn a line, and the source that plays it."""

from __future__ import annotations

from collections.abc import Iterator
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


def load_turns(path: Path) -> list[Line]:
    """Read a script; InputError in one line, with the file's line number."""
    check_readable(path)
    turns: list[Line] = []
    names: dict[str, int] = {}
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: not UTF-8 text ({error.reason})") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        turn = _turn(line, f"{path.name}:{number}", len(turns) + 1)
        name = turn.turn.id
        if name in names:
            raise InputError(f"{path.name}:{number}: id '{name}' is taken by line {names[name]}")
        names[name] = number
        turns.append(turn)
    if not turns:
        raise InputError(f'{path.name}: has no turns; write one a line, such as {{"text": "Hi"}}')
    return turns


def _turn(line: str, where: str, number: int) -> Line:
    try:
        row: Any = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise InputError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise InputError(f'{where}: expected an object such as {{"text": "Hi"}}')
    row.setdefault("id", f"{number:03d}")
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
        self.brings = "text" if len(self._files) < len(self.lines) else "audio"
        if self.brings == "audio":
            self.rate = self._files[self.lines[0].turn.id].rate

    def blocks(self) -> Iterator[Audio | Text]:
        """Yield silence, text and sound in the order of the turns."""
        for line in self.lines:
            turn = line.turn
            if turn.pause:
                yield Audio(np.zeros(int(turn.pause * PAUSE_RATE), np.float32), PAUSE_RATE)
            # An empty text says nothing and sets the emotion; a turn without one is neutral.
            state = line.state or (NEUTRAL if self._felt else None)
            yield Text(turn.text or "", turn.lang, turn.speaker, state)
            if turn.audio:
                yield from self._files[turn.id].blocks()

    def report(self) -> list[str]:
        """Say which sound files were cut off, and whether transcripts were of no use."""
        notes = [line for file in self._files.values() for line in file.report()]
        if self._untold:
            notes.append(f"{self._untold} transcripts not used: not every turn has one and sound")
        return notes
