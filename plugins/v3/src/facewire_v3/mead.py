"""From VAD to the five classes that a model trained on MEAD knows."""

from __future__ import annotations

from functools import cache

import numpy as np
from facewire.emotion import lookup
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.tables import load, number, table

CLASSES = ("neutral", "joy", "anger", "sadness", "surprise")
"""The order of the weights."""
Doubles = NDArray[np.float64]


@cache
def anchors() -> Doubles:
    """Return the VAD of the five classes: (5, 3)."""
    return np.array([lookup(name).vad for name in CLASSES])


@cache
def _linear() -> tuple[Doubles, Doubles]:
    """Return (3, 10) and (10,): five log Gaussians without -s |VA|^2, and five gates' exponents.

    -s |VA - a|^2 is 2 s VA.a - s |a|^2 - s |VA|^2, and the last term is the same for all five.
    """
    data = table(load("mead.yaml"), ("classes", "sigma", "gates"), "mead.yaml")
    if tuple(data["classes"]) != CLASSES:
        raise ValueError(f"mead.yaml: classes: expected {', '.join(CLASSES)}")
    s = 0.5 / number(data["sigma"], "mead.yaml: sigma", 0.01, 1.0) ** 2
    at = anchors()[:, :2]
    slope, base = np.zeros((3, 10)), np.full(10, -1e3)  # no gate: log1p(exp(-1000)) is 0
    slope[:2, :5], base[:5] = 2.0 * s * at.T, -s * (at**2).sum(axis=1)
    for name, gate in table(data["gates"], ("anger", "sadness"), "mead.yaml: gates").items():
        where = f"mead.yaml: gates: {name}"
        row, column = table(gate, ("at", "width"), where), 5 + CLASSES.index(name)
        slope[2, column] = 1.0 / number(row["width"], f"{where}: width", -1.0, 1.0)
        base[column] = -slope[2, column] * number(row["at"], f"{where}: at", 0.0, 1.0)
    return slope, base


def mead_weights(vad: FloatArray) -> FloatArray:
    """Return the weights of ``CLASSES`` (n, 5), each row summing to 1, of VAD (n, 3).

    Gaussians over valence and arousal around the five anchors, times a soft gate on dominance
    for anger and sadness (specification of the expression system, section 4). VAD is clamped to
    [0, 1].
    """
    slope, base = _linear()
    terms = np.minimum(np.maximum(vad, 0.0), 1.0) @ slope + base  # (n, 10)
    # the second half is log(1 / gate); its exponent stays below 12, so that exp cannot overflow
    odds = terms[:, :5] - np.log1p(np.exp(terms[:, 5:]))
    shares: Doubles = np.exp(odds - odds.max(axis=1, keepdims=True))  # the largest is 1
    shares /= shares.sum(axis=1, keepdims=True)
    weights: FloatArray = shares.astype(np.float32)
    return weights
