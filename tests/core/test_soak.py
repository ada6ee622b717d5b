"""Short versions of ``benchmarks/soak.py``: memory stays flat while a stream goes on."""

from __future__ import annotations

import gc
import tracemalloc
from fractions import Fraction

import numpy as np
from facewire.delivery import Delivery
from facewire.emotion import State
from facewire.stages import Sink
from facewire.testing import FakeClock, voiced
from facewire.types import Audio, RunInfo
from parts import FPS, RIG, NoOp, built, pipeline
from test_pacer import block


class Nowhere(Sink):
    """Takes frames and keeps none."""

    live = True

    def open(self, info: RunInfo) -> None:
        pass

    def push(self, block: object) -> None:
        pass

    def close(self) -> None:
        pass


def held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_two_minutes_of_streaming_hold_no_more_than_one() -> None:
    pipe = pipeline(NoOp(), NoOp(), fps=Fraction(30))
    piece, sizes = voiced(0.02, 22050).samples, []
    tracemalloc.start()
    try:
        for i in range(6_000):
            if i % 500 == 0:  # a live change every ten seconds
                pipe.curve.set(None, State.named("joy" if i % 1000 else "fear"))
            pipe.push(Audio(piece, 22050, i * len(piece)))
            if i % 600 == 0:
                sizes.append(held())
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[4] < 200_000, sizes


def test_two_minutes_of_live_frames_hold_no_more_than_one() -> None:
    delivery = Delivery([built(Nowhere(), "nowhere", "sink")], (RIG, FPS), FakeClock())
    delivery.start(RunInfo("soak", RIG, FPS, 16000))
    jaw, sizes = list(np.linspace(0, 1, 60)), []
    tracemalloc.start()
    try:
        for second in range(120):
            delivery.push(block(60 * second, jaw))
            if second % 12 == 0:
                sizes.append(held())
    finally:
        tracemalloc.stop()
    delivery.finish()
    assert sizes[-1] - sizes[4] < 200_000, sizes
