"""A monotonic path through a recital for every frame of a recording: dynamic time warping.

Sakoe and Chiba, IEEE Trans. ASSP, 1978, run along the recording: each frame of it is one frame of
the recital, none to three further than the one before, or a pause, which may follow any word. From
a pause words may be left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.intp]
Range = Callable[[int, int], tuple[int, int]]
"""From a frame and the best state of the one before: the states to look at."""

_STEP = (0.4, 0.0, 0.3, 0.75)  # what staying, going on, and leaving out one or two frames cost
_LEFT_OUT = 1.5  # a word that is not said, and
_LEFT_OUT_FRAME = 0.05  # each of its frames
_PAUSED, _ENTERED, _JUMPED = 4, 8, 16
_FAR = 1e9
_COARSE = 4
_SAMPLE = 400  # frames and states that stand for all
_AROUND = 750  # coarse states to either side of the best: 30 s
_SLACK = 8  # coarse frames by which the fine path may differ from the coarse one


class Score(NamedTuple):
    """What is compared: frames (n, d), states (m, d), a pause's cost at each frame (n,).

    Costs are in units of the distance of frames and states that are taken at random. ``last`` (m,)
    are states that end a word; ``spoken`` (n,) frames that surely hold speech.
    """

    frames: Array
    states: Array
    pause: Array
    last: NDArray[np.bool_]
    spoken: NDArray[np.bool_]


class Path(NamedTuple):
    """Each frame's state and cost (n,); in a pause it is the state before it. ``total``: of all."""

    states: Ints
    paused: NDArray[np.bool_]
    costs: Array
    total: float


def distances(states: Array, frame: Array) -> Array:
    """Return how far a frame (d,) is from each of the states (m, d): root mean square, (m,)."""
    far = np.square(states).sum(axis=1) - 2.0 * (states @ frame) + frame @ frame
    return np.asarray(np.sqrt(np.maximum(far, 0.0) / len(frame)), np.float64)


