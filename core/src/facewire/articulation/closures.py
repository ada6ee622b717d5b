"""Closures of the lips, and the five figures that say together whether a mouth talks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from facewire.articulation.phones import read_phone

Array = NDArray[np.float64]
CLOSED = 0.03
"""A gap below this is closed (jawOpen = 1)."""
HOLD = 0.033
"""Seconds that a closure lasts at least."""
EARLY = 0.04
"""Seconds before the phone's start from which on its closure counts."""
PAUSE = 0.2
"""Seconds without a phone that make a pause; closures there are not judged."""
RELEASED = 0.12
"""The gap that a stressed open vowel reaches at least."""
LONG, BEFORE, AFTER = 0.5, 0.3, 0.2
"""Leak is measured in silences this long, leaving out what is before and after speech, seconds."""


def closures(gap: NDArray[np.floating], fps: float) -> Array:
    """Return start and end in seconds (m, 2) of each closure: gap (n,) < .03 for at least 33 ms.

    The crossings are interpolated between frames; frame k is at k / fps.
    """
    below = np.concatenate([[False], np.asarray(gap) < CLOSED, [False]])
    edges = np.flatnonzero(below[1:] != below[:-1])
    spans = [
        (_crossing(gap, a), _crossing(gap, z)) for a, z in zip(edges[::2], edges[1::2], strict=True)
    ]
    found = np.array(spans, np.float64).reshape(-1, 2) / fps
    return found[found[:, 1] - found[:, 0] >= HOLD - 1e-9]


def _crossing(gap: NDArray[np.floating], row: int) -> float:
    """Return where, between ``row`` - 1 and ``row``, the gap crosses the threshold."""
    if row == 0 or row == len(gap):
        return float(min(row, len(gap) - 1))
    one, other = float(gap[row - 1]), float(gap[row])
    return row - 1 + (one - CLOSED) / (one - other)


@dataclass(frozen=True, slots=True)
class PhoneTime:
    """A phone (ARPAbet or IPA) and when it is spoken, in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class ClosureReport:
    """Recall, precision, rate, timing, release and leak: one alone proves nothing.

    nan where there was nothing to judge. ``recall``: share of /p b m/ with a closure.
    ``precision``: share of closures outside pauses that are at p b m f v. ``rate`` and
    ``phone_rate``: closures and /p b m/ a second of speech. ``timing``: median error of the
    closures' middles in seconds. ``release``: share of stressed open vowels whose gap reaches .12.
    ``leak``: 95th percentile of the gap in long silences.
    """

    recall: float
    precision: float
    rate: float
    phone_rate: float
    timing: float
    release: float
    leak: float

    def __str__(self) -> str:
        return ", ".join(f"{f.name} {getattr(self, f.name):.3f}" for f in fields(self))


def measure(gap: NDArray[np.floating], fps: float, phones: Sequence[PhoneTime]) -> ClosureReport:
    """Judge the lips' gap (n,) of frames against the phones that are spoken."""
    spoken = sorted((p for p in phones if read_phone(p.text).shapes), key=lambda p: p.start)
    labial = [p for p in spoken if read_phone(p.text).kind == "closure"]
    pauses = _pauses(spoken, len(gap) / fps)
    found = closures(gap, fps)
    heard = found[:, 1] - found[:, 0] - _silent(found, pauses)
    judged = heard >= HOLD - 1e-9
    right = _at_lip_phones(found, spoken)
    seconds = len(gap) / fps - float((pauses[:, 1] - pauses[:, 0]).sum())
    return ClosureReport(
        recall=_mean([len(_holding(found, p)) > 0 for p in labial]),
        precision=_mean(right[judged]),
        rate=float(judged.sum()) / seconds if seconds > 0 else float("nan"),
        phone_rate=len(labial) / seconds if seconds > 0 else float("nan"),
        timing=_timing(labial, found, _silent(found, pauses) < 1e-6),
        release=_release(gap, fps, spoken),
        leak=_leak(gap, fps, pauses),
    )


