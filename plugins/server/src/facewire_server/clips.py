"""Making a clip of a request: the engine's own run, in turns with all others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from facewire.api import Clip, Collect, clip_of
from facewire.assemble import shared
from facewire.emotion import Key
from facewire.errors import FacewireError
from facewire.inputs import text_name
from facewire.pipeline import Built
from facewire.profile import Profile
from facewire.registry import Registry
from facewire.session import Session
from facewire.sources import GivenAudio, GivenText, TextSource
from facewire.stages import Source
from facewire.types import Audio, Block, Frames, Text

from facewire_server.limits import Seats
from facewire_server.metrics import Metrics
from facewire_server.pool import Loan, Pool
from facewire_server.settings import Settings
from facewire_server.sound import Sound, TooLong


class Busy(FacewireError):
    """There is no place left; the client is to come again."""


class Stopped(FacewireError):
    """The server ends, or the client has gone."""


class _Patient(Source):
    """A source that waits for the pool between its blocks."""

    def __init__(self, source: Source, loan: Loan, job: _Job) -> None:
        self._source, self._loan, self._job = source, loan, job
        self.rate, self.brings = source.rate, source.brings

    def blocks(self) -> Iterator[Audio | Text | Frames]:
        for block in self._source.blocks():
            self._loan.turn()
            self._job.check()
            yield block


class _PatientText(_Patient, TextSource):
    """The same for text: the session listens to no sound but the voice's."""


class _PatientCollect(Collect):
    """Keeps blocks, and waits for the pool after each."""

    def __init__(self, loan: Loan) -> None:
        super().__init__()
        self._loan = loan

    def push(self, block: Block) -> None:
        super().push(block)
        self._loan.turn()


class Clips:
    """Makes clips for one server: so many at once, so many that wait."""

    def __init__(self, pool: Pool, settings: Settings, metrics: Metrics) -> None:
        self._pool, self._settings, self._metrics = pool, settings, metrics
        self._seats = Seats(settings.max_jobs + settings.workers)

    @property
    def waiting(self) -> int:
        """Clips in the making, or waiting for it."""
        return self._seats.taken

    async def animate(
        self,
        profile: Profile,
        given: Sound | str,
        keys: tuple[Key, ...] = (),
        transcript: str | None = None,
    ) -> Clip:
        """Make the clip of a sound or a text. Busy if too many wait; FacewireError if it cannot."""
        most = self._settings.max_text
        for what, text in (("text", given), ("transcript", transcript)):
            if isinstance(text, str) and len(text) > most:
                raise TooLong(f"{what}: {len(text)} characters, expected at most {most}")
        if not self._seats.take():
            raise Busy("too many clips wait to be made; try again in a few seconds")
        job = _Job(self._pool, self._settings.max_seconds)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool.clips, job.run, profile, given, keys, transcript)
        work.add_done_callback(lambda _: self._seats.leave())
        with self._metrics.clips.time():
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                job.stop()
                work.add_done_callback(lambda done: done.cancelled() or done.exception())
                raise


class _Job:
    """One clip in the making."""

    def __init__(self, pool: Pool, most: float) -> None:
        self._pool, self._most = pool, most
        self._session: Session | None = None
        self._stopped = False

    def stop(self) -> None:
        """End the work soon, from another thread."""
        self._stopped = True
        if self._session:
            self._session.abort()

    def run(
        self,
        profile: Profile,
        given: Sound | str,
        keys: tuple[Key, ...],
        transcript: str | None,
    ) -> Clip:
        """Make it, on a thread of the pool's clips."""
        with self._pool.loan(self.stop) as loan:
            source: Source
            if isinstance(given, str):
                source, name = _PatientText(GivenText(given), loan, self), text_name(given)
            else:
                sound = GivenAudio(given.samples, given.rate)
                source, name = _Patient(sound, loan, self), "clip"
            collect = _PatientCollect(loan)
            session = self._session = Session(
                replace(profile, sinks=()),
                source,
                name,
                transcript=transcript,
                keys=keys,
                sinks=[Built(collect, "memory", "sink")],
                registry=shared("facewire.registry", Registry),
                progress=self._check,
            )
            return self._made(name, session, collect)

    def _made(self, name: str, session: Session, collect: Collect) -> Clip:
        self.check()
        try:
            report = session.run()
        except KeyboardInterrupt:
            raise Stopped("stopped before it was made") from None
        return clip_of(name, report, collect)

    def check(self) -> None:
        """Raise Stopped if it shall end."""
        if self._stopped:
            raise Stopped("stopped before it was made")

    def _check(self, seconds: float) -> None:
        if seconds > self._most:
            raise TooLong(f"the text makes more than {self._most:g} s of speech; shorten it")
