"""The mouth's protection: what an emotion adds may not undo what the lips have to do.

Measured on the lips (specification of the expression system, section 7): closures close, the lower
lip meets the teeth, open vowels stay open. Compensated first, suppressed where that is not enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from facewire.articulation import lip_gap, lip_to_teeth
from facewire.articulation.lips import weights as measure
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_v3.gate import gate_numbers, ramp
from facewire_v3.listener import Heard
from facewire_v3.tables import RIG

Doubles = NDArray[np.float64]
CLOSE = RIG.index("mouthClose")
_SMILE = RIG.indices("mouthSmileLeft", "mouthSmileRight")
_GAP = measure("gap", RIG).astype(np.float64)
_TEETH = measure("teeth", RIG).astype(np.float64)
_OPENS, _TOOTHLESS = _GAP > 0.0, _TEETH > 0.0
_CLOSES = (_GAP < 0.0) & ~np.isin(np.arange(len(RIG)), _SMILE)


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """What speech needs of the mouth at each row (n,), 0 to 1.

    ``speak``: that the gap stays; ``close``: that the lips meet, so that mouthClose may help;
    ``bite``: that the lower lip meets the teeth.
    """

    speak: Doubles
    close: Doubles
    bite: Doubles


def needs(model: FloatArray, heard: Heard) -> Needs:
    """Return what the model's rows (n, 52) need, of what is heard of the speech."""
    numbers = gate_numbers()
    gap = lip_gap(model, RIG)
    if heard.close is not None and heard.bite is not None:
        close = heard.close * ramp(gap, numbers.closing["open"], numbers.closing["shut"])
        return Needs(heard.speak, close, heard.bite)
    lips = numbers.unmarked
    close = heard.speak * ramp(gap, lips["open"], lips["shut"])
    touching = ramp(lip_to_teeth(model, RIG), lips["far"], lips["near"])
    bite = heard.speak * touching * ramp(gap, 0.5 * lips["shut"], lips["shut"])  # no closures
    return Needs(heard.speak, close, bite)


def _less(added: Doubles, which: NDArray[np.bool_], keep: Doubles, weight: Doubles) -> None:
    """Scale some channels of ``added`` (n, 52) by ``keep`` (n,), as far as ``weight`` (n,) says."""
    share = 1.0 - weight * (1.0 - np.clip(keep, 0.0, 1.0))
    added[:, which] *= share[:, None]


def _over(part: Doubles, bound: Doubles) -> Doubles:
    """Return the factor that brings ``part`` (n,) down to ``bound`` (n,); 1 where it is below."""
    return np.where(part > bound, np.maximum(bound, 0.0) / np.maximum(part, 1e-9), 1.0)


def protect(model: FloatArray, added: FloatArray, need: Needs) -> FloatArray:
    """Return what of ``added`` (n, 52) may be added to the model's rows (n, 52), all in [0, 1]."""
    numbers = gate_numbers().protect
    if not added.any():
        return added
    out = np.minimum(added.astype(np.float64), 1.0 - model)
    limit = numbers["gap"]
    opens = out @ np.where(_OPENS, _GAP, 0.0)
    closes = out @ np.where(_CLOSES, -_GAP, 0.0)
    smile = out[:, _SMILE] @ -_GAP[_SMILE]
    _less(out, _OPENS, _over(opens, limit + closes + smile), need.speak)
    _less(out, _CLOSES, _over(closes, numbers["shut"] + opens - smile), need.speak)
    _bite(out, need.speak, numbers["teeth"])
    _bite(out, need.bite, numbers["bite"])
    _close(model, out, need.close, numbers["close"])
    kept: FloatArray = out.astype(np.float32)
    return kept


def _bite(out: Doubles, bite: Doubles, limit: float) -> None:
    away = out @ np.where(_TOOTHLESS, _TEETH, 0.0)
    towards = out @ np.where(_TOOTHLESS, 0.0, -_TEETH)
    _less(out, _TOOTHLESS, _over(away, limit + towards), bite)


def _close(model: FloatArray, out: Doubles, close: Doubles, most: float) -> None:
    """Take back what opens the lips where they close: by mouthClose, then by less emotion."""
    wider = np.maximum(out @ _GAP, 0.0)
    room = np.clip(1.0 - model[:, CLOSE] - out[:, CLOSE], 0.0, most)
    help_ = np.minimum(wider, room)
    left = wider - help_
    opens = out @ np.where(_OPENS, _GAP, 0.0)
    _less(out, _OPENS, _over(opens, opens - left), close)
    out[:, CLOSE] += close * help_