def _mean(flags: Sequence[bool] | NDArray[np.bool_]) -> float:
    return float(np.mean(flags)) if len(flags) else float("nan")


def _touching(spans: Array, start: float, end: float) -> NDArray[np.intp]:
    """Return which of ordered, disjoint spans (m, 2) overlap the time from start to end."""
    first = np.searchsorted(spans[:, 1], start, side="right")
    return np.arange(first, np.searchsorted(spans[:, 0], end, side="left"))


def _holding(found: Array, phone: PhoneTime) -> NDArray[np.intp]:
    """Return the closures that hold for 33 ms within [start - 40 ms, end] of a phone."""
    near = _touching(found, phone.start - EARLY, phone.end)
    inside = np.minimum(found[near, 1], phone.end) - np.maximum(found[near, 0], phone.start - EARLY)
    held: NDArray[np.intp] = near[inside >= HOLD - 1e-9]
    return held


def _at_lip_phones(found: Array, spoken: Sequence[PhoneTime]) -> NDArray[np.bool_]:
    """Return whether each closure (m,) touches a p b m f v, or a sound that ends or begins so."""
    right = np.zeros(len(found), bool)
    for phone in spoken:
        if any(shape.name in ("p", "f") for shape in read_phone(phone.text).shapes):
            right[_touching(found, phone.start - EARLY, phone.end)] = True
    return right


def _pauses(spoken: Sequence[PhoneTime], length: float) -> Array:
    """Return the pauses (k, 2) in seconds; before the first phone and after the last too."""
    pauses, reach = [], 0.0
    for phone in [*spoken, PhoneTime("", length, length)]:
        if phone.start - reach >= PAUSE:
            pauses.append((reach, phone.start))
        reach = max(reach, phone.end)
    return np.array(pauses, np.float64).reshape(-1, 2)


def _silent(found: Array, pauses: Array) -> Array:
    """Return how many seconds of each closure (m,) lie in pauses."""
    silent = np.zeros(len(found))
    for a, z in pauses:
        near = _touching(found, a, z)
        silent[near] += np.minimum(found[near, 1], z) - np.maximum(found[near, 0], a)
    return silent


def _timing(labial: Sequence[PhoneTime], found: Array, spoken: NDArray[np.bool_]) -> float:
    """Return the median distance between the middles of a phone and of its closure, in seconds.

    A closure that reaches into a pause, or that two phones share, has no middle of its own.
    """
    owners: dict[int, list[PhoneTime]] = {}
    for phone in labial:
        for i in _holding(found, phone):
            owners.setdefault(int(i), []).append(phone)
    errors = [
        abs(found[i].mean() - (phones[0].start + phones[0].end) / 2)
        for i, phones in owners.items()
        if len(phones) == 1 and spoken[i]
    ]
    return float(np.median(errors)) if errors else float("nan")


def _release(gap: NDArray[np.floating], fps: float, spoken: Sequence[PhoneTime]) -> float:
    reached = []
    for phone in spoken:
        symbol = read_phone(phone.text)
        if symbol.kind == "open" and symbol.stress == 1:
            a, z = int(phone.start * fps), int(np.ceil(phone.end * fps)) + 1
            reached.append(bool(len(gap[a:z])) and float(gap[a:z].max()) >= RELEASED)
    return _mean(reached)


def _leak(gap: NDArray[np.floating], fps: float, pauses: Array) -> float:
    end = len(gap) / fps
    rows = []
    for a, z in pauses:
        if z - a > LONG:
            first, last = a + AFTER * (a > 0), z - BEFORE * (z < end)
            rows.append(gap[int(np.ceil(first * fps)) : int(last * fps)])
    found = np.concatenate(rows) if rows else np.zeros(0)
    return float(np.percentile(found, 95)) if len(found) else float("nan")
