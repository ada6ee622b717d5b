"""The face of an emotion: pairs of conditioning and face, and how the network is taught them."""

from __future__ import annotations

import numpy as np
import torch
from facewire.emotion import LABELS, NEUTRAL_VAD
from facewire.types import FloatArray
from facewire_v3.compiler import Compiler
from facewire_v3.presets import JOYFUL, presets

from facewire_trajectory.network.module import Emotion

COUNT = 48000
STEPS, SIZE, RATE = 5000, 256, 3e-3
ANCHORED, WORST = 2.0, 0.02
"""What the presets count against the drawn pairs, and each preset's worst channel."""
KNOWN = 0.03
"""The error of a preset's worst channel up to which nothing has to be taught."""
SHAKEN = 0.05
"""Deviation of VAD around an emotion's own: the jitter that may change little."""


def anchors() -> tuple[FloatArray, FloatArray]:
    """Return conditionings (47, 19) and faces (47, 52) of the authored presets."""
    rows = []
    for each in presets():
        weights = np.zeros(len(LABELS), np.float32)
        family = "surprise" if each.name == JOYFUL else each.family
        weights[LABELS.index(family)] = 1.0
        rows.append(np.concatenate([weights, each.vad]))
    return np.array(rows, np.float32), np.stack([each.face for each in presets()])


def pairs(random: np.random.Generator, count: int = COUNT) -> tuple[FloatArray, FloatArray]:
    """Return conditionings (count, 19) and the compiler's faces (count, 52).

    Emotions at every level with VAD shaken around them, and mixtures of two: every second row.
    """
    known, _ = anchors()
    rest = np.zeros(19, np.float32)
    rest[0], rest[16:] = 1.0, NEUTRAL_VAD
    one, other = (_some(random, known, rest, count) for _ in range(2))
    share = np.where(np.arange(count) % 2, random.beta(0.5, 0.5, count), 1.0)[:, None]
    rows = (share * one + (1 - share) * other).astype(np.float32)
    return rows, Compiler().rows(rows[:, :16], rows[:, 16:])


def _some(
    random: np.random.Generator, known: FloatArray, rest: FloatArray, count: int
) -> FloatArray:
    chosen = known[random.integers(len(known), size=count)]
    level = random.uniform(0.0, 1.15, (count, 1))
    vad = rest[16:] + level * (chosen[:, 16:] - rest[16:])
    vad += SHAKEN * random.standard_normal((count, 3)) * (random.random((count, 1)) < 0.7)
    out: FloatArray = np.concatenate([chosen[:, :16], np.clip(vad, 0.0, 1.0)], axis=1)
    return out.astype(np.float32)


def worst(emotion: Emotion) -> float:
    """Return the largest error of a channel of a preset."""
    given, faces = (torch.from_numpy(part) for part in anchors())
    device = next(emotion.parameters()).device
    with torch.no_grad():
        return float((emotion(given.to(device))[1] - faces.to(device)).abs().max())


def teach(emotion: Emotion, seed: int) -> None:
    """Fit the emotion's face to the compiler's, the 47 presets above all, and freeze it.

    Every step snaps to all presets; nothing is done where they are known.
    """
    if worst(emotion) > KNOWN:
        random = np.random.default_rng((seed, 2))
        device = next(emotion.parameters()).device
        given, faces = (torch.from_numpy(part).to(device) for part in pairs(random))
        fixed, held = (torch.from_numpy(part).to(device) for part in anchors())
        optimiser = torch.optim.Adam(emotion.parameters(), lr=RATE)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = RATE * min(1.0, 2.0 * (1.0 - step / STEPS))
            chosen = torch.from_numpy(random.integers(len(given), size=SIZE)).to(device)
            drawn, snapped = emotion(given[chosen])[1] - faces[chosen], emotion(fixed)[1] - held
            value = (drawn * drawn).mean() + ANCHORED * (snapped * snapped).mean()
            value = value + WORST * (snapped.abs().amax(dim=1) ** 2).mean()
            optimiser.zero_grad()
            torch.autograd.backward(value)
            optimiser.step()
    for parameter in emotion.parameters():
        parameter.requires_grad_(False)
