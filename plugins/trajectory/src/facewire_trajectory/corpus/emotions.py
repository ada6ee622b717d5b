"""Emotion along a turn: conditioning rows, and the face that the compiler gives for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from facewire.emotion import LABELS, LEVELS, State
from facewire.types import FloatArray
from facewire_v3.compiler import Compiler
from facewire_v3.feelings import Feeling, feeling
from facewire_v3.presets import Preset, presets
from facewire_v3.tables import CHANNELS, REST
from facewire_v3.timeline import FAMILY, VAD, WEIGHTS, Timeline

CONDITIONS = (*LABELS, "valence", "arousal", "dominance")
"""Columns of conditioning rows."""
EXPRESSION = CHANNELS
"""Columns of expression rows."""
Label = tuple[float, str, int]
"""From when (seconds) which emotion, at which level (1 to 5)."""


@cache
def _compiler() -> Compiler:
    return Compiler()


def _feeling(label: Label) -> Feeling:
    state = State.named(label[1], LEVELS[label[2] - 1])
    vad, weights = np.array(state.vad, np.float32), np.array(state.weights, np.float32)
    return feeling(vad, weights, vad, _compiler().full)


def condition(labels: Sequence[Label], rows: int, seconds: float, fps: int = 60) -> FloatArray:
    """Return conditioning and expression rows (n, 19 + 52) of labels in order of time.

    A change takes ``seconds`` (0: the timeline's own pace), as the expression layer makes it.
    """
    first, *later = labels
    timeline = Timeline(_feeling(first))
    pieces, at = [], 0
    for label in (*later, None):
        until = rows if label is None else min(round(label[0] * fps), rows)
        if until > at:
            pieces.append(_rows(timeline.rows([k / fps for k in range(at, until)])))
            at = until
        if label is not None:
            timeline.change(_feeling(label), at / fps, seconds or None)
    return np.concatenate(pieces) if pieces else np.zeros((0, 71), np.float32)


def _rows(found: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> FloatArray:
    """Return the rows (n, 71) of a timeline's, each different one compiled once."""
    changed = np.concatenate([[True], np.any(found[1:, :35] != found[:-1, :35], axis=1)])
    some = found[changed]
    vad = some[:, VAD].astype(np.float32)
    faces = _compiler().rows(some[:, FAMILY].astype(np.float32), vad)
    every = np.concatenate([some[:, WEIGHTS], vad, faces], axis=1).astype(np.float32)
    out: FloatArray = every[np.cumsum(changed) - 1]
    return out


def anchors() -> list[tuple[Preset, FloatArray]]:
    """Return the 47 authored presets, each with its one row (71,): conditioning and face."""
    found = []
    for each in presets():
        weights = np.array(State.named(each.family).weights, np.float32)
        if each.name in LABELS:
            weights = np.array(State.named(each.name).weights, np.float32)
        row = np.concatenate([weights, np.array(each.vad, np.float32), each.face])
        found.append((each, row.astype(np.float32)))
    return found


NEUTRAL: Label = (0.0, "neutral", 3)
__all__ = ["CONDITIONS", "EXPRESSION", "NEUTRAL", "REST", "Label", "anchors", "condition"]
