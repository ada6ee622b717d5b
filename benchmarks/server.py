"""Measure facewire-server: sessions at real time, the time from sound to frame, leaks.

    python benchmarks/server.py sessions [--input audio|text] [--profile NAME] [--most 32]
    python benchmarks/server.py cycles [--count 10000]

The server runs in a process of its own (`facewire serve`); clients run here, on the same cores,
which costs a little of what is measured. Sound comes from FACEWIRE_DATA where it is set, else it is
a buzz. A session brings 50 ms of sound every 50 ms, as a microphone does. Its frame is late when it
comes more than LATE after the moment at which the pipeline's own latency allows it; the number of
sessions held is the largest with less than 1 % of frames late. Streams of text are paced by the
server; there a frame is late when it comes after the moment at which it is to be drawn, counted
from the first sound.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import numpy as np
import soundfile
import websockets

RATE = 16000
PIECE = RATE // 20
LATE = 0.1  # seconds
TEXT = "Whatever you say, I can say it too, and my face goes along with every word of it. "
pack, unpack = msgspec.msgpack.encode, msgspec.msgpack.decode


@dataclass
class Heard:
    """What one client measured: seconds from sound to frame, and how many frames were late."""

    delays: list[float] = field(default_factory=list)
    frames: int = 0
    late: int = 0
    dropped: int = 0


@contextmanager
def server(most: int) -> Iterator[int]:
    """Run `facewire serve`; yield its port."""
    command = [sys.executable, "-m", "facewire", "serve", "--port", "0"]
    command += ["--max-sessions", str(most), "--rate", "100000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r":(\d+)/", process.stderr.readline())
        assert found is not None, "the server did not start"
        port = int(found[1])
        try:
            while not counters(port, "/health").get("ready"):
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()


def counters(port: int, path: str = "/metrics") -> dict[str, float]:
    """Return the server's counters, or whether its model is loaded."""
    try:
        text = urlopen(f"http://127.0.0.1:{port}{path}", timeout=30).read()
    except OSError:
        return {}
    if path == "/health":
        return {"ready": float(msgspec.json.decode(text)["model_loaded"])}
    lines = [line.rsplit(" ", 1) for line in text.decode().splitlines() if line[:1] != "#"]
    return {name: float(value) for name, value in lines}


def speech() -> np.ndarray:
    """Return a minute of speech at 16 kHz, or of a buzz."""
    folder = Path(os.environ.get("FACEWIRE_DATA", "")) / "speech"
    pieces = []
    for path in sorted(folder.glob("*.wav")) + sorted(folder.glob("*.flac")):
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if rate == RATE:
            pieces.append(samples[:, 0])
    if not pieces:
        t = np.arange(60 * RATE) / RATE
        buzz = sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 12))
        pieces.append((0.2 * buzz * (0.5 - 0.5 * np.cos(8 * np.pi * t))).astype(np.float32))
    return np.resize(np.concatenate(pieces), 60 * RATE)


async def opened(port: int, kind: str, profile: str) -> tuple[Any, dict[str, Any]]:
    socket = await websockets.connect(
        f"ws://127.0.0.1:{port}/v1/stream",
        subprotocols=[websockets.Subprotocol("facewire.v1.msgpack")],
        max_size=None, proxy=None, compression=None,
    )  # fmt: skip
    await socket.send(pack({"type": "start", "input": kind, "rate": RATE, "profile": profile}))
    return socket, unpack(await socket.recv())


