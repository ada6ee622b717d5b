"""A transcript in any language laid over its recording, by a voice's recital of it.

The recital's phones are known to the sample; a path of equal sound through both (``warp``) carries
them over. What does not sound alike is heard without the transcript, as in English.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_phonemes.recital import Recital
from facewire_phonemes.spectra import HOP, Array, comparable, levels, powers, silent
from facewire_phonemes.transcript import Spool
from facewire_phonemes.warp import Path, Score, warped

_CLOSURE = 15  # frames of silence within speech that are no pause
_HOPS = (40, 480)  # samples a state of the recital; a recording's frame has 160
_FAR_OFF = 1.25  # times as fast or as slow as the recital
_SIZES = (1.0, 1.15)  # of the speaker's formants: the voice's own, and a woman's for a man's
_SAID = 0.4  # the level from which on a frame is surely speech
_PAUSE = 0.4  # what a pause costs where the recording is silent,
_SPOKEN = 0.6  # and where it is not, on top
_RISE = (0.25, 0.35)  # levels from where, and over how much, that is reached


class Placed(NamedTuple):
    """A recording's frames laid over a recital's states, and how unlike each is, 1 being chance."""

    path: Path
    centres: NDArray[np.intp]
    unlike: Array
    spoken: NDArray[np.bool_]


def place(sound: Spool, recital: Recital) -> Placed | None:
    """Lay a recording over a recital; None where one of them is silent or far too short."""
    heard = powers(sound, np.arange(-(-sound.length // HOP)) * HOP + HOP // 2)
    level = levels(heard)
    quiet = silent(level)
    spoken = _speech(quiet)
    if not spoken or not recital.phones:
        return None
    pause = _PAUSE + _SPOKEN * np.clip((level - _RISE[0]) / _RISE[1], 0.0, 1.0)
    surely, best = level > _SAID, None
    for hop, size in product(_hops(recital.spoken / spoken), _SIZES):
        states = recital.states(hop)
        frames, said = comparable(heard, quiet, powers(recital.sound, states.centres, size))
        path = warped(Score(frames, said, pause, states.last, surely))
        if path and (best is None or path.total < best[0].total):
            best = path, states
    if best is None:
        return None
    return Placed(best[0], best[1].centres, best[0].costs, surely)


def _hops(ratio: float) -> list[float]:
    """Return the samples a state that are tried: as fast as the recording, if all of it is said.

    And the recital's own, where that is far off: one of them may have more than the other.
    """
    hop = float(np.clip(ratio, *_HOPS))
    return [hop] if max(hop / HOP, HOP / hop) < _FAR_OFF else [hop, float(HOP)]


def _speech(quiet: NDArray[np.bool_]) -> int:
    """Return how many frames speech lasts, closures included and pauses not."""
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8), prepend=1, append=1))
    starts, ends = edges[::2], edges[1::2]
    gaps = starts[1:] - ends[:-1]
    return int((ends - starts).sum() + gaps[gaps < _CLOSURE].sum())
