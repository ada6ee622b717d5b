"""What a stream's character does: takes turns, speaks, stops when it is interrupted."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from facewire.clauses import ClauseStream
from facewire.emotion import State as Feeling
from facewire.errors import FacewireError
from facewire.types import Audio, Block, FloatArray, first_sample

from facewire_server.answers import rounded
from facewire_server.messages import (
    AudioIn,
    AudioOut,
    EndIn,
    EndOut,
    Error,
    Flush,
    FramesOut,
    MarksOut,
    Position,
    State,
    TextIn,
    packed,
)
from facewire_server.outbox import Drawn, Outbox
from facewire_server.playhead import Playhead
from facewire_server.turn import SLICE, Actor, Made, Turn

if TYPE_CHECKING:
    from facewire_server.app import Parts

T = TypeVar("T")
AHEAD = 1.0  # seconds, besides the latency, that speech is made before it is due
CLOSE = 0.2  # seconds, besides the latency, at which silence is made where no text comes
PATIENT = 10.0  # seconds of silence within a turn; then the face rests until text comes
PAUSE = 0.5  # seconds without text after which a clause that may be whole is spoken
ROOM = 120  # frames that wait to be sent before sound that came early is left to wait
TICK = 0.03


class Stale(Exception):
    """The turn was interrupted while something was made for it."""


@dataclass(slots=True, eq=False)
class Item:
    """Something to do, in order: for which turn, and when it came."""

    turn: int
    message: AudioIn | TextIn | EndIn | Flush
    samples: FloatArray | None = None
    came: float = 0.0


class Acting:
    """Makes frames of what comes in; all but the slices runs on the event loop."""

    def __init__(self, actor: Actor, parts: Parts, outbox: Outbox) -> None:
        self._actor, self._parts, self._outbox = actor, parts, outbox
        self.drawn = Drawn(actor.pipeline, actor.rate)
        self.speaks = actor.speech is not None
        self._items: deque[Item] = deque()
        self._filled = asyncio.Event()
        self._samples = self.characters = 0  # that wait
        self._turn: Turn | None = None
        self._failed: Turn | None = None
        self._live: Feeling | None = None
        self._clauses = ClauseStream()
        self._playhead = Playhead()
        self._began = self._heard = 0.0  # when the turn began, when text last came
        self._silent = 0.0
        self._state = ""
        self._cuts = 0  # interruptions so far

    # -- told by the socket ----------------------------------------------------------------------

    @property
    def waiting(self) -> float:
        """Seconds of sound that wait."""
        return self._samples / self._actor.rate

    def put(self, item: Item) -> None:
        """Take something to do."""
        self._items.append(item)
        self._samples += len(item.samples) if item.samples is not None else 0
        if isinstance(item.message, TextIn):
            self.characters += len(item.message.text)
        self._filled.set()

    def feel(self, state: Feeling | None) -> None:
        """Take over the emotion from the next frame made; None gives it back."""
        self._live = state
        if self._turn and state is not None:
            self._turn.curve.set(None, state)
        elif self._turn:
            self._turn.curve.release()

    def played(self, position: Position) -> None:
        """Note what the client has played and drawn."""
        fps, rate = self._actor.pipeline.fps, self._actor.rate
        frame = position.frame
        if frame is None:
            frame = int(position.sample * fps / rate)
        seconds = position.sample / rate if position.sample else float(frame / fps)
        self._playhead.report(position.turn, seconds)
        left = self.drawn.at(position.turn, frame)
        if left is not None:
            self._parts.metrics.lead.observe(float(left / fps))

    def interrupt(self) -> None:
        """Drop all that is queued, close the mouth at the frame drawn last, and listen."""
        self._parts.metrics.interrupts.inc()
        self._cuts += 1
        self._items.clear()
        self._samples = self.characters = 0
        self._turn = self._failed = None
        self._clauses.reset()
        self._playhead.drop()
        self._outbox.clear()
        turn, block = self.drawn.closing()
        self._outbox.put(self._frames(turn, block, closing=True), block)
        self._state = ""
        self.become("listening")

    def become(self, state: Literal["listening", "thinking", "speaking"], **at: int) -> None:
        """Tell the client what the character does, if that is news."""
        if state != self._state:
            self._state = state
            self._outbox.put(State(state=state, **at))

    # -- the work --------------------------------------------------------------------------------

    async def work(self) -> None:
        """Do one thing after another, for ever."""
        while True:
            try:
                item = await self._take()
                await self._do(item)
            except Stale:
                continue
            except FacewireError as error:
                self._parts.metrics.errors.inc()
                self._failed, self._turn = self._turn, None
                self._outbox.put(Error(error=" ".join(str(error).split())))
                self.become("listening")

    async def _take(self) -> Item:
        while not self._items:
            self._filled.clear()
            idle = self.speaks and self._turn is not None
            try:
                await asyncio.wait_for(self._filled.wait(), TICK if idle else None)
            except TimeoutError:
                await self._speak_up()
        item = self._items.popleft()
        self._samples -= len(item.samples) if item.samples is not None else 0
        if isinstance(item.message, TextIn):
            self.characters -= len(item.message.text)
        return item

    async def _do(self, item: Item) -> None:
        message = item.message
        if self._failed is not None and self._failed.number == item.turn:
            if isinstance(message, EndIn):
                self._end(item.turn, self._failed)
            return
        if self._turn is None and not isinstance(message, AudioIn | TextIn):
            if isinstance(message, EndIn):
                self._end(item.turn, None)
            return
        turn = self._turn or await self._begin(item.turn)
        if isinstance(message, AudioIn):
            await self._hear(turn, item)
        elif isinstance(message, TextIn):
            self._heard = time.monotonic()
            for clause in self._clauses.push(message.text):
                await self._say(turn, clause)
        else:
            for clause in self._clauses.flush():
                await self._say(turn, clause)
            if isinstance(message, EndIn):
                await self._finish(turn)

    async def _begin(self, number: int) -> Turn:
        self.become("thinking", turn=number, sample=0)
        cuts = self._cuts
        turn = await self._run(self._actor.turn, number)
        if cuts != self._cuts:
            raise Stale
        if self._live is not None:
            turn.curve.set(0, self._live)
        self._turn = turn
        self._began, self._silent = time.monotonic(), 0.0
        self._playhead.begin(number)
        return turn

    async def _hear(self, turn: Turn, item: Item) -> None:
        assert item.samples is not None
        size = max(1, int(SLICE * turn.rate))
        for at in range(0, len(item.samples), size):
            while self._outbox.frames > ROOM and time.monotonic() - self._began < turn.seconds:
                await self._sleep(turn)
            self._post(
                turn, await self._slice(turn, turn.hear, item.samples[at : at + size], item.came)
            )

    async def _say(self, turn: Turn, clause: str) -> None:
        """Speak a clause; the voice has a thread of its own, since it may wait for a service."""
        pieces = await self._spoken(turn, lambda: self._actor.speak(clause))
        while (spoken := await self._spoken(turn, lambda: next(pieces, None))) is not None:
            self._silent = 0.0
            slices = turn.take(spoken)
            while (made := await self._slice(turn, next, slices, None)) is not None:
                self._post(turn, made)
                await self._pace(turn)

    async def _spoken(self, turn: Turn, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        task = loop.run_in_executor(self._parts.pool.voices, work)
        while not task.done():
            await asyncio.wait({task}, timeout=TICK)
            if not task.done():
                await self._live_on(turn)
            self._fresh(turn)
        return task.result()

    async def _speak_up(self) -> None:
        """While no text comes: speak what may be whole."""
        turn = self._turn
        if turn is None:
            return
        if self._clauses.ready and time.monotonic() - self._heard > PAUSE:
            for clause in self._clauses.flush():
                await self._say(turn, clause)
        await self._live_on(turn)

    async def _live_on(self, turn: Turn) -> None:
        """Keep the face alive in silence, while no text or no voice comes."""
        due = self._playhead.ahead < self._actor.latency + CLOSE
        if turn.seconds and due and self._silent < PATIENT:
            self._silent += SLICE
            self._post(turn, await self._slice(turn, turn.wait, SLICE))

    async def _finish(self, turn: Turn) -> None:
        pieces: Iterator[Made] = turn.finish()
        while (made := await self._slice(turn, next, pieces, None)) is not None:
            self._post(turn, made)
        self._end(turn.number, turn)

    def _end(self, number: int, turn: Turn | None) -> None:
        self._turn = self._failed = None
        self._parts.metrics.turns.inc()
        frames, samples = (turn.frames, turn.intake.position) if turn else (0, 0)
        self._outbox.put(EndOut(turn=number, sample=samples, frames=frames, samples=samples))
        self.become("listening")

    # -- helpers ---------------------------------------------------------------------------------

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._parts.pool.slices, work, *args
        )

    async def _slice(self, turn: Turn, work: Callable[..., T], *args: Any) -> T:
        """Compute something for a turn in the pool; Stale if the turn is over by then."""
        made = await self._run(work, *args)
        self._fresh(turn)
        while self._actor.notes:
            self._outbox.put(Error(error=self._actor.notes.pop(0)))
        return made

    def _fresh(self, turn: Turn) -> None:
        if turn is not self._turn:
            raise Stale

    async def _sleep(self, turn: Turn) -> None:
        await asyncio.sleep(TICK)
        self._fresh(turn)

    async def _pace(self, turn: Turn) -> None:
        while self._playhead.ahead > self._actor.latency + AHEAD:
            await self._sleep(turn)

    def _post(self, turn: Turn, made: Made) -> None:
        if made.audio is not None and len(made.audio):
            self._voice(turn, made.audio)
        for block in made.blocks:
            marks = [
                {"kind": m.kind, "text": m.text, "start": m.start, "end": m.end}
                for m in block.audio.marks
            ]
            if marks:
                first = block.audio.marks[0].start
                self._outbox.put(MarksOut(turn=turn.number, sample=first, marks=marks))
            self._outbox.put(self._frames(turn.number, block), block)
            delay = None if self.speaks else turn.delay(block)
            if delay is not None:
                self._parts.metrics.delay.observe(delay)
            self.become("speaking")

    def _voice(self, turn: Turn, audio: Audio) -> None:
        self._playhead.add(len(audio) / audio.rate)
        self._outbox.put(
            AudioOut(
                turn=turn.number, sample=audio.start, rate=audio.rate, pcm=packed(audio.samples)
            )
        )

    def _frames(self, turn: int, block: Block, closing: bool = False) -> FramesOut:
        frames = block.frames
        return FramesOut(
            turn=turn,
            start=frames.start,
            sample=first_sample(frames.start, self._actor.rate, frames.fps),
            count=len(frames),
            values=packed(frames.values),
            vad=rounded(block.emotion.vad, 4),
            closing=closing,
        )
