"""Emotion that a model hears in the voice: its channels read as emotion, where nobody says more."""

from __future__ import annotations

from math import exp

import numpy as np
from facewire.emotion import LABELS, NEUTRAL, EmotionCurve, lookup
from facewire.rig import Rig
from facewire.types import Emotion, Frames
from numpy.typing import NDArray

CHANNELS = {
    "emotionAngry": "anger",
    "emotionDisgusted": "disgust",
    "emotionFearful": "fear",
    "emotionHappy": "joy",
    "emotionNeutral": "neutral",
    "emotionSad": "sadness",
    "emotionSurprised": "surprise",
}
"""NeuroSync's seven classes, as our labels."""
SETTLE = 0.4
"""Seconds in which the reading follows by two thirds: classes flicker from frame to frame."""


def deaf(rig: Rig) -> str:
    """Return why nothing can be heard on a rig; nothing if it has the channels."""
    missing = [channel for channel in CHANNELS if channel not in rig]
    if not missing:
        return ""
    return (
        f"v3 hears no emotion: the rig '{rig.name}' has no {missing[0]}; "
        "put 'rig: neurosync68' into the profile, or remove 'hear'"
    )


class Voice:
    """Reads the channels row by row, with a memory, so that any cut reads the same."""

    def __init__(self, rig: Rig, fps: float, curve: EmotionCurve | None) -> None:
        self._columns = rig.indices(*CHANNELS)
        names = list(CHANNELS.values())
        self._to = [LABELS.index(name) for name in names]
        self._vads = np.array([lookup(name).vad for name in LABELS])
        self._neutral = LABELS.index("neutral")
        self._keep, self._curve = exp(-1.0 / (SETTLE * fps)), curve
        self._shares: NDArray[np.float64] = np.array(NEUTRAL.weights, np.float64)

    def read(self, frames: Frames) -> Emotion:
        """Return the emotion of each row: weights as heard, VAD their mean, neutral the rest."""
        heard = np.clip(np.nan_to_num(frames.values[:, self._columns], nan=0.0), 0.0, 1.0)
        weights = np.zeros((len(heard), len(LABELS)))
        for i, row in enumerate(heard.astype(np.float64)):
            now = np.zeros(len(LABELS))
            now[self._to] = row / max(1.0, float(row.sum()))
            now[self._neutral] += 1.0 - now.sum()
            self._shares = now + self._keep * (self._shares - now)
            weights[i] = self._shares
        vad = (weights @ self._vads).astype(np.float32)
        return Emotion(vad, weights.astype(np.float32), frames.fps, frames.start)

    def free(self, frames: Frames) -> NDArray[np.bool_]:
        """Return the rows (n,) in which no other source wants an emotion."""
        first, end = frames.start, frames.end
        if self._curve is None:
            return np.ones(end - first, bool)
        taken = (self._curve.source(row, frames.fps) for row in range(first, end))
        return np.array([source in ("neutral", "heard") for source in taken], bool)
