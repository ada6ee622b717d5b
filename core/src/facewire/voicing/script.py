"""From a script's turns to what voices are asked, and to the plan of a batch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facewire.assemble import Assembly
from facewire.emotion import State, constant, parse_tags, wanted
from facewire.errors import InputError
from facewire.pipeline import Built, call
from facewire.profile import Profile
from facewire.speech import HISTORY, Cue, at_start, feelings
from facewire.stages import Voice
from facewire.turns import Line, Turn
from facewire.types import Utterance
from facewire.voicing.contract import Planning, Price
from facewire.voicing.disk import MANIFEST, known

_FILE_NAME = re.compile(r"[^\W_][\w-]*(\.[\w-]+)*")
_MAX_NAME = 120  # bytes; file systems take 255, with the ending
_UNPRICED = Price(0)
# what Windows keeps for devices, whatever follows the dot
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True, slots=True)
class Job:
    """One turn to speak: its file's name without the ending, and what the voice is asked."""

    turn: Turn
    name: str
    utterance: Utterance
    digest: str
    state: State | None = None
    price: Price = _UNPRICED


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch would do with each turn of a script.

    ``todo``: to be spoken. ``changed``: those of them whose file says something else. ``present``:
    on disk. ``silent``: with a sound of their own, or nothing to say. ``everything``: all jobs.
    """

    todo: tuple[Job, ...]
    changed: int
    present: tuple[Job, ...]
    silent: int
    everything: tuple[Job, ...]

    @property
    def names(self) -> list[tuple[str, str]]:
        """Ids and file names of the turns that are or will be on disk, in order."""
        return [(job.turn.id, job.name) for job in self.everything]


def file_name(turn: str) -> str:
    """Return a turn's file name: its id, or what can be kept of it and six digits of its hash."""
    taken = turn.lower() == Path(MANIFEST).stem or _RESERVED.fullmatch(turn)
    if _FILE_NAME.fullmatch(turn) and len(turn.encode()) <= _MAX_NAME and not taken:
        return turn
    kept = (
        "-".join(re.findall(r"[^\W_]+", turn)).encode()[: _MAX_NAME - 10].decode("utf-8", "ignore")
    )
    return f"{kept or 'turn'}-{hashlib.sha256(turn.encode('utf-8', 'replace')).hexdigest()[:6]}"


def jobs_of(lines: Sequence[Line], profile: Profile) -> list[Job]:
    """Return the turns that have something to say, as a session would ask a voice to say them.

    InputError for a wrong tag and for ids that would share a file.
    """
    # where turns have an emotion, one without is neutral, as in a session
    felt = any(line.state for line in lines)
    wants = {} if felt else at_start(wanted(profile.emotion, "emotion:"))
    jobs: list[Job] = []
    said: list[str] = []
    names: dict[str, str] = {}
    for line in lines:
        job = _job(line, profile, wants, tuple(said[-HISTORY:])) if line.turn.text else None
        if job is None:
            continue
        other = names.setdefault(job.name.casefold(), line.turn.id)
        if other != line.turn.id:
            raise InputError(
                f"turns '{other}' and '{line.turn.id}' would share the file {job.name}.wav; "
                "rename one"
            )
        jobs.append(job)
        said.append(job.utterance.text)
    return jobs


def _job(
    line: Line, profile: Profile, wants: Mapping[str, State], previous: tuple[str, ...]
) -> Job | None:
    turn = line.turn
    tagged = parse_tags(turn.text or "", profile.tags == "lenient", f"turn '{turn.id}'")
    if not tagged.text.strip():
        return None
    cues = [Cue(0, line.state, "tags")] if line.state else []
    cues += [Cue(tag.at, tag.state, "tags") for tag in tagged.tags]
    state, changes = feelings(tagged.text, cues, wants)
    emotion = constant(state, 1, 0, profile.fps) if state else None
    inside = tuple((at, constant(new, 1, 0, profile.fps)) for at, new in changes)
    lang = turn.lang or profile.lang
    utterance = Utterance(tagged.text, lang, turn.speaker, emotion, previous, inside)
    facts: list[object] = [tagged.text, lang, turn.speaker, _numbers(state)]
    facts += [[at, _numbers(new)] for at, new in changes]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    return Job(turn, file_name(turn.id), utterance, digest, state)


def _numbers(state: State | None) -> list[float]:
    return [round(value, 4) for value in (*state.vad, *state.weights)] if state else []


def plan(lines: Sequence[Line], assembly: Assembly, folder: Path) -> Plan:
    """Say what there is to do in ``folder``; the voices are built and told of the whole script.

    A turn is on disk if its WAV is there. It is made again only if what was written down with it
    shows that its words, language, speaker or emotion changed, and never if it is ``locked``.
    """
    jobs = prepare(jobs_of(lines, assembly.profile), assembly)
    todo: list[Job] = []
    present: list[Job] = []
    changed = 0
    for job in jobs:
        if not (folder / f"{job.name}.wav").is_file():
            todo.append(job)
        elif job.turn.locked or known(folder, job.name).get("digest", job.digest) == job.digest:
            present.append(job)
        else:
            todo.append(job)
            changed += 1
    return Plan(tuple(todo), changed, tuple(present), len(lines) - len(jobs), tuple(jobs))


def prepare(jobs: Sequence[Job], assembly: Assembly) -> list[Job]:
    """Tell each voice all that it will say; return the jobs with their prices."""
    speaking: dict[int, tuple[Built[Voice], list[int]]] = {}
    for i, job in enumerate(jobs):
        built = assembly.voice_of(job.utterance.speaker)
        speaking.setdefault(id(built), (built, []))[1].append(i)
    priced = [replace(job, price=Price(len(job.utterance.text))) for job in jobs]
    for built, indices in speaking.values():
        if isinstance(built.stage, Planning):
            prices = call(built, built.stage.plan, [jobs[i].utterance for i in indices])
            for i, price in zip(indices, prices, strict=True):
                priced[i] = replace(jobs[i], price=price)
    return priced
