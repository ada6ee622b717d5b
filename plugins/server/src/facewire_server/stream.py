"""``WS /v1/stream``: the socket's side of a stream; what is made is the business of ``acting``."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, cast

from facewire.errors import FacewireError, InputError
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from facewire_server.acting import Acting, Item
from facewire_server.answers import number
from facewire_server.messages import (
    JSON,
    MSGPACK,
    AudioIn,
    Codec,
    Dropped,
    EmotionIn,
    EndIn,
    Error,
    Flush,
    FramesOut,
    Incoming,
    Interrupt,
    Outgoing,
    Position,
    Ready,
    Start,
    TextIn,
    unpacked,
)
from facewire_server.options import state_of, wish
from facewire_server.outbox import Outbox, Overflow
from facewire_server.profiles import need_model
from facewire_server.sound import RATES
from facewire_server.turn import Actor

if TYPE_CHECKING:
    from facewire_server.app import Parts

router = APIRouter()
log = logging.getLogger("facewire.server")
FIRST = 10.0  # seconds for the first message
STUCK = 60.0  # seconds that one message may take to be sent
WAITING = 30.0  # seconds of sound that may wait; then the socket is not read
REFUSED, BROKEN, FULL = 1008, 1011, 1013  # RFC 6455 section 7.4, and the IANA registry


class Closing(Exception):
    """The socket closes with a code, after an error was told."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line)
        self.line, self.code = line, code


@router.websocket("/v1/stream")
async def stream(socket: WebSocket) -> None:
    """Animate sound or text while it comes."""
    parts = cast("Parts", socket.app.state.parts)
    offered = socket.scope.get("subprotocols", [])
    name = next((each for each in offered if each in (JSON, MSGPACK)), None)
    await socket.accept(subprotocol=name)
    codec = Codec(name or JSON)
    if not parts.seats.take():
        parts.metrics.refused.labels("sessions").inc()
        line = f"{parts.seats.count} streams are open and no more are taken; try again later"
        await _close(socket, codec, Closing(line, FULL))
        return
    parts.metrics.opened.inc()
    try:
        with parts.metrics.sessions.track_inprogress():
            await Stream(socket, parts, codec).run()
    finally:
        parts.seats.leave()


async def _close(
    socket: WebSocket, codec: Codec, why: Closing, seq: int = 0, at: tuple[int, int] = (0, 0)
) -> None:
    error = Error(error=why.line, seq=seq, turn=at[0], sample=at[1])
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(5):
            await _send(socket, codec.write(error))
            await socket.close(why.code)


async def _send(socket: WebSocket, data: str | bytes) -> None:
    if isinstance(data, str):
        await socket.send_text(data)
    else:
        await socket.send_bytes(data)