def _chance(score: Score) -> float:
    """Return the mean distance of a frame of speech from a state, of some spread evenly."""
    frames = score.frames[score.spoken] if score.spoken.any() else score.frames
    some = frames[:: max(len(frames) // _SAMPLE, 1)]
    others = score.states[:: max(len(score.states) // _SAMPLE, 1)]
    return max(float(np.mean([distances(others, row).mean() for row in some])), 1e-3)


def warped(score: Score) -> Path | None:
    """Return the best path: a coarse one first, then a fine one near it; None if there is none."""
    n, m = len(score.frames), len(score.states)
    groups = _groups(score.last)
    coarse = Score(
        _means(score.frames, np.arange(0, n, _COARSE)),
        _means(score.states, groups),
        _means(score.pause[:, None], np.arange(0, n, _COARSE))[:, 0],
        score.last[np.append(groups[1:], m) - 1],
        score.spoken[::_COARSE],
    )
    count = len(groups)
    way = _best(coarse, lambda t, best: (max(best - _AROUND, -1), min(best + _AROUND, count)))
    if way is None:
        return None
    edges = np.append(groups, m)
    rows = np.arange(n) // _COARSE
    low = way.states[np.maximum(rows - _SLACK, 0)]
    high = way.states[np.minimum(rows + _SLACK, len(way.states) - 1)]
    lows = np.where(low > 1, edges[np.maximum(low - 1, 0)], -1)
    highs = edges[np.minimum(high + 2, count)]
    return _best(score, lambda t, best: (int(lows[t]), int(highs[t])))


def _groups(last: NDArray[np.bool_]) -> Ints:
    """Return where coarse states begin: at every word, and every fourth frame of it."""
    starts = np.append(0, np.flatnonzero(last)[:-1] + 1)
    ends = np.append(starts[1:], len(last))
    parts = [np.arange(a, b, _COARSE) for a, b in zip(starts, ends, strict=True)]
    return np.concatenate(parts).astype(np.intp)


def _means(rows: Array, starts: Ints) -> Array:
    sizes = np.diff(np.append(starts, len(rows)))
    return np.asarray(np.add.reduceat(rows, starts, axis=0) / sizes[:, None], np.float64)


class _Row:
    """Costs of the states ``low`` to ``high``: being in one, and in the pause after it.

    State -1 is the beginning: nothing but the pause after it.
    """

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.said = np.full(high - low, _FAR)
        self.paused = np.full(high - low, _FAR)

    def spread(self, low: int, high: int) -> tuple[Array, Array]:
        """Return both costs for the states ``low`` - 3 to ``high``."""
        out = np.full((2, high - low + 3), _FAR)
        a, b = max(low - 3, self.low), min(high, self.high)
        if a < b:
            out[0, a - low + 3 : b - low + 3] = self.said[a - self.low : b - self.low]
            out[1, a - low + 3 : b - low + 3] = self.paused[a - self.low : b - self.low]
        return out[0], out[1]


def _best(score: Score, span: Range) -> Path | None:
    words, chance = _Words(score.last), _chance(score)
    row = _Row(-1, 0)
    row.paused[0] = 0.0
    kept: list[tuple[int, NDArray[np.int8]]] = []
    for t, frame in enumerate(score.frames):
        best = row.low + int(np.minimum(row.said, row.paused).argmin())
        low, high = span(t, best)
        near = max(low, 0)
        local = np.full(high - low, _FAR)
        local[near - low :] = distances(score.states[near:high], frame) / chance
        row, moves = _next(row, low, high, local, float(score.pause[t]), words)
        kept.append((low, moves))
    return _traced(score, row, kept, chance)


class _Words:
    """Where words end: for each state (the beginning first) the word's end before it."""

    def __init__(self, last: NDArray[np.bool_]) -> None:
        self.last = np.append(True, last)
        ends = np.flatnonzero(self.last)  # counted from the beginning, 0
        self.before = np.full(len(self.last), -1, np.intp)
        self.before[ends[1:]] = ends[:-1]
        lengths = np.diff(ends, prepend=ends[0])
        self.price = np.zeros(len(self.last))
        self.price[ends] = _LEFT_OUT + _LEFT_OUT_FRAME * lengths


def _next(
    row: _Row, low: int, high: int, local: Array, pause: float, words: _Words
) -> tuple[_Row, NDArray[np.int8]]:
    said, paused = row.spread(low, high)
    size = high - low
    ways = [said[3 - step : 3 - step + size] + price for step, price in enumerate(_STEP)]
    ways.append(paused[2 : 2 + size])
    costs = np.stack(ways)
    moves = costs.argmin(axis=0).astype(np.int8)
    out = _Row(low, high)
    out.said = np.minimum(costs.min(axis=0) + local, _FAR)
    stay, enter = paused[3:], said[3:]
    before = words.before[low + 1 : high + 1] - 1 - low
    inside = before >= 0
    jump = np.where(inside, stay[np.where(inside, before, 0)], _FAR)
    jump = jump + words.price[low + 1 : high + 1]
    waits = np.where(
        words.last[low + 1 : high + 1], np.minimum(stay, np.minimum(enter, jump)), _FAR
    )
    moves |= np.where(enter < np.minimum(stay, jump), _ENTERED, 0).astype(np.int8)
    moves |= np.where((jump < stay) & (jump <= enter), _JUMPED, 0).astype(np.int8)
    out.paused = np.minimum(waits + pause, _FAR)
    return out, moves


def _traced(
    score: Score, row: _Row, kept: list[tuple[int, NDArray[np.int8]]], chance: float
) -> Path | None:
    """Follow the moves back from the last state, or the pause after it."""
    n = len(kept)
    states, paused = np.zeros(n, np.intp), np.zeros(n, bool)
    words = _Words(score.last)
    j = len(score.states) - 1
    total = float(min(row.said[-1], row.paused[-1]))
    if row.high <= j or total >= _FAR:
        return None
    waiting = bool(row.paused[j - row.low] <= row.said[j - row.low])
    for t in range(n - 1, -1, -1):
        low, moves = kept[t]
        move = int(moves[j - low])
        states[t], paused[t] = j, waiting
        if waiting:
            if move & _JUMPED:
                j = int(words.before[j + 1]) - 1
            waiting = not move & _ENTERED
        elif move & 7 == _PAUSED:
            j, waiting = j - 1, True
        else:
            j -= move & 7
    costs = score.pause.copy()
    said = ~paused
    apart = score.frames[said] - score.states[states[said]]
    costs[said] = np.sqrt((apart**2).mean(axis=1)) / chance
    return Path(states, paused, costs, total)
