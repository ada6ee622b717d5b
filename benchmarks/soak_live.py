"""Ten minutes into Live Link, VMC and a file at once, while everything goes wrong around them.

    python benchmarks/soak_live.py [--minutes 10]

A core is busy, a proxy loses 1 % of Live Link's packets, VMC's receiver vanishes and comes back,
and a further sink blocks again and again. Ends with 1 if a frame came out of order, the sinks
drifted apart by a frame, memory grew, or the file is not whole.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from facewire.pipeline import Built
from facewire.profile import ComponentSpec, Profile
from facewire.rig import Rig
from facewire.session import Session
from facewire.stages import Source
from facewire.testing import ListSink
from facewire.types import Block, Frames
from facewire_livelink.wire import unpack

RIG, FPS = Rig.named("arkit61"), Fraction(60)
LOSS = 0.01
GROWTH = 8.0  # MB that may come and go


def rows(start: int, count: int) -> np.ndarray:
    """Return frames (count, 61) that tell their number: jawOpen and mouthFunnel are its digits."""
    values = np.zeros((count, len(RIG)), np.float32)
    number = np.arange(start, start + count)
    values[:, RIG.index("jawOpen")] = number % 997 / 997
    values[:, RIG.index("mouthFunnel")] = 0.5 + number % 89 / 178  # lips never met: none is chosen
    return values


class Clip(Source):
    """Brings ``seconds`` of frames, and notes the memory as it goes."""

    brings = "frames"

    def __init__(self, seconds: int) -> None:
        self.seconds, self.sizes = seconds, [resident()]

    def blocks(self) -> Iterator[Frames]:
        for second in range(self.seconds):
            yield Frames(rows(second * 60, 60), RIG, FPS, second * 60)
            if second % max(1, self.seconds // 10) == 0:
                self.sizes.append(resident())


class Blocks(ListSink):
    """A live sink that hangs for a second and a half, every four seconds."""

    def __init__(self) -> None:
        super().__init__(live=True)
        self.frames: list[int] = []
        self._next = time.monotonic() + 4

    def push(self, block: Block) -> None:
        self.frames.append(block.frames.start)
        if time.monotonic() > self._next:
            time.sleep(1.5)
            self._next = time.monotonic() + 4


class Receiver:
    """A socket with a thread: notes which frame came when; may vanish and come back."""

    def __init__(self, read: Callable[[bytes], int | None], most: int) -> None:
        self._read = read
        self.frames, self.times = np.zeros(most, np.int64), np.zeros(most)
        self.count = 0
        self._stop = threading.Event()
        self._open(0)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _open(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._socket.settimeout(0.2)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                frame = self._read(self._socket.recv(4096))
            except (TimeoutError, OSError):
                continue
            if frame is not None and self.count < len(self.frames):
                self.frames[self.count] = frame
                self.times[self.count] = time.perf_counter()
                self.count += 1

    def vanish(self, seconds: float) -> None:
        """Let the port go for a while."""
        self._socket.close()
        time.sleep(seconds)
        self._open(self.port)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()


def live_link_frame(data: bytes) -> int:
    return unpack(data).frame


def vmc_frame(data: bytes) -> int | None:
    """Return the frame of the bundle that holds the time, None for the others."""
    at = data.find(b"/VMC/Ext/T\0\0,f\0\0")
    return None if at < 0 else round(struct.unpack_from(">f", data, at + 16)[0] * 60)


class Proxy:
    """Hands datagrams on, but one in a hundred."""

    def __init__(self, to: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port, self._to, self.lost = self._socket.getsockname()[1], to, 0
        self._stop, self._chance = threading.Event(), random.Random(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                data = self._socket.recv(4096)
            except TimeoutError:
                continue
            if self._chance.random() < LOSS:
                self.lost += 1
            else:
                self._socket.sendto(data, ("127.0.0.1", self._to))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()


@dataclass
class Outcome:
    """What a soak showed. Seconds, frames, MB; ``backwards`` counts frames out of order."""

    frames: int
    received: dict[str, int] = field(default_factory=dict)
    backwards: int = 0
    drift: float = 0.0
    growth: float = 0.0
    whole: bool = False
    lost: int = 0
    blocked: int = 0

    @property
    def good(self) -> bool:
        return (
            self.backwards == 0
            and abs(self.drift) < float(1 / FPS)
            and self.growth < GROWTH
            and self.whole
            and min(self.received.values()) > 0.5 * self.frames
        )


def resident() -> float:
    """Return the resident size in MB (0 where /proc is missing)."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 / 1e6 if statm.exists() else 0.0


