"""How punctual live frames are: idle, with a core busy, with a busy Python thread in the process.

    python benchmarks/pacing.py [--seconds 60]

Frames of a synthetic clip go through a session's delivery into a sink that notes the time. Every
condition runs in a process of its own, as ``facewire run`` would (switch interval 0.5 ms).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import threading
import time
from fractions import Fraction

import numpy as np
from facewire.clock import MonotonicClock
from facewire.delivery import Delivery
from facewire.emotion import neutral
from facewire.pipeline import Built
from facewire.rig import Rig
from facewire.testing import ListSink
from facewire.types import Audio, Block, Frames, RunInfo, first_sample

RIG, FPS, RATE = Rig.named("arkit61"), Fraction(60), 16000


class Watch(ListSink):
    """Notes when each frame arrives, and which."""

    def __init__(self) -> None:
        super().__init__(live=True)
        self.times: list[float] = []
        self.frames: list[int] = []

    def push(self, block: Block) -> None:
        self.times.append(time.perf_counter_ns() * 1e-9)
        self.frames.append(block.frames.start)


def spin(stop: object) -> None:
    while not stop.is_set():  # type: ignore[attr-defined]
        sum(range(2000))


def measure(seconds: int, condition: str, out: object) -> None:
    """Deliver that many seconds and put a row of figures into the queue."""
    sys.setswitchinterval(0.0005)
    stop = threading.Event()
    if condition == "busy thread":
        threading.Thread(target=spin, args=(stop,), daemon=True).start()
    watch, clock = Watch(), MonotonicClock()
    delivery = Delivery([Built(watch, "watch", "sink")], (RIG, FPS), clock)
    delivery.start(RunInfo("pacing", RIG, FPS, RATE), ago=-0.05)
    rows = np.random.default_rng(0).uniform(0.1, 1, (60, len(RIG))).astype(np.float32)
    for start in range(0, seconds * 60, 60):
        first, last = (first_sample(k, RATE, FPS) for k in (start, start + 60))
        sound = Audio(np.zeros(last - first, np.float32), RATE, first)
        delivery.push(Block(Frames(rows, RIG, FPS, start), neutral(60, start, FPS), sound))
    delivery.finish()
    stop.set()
    pacer = delivery.outlets[0].pacer
    assert pacer is not None
    sent = [i for i, frame in enumerate(watch.frames) if frame < seconds * 60]
    late = 1e3 * np.array([watch.times[i] - pacer.due(watch.frames[i]) for i in sent])
    out.put((condition, pacer.tally.dropped, pacer.tally.resent, late))  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    print(f"{seconds} s at 60 fps, lateness in ms")
    heads = ("dropped", "resent", "median", "99 %", "worst", "first s", "last s")
    print(" " * 14 + "".join(f"{head:>8}" for head in heads))
    context = multiprocessing.get_context("spawn")
    for condition in ("idle", "busy core", "busy thread"):
        queue, stop = context.Queue(), context.Event()
        others = [context.Process(target=spin, args=(stop,))] if condition == "busy core" else []
        worker = context.Process(target=measure, args=(seconds, condition, queue))
        for process in (*others, worker):
            process.start()
        name, dropped, resent, late = queue.get()
        worker.join()
        stop.set()
        ends = np.median(late[:60]), np.median(late[-60:])
        print(
            f"{name:14}{dropped:8}{resent:8}{np.median(late):8.2f}{np.percentile(late, 99):8.2f}"
            f"{late.max():8.2f}{ends[0]:8.2f}{ends[1]:8.2f}"
        )


if __name__ == "__main__":
    main()
