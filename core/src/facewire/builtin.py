"""What the core itself offers: the layer ``clamp``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from facewire.hookspecs import hookimpl
from facewire.rig import ROTATIONS, Rig
from facewire.stages import Layer
from facewire.types import Block, Component, Frames, NoConfig


@cache
def _blendshapes(rig: Rig) -> NDArray[np.intp]:
    return rig.indices(*(channel for channel in rig.channels if channel not in ROTATIONS))


class Clamp(Layer):
    """Holds blendshapes in 0..1 and leaves rotations alone. Put it last."""

    def push(self, block: Block) -> Frames:
        """Return the frames with their blendshapes clipped."""
        frames = block.frames
        columns = _blendshapes(frames.rig)
        values = frames.values.copy()
        values[:, columns] = np.clip(values[:, columns], 0.0, 1.0)
        return replace(frames, values=values)


@hookimpl
def facewire_layers() -> Iterable[Component]:
    """Offer ``clamp``."""
    summary = "holds blendshapes in 0..1, rotations untouched; put it last"
    yield Component("clamp", lambda config, context: Clamp(), summary=summary, example=NoConfig())
