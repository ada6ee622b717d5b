"""Blends between an idle face and speech, at both ends of the input.

As the NeuroSync player does (NeuroSync spec, section 6), but for the end: there its mouth is closed
0.1 s after the half second of blending has begun, over speech; here both end with the input.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from facewire.rig import Rig
from facewire.stages import Layer
from facewire.types import Block, Context, FloatArray, Frames

from facewire_neurosync.capture import Loop, read
from facewire_neurosync.plugin import IdleBlendConfig

MOUTH = ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight")
# (a clip under so many seconds, takes at most so many to blend)
SHORT = ((0.5, 0.2), (1.0, 0.3))


def _blended(rig: Rig) -> list[bool]:
    """Tell for each channel whether it is a blendshape of the face other than the tongue."""
    plain = Rig.named("arkit52")
    return [name in plain and name != "tongueOut" for name in rig.channels]


class IdleBlend(Layer):
    """Blends in from idle and, where the end is known (not in a causal run), out to it."""

    def __init__(self, config: IdleBlendConfig, context: Context) -> None:
        rig, self._fps = context.rig, context.fps
        idle = np.zeros((1, len(rig)), np.float32)
        if config.capture:
            idle = read(Path(context.base, config.capture)).onto(rig)
            looks = rig.indices(*(name for name in rig.channels if name.startswith("eyeLook")))
            idle[:, looks] = 0
        self._idle = Loop(idle, context.fps, config.fade)
        self._columns = np.flatnonzero(_blended(rig))
        self._mouth = np.isin(self._columns, rig.indices(*MOUTH))
        self._config, self._rig = config, rig
        longest = max(config.face, config.mouth, SHORT[-1][0])
        self.lookahead = 0 if context.causal else math.ceil(longest * context.fps)
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._held = np.zeros((0, len(self._rig)), np.float32)
        self._at = 0

    def push(self, block: Block) -> Frames:
        """Return the frames that are further from the end than a blend lasts."""
        self._held = np.concatenate([self._held, block.frames.values])
        return self._give(max(0, len(self._held) - self.lookahead), None)

    def flush(self) -> Iterator[Frames]:
        """Yield the rest, blended out."""
        yield self._give(len(self._held), self._at + len(self._held))

    def _give(self, count: int, total: int | None) -> Frames:
        """Return the next ``count`` rows; ``total`` is the input's length, if it is known."""
        first, values = self._at, self._held[:count].copy()
        self._held, self._at = self._held[count:], first + count
        if count:
            share = self._share(np.arange(first, first + count), total)
            idle = self._idle.rows(first, count)[:, self._columns]
            values[:, self._columns] = idle + share * (values[:, self._columns] - idle)
        return Frames(values, self._rig, self._fps, first)

    def _share(self, rows: np.ndarray, total: int | None) -> FloatArray:
        """Return how much of the speech is seen in each row and blended column, 0 to 1."""
        face = self._config.face
        short = [most for below, most in SHORT if total is not None and total < below * self._fps]
        face = min(face, *short) if short else face
        seconds = np.where(self._mouth, min(self._config.mouth, face), face)
        lasts = np.maximum(1, np.rint(seconds * float(self._fps)))  # rows
        away = rows if total is None else np.minimum(rows, total - 1 - rows)
        return np.asarray(np.minimum(1, away[:, None] / lasts), np.float32)