class Stream:
    """One client's connection: reads, sends, and tells the acting what to do."""

    def __init__(self, socket: WebSocket, parts: Parts, codec: Codec) -> None:
        self._socket, self._parts, self._codec = socket, parts, codec
        self._outbox = Outbox()
        self._seq, self._at = 0, (0, 0)  # of what was sent: how many, and where it belongs
        self._turn, self._begun = 0, False  # of the input
        self._receiving: asyncio.Task[Any] | None = None
        self._encoding: Literal["f32", "s16"] = "f32"

    async def run(self) -> None:
        """Serve until one side ends it."""
        try:
            acting = await self._start()
            await self._serve(acting)
        except (WebSocketDisconnect, asyncio.CancelledError):  # the client's end, or the server's
            pass
        except Closing as why:
            await self._close(why)
        except Overflow:
            deaf = Closing("nothing is read from this socket", REFUSED)
            await self._close(deaf)
        except Exception as error:
            log.exception("stream failed")
            line = f"unexpected {type(error).__name__}; the server's log says more"
            await self._close(Closing(line, BROKEN))

    async def _close(self, why: Closing) -> None:
        await _close(self._socket, self._codec, why, self._seq, self._at)

    async def _serve(self, acting: Acting) -> None:
        work = [self._read(acting), acting.work(), self._write(acting)]
        tasks = [asyncio.ensure_future(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # -- reading ---------------------------------------------------------------------------------

    async def _message(self, patience: float) -> Incoming:
        async with asyncio.timeout(patience):
            event = await (self._receiving or self._socket.receive())
        self._receiving = None
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1000))
        return self._codec.read(event.get("text"), event.get("bytes"))

    async def _start(self) -> Acting:
        try:
            message = await self._message(FIRST)
            if not isinstance(message, Start):
                raise InputError("the first message must be 'start'")
            actor = await self._built(message)
        except TimeoutError:
            raise Closing(f"no 'start' within {FIRST:g} s", REFUSED) from None
        except FacewireError as error:
            raise Closing(_line(error), REFUSED) from error
        self._encoding = message.encoding
        acting = Acting(actor, self._parts, self._outbox)
        rig, fps = actor.pipeline.rig, actor.pipeline.fps
        self._outbox.put(
            Ready(
                session=secrets.token_hex(8),
                rig={"name": rig.name, "channels": list(rig.channels)},
                fps=number(fps),
                rate=actor.rate,
                latency=round(actor.latency, 4),
            )
        )
        acting.become("listening")
        return acting

    async def _built(self, start: Start) -> Actor:
        """Build what the session needs; not for a client that has gone before its turn came."""
        pool = self._parts.pool.slices
        building = asyncio.get_running_loop().run_in_executor(pool, self._actor, start)
        self._receiving = asyncio.ensure_future(self._socket.receive())
        try:
            await asyncio.wait({building, self._receiving}, return_when=asyncio.FIRST_COMPLETED)
            if self._receiving.done():
                event = self._receiving.result()
                if event["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect(event.get("code", 1000))
            return await building
        except BaseException:
            building.cancel()
            self._receiving.cancel()
            raise

    def _actor(self, start: Start) -> Actor:
        speaks = start.input == "text"
        if not speaks and not RATES[0] <= (start.rate or 0) <= RATES[1]:
            least, most = RATES
            raise InputError(f"rate: found {start.rate}, expected {least} to {most} for audio")
        profile = need_model(self._parts.profiles.load(start.profile))
        return Actor(wish(profile, start), speaks, start.rate)

    async def _read(self, acting: Acting) -> None:
        patience = self._parts.settings.idle
        while True:
            try:
                self._obey(await self._message(patience), acting)
            except FacewireError as error:
                self._parts.metrics.errors.inc()
                self._outbox.put(Error(error=_line(error)))
            except TimeoutError:
                raise Closing(f"nothing came for {patience:g} s", REFUSED) from None
            while acting.waiting > WAITING:
                await asyncio.sleep(0.02)

    def _obey(self, message: Incoming, acting: Acting) -> None:
        if isinstance(message, AudioIn | TextIn):
            self._feed(message, acting)
        elif isinstance(message, Flush):
            acting.put(Item(self._turn, message))
        elif isinstance(message, EndIn):
            acting.put(Item(self._turn, message))
            self._turn, self._begun = self._turn + 1, False
        elif isinstance(message, EmotionIn):
            acting.feel(None if message.emotion is None else state_of(message.emotion))
        elif isinstance(message, Interrupt):
            acting.interrupt()
            self._turn, self._begun = self._turn + self._begun, False
        elif isinstance(message, Position):
            acting.played(message)
        else:
            raise InputError("'start' comes once; open another socket for another session")

    def _feed(self, message: AudioIn | TextIn, acting: Acting) -> None:
        if isinstance(message, AudioIn) == acting.speaks:
            kind = "text" if acting.speaks else "audio"
            raise InputError(f"this session's input is {kind}; 'start' said so")
        if isinstance(message, AudioIn):
            samples = unpacked(message.pcm, self._encoding)
            acting.put(Item(self._turn, message, samples, time.monotonic()))
        else:
            most = self._parts.settings.max_text
            if acting.characters + len(message.text) > most:
                raise InputError(f"text: more than {most} characters wait to be spoken")
            acting.put(Item(self._turn, message))
        self._begun = True

    # -- writing ---------------------------------------------------------------------------------

    async def _write(self, acting: Acting) -> None:
        while True:
            entry = await self._outbox.take()
            if self._outbox.dropped:
                lost, self._outbox.dropped = self._outbox.dropped, 0
                self._parts.metrics.dropped.inc(lost)
                await self._say(Dropped(frames=lost))
            await self._say(entry.message)
            if isinstance(entry.message, FramesOut) and entry.block is not None:
                self._parts.metrics.frames.inc(entry.message.count)
                acting.drawn.sent(entry.message.turn, entry.block)

    async def _say(self, message: Outgoing) -> None:
        message.seq, self._seq = self._seq, self._seq + 1
        if message.turn < 0:
            message.turn, message.sample = self._at
        self._at = message.turn, message.sample
        try:
            async with asyncio.timeout(STUCK):
                await _send(self._socket, self._codec.write(message))
        except TimeoutError:
            raise WebSocketDisconnect(BROKEN) from None
        except RuntimeError:  # the socket has closed meanwhile
            raise WebSocketDisconnect(BROKEN) from None


def _line(error: FacewireError) -> str:
    return " ".join(str(error).split())
