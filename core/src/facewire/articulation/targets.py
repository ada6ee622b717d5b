"""Phones to what each articulatory curve is asked for: targets, their weights, and bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facewire.articulation.phones import CURVES, VOWELS, Shape, Symbol
from facewire.articulation.timing import timing

Array = NDArray[np.float64]
GAP, JAW, WIDTH, PROTRUSION, TEETH, UPPER, LOWER, PRESS = range(8)
LIPS = np.array([WIDTH, PROTRUSION, UPPER, LOWER])
SPECIFIC = np.array([TEETH, PRESS, *range(PRESS + 1, len(CURVES))])
"""Curves that a phone which does not ask for them wants at rest; others are left to neighbours."""
RAMP = 3.0
"""Power of a target's rise and fall; higher keeps neighbours apart."""
CLOSED = (-0.06, -0.005)
"""Bounds of the gap in a closure: a little past contact."""
APPROACH = 1
"""Rows before and after a closure in which no other phone keeps the lips apart."""
CLOSED_JAW = (0.03, 0.085)
"""Bounds of the jaw in a closure: captured faces close with mouthClose over a jaw of .03 to .09."""


@dataclass(frozen=True, slots=True)
class Style:
    """Two axes of speaking style, 1 is ordinary (Edwards et al., JALI, 2016, section 4)."""

    jaw: float = 1.0
    lip: float = 1.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A phone and when it is spoken, in rows (fractions count)."""

    start: float
    end: float
    symbol: Symbol


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One shape of a phone: from its apex to the end of its sustain, in rows.

    ``value`` (curves,), ``onset`` in rows (curves,), ``weight`` (curves,) 0 where not asked for.
    ``gain`` scales the opening: stress and duration. ``vowel``: scaled in full.
    """

    apex: float
    sustain: float
    value: Array
    onset: Array
    weight: Array
    gain: float
    kind: str
    phone: Spoken


def _spans(phone: Spoken) -> list[tuple[float, float]]:
    """Return from when to when each of a phone's shapes is held, in rows."""
    start, length = phone.start, phone.end - phone.start
    count, times = len(phone.symbol.shapes), timing()
    if count == 1:
        held = times["sustain"]["nasal" if phone.symbol.nasal else "usual"]
        return [(start, start + held * length)]
    first, second = times["glide"]["first"], times["glide"]["second"]
    spans = [(start, start + first * length)]
    for i in range(1, count - 1):
        middle = start + length * (first + (second - first) * i / (count - 1))
        spans.append((middle, middle))
    return [*spans, (start + second * length, phone.end)]


def opening(symbol: Symbol, seconds: float) -> float:
    """Return how stress and duration scale a vowel's opening; 1 for consonants."""
    if symbol.kind not in VOWELS:
        return 1.0
    table, scale = timing()["stress"], timing()["duration"]
    names = {1: "primary", 2: "secondary", 0: "none", None: "unknown"}
    relative = float((max(seconds, 1e-3) / scale["usual"]) ** scale["power"])
    return table[names[symbol.stress]] * min(max(relative, scale["least"]), scale["most"])


def _onset(shape: Shape, after_pause: bool, fps: float) -> Array:
    times = timing()["onset"]
    onset = np.full(len(CURVES), times["usual"])
    onset[PROTRUSION] = times["protrusion"]
    if shape.kind in ("closure", "narrow"):
        lips = times["closure_after_pause" if after_pause else "closure"]
        onset[[GAP, TEETH, PRESS]] = lips
    return onset * fps


def segments(phone: Spoken, after_pause: bool, fps: float) -> list[Segment]:
    """Return the segments of a phone. ``after_pause``: it is the first of a stretch."""
    found = []
    gain = opening(phone.symbol, (phone.end - phone.start) / fps)
    for shape, (apex, sustain) in zip(phone.symbol.shapes, _spans(phone), strict=True):
        value, weight = np.zeros(len(CURVES)), np.zeros(len(CURVES))
        weight[SPECIFIC] = 0.5 * shape.firm
        for curve, target in shape.targets:
            value[curve], weight[curve] = target, shape.firm
        onset = _onset(shape, after_pause, fps)
        found.append(Segment(apex, sustain, value, onset, weight, gain, shape.kind, phone))
    return found


