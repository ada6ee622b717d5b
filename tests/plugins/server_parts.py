"""A real server on a free port, and a client for its streams."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile
import websockets
from facewire_server.app import Parts, make_app
from facewire_server.command import bound
from facewire_server.serving import server_of
from facewire_server.settings import Settings
from fastapi import FastAPI

Message = dict[str, Any]


@dataclass
class Served:
    """A server that runs on a thread of its own."""

    app: FastAPI
    port: int
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/stream"

    @property
    def parts(self) -> Parts:
        parts: Parts = self.app.state.parts
        return parts

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, **options)


@contextmanager
def serving(studio: Path | None = None, **options: Any) -> Iterator[Served]:
    """Serve while the block runs; it must end in a few seconds, whatever is open."""
    settings = Settings(**{"port": 0, "rate": 10_000.0, "workers": 2, **options})
    listener = bound(settings)
    app = make_app(settings, studio)
    server = server_of(app)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    until(lambda: server.started, 20)
    (loop,) = [s.get_loop() for s in server.servers]
    try:
        yield Served(app, listener.getsockname()[1], loop)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive(), "the server does not end"


def light(folder: Path) -> str:
    """Write a profile that hears no phones, so that a second of sound costs next to nothing."""
    path = folder / "light.yaml"
    path.write_text("extends: default\nmodel: phonemes\nfeatures: {use: phonemes, mode: marks}\n")
    return str(path)


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def speech(seconds: float = 1.0, rate: int = 16000) -> np.ndarray:
    """Return something like a voice: a buzz that opens and closes four times a second."""
    t = np.arange(int(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 12))
    return (0.2 * buzz * (0.5 - 0.5 * np.cos(2 * np.pi * 4 * t))).astype(np.float32)


def as_file(samples: np.ndarray, rate: int = 16000, form: str = "WAV") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=form)
    return out.getvalue()


class Talk:
    """A stream's client that notes all it gets."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.got = socket, []  # type: ignore[var-annotated]

    async def tell(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def hear(self, samples: np.ndarray) -> None:
        await self.tell("audio", pcm=b64encode(samples.astype("<f4").tobytes()).decode())

    async def next(self, seconds: float = 30) -> Message:
        message: Message = json.loads(await asyncio.wait_for(self.socket.recv(), seconds))
        self.got.append(message)
        return message

    async def until(self, kind: str, seconds: float = 30, **fields: Any) -> Message:
        """Read until a message of a kind with such fields; return it."""
        async with asyncio.timeout(seconds):
            while True:
                message = await self.next(seconds)
                if message["type"] == kind and fields.items() <= message.items():
                    return message

    def of(self, kind: str, **fields: Any) -> list[Message]:
        return [m for m in self.got if m["type"] == kind and fields.items() <= m.items()]

    def values(self, turn: int = 0, channels: int = 61) -> np.ndarray:
        """Return the frames of a turn (n, channels), without closing ones; they must be whole."""
        rows, at = [np.zeros((0, channels), np.float32)], 0
        for message in self.of("frames", turn=turn):
            if not message.get("closing"):
                assert message["start"] == at
                rows.append(values_of(message, channels))
                assert len(rows[-1]) == message["count"] == len(message["vad"])
                at += message["count"]
        return np.concatenate(rows)

    def sound(self, turn: int = 0) -> np.ndarray:
        pieces = [np.frombuffer(b64decode(m["pcm"]), "<f4") for m in self.of("audio", turn=turn)]
        return np.concatenate(pieces)


def values_of(message: Message, channels: int = 61) -> np.ndarray:
    return np.frombuffer(b64decode(message["values"]), "<f4").reshape(-1, channels)


OPEN: list[Any] = []


def play(scene: Callable[[], Coroutine[Any, Any, None]], seconds: float = 90) -> None:
    """Run a scene; the sockets that it opened are closed after it."""

    async def whole() -> None:
        try:
            await asyncio.wait_for(scene(), seconds)
        finally:
            for socket in OPEN:
                socket.transport.abort()
            OPEN.clear()
            await asyncio.sleep(0)

    asyncio.run(whole())


async def connected(served: Served, path: str = "", **options: Any) -> Talk:
    """Open a stream's socket."""
    options = {"max_size": None, "proxy": None, "ping_interval": None, **options}
    socket = await websockets.connect(served.socket + path, **options)
    OPEN.append(socket)
    return Talk(socket)


async def talking(served: Served, input: str = "audio", **start: Any) -> Talk:
    """Open a stream and start it; the client's `ready` is the first that it has got."""
    talk = await connected(served)
    rate = {"rate": 16000} if input == "audio" else {}
    await talk.tell("start", input=input, **rate, **start)
    ready = await talk.next()
    assert ready["type"] == "ready", ready
    return talk
