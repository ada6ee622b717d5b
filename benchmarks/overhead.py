"""What the engine itself costs: seven stages that do nothing, at one frame a push and at 64.

    python benchmarks/overhead.py

Baseline: the same layers' ``push`` called directly in a loop, in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
from facewire.emotion import neutral
from facewire.pipeline import Built, Pipeline
from facewire.rig import Rig
from facewire.stages import FeatureExtractor, Layer, Model
from facewire.types import Audio, Block, Emotion, Features, Frames, first_sample, frames_within

RIG, FPS, RATE = Rig.named("arkit61"), Fraction(60), 16000
ROWS = np.zeros((64, len(RIG)), np.float32)
DIM = np.zeros((64, 1), np.float32)


class Ears(FeatureExtractor):
    """A row of zeros for every frame."""

    rate, fps, dim = RATE, FPS, 1

    def __init__(self) -> None:
        self._samples = self._next = 0

    def push(self, audio: Audio) -> Features:
        self._samples += len(audio)
        n = frames_within(self._samples, RATE, FPS) - self._next
        self._next += n
        return Features(DIM[:n], FPS, self._next - n, RATE)


class Mask(Model):
    """A neutral face for every row."""

    features, rig, fps, dim = "ears", RIG, FPS, 1

    def push(self, features: Features, emotion: Emotion) -> Frames:
        return Frames(ROWS[: len(features)], RIG, FPS, features.start)


class Nothing(Layer):
    """Hands frames on."""


def audio(frames: int) -> Iterator[Audio]:
    zeros = np.zeros(RATE * 2, np.float32)
    for start in range(0, 60 * 60, frames):
        first, last = (first_sample(k, RATE, FPS) for k in (start, start + frames))
        yield Audio(zeros[: last - first], RATE, first)


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    best = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best


def main() -> None:
    print(
        f"{'frames a push':>14}{'layers':>8}{'engine us/frame':>17}{'direct calls':>14}{'ratio':>8}"
    )
    for frames in (1, 6, 64):
        for count in (0, 5):  # with extractor and model: seven stages
            layers = [Built(Nothing(), "nothing", "layer") for _ in range(count)]

            def run(layers: list[Built[Layer]] = layers, frames: int = frames) -> None:
                model, ears = Built(Mask(), "mask", "model"), Built(Ears(), "ears", "features")
                pipe = Pipeline(model, ears, layers, RIG, FPS)
                total = sum(len(b.frames) for piece in audio(frames) for b in pipe.push(piece))
                assert total >= 3500

            def direct(layers: list[Built[Layer]] = layers, frames: int = frames) -> None:
                ears, mask = Ears(), Mask()
                for piece in audio(frames):
                    features = ears.push(piece)
                    emotion = neutral(len(features), features.start, FPS)
                    block = Block(mask.push(features, emotion), emotion, piece)
                    for layer in layers:
                        block = Block(layer.stage.push(block), emotion, piece)

            engine, plain = (1e6 * seconds(work) / 3600 for work in (run, direct))
            print(f"{frames:14}{count + 2:8}{engine:17.2f}{plain:14.2f}{engine / plain:8.1f}")


if __name__ == "__main__":
    main()
