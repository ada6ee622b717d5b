"""What a line's sound shows without its words: level, clipping, cut ends, where it is loud."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEP = 0.01
"""Seconds to a row of levels."""
QUIET = -120.0
"""dBFS of digital silence."""
FAINT = -54.0
"""dBFS under which nothing is searched for speech (as facewire-phonemes has it)."""
BELOW = 25.0
"""dB below the loud parts' level down to which a row is loud."""
FLAT = 0.985
"""Share of the greatest sample from which a sample may be one that was clipped …"""
RUN = 4
"""… if so many in a row are: a peak of speech at 22 kHz stays there for one or two."""
EDGE = 3
"""Rows at an end of the sound that are looked at for a cut."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A line's sound, measured: levels (n,) in dBFS a hundredth of a second.

    ``level`` is that of its loud parts, the 95th percentile. ``clipped`` is the share of loud
    samples in flat runs at the greatest value. ``loud`` (n,) says which rows are not pause.
    ``begins`` and ``ends`` are dB below ``level`` at its first and last 30 ms.
    """

    levels: Array
    level: float
    clipped: float
    loud: NDArray[np.bool_]
    begins: float
    ends: float


def listen(samples: NDArray[np.float32], rate: int) -> Sound:
    """Measure the sound (n,) of a line."""
    step = max(1, round(rate * STEP))
    rows = samples[: len(samples) // step * step].astype(np.float64).reshape(-1, step)
    power = (rows**2).mean(axis=1)  # (n,)
    levels = 10 * np.log10(np.maximum(power, 10 ** (QUIET / 10)))
    if not len(levels):
        return Sound(levels, QUIET, 0.0, np.zeros(0, bool), 0.0, 0.0)
    level = float(np.percentile(levels, 95))
    loud = levels > max(level - BELOW, FAINT)
    ends = (level - float(part.max()) for part in (levels[:EDGE], levels[-EDGE:]))
    return Sound(levels, level, _clipped(rows, loud), loud, *ends)


def _clipped(rows: Array, loud: NDArray[np.bool_]) -> float:
    """Return which share of the loud rows' samples lies in flat runs at the greatest value."""
    samples = rows.ravel()
    greatest = float(np.abs(samples).max(initial=0.0))
    if greatest < 10 ** (FAINT / 20) or not loud.any():
        return 0.0
    count = 0
    for side in (samples, -samples):
        at = np.concatenate([[False], side >= FLAT * greatest, [False]])
        edges = np.flatnonzero(at[1:] != at[:-1])
        lengths = edges[1::2] - edges[::2]
        count += int(lengths[lengths >= RUN].sum())
    return count / float(loud.sum() * rows.shape[1])
