"""The mouth's protection: what an emotion adds may not undo what the lips have to do.

Measured on the lips (specification of the expression system, section 7): closures close, the lower
lip meets the teeth, open vowels stay open. Compensated first, suppressed where that is not enough.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from facewire.articulation.lips import weights as measure
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.gate import gate_numbers
from facewire_v3.groups import LIPSYNC, SHARED
from facewire_v3.tables import RIG

Doubles = NDArray[np.float64]
CLOSE = RIG.index("mouthClose")
GROUPS = 6
"""Channels that are suppressed together: those that open the lips, with and without taking the
lower lip from the teeth; that close them; smiles; the others that leave the teeth; all others."""
_PARTS, _BITES, _SHUTS, _SMILES, _LEAVES, _RESTS = range(GROUPS)


class Need(NamedTuple):
    """What speech needs of the mouth in one row, 0 to 1.

    ``speak``: that the gap stays; ``close``: that the lips meet, so that mouthClose may help;
    ``bite``: that the lower lip meets the teeth.
    """

    speak: float
    close: float
    bite: float


def _group(channel: str, gap: float, teeth: float) -> int:
    if channel.startswith("mouthSmile"):
        return _SMILES
    if gap > 0.0:
        return _PARTS if teeth > 0.0 else _BITES
    if gap < 0.0:
        return _SHUTS
    return _LEAVES if teeth > 0.0 else _RESTS


def _tables() -> tuple[FloatArray, FloatArray]:
    """Return gap and teeth by group and mouthClose (52, 13), and a channel's group (6, 52)."""
    gap, teeth = (measure(name, RIG) for name in ("gap", "teeth"))
    sums, member = np.zeros((len(RIG), 2 * GROUPS + 1)), np.zeros((GROUPS, len(RIG)))
    for i, channel in enumerate(RIG.channels):
        group = _group(channel, float(gap[i]), float(teeth[i]))
        member[group, i] = 1.0
        if channel in LIPSYNC or channel in SHARED:
            sums[i, group], sums[i, GROUPS + group] = gap[i], teeth[i]
    sums[CLOSE, -1] = 1.0
    return sums.astype(np.float32), member.astype(np.float32)


_SUMS, _MEMBER = _tables()


def protect(model: FloatArray, added: FloatArray, needs: list[Need]) -> FloatArray:
    """Return what of ``added`` (n, 52) may be added to the model's rows (n, 52), all in [0, 1]."""
    out: FloatArray = np.minimum(added, 1.0 - model)
    sums = (out @ _SUMS).tolist()
    kept = [
        _row(row, 1.0 - closed - row[-1], need)
        for row, closed, need in zip(sums, model[:, CLOSE].tolist(), needs, strict=True)
    ]
    if any(row is not None for row in kept):
        every = [_ALL if row is None else row for row in kept]
        factors = np.array(every, np.float32)  # (n, groups + 1)
        out *= factors[:, :GROUPS] @ _MEMBER
        out[:, CLOSE] += factors[:, GROUPS]
    return out


_ALL = (*(1.0,) * GROUPS, 0.0)
_NUMBERS = gate_numbers().protect
_OPEN, _SHUT, _TEETH = _NUMBERS["gap"], _NUMBERS["shut"], _NUMBERS["teeth"]
_BITE, _MOST = _NUMBERS["bite"], _NUMBERS["close"]


def _row(sums: list[float], room: float, need: Need) -> tuple[float, ...] | None:
    """Return a factor for each group, and how much mouthClose is added; None: all may be added."""
    speak, close, bite = need
    if speak <= 0.0 and close <= 0.0 and bite <= 0.0:
        return None
    opens, shuts, smile = sums[_PARTS] + sums[_BITES], -sums[_SHUTS], -sums[_SMILES]
    less = _less(opens, _OPEN + shuts + smile, speak)
    shut = _less(shuts, _SHUT + opens * less - smile, speak)
    parts, leaves = sums[GROUPS + _PARTS] * less, sums[GROUPS + _LEAVES]
    toothed = -(sums[GROUPS + _SHUTS] * shut + sums[GROUPS + _SMILES])
    toothed -= sums[GROUPS + _BITES] * less + sums[GROUPS + _RESTS]
    away = parts + leaves
    bitten = _less(away, _TEETH + toothed, speak)
    bitten *= _less(away * bitten, _BITE + toothed, bite)
    parted = sums[_PARTS] * less * bitten + sums[_BITES] * less
    wider = max(0.0, parted - shuts * shut - smile)
    help_ = min(wider, max(0.0, min(room, _MOST)))
    last = _less(parted, parted - (wider - help_), close)
    return (less * bitten * last, less * last, shut, 1.0, bitten, 1.0, close * help_)


def _less(part: float, bound: float, weight: float) -> float:
    """Return the factor that brings ``part`` down to ``bound``, as far as ``weight`` says."""
    if part <= bound or part <= 1e-9:
        return 1.0
    return 1.0 - weight * (1.0 - max(bound, 0.0) / part)
