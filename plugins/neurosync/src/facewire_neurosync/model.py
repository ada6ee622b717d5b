"""The model: from features to frames, with one network in memory for all sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from facewire.stages import Model
from facewire.types import Context, Emotion, Features, FloatArray, Frames

from facewire_neurosync.architecture import WINDOW, Architecture
from facewire_neurosync.features import DIM
from facewire_neurosync.finish import Finish, rig_of
from facewire_neurosync.plugin import ModelConfig
from facewire_neurosync.windows import STRIDE, Windows

FPS = Fraction(60)


class Runs(Protocol):
    """A network, whatever computes it."""

    architecture: Architecture

    def __call__(self, windows: FloatArray) -> FloatArray:
        """Return outputs (n, 128, outputs) of windows (n, 128, 256)."""


class Transformer(Model):
    """Computes windows of a clip as the published pipeline does."""

    features, fps, dim, emotion = "neurosync", FPS, DIM, "none"

    def __init__(
        self, config: ModelConfig, network: Runs, batch: int, notes: Sequence[str]
    ) -> None:
        self._config, self._network, self._batch = config, network, batch
        self._notes = tuple(notes)
        self.rig = rig_of(network.architecture.outputs, config.sides)
        self.lookahead = WINDOW + STRIDE * batch
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        outputs = self._network.architecture.outputs
        self._windows = Windows(self._network, outputs, self._batch)
        self._finish = Finish(self._config, self.rig)
        self._at = 0

    def report(self) -> Sequence[str]:
        """Say which network ran, and how."""
        return self._notes

    def push(self, features: Features, emotion: Emotion) -> Frames:
        """Return the frames that are final; emotion is not used."""
        return self._frames(self._windows.push(features.values), whole=False)

    def flush(self) -> Iterator[Frames]:
        """Yield the rest."""
        pieces = [*self._windows.flush()]
        if not self._at:  # a clip within one window: its length decides how it eases in
            pieces = [np.concatenate(pieces)]
        for piece in pieces:
            yield self._frames(piece, whole=True)

    def _frames(self, values: FloatArray, whole: bool) -> Frames:
        made = Frames(self._finish(values, whole), self.rig, FPS, self._at)
        self._at += len(values)
        return made


def make(config: ModelConfig, context: Context) -> Model:
    """Build the model for a session: clips offline, a sliding window in a causal run."""
    from facewire_neurosync.networks import open_network

    path = Path(context.base, config.weights)
    opened = open_network(config, path, context.shared)
    if not context.causal:
        return Transformer(config, opened.network, config.batch or opened.batch, opened.notes)
    from facewire_neurosync.live_model import LiveTransformer

    return LiveTransformer(config, opened.network, opened.notes, work=opened.clock)
