"""How well a curve follows a captured one: correlations, lag and liveliness.

Plain r alone hides everything: a face low-passed at 1.5 Hz still has r = .81 with a tenth of its
closures. So the band of syllables and velocity stand beside it, all at zero lag, and the lag of
the peak is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_eval.metrics.bootstrap import (
    NOTHING,
    Array,
    Figure,
    block_sums,
    bootstrap,
)
from facewire_eval.metrics.filters import band_pass, curve, velocity

LAGS = 0.3
"""Seconds to each side that the peak of the correlation is looked for in."""
MOVES = 0.005
"""Standard deviation from which on a captured channel counts as moving (1 is the whole shape)."""


class Pair(NamedTuple):
    """A predicted and a captured curve (n,) of one take, at the captured one's frames a second."""

    found: NDArray[np.floating]
    true: NDArray[np.floating]
    fps: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a prediction follows a captured curve, each figure with its interval over 1 s blocks.

    ``band``: r over 2 to 8 Hz. ``velocity``: r of velocities. ``plain``: r. All at zero lag.
    ``lag``: seconds by which the prediction is late where r peaks (negative: early); ``peak``: r
    there. ``aligned``: ``band`` with that one lag taken off all takes. ``liveliness``: predicted /
    true standard deviation, worth something only beside ``band``.
    """

    band: Figure = NOTHING
    velocity: Figure = NOTHING
    plain: Figure = NOTHING
    lag: Figure = NOTHING
    peak: Figure = NOTHING
    aligned: Figure = NOTHING
    liveliness: Figure = NOTHING


def moments(one: NDArray[np.floating], other: NDArray[np.floating], fps: float) -> Array:
    """Return sums over 1 s blocks of two curves (n,), (blocks, 6): 1, x, y, xx, yy, xy."""
    x, y = curve(one), curve(other)
    return block_sums(np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], axis=1), fps)


def correlation(sums: Array) -> Array:
    """Return r (m,) of sums of moments (m, 6); nan where a curve stands still."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    xx, yy, xy = xx - x * x / n, yy - y * y / n, xy - x * y / n
    still = (xx <= 1e-12 * n) | (yy <= 1e-12 * n)
    return np.asarray(np.where(still, np.nan, xy / np.sqrt(np.where(still, 1.0, xx * yy))))


def spread(sums: Array) -> Array:
    """Return the ratio (m,) of the first curve's standard deviation to the second's."""
    n, x, y, xx, yy, _ = np.moveaxis(sums, -1, 0)
    return np.asarray(np.sqrt(np.maximum(xx - x * x / n, 0) / np.maximum(yy - y * y / n, 1e-300)))


def band_correlation(found: NDArray[np.floating], true: NDArray[np.floating], fps: float) -> Figure:
    """Return r over 2 to 8 Hz of two curves (n,)."""
    return agreement([Pair(found, true, fps)]).band


def agreement(pairs: Sequence[Pair]) -> Agreement:
    """Return how predictions follow captured curves: one take, or several as one.

    Each take's own mean is taken off first, so that speakers' levels count for nothing.
    """
    pairs = [pair for pair in pairs if len(pair.true) > 1]
    if not pairs:
        return Agreement()
    plain = np.concatenate([moments(_level(p.found), _level(p.true), p.fps) for p in pairs])
    bands = [(band_pass(p.found, p.fps), band_pass(p.true, p.fps), p.fps) for p in pairs]
    speeds = [(velocity(p.found, p.fps), velocity(p.true, p.fps), p.fps) for p in pairs]
    lag, peak = lag_of(pairs)
    moved = [p._replace(found=_earlier(p.found, lag.value * p.fps)) for p in pairs]
    aligned = [moments(band_pass(p.found, p.fps), band_pass(p.true, p.fps), p.fps) for p in moved]
    return Agreement(
        band=bootstrap(np.concatenate([moments(*b) for b in bands]), correlation),
        velocity=bootstrap(np.concatenate([moments(*s) for s in speeds]), correlation),
        plain=bootstrap(plain, correlation),
        lag=lag,
        peak=peak,
        aligned=bootstrap(np.concatenate(aligned), correlation),
        liveliness=bootstrap(plain, spread),
    )


def _earlier(values: NDArray[np.floating], rows: float) -> Array:
    """Return a curve (n,) a number of rows earlier, interpolated; unchanged where it is nan."""
    made = curve(values)
    at = np.arange(len(made), dtype=np.float64)
    return np.asarray(np.interp(at + rows, at, made)) if np.isfinite(rows) else made


def _level(values: NDArray[np.floating]) -> Array:
    made = curve(values)
    return np.asarray(made - made.mean())


def lag_of(pairs: Sequence[Pair], most: float = LAGS) -> tuple[Figure, Figure]:
    """Return the lag in seconds at which r peaks (+: the prediction is late), and r there.

    Between frames the peak is that of a parabola. All takes need one rate (the first's counts).
    """
    fps = pairs[0].fps
    steps = np.arange(-round(most * fps), round(most * fps) + 1)
    table = np.concatenate([_shifted(pair, steps) for pair in pairs])  # (blocks, steps * 6)

    def curves(sums: Array) -> Array:
        return correlation(sums.reshape(len(sums), len(steps), 6))  # (m, steps)

    def lag(sums: Array) -> Array:
        return np.asarray((_peak(curves(sums))[0] + steps[0]) / fps)

    return bootstrap(table, lag), bootstrap(table, lambda sums: _peak(curves(sums))[1])


def _shifted(pair: Pair, steps: NDArray[np.int_]) -> Array:
    """Return moments at each shift, beside each other: (blocks, steps * 6)."""
    found, true, reach = _level(pair.found), _level(pair.true), int(-steps[0])
    if len(true) <= 4 * reach:
        return np.zeros((0, len(steps) * 6))
    middle = true[reach : len(true) - reach]
    parts = [
        moments(found[reach + step :][: len(middle)], middle, pair.fps) for step in steps.tolist()
    ]
    return np.concatenate(parts, axis=1)


def _peak(curves: Array) -> tuple[Array, Array]:
    """Return where curves (m, steps) peak, in steps, and how high: a parabola through three."""
    known = np.where(np.isfinite(curves), curves, -2.0)
    at = np.clip(known.argmax(axis=1), 1, known.shape[1] - 2)
    rows = np.arange(len(known))
    left, top, right = known[rows, at - 1], known[rows, at], known[rows, at + 1]
    bend = left - 2 * top + right
    move = np.where(bend < -1e-12, 0.5 * (left - right) / np.where(bend < -1e-12, bend, 1.0), 0.0)
    move = np.clip(move, -1.0, 1.0)
    height = top - 0.25 * (left - right) * move
    nothing = ~np.isfinite(curves).any(axis=1)
    return np.where(nothing, np.nan, at + move), np.where(nothing, np.nan, height)


def moving(values: NDArray[np.floating], channels: Sequence[str]) -> list[str]:
    """Return the channels that move in captured values (n, channels)."""
    size = np.asarray(values, np.float64).std(axis=0)
    return [name for name, much in zip(channels, size, strict=True) if much > MOVES]
