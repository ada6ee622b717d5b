"""Macro-F1, Pearson's r, and thresholds."""

from __future__ import annotations

import numpy as np
from facewire.types import FloatArray


def chosen(probabilities: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Return which labels are given (n, labels), 0 or 1: those over their threshold.

    A line with none gets the one that comes nearest, since every line of GoEmotions has a label.
    """
    over = probabilities / thresholds
    return np.asarray((over >= 1.0) | (over >= over.max(axis=1, keepdims=True)), np.float32)


def f1(given: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return each label's F1 (labels,) for 0 and 1 (n, labels); 0 where nothing is right."""
    hits = (given * wanted).sum(axis=0)
    return np.asarray(2 * hits / np.maximum(given.sum(axis=0) + wanted.sum(axis=0), 1), np.float32)


def pearson(guess: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return Pearson's r of each column (columns,); 0 where one of the two never changes."""
    a = np.asarray(guess, np.float64) - np.mean(guess, axis=0, dtype=np.float64)
    b = np.asarray(wanted, np.float64) - np.mean(wanted, axis=0, dtype=np.float64)
    size = np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    r = np.where(size > 0, (a * b).sum(axis=0) / np.maximum(size, 1e-30), 0.0)
    return np.asarray(r, np.float32)


def tuned(probabilities: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return a threshold for each label (labels,): the one with the best F1.

    Neighbouring thresholds are averaged: with a label of a dozen lines the best one is chance.
    """
    steps = np.exp(np.linspace(np.log(0.01), np.log(0.8), 100))
    out = []
    for p, w in zip(probabilities.T, wanted.T, strict=True):
        over = p[None] >= steps[:, None]  # (100, n)
        score = 2 * (over * w).sum(axis=1) / np.maximum(over.sum(axis=1) + w.sum(), 1)
        smooth = np.convolve(np.pad(score, 7, "edge"), np.full(15, 1 / 15), "valid")
        out.append(steps[int(smooth.argmax())])
    return np.array(out, np.float32)