async def microphone(port: int, profile: str, samples: np.ndarray, seconds: float) -> Heard:
    """Send sound in real time; note when its frames come."""
    socket, ready = await opened(port, "audio", profile)
    heard, sent = Heard(), [0.0]

    async def read() -> None:
        while (message := unpack(await socket.recv()))["type"] != "end":
            if message["type"] == "frames":
                now, first = time.monotonic(), message["start"]
                heard.frames += message["count"]
                for frame in range(first, first + message["count"]):
                    at = sent[min(frame * RATE // 60 // PIECE, len(sent) - 1)]
                    heard.delays.append(now - at)
                    heard.late += now - at > ready["latency"] + PIECE / RATE + LATE
            elif message["type"] == "dropped":
                heard.dropped += message["frames"]

    reading = asyncio.ensure_future(read())
    begin = time.monotonic()
    for i in range(int(seconds * RATE) // PIECE):
        await asyncio.sleep(max(0.0, begin + i * PIECE / RATE - time.monotonic()))
        sent[i : i + 1] = [time.monotonic()]
        data = samples[i * PIECE : (i + 1) * PIECE].tobytes()
        await socket.send(pack({"type": "audio", "pcm": data}))
    await socket.send(pack({"type": "end"}))
    await asyncio.wait_for(reading, 120)
    await socket.close()
    return heard


async def writer(port: int, profile: str, seconds: float) -> Heard:
    """Send text for so long; note how long after the first sound each frame comes."""
    socket, _ = await opened(port, "text", profile)
    heard, begin = Heard(), time.monotonic()
    words = int(seconds * 15 / len(TEXT)) + 1  # some fifteen characters a second
    await socket.send(pack({"type": "text", "text": TEXT * words}))
    await socket.send(pack({"type": "end"}))
    first = 0.0
    while (message := unpack(await socket.recv()))["type"] != "end":
        now = time.monotonic()
        if message["type"] == "audio" and not first:
            first = now
        if message["type"] == "frames":
            if not heard.delays:
                heard.delays.append(now - begin)
            heard.frames += message["count"]
            last = message["start"] + message["count"] - 1
            heard.late += message["count"] * (now > first + last / 60 + LATE)
    await socket.close()
    return heard


async def at_once(port: int, profile: str, kind: str, count: int, seconds: float) -> list[Heard]:
    sound = speech()
    turned = [np.roll(sound, -i * 7 * RATE) for i in range(count)]
    work = [
        microphone(port, profile, turned[i], seconds)
        if kind == "audio"
        else writer(port, profile, seconds)
        for i in range(count)
    ]
    return await asyncio.gather(*work)


def sessions(profile: str, kind: str, most: int, seconds: float) -> None:
    """Print a table: sessions, share of late frames, and the times."""
    what = "sound to frame" if kind == "audio" else "text to first frame"
    print(f"load {os.getloadavg()[0]:.1f} before; {os.cpu_count()} cores; {what}")
    print("sessions   late %  dropped   p50 ms   p99 ms")
    held, count = 0, 1
    with server(most) as port:
        while count <= most:
            heard = asyncio.run(at_once(port, profile, kind, count, seconds))
            delays = [delay for each in heard for delay in each.delays]
            frames = sum(each.frames for each in heard)
            late = 100 * sum(each.late for each in heard) / max(1, frames)
            half, top = (1000 * np.percentile(delays, share) for share in (50, 99))
            lost = sum(each.dropped for each in heard)
            print(f"{count:8} {late:8.2f} {lost:8} {half:8.0f} {top:8.0f}", flush=True)
            if late >= 1:
                break
            held, count = count, count + max(1, count // 3)
    print(f"held at real time: {held}")


async def cycle(port: int, i: int) -> None:
    """Connect and vanish: at once, after the start, or while sound is worked on."""
    socket = await websockets.connect(f"ws://127.0.0.1:{port}/v1/stream", proxy=None)
    if i % 3:
        await socket.send('{"type":"start","input":"audio","rate":16000}')
    if i % 3 == 2:
        await socket.send('{"type":"audio","pcm":"' + "AAAA" * 400 + '"}')
    socket.transport.abort()


async def many(port: int, count: int) -> int:
    refused = 0
    for first in range(0, count, 8):
        batch = [cycle(port, i) for i in range(first, min(first + 8, count))]
        for done in await asyncio.gather(*batch, return_exceptions=True):
            refused += isinstance(done, Exception)
    return refused


def cycles(count: int) -> None:
    """Print memory, descriptors and open streams after each fifth of so many clients.

    The first fifth fills the allocator's pools; what comes after it is what would leak.
    """
    with server(64) as port:
        print("                     MB   files  streams")
        told, refused, begin = [_told(port, "before")], 0, time.monotonic()
        for part in range(1, 6):
            refused += asyncio.run(many(port, count // 5))
            until = time.monotonic() + 60
            while counters(port)["facewire_sessions"] and time.monotonic() < until:
                time.sleep(0.5)
            told.append(_told(port, f"after {part * (count // 5)}"))
        took = time.monotonic() - begin
    print(f"{count / took:.0f} a second, {refused} refused or cut")
    print(f"grown since the first fifth: {told[-1] - told[1]:.1f} MB")


def _told(port: int, when: str) -> float:
    found = counters(port)
    size = found["process_resident_memory_bytes"] / 1e6
    files, streams = found["process_open_fds"], found["facewire_sessions"]
    print(f"{when:18} {size:6.1f} {files:7.0f} {streams:8.0f}", flush=True)
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="what", required=True)
    load = kinds.add_parser("sessions")
    load.add_argument("--input", choices=("audio", "text"), default="audio")
    load.add_argument("--profile", default="default")
    load.add_argument("--most", type=int, default=32)
    load.add_argument("--seconds", type=float, default=12.0)
    leaks = kinds.add_parser("cycles")
    leaks.add_argument("--count", type=int, default=10_000)
    given = parser.parse_args()
    if given.what == "cycles":
        cycles(given.count)
    else:
        sessions(given.profile, given.input, given.most, min(given.seconds, 55.0))


if __name__ == "__main__":
    main()