def styled(value: Array, kinds: Sequence[str], gain: Array, style: Style) -> Array:
    """Return targets (n, curves) scaled by gain (n,) and style; a closure's gap stays as it is."""
    out = value.copy()
    closure = np.array([kind == "closure" for kind in kinds])
    jaw = value[:, JAW] * np.where(closure, 1.0, gain)
    lips = np.maximum(0.0, value[:, GAP] - value[:, JAW]) * np.where(closure, 1.0, gain)
    out[:, JAW] = jaw * style.jaw
    out[:, GAP] = np.where(closure, value[:, GAP], out[:, JAW] + lips * style.lip)
    out[:, LIPS] *= style.lip
    out[:, [UPPER, LOWER]] *= np.sqrt(gain)[:, None]
    return out


def asked(parts: Sequence[Segment], value: Array, rows: Array, decay: float) -> tuple[Array, Array]:
    """Return weight and weighted target, both (curves, rows), summed over the segments.

    A segment weighs fully from its apex to the end of its sustain, rises over its onset and falls
    over ``decay`` rows.
    """
    apex = np.array([p.apex for p in parts])[:, None, None]
    sustain = np.array([p.sustain for p in parts])[:, None, None]
    onset = np.array([p.onset for p in parts])[:, :, None]
    weight = np.array([p.weight for p in parts])[:, :, None]
    early = (apex - rows) / onset  # (segments, curves, rows)
    late = (rows - sustain) / decay
    inside = np.clip(1.0 - np.maximum(np.maximum(early, late), 0.0), 0.0, 1.0) ** RAMP * weight
    return inside.sum(axis=0), (inside * value[:, :, None]).sum(axis=0)


def closed_rows(phone: Spoken, fps: float) -> tuple[int, int]:
    """Return the first and last row in which a bilabial's lips must meet.

    From the phone's start to the end of its sustain, 50 to 180 ms; a shorter phone keeps its whole
    length closed, at least two row periods: speed shortens a closure and never drops it.
    """
    times = timing()["closure"]
    (start, end), *_ = _spans(phone)
    length = end - start
    least = min(times["least"] * fps, max(2.0, phone.end - phone.start))
    wanted = min(max(length, least), times["most"] * fps)
    count = max(2, round(wanted))
    # On their way the lips are nearly shut before and hardly after: the interval lies in the
    # phone's middle. A stop is heard at its release, so the lips have met two rows before its end.
    centred = round((phone.start + phone.end - count) / 2)
    first = min(centred, round(phone.end) - count, math.floor(phone.end - 1.9))
    return first, first + count


def bounds(
    parts: Sequence[Segment], value: Array, first: int, count: int, fps: float
) -> tuple[Array, Array]:
    """Return lower and upper bounds (2, rows) of gap and jaw, rows ``first`` … ``first + count``.

    Rows within ``APPROACH`` of a closure are free, but for a vowel's middle: between two closures
    the lips must part.
    """
    low, high = np.full((2, count), -np.inf), np.full((2, count), np.inf)
    apart = timing()["apart"]
    for part, target in zip(parts, value, strict=True):
        if part.kind != "closure":
            length = part.phone.end - part.phone.start
            a = round(part.phone.start + apart["from"] * length) - first
            z = max(a, int(part.phone.start + apart["to"] * length) - first)
            low[0, max(a, 0) : max(z + 1, 0)] = min(apart["gap"], 0.8 * target[GAP])
    closed = [closed_rows(p.phone, fps) for p in parts if p.kind == "closure"]
    for a, z in closed:
        low[0, max(a - first - APPROACH, 0) : max(z - first + APPROACH + 1, 0)] = -np.inf
    for part in parts:
        middle = round((part.phone.start + part.phone.end) / 2) - first
        if part.kind in VOWELS and 0 <= middle < count:
            low[0, middle] = max(low[0, middle], 0.8 * apart["gap"])
    for a, z in closed:
        span = slice(max(a - first, 0), max(z - first + 1, 0))
        low[0, span], high[0, span] = CLOSED
        low[1, span], high[1, span] = CLOSED_JAW
    return low, high
