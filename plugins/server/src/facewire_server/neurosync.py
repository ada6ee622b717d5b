"""NeuroSync's endpoints: what players of the LocalAPI and its forks send and expect.

Sources: the public behaviour of NeuroSync Local API and of PR0F3550R's fork (numbers, columns,
status of empty and short bodies). The columns are those of the rig ``neurosync68`` by index, the
emotions 0 to 100.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
from facewire.api import Clip
from facewire.emotion import LABELS, NEUTRAL_VAD, anchors
from facewire.profile import Profile
from facewire.rig import Rig
from facewire.types import FloatArray
from numpy.typing import NDArray

FPS = Fraction(60)
SHORTEST = Fraction(7350, 88200)  # seconds: ten columns of the published features
EMOTIONS = {
    "emotionAngry": "anger",
    "emotionDisgusted": "disgust",
    "emotionFearful": "fear",
    "emotionHappy": "joy",
    "emotionNeutral": "neutral",
    "emotionSad": "sadness",
    "emotionSurprised": "surprise",
}


def fitted(profile: Profile) -> Profile:
    """Return the profile with the rig and frame rate that these clients expect."""
    return replace(profile, rig="neurosync68", fps=FPS, sinks=())


def blendshapes(clip: Clip) -> FloatArray:
    """Return (n, 68): the clip's channels, and its emotions in percent.

    A model that has emotion columns of its own (a NeuroSync checkpoint) keeps them; for others
    they say what the clip's emotion curve wants.
    """
    rig = Rig.named("neurosync68")
    columns = rig.indices(*EMOTIONS)
    values = clip.frames.values.copy()
    if not values[:, columns].any():
        values[:, columns] = _shares(clip.emotion.vad, clip.emotion.weights)
    values[:, columns] *= 100
    return values


@cache
def _nearest() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the VAD of the seven (7, 3), and for each of the 16 labels which it is nearest to."""
    own = [LABELS.index(label) for label in EMOTIONS.values()]
    seven = anchors()[own].astype(np.float64)
    away = ((anchors()[:, None] - seven[None]) ** 2).sum(axis=2)  # (16, 7)
    nearest = away.argmin(axis=1)
    nearest[own] = np.arange(7)
    return seven, nearest


def _shares(vad: FloatArray, weights: FloatArray) -> FloatArray:
    """Return shares of the seven (n, 7), each row summing to 1.

    A label counts for the nearest of the seven; how far the VAD is from neutral on the way there
    says how much, and neutral has the rest.
    """
    seven, nearest = _nearest()
    named = np.zeros((len(vad), 7))
    np.add.at(named.T, nearest, weights.T)
    full = np.linalg.norm(named @ seven - NEUTRAL_VAD, axis=1)
    much = np.linalg.norm(vad - np.array(NEUTRAL_VAD), axis=1)
    part = np.clip(much / np.maximum(full, 1e-6), 0, 1)
    part[full < 0.02] = 0.0
    out = named * part[:, None]
    out[:, list(EMOTIONS).index("emotionNeutral")] += 1 - out.sum(axis=1)
    shares: FloatArray = out.astype(np.float32)
    return shares