def spin(stop: object) -> None:
    while not stop.is_set():  # type: ignore[attr-defined]
        sum(range(2000))


def soak(seconds: int, folder: Path) -> Outcome:
    """Run it in real time."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    busy = context.Process(target=spin, args=(stop,), daemon=True)
    live_link = Receiver(live_link_frame, seconds * 61 + 600)
    vmc = Receiver(vmc_frame, seconds * 61 + 600)
    proxy, blocks, source = Proxy(live_link.port), Blocks(), Clip(seconds)
    profile = Profile(
        name="soak",
        sinks=(
            ComponentSpec("livelink", {"port": proxy.port, "timecode": "run"}),
            ComponentSpec("osc.vmc", {"port": vmc.port}),
            ComponentSpec("files.npz", {"path": str(folder / "soak.npz")}),
        ),
        layers=(),
    )
    session = Session(profile, source, "soak", folder, sinks=[Built(blocks, "blocks", "sink")])
    busy.start()
    away = threading.Timer(seconds / 3, vmc.vanish, (seconds / 10,))
    away.start()
    try:
        report = session.run()
    finally:
        stop.set()
        away.join()
        time.sleep(0.5)
        for thing in (proxy, live_link, vmc):
            thing.stop()
        busy.join()
    return judged(report.frames, (live_link, vmc), blocks, source, proxy.lost, folder)


def judged(
    frames: int,
    receivers: tuple[Receiver, Receiver],
    blocks: Blocks,
    source: Clip,
    lost: int,
    folder: Path,
) -> Outcome:
    outcome = Outcome(frames, lost=lost, blocked=frames - len(blocks.frames))
    late = []
    for name, receiver in zip(("livelink", "osc.vmc"), receivers, strict=True):
        seen, times = receiver.frames[: receiver.count], receiver.times[: receiver.count]
        outcome.received[name] = receiver.count
        outcome.backwards += int((np.diff(seen) <= 0).sum())
        late.append(times - seen / float(FPS))
    outcome.backwards += int((np.diff(blocks.frames) <= 0).sum())
    ends = [(np.median(one[: len(one) // 5]), np.median(one[-len(one) // 5 :])) for one in late]
    apart = [ends[0][i] - ends[1][i] for i in (0, 1)]
    outcome.drift = float(max(map(abs, apart)))
    half = len(source.sizes) // 2
    outcome.growth = source.sizes[-1] - source.sizes[half]
    with np.load(folder / "soak.npz") as made:
        values = made["values"]
    outcome.whole = np.array_equal(values, rows(0, source.seconds * 60))
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    seconds = int(60 * parser.parse_args().minutes)
    sys.setswitchinterval(0.0005)
    with tempfile.TemporaryDirectory() as folder:
        outcome = soak(seconds, Path(folder))
    print(f"{seconds} s, {outcome.frames} frames; received: {outcome.received}")
    print(f"lost by the proxy {outcome.lost}; not taken by the sink that blocks {outcome.blocked}")
    print(f"out of order {outcome.backwards}; sinks apart {1000 * outcome.drift:.2f} ms")
    print(f"memory +{outcome.growth:.1f} MB; file {'whole' if outcome.whole else 'NOT whole'}")
    sys.exit(0 if outcome.good else 1)


if __name__ == "__main__":
    main()
