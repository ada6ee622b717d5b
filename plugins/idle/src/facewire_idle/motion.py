"""Movements in continuous time: eased steps, smooth noise and things that happen now and then.

All of them are the same whatever the frame rate is and however the stream is cut: what happens is
drawn in the order of time, never once a push, and sums are always taken in the same order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import insort
from collections.abc import Iterator, Sequence
from fractions import Fraction
from operator import itemgetter

import numpy as np
from facewire.types import Frames
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
_START = itemgetter(0)


def row_times(start: int, rows: int, fps: Fraction) -> Doubles:
    """Return the times in seconds of ``rows`` frames from index ``start``: (rows,)."""
    step = fps.denominator
    return np.arange(start * step, (start + rows) * step, step) / fps.numerator


def times_of(frames: Frames) -> Doubles:
    """Return the time in seconds of each frame: (n,)."""
    return row_times(frames.start, len(frames), frames.fps)


def lognormal(random: np.random.Generator, mean: float, spread: float) -> float:
    """Draw from the log-normal with this mean and this standard deviation of the logarithm."""
    return mean * float(np.exp(spread * random.standard_normal() - spread**2 / 2))


class Steps:
    """A position with ``axes`` coordinates that moves by eased steps, which may overlap.

    Each step adds ``delta`` along the minimum-jerk curve 10u^3 - 15u^4 + 6u^5 (Flash & Hogan,
    1985): velocity and acceleration are zero at both ends, so nothing ever jumps.
    """

    def __init__(self, axes: int) -> None:
        self._settled = (float("-inf"), 1.0, (0.0,) * axes)
        self._steps: list[tuple[float, float, tuple[float, ...]]] = []
        self._table: tuple[Doubles, Doubles, Doubles] | None = None

    def add(self, start: float, duration: float, delta: Sequence[float]) -> None:
        """Move by ``delta`` (axes,) from second ``start`` on, which no row has passed yet."""
        insort(self._steps, (start, duration, tuple(delta)), key=_START)
        self._table = None

    def at(self, times: Doubles) -> Doubles:
        """Return the position at ascending times (n,): (n, axes). Earlier times are forgotten."""
        self._fold(float(times[0]))
        if not self._steps or self._steps[0][0] >= times[-1]:
            return np.full((len(times), len(self._settled[2])), self._settled[2])
        starts, durations, deltas = self._tables()
        u = (times[:, None] - starts) / durations  # (n, steps)
        u = np.minimum(np.maximum(u, 0.0), 1.0)
        eased = u * u * u * (10.0 + u * (6.0 * u - 15.0))
        return np.asarray(np.add.reduce(eased[:, :, None] * deltas, axis=1))

    def _fold(self, now: float) -> None:
        # Only from the front: the order of the sum, and so its last bit, is the same in any cut.
        while self._steps and self._steps[0][0] + self._steps[0][1] <= now:
            _, _, delta = self._steps.pop(0)
            start, duration, settled = self._settled
            self._settled = (
                start,
                duration,
                tuple(a + b for a, b in zip(settled, delta, strict=True)),
            )
            self._table = None

    def _tables(self) -> tuple[Doubles, Doubles, Doubles]:
        if self._table is None:
            starts, durations, deltas = zip(self._settled, *self._steps, strict=True)
            self._table = np.array(starts), np.array(durations), np.array(deltas)
        return self._table


class Ahead(ABC):
    """Movement that depends on nothing but time, made in fixed pieces of 256 frames.

    So a push of one row costs next to nothing, and no cut can make a difference.
    """

    ROWS = 256

    def __init__(self, fps: Fraction) -> None:
        self._fps = fps
        self._piece, self._rows = -1, np.zeros((0, 0))

    def at(self, start: int, rows: int) -> Doubles:
        """Return the position in frames from index ``start``, which never falls: (rows, axes)."""
        pieces = []
        end = start + rows
        while start < end:
            piece, offset = divmod(start, self.ROWS)
            if piece != self._piece:
                self._rows = self._make(row_times(piece * self.ROWS, self.ROWS, self._fps))
                self._piece = piece
            pieces.append(self._rows[offset : offset + end - start])
            start += len(pieces[-1])
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    @abstractmethod
    def _make(self, times: Doubles) -> Doubles:
        """Return the position at times (n,), later than those before: (n, axes)."""


class Noise(Ahead):
    """Smooth noise of unit variance on ``axes`` coordinates: a cubic B-spline of random knots.

    ``knot`` is the seconds between knots, ``memory`` the correlation of one knot with the next.
    """

    def __init__(
        self, random: np.random.Generator, fps: Fraction, axes: int, knot: float, memory: float
    ) -> None:
        super().__init__(fps)
        self._random, self._axes, self._knot, self._memory = random, axes, knot, memory
        self._knots = np.zeros((0, axes))
        self._first = 0
        self._scale = 1.0 / _spline_deviation(memory)

    def _make(self, times: Doubles) -> Doubles:
        at = times / self._knot  # (n,) in knots
        index = np.floor(at).astype(np.intp)
        self._draw(int(index[-1]) + 4)
        self._forget(int(index[0]))
        weights = _spline_weights(at - index)  # (n, 4)
        knots = self._knots[index[:, None] - self._first + np.arange(4)]  # (n, 4, axes)
        return np.asarray((weights[:, :, None] * knots).sum(axis=1) * self._scale)

    def _draw(self, end: int) -> None:
        while self._first + len(self._knots) < end:
            new = self._random.standard_normal((64, self._axes))
            last = self._knots[-1] if len(self._knots) else new[0]
            for row in new:
                row *= np.sqrt(1.0 - self._memory**2)
                row += self._memory * last
                last = row
            self._knots = np.concatenate([self._knots, new])

    def _forget(self, first: int) -> None:
        self._knots, self._first = self._knots[first - self._first :], first


def _spline_weights(u: Doubles) -> Doubles:
    """Return the four weights of the uniform cubic B-spline at u (n,) in 0..1: (n, 4)."""
    v = 1.0 - u
    inner = [3 * u**3 - 6 * u**2 + 4, 3 * v**3 - 6 * v**2 + 4]
    return np.stack([v**3, *inner, u**3], axis=1) / 6.0


def _spline_deviation(memory: float) -> float:
    weights = _spline_weights((np.arange(64) + 0.5) / 64)
    lags = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    return float(np.sqrt(np.einsum("ni,ij,nj->n", weights, memory**lags, weights).mean()))


class Renewal:
    """Times of something that happens again and again, at log-normal intervals and a varying rate.

    Intervals are drawn in operational time, which runs at ``rate`` events a second, so a change
    of rate acts at once, and bringing one event forward leaves the later ones where they were.
    """

    def __init__(self, random: np.random.Generator, spread: float) -> None:
        self._random, self._spread = random, spread
        self._time, self._done, self._rate = 0.0, 0.0, 0.0
        self._due = self._interval() * float(random.random())  # the start is not an event

    def _interval(self) -> float:
        return lognormal(self._random, 1.0, self._spread)

    def set_rate(self, time: float, rate: float) -> None:
        """Happen ``rate`` times a second from second ``time`` on."""
        self._done += (time - self._time) * self._rate
        self._time, self._rate = time, rate

    def until(self, time: float) -> Iterator[float]:
        """Yield the times, up to second ``time``, that were not yielded before."""
        while self._rate and (at := self._time + (self._due - self._done) / self._rate) <= time:
            self._due += self._interval()
            yield max(at, self._time)

    def bring_forward(self, time: float, within: float) -> bool:
        """Use up the next event if it is due within so many mean intervals; tell if it was."""
        near = self._due - self._done - (time - self._time) * self._rate <= within
        if near:
            self._due += self._interval()
        return near
