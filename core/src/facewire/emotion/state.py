"""One emotion at one moment, how it is written ("joy:80", "joy:L4", "0.8,0.6,0.5"), and rows of it.

The weights say which emotion, the VAD says how much: ``joy:80`` has the weights of joy and the VAD
``neutral + 0.8 (joy - neutral)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from facewire.emotion.vocabulary import LEVELS, NEUTRAL_VAD, Vad, anchors, lookup, shown
from facewire.errors import InputError
from facewire.types import Emotion, FloatArray

MAX_PERCENT = 200
# Nearest labels are 0.10 apart: at 0.06 a label's own VAD gives it at least 0.70, and half way
# between two labels both have the same share.
SIGMA = 0.06
MAX_SECONDS = 10**9  # thirty years: beyond it a time is a mistake
ROUNDING = 1e-6  # what float32 may add to a value of 1


@dataclass(frozen=True, slots=True)
class State:
    """An emotion: VAD in [0, 1] (how much), weights over the 16 labels (which), sum 1.

    ``name`` and ``strength`` (1 = level 3 = 100 %) are what it was made from; a state made from VAD
    alone has no name. InputError if the numbers are not finite or out of range.
    """

    vad: Vad
    weights: tuple[float, ...]
    name: str | None = None
    strength: float = 1.0

    def __post_init__(self) -> None:
        if len(self.vad) != 3 or not all(0.0 <= value <= 1.0 for value in self.vad):
            raise InputError(_wrong_vad(self.vad))
        total = sum(self.weights)
        if len(self.weights) != 16 or min(self.weights) < 0.0 or not abs(total - 1.0) < 1e-3:
            raise InputError(
                f"emotion: found {len(self.weights)} weights with sum {total:.3g}, "
                "expected 16 that are not negative, with sum 1"
            )

    @staticmethod
    def named(word: str, strength: float = 1.0, where: str = "emotion") -> State:
        """Make a name or alias at ``strength`` times the way from neutral, clamped to [0, 1].

        InputError for an unknown name or a strength outside 0..2.
        """
        entry = lookup(word, where)
        if not 0.0 <= strength <= MAX_PERCENT / 100:
            raise InputError(f"{where}: found strength {strength:g}, expected 0 to 2")
        v, a, d = (
            min(1.0, max(0.0, rest + strength * (full - rest)))
            for rest, full in zip(NEUTRAL_VAD, entry.vad, strict=True)
        )
        return State((v, a, d), entry.weights, entry.name, strength)

    @staticmethod
    def of(vad: ArrayLike, weights: ArrayLike | None = None) -> State:
        """Make a state from VAD (3,) and weights (16,); weights by distance if there are none.

        InputError if a number is not finite or out of range.
        """
        row = np.asarray(vad, np.float64).ravel()
        if row.shape != (3,) or not (abs(row - 0.5) <= 0.5 + ROUNDING).all():
            raise InputError(_wrong_vad(row))
        v, a, d = np.clip(row, 0.0, 1.0).tolist()
        shares = soft_labels(row)[0] if weights is None else np.asarray(weights, np.float64).ravel()
        return State((v, a, d), tuple(shares.tolist()))


def _wrong_vad(values: ArrayLike) -> str:
    listed = ", ".join(f"{value:g}" for value in np.asarray(values, np.float64).ravel()[:4])
    return f"emotion: found vad {listed}, expected three numbers in 0 to 1"


def soft_labels(vad: ArrayLike) -> FloatArray:
    """Return soft labels (n, 16) for VAD (n, 3) without a name, by distance to the 16 labels.

    Gaussian in VAD space, sigma 0.06, each row summing to 1; VAD is clamped to [0, 1] first.
    """
    points = np.clip(np.asarray(vad, np.float64).reshape(-1, 3), 0.0, 1.0)  # (n, 3)
    away = ((points[:, None] - anchors()[None]) ** 2).sum(axis=2)  # (n, 16) squared distances
    nearest_first = away - away.min(axis=1, keepdims=True)  # the nearest is exp(0): never 0 / 0
    shares = np.exp(-nearest_first / (2 * SIGMA**2))
    rows: FloatArray = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows


def parse(text: str, where: str = "emotion") -> State:
    """Read an emotion as people write it; InputError in one line, beginning with ``where``.

    A name or alias, with a strength if wanted: ``joy``, ``joy:80`` (percent, 0 to 200), ``joy:L4``
    (level, L1 to L5); or valence, arousal, dominance in 0..1: ``0.8,0.6,0.5``.
    """
    return _parse_vad(text, where) if "," in text else parse_named(text, where)


def parse_named(text: str, where: str = "emotion") -> State:
    """Read a name or alias, with a strength if wanted: what a tag or a turn may hold."""
    name, colon, strength = text.partition(":")
    if not name.strip():
        raise InputError(f"{where}: found no emotion, expected a name such as joy or joy:80")
    entry = lookup(name, where)
    return State.named(entry.name, parse_strength(strength, where) if colon else 1.0, where)


def _parse_vad(text: str, where: str) -> State:
    try:
        return State.of([float(part) for part in text.split(",")])
    except (ValueError, InputError):
        raise InputError(
            f"{where}: found vad {shown(text)}, expected valence, arousal, dominance "
            "in 0 to 1, such as 0.8,0.6,0.5"
        ) from None


def parse_strength(text: str, where: str = "strength") -> float:
    """Read ``80``, ``80%`` (0 to 200) or ``L1`` to ``L5``: 1.0 is the emotion's own VAD."""
    word = text.strip()
    if level := re.fullmatch(r"[lL]([1-5])", word):
        return LEVELS[int(level[1]) - 1]
    number = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*%?", word, re.ASCII)
    if number and float(number[1]) <= MAX_PERCENT:
        return float(number[1]) / 100
    raise InputError(
        f"{where}: found strength {shown(word)}, expected 0 to {MAX_PERCENT} percent or L1 to L5"
    )


def seconds(value: object, where: str) -> Fraction:
    """Return a time in seconds as the decimal that was written; InputError if it is none.

    ``2.1`` becomes 21/10, so that no frame is early or late by a rounding of floats.
    """
    number: Any = value if isinstance(value, (int, float, Fraction)) else None
    if number is None or isinstance(value, bool) or not abs(number) <= MAX_SECONDS:
        raise InputError(f"{where}: found {shown(str(value))}, expected a number of seconds")
    return Fraction(repr(float(number)) if isinstance(value, float) else number)


def constant(state: State, n: int, start: int, fps: Fraction) -> Emotion:
    """Return ``n`` rows of one state, the first at frame ``start``."""
    vad = np.tile(np.array(state.vad, np.float32), (n, 1))
    weights = np.tile(np.array(state.weights, np.float32), (n, 1))
    return Emotion(vad, weights, fps, start)


NEUTRAL = State.named("neutral")


def neutral(n: int, start: int, fps: Fraction) -> Emotion:
    """Return ``n`` rows of neutral, the first at frame ``start``."""
    return constant(NEUTRAL, n, start, fps)
