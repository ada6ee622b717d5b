"""Several turns as one arc: what each turn keeps of the mood before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

from facewire_v3.tables import load, number, table

Doubles = NDArray[np.float64]
NAMES = ("gentle", "snappier")


@dataclass(frozen=True, slots=True)
class Monologue:
    """A named set: ``g`` of a turn is its own, the mean keeps ``b``; sigma and fade in seconds.

    Source: specification of the expression system, section 5.
    """

    g: float
    b: float
    sigma: float
    fade: float


@cache
def monologues() -> dict[str, Monologue]:
    """Return the sets by name; InputError if the file is damaged."""
    data = table(load("monologue.yaml"), NAMES, "monologue.yaml")
    return {name: _read(data[name], f"monologue.yaml: {name}") for name in NAMES}


def _read(row: object, where: str) -> Monologue:
    found = table(row, ("g", "b", "sigma", "fade"), where)
    g, b = (number(found[key], f"{where}: {key}", 0.0, 1.0) for key in ("g", "b"))
    sigma, fade = (number(found[key], f"{where}: {key}", 0.0, 10.0) for key in ("sigma", "fade"))
    return Monologue(g, b, sigma, fade)


class Damper:
    """Damps turns in order: damped = g raw + (1 - g) mean, then mean = b mean + (1 - b) raw.

    The first turn is untouched. Nothing of a later turn is needed: it is safe live.
    """

    def __init__(self, options: Monologue) -> None:
        self._options = options
        self._mean: Doubles | None = None

    @property
    def begun(self) -> bool:
        """Whether there was a turn."""
        return self._mean is not None

    def take(self, raw: Doubles) -> Doubles:
        """Return a turn's numbers (n,), damped."""
        if self._mean is None:
            self._mean = np.array(raw, np.float64)
            return self._mean.copy()
        g, b = self._options.g, self._options.b
        damped = g * raw + (1.0 - g) * self._mean
        self._mean = b * self._mean + (1.0 - b) * raw
        return np.asarray(damped)


class Smoother:
    """Smooths columns of rows with a Gaussian, ``lookahead`` rows later; other columns wait.

    Cut off at three sigma. Before the first row, the first row is assumed.
    """

    def __init__(self, sigma: float, fps: float, columns: list[int]) -> None:
        self.lookahead = ceil(3.0 * sigma * fps)
        offsets = np.arange(-self.lookahead, self.lookahead + 1) / (sigma * fps)
        kernel = np.exp(-0.5 * offsets**2)
        self._kernel = kernel / kernel.sum()
        self._columns = columns
        self._held: Doubles | None = None

    def push(self, rows: Doubles) -> Doubles:
        """Take rows (n, m); return those that are final."""
        if not len(rows):
            return rows
        reach = self.lookahead
        if self._held is None:
            self._held = np.repeat(rows[:1], reach, axis=0)
        self._held = np.concatenate([self._held, rows])
        ready = len(self._held) - 2 * reach
        if ready <= 0:
            return rows[:0]
        out = self._held[reach : reach + ready].copy()
        windows = np.lib.stride_tricks.sliding_window_view(
            self._held[:, self._columns], 2 * reach + 1, axis=0
        )  # (ready, columns, window)
        out[:, self._columns] = windows @ self._kernel
        self._held = self._held[ready:]
        return out
