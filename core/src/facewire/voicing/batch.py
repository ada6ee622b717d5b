"""Speak a script's turns with several workers, and leave a folder that is true at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from facewire.assemble import Assembly
from facewire.emotion import State
from facewire.errors import FacewireError
from facewire.pipeline import Built, call, walk
from facewire.stages import Voice
from facewire.types import Audio
from facewire.voicing.contract import GivenUp, QuotaExhausted, Unreachable, VoiceError
from facewire.voicing.disk import DiskError, write_turn
from facewire.voicing.retry import WAITING, Waiting
from facewire.voicing.script import Job, prepare

GIVE_UP = 3  # turns in a row that nobody answers: the next one would wait as long for nothing


@dataclass
class Outcome:
    """What came of a batch: turns that were made, that failed (with the cause), and what is left.

    ``stopped`` is the error that ended it early, or None.
    """

    made: list[Job] = field(default_factory=list)
    failed: list[tuple[Job, str]] = field(default_factory=list)
    left: list[Job] = field(default_factory=list)
    stopped: BaseException | None = None


class Batch:
    """Speaks ``jobs`` of a script into a folder, one worker an assembly: voices need no locks.

    ``everything`` are all of the script's jobs, also those that are on disk.

    ``told`` is called with each job as it ends and the error's text, or None, and ``waits`` with a
    job and why it waits for a service; from the workers' threads, one at a time.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        everything: Sequence[Job],
        assemblies: Sequence[Assembly],
        folder: Path,
    ) -> None:
        self._jobs, self._folder = list(jobs), folder
        self.told: Callable[[Job, str | None], None] = lambda job, error: None
        self.waits: Callable[[Job, str], None] = lambda job, line: None
        self._queue: Iterator[Job] = iter(self._jobs)
        self._assemblies = list(assemblies)[: max(1, len(self._jobs))]
        for assembly in self._assemblies:
            prepare(everything, assembly)  # a monologue's voice follows from the whole script
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._row = 0  # turns that nobody answered since the last answer
        self.outcome = Outcome()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop, or had to."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Begin no other turn; those in hand are finished, but for those that wait to ask again."""
        self._stop.set()

    def run(self) -> Outcome:
        """Return when all is done or stopped. KeyboardInterrupt in here leaves at once."""
        work = [
            threading.Thread(target=self._work, args=(assembly,), daemon=True)
            for assembly in self._assemblies
        ]
        for thread in work:
            thread.start()
        try:
            for thread in work:
                while thread.is_alive():
                    thread.join(0.05)  # in pieces, so that a signal is seen
        finally:
            with self._lock:
                ended = {job.name for job in self.outcome.made}
                ended |= {job.name for job, _ in self.outcome.failed}
                self.outcome.left = [job for job in self._jobs if job.name not in ended]
        return self.outcome

    def _next(self) -> Job | None:
        with self._lock:
            return None if self._stop.is_set() else next(self._queue, None)

    def _work(self, assembly: Assembly) -> None:
        while (job := self._next()) is not None:
            WAITING.set(Waiting(partial(self._waits, job), self._stop))
            try:
                speak_turn(job, assembly, self._folder)
            except GivenUp:
                return
            except FacewireError as error:
                self._failed(job, error)
            except BaseException as error:
                self._end(error)
            else:
                self._made(job)

    def _waits(self, job: Job, line: str) -> None:
        with self._lock:
            self.waits(job, line)

    def _made(self, job: Job) -> None:
        with self._lock:
            self._row = 0
            self.outcome.made.append(job)
            self.told(job, None)

    def _failed(self, job: Job, error: FacewireError) -> None:
        if isinstance(error, QuotaExhausted | DiskError):  # the turn is left, it did not fail
            self._end(error)
            return
        with self._lock:
            self._row = self._row + 1 if isinstance(error, Unreachable) else 0
            self.outcome.failed.append((job, str(error)))
            self.told(job, str(error))
            if self._row >= GIVE_UP:
                self._stop.set()
                self.outcome.stopped = self.outcome.stopped or error

    def _end(self, error: BaseException) -> None:
        with self._lock:
            self._stop.set()
            self.outcome.stopped = self.outcome.stopped or error


def speak_turn(job: Job, assembly: Assembly, folder: Path) -> None:
    """Speak one turn into its files; FacewireError if the voice gives no sound."""
    built = assembly.voice_of(job.utterance.speaker)
    audio = gathered(built, walk(built, call(built, built.stage.speak, job.utterance)))
    if not len(audio):
        raise VoiceError(f"turn '{job.turn.id}': {built} gave no sound for it")
    write_turn(folder, row_of(job, built, audio), audio.samples, audio.rate)


def gathered(built: Built[Voice], pieces: Iterator[Audio]) -> Audio:
    """Return pieces as one."""
    found = list(pieces)
    samples = [np.zeros(0, np.float32), *(piece.samples for piece in found)]
    marks = tuple(mark for piece in found for mark in piece.marks)
    return Audio(np.concatenate(samples), built.stage.rate, 0, marks)


def row_of(job: Job, built: Built[Voice], audio: Audio) -> dict[str, Any]:
    """Return what is written down of a turn: marks are in samples at ``rate``."""
    turn = job.turn
    given: dict[str, Any] = {"speaker": turn.speaker, "lang": job.utterance.lang}
    given |= {"emotion": turn.emotion, "level": turn.level, "vad": _rounded(job.state)}
    price = {"characters": job.price.characters, "credits": job.price.credits}
    marks = [
        {"kind": m.kind, "text": m.text, "start": m.start, "end": m.end}
        | ({"chars": list(m.chars)} if m.chars else {})
        for m in audio.marks
    ]
    return {
        "id": turn.id,
        "file": f"{job.name}.wav",
        "text": job.utterance.text,
        **{key: value for key, value in (given | price).items() if value is not None},
        "voice": built.name,
        "rate": audio.rate,
        "seconds": round(len(audio) / audio.rate, 3),
        "digest": job.digest,
        "marks": marks,
    }


def _rounded(state: State | None) -> list[float] | None:
    return [round(value, 4) for value in state.vad] if state else None
