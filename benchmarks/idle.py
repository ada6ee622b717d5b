"""Measure what idle.gaze, idle.head and idle.blink cost: ``python benchmarks/idle.py [--check]``.

Prints microseconds of processor time a frame at 60 fps, in blocks of one row (a live run) and of
64, over speech-like sound and over silence, and the seconds that three hours of silence take. With
``--check`` it fails when a layer costs more than 150 us a frame in blocks of one row, or 40 in
blocks of 64: bounds for a busy machine, several times what a quiet one shows.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from time import process_time

import numpy as np
from facewire.rig import Rig
from facewire.stages import Layer
from facewire.testing import voiced
from facewire.types import Audio, Block, Context, Emotion, Frames, first_sample
from facewire_idle.plugin import facewire_layers

FPS, RATE = Fraction(60), 16000
RIG = Rig.named("arkit61")
BOUNDS = {1: 150.0, 64: 40.0}


def blocks(samples: np.ndarray, rows: int, size: int) -> list[Block]:
    out = []
    for begin in range(0, rows, size):
        n = min(size, rows - begin)
        first, last = (first_sample(k, RATE, FPS) for k in (begin, begin + n))
        vad, weights = np.full((n, 3), 0.3, np.float32), np.full((n, 16), 1 / 16, np.float32)
        frames = Frames(np.zeros((n, len(RIG)), np.float32), RIG, FPS, begin)
        sound = Audio(samples[first:last], RATE, first)
        out.append(Block(frames, Emotion(vad, weights, FPS, begin), sound))
    return out


def cost(layer: Layer, pieces: list[Block]) -> float:
    """Return microseconds of processor time a frame."""
    rows = sum(len(block.frames) for block in pieces)
    began = process_time()
    for block in pieces:
        layer.push(block)
    return (process_time() - began) / rows * 1e6


def main() -> int:
    rows, failed = 1800, False
    sounds = {
        "speech": voiced(rows / 60, RATE).samples,
        "silence": np.zeros(rows * 267, np.float32),
    }
    hours = np.zeros(64 * 267, np.float32)
    for component in facewire_layers():
        told = []
        for size, bound in BOUNDS.items():
            for name, samples in sounds.items():
                layer = component.make(component.config(), Context(fps=FPS))
                found = cost(layer, blocks(samples, rows, size))
                told.append(f"{name} in {size}: {found:.1f} us")
                failed |= found > bound
        layer = component.make(component.config(), Context(fps=FPS))
        spent = 0.0
        for begin in range(0, 3 * 3600 * 60, 64):
            [block] = blocks(hours, 64, 64)
            began = process_time()
            layer.push(_moved(block, begin))
            spent += process_time() - began
        print(f"{component.name}: {', '.join(told)}; three hours of silence: {spent:.1f} s")
    return int(failed and "--check" in sys.argv)


def _moved(block: Block, begin: int) -> Block:
    start = first_sample(begin, RATE, FPS)
    samples = block.audio.samples[: first_sample(begin + 64, RATE, FPS) - start]
    frames = Frames(block.frames.values, RIG, FPS, begin)
    return Block(frames, block.emotion, Audio(samples, RATE, start))


if __name__ == "__main__":
    sys.exit(main())
