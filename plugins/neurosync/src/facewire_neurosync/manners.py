"""What the NeuroSync player does to each frame before it sends it (NeuroSync spec, section 6)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from facewire.errors import InputError
from facewire.stages import Layer
from facewire.types import Block, Context, Frames

from facewire_neurosync.capture import Loop, read
from facewire_neurosync.plugin import BlinksConfig, ScalesConfig

BROWS = ("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight")
WIDE = ("eyeWideLeft", "eyeWideRight")
LIDS = ("eyeBlinkLeft", "eyeBlinkRight")


class Scales(Layer):
    """Multiplies brows and widened eyes."""

    def __init__(self, config: ScalesConfig, context: Context) -> None:
        self._factors = np.ones(len(context.rig), np.float32)
        self._factors[context.rig.indices(*BROWS)] = config.brows
        self._factors[context.rig.indices(*WIDE)] = config.eye_wide

    def push(self, block: Block) -> Frames:
        """Return the scaled frames."""
        return replace(block.frames, values=block.frames.values * self._factors)


class CaptureBlinks(Layer):
    """Sets both lids to those of a take, frame by frame from the run's beginning."""

    def __init__(self, config: BlinksConfig, context: Context) -> None:
        take = read(Path(context.base, config.capture))
        if not set(LIDS) <= set(take.channels):
            raise InputError(f"{take.path}: has no columns EyeBlinkLeft and EyeBlinkRight")
        self._columns = context.rig.indices(*LIDS)
        lids = take.onto(context.rig)[:, self._columns]
        self._loop = Loop(lids, context.fps, config.fade)

    def push(self, block: Block) -> Frames:
        """Return the frames with the take's lids."""
        frames = block.frames
        values = frames.values.copy()
        values[:, self._columns] = self._loop.rows(frames.start, len(frames))
        return replace(frames, values=values)
