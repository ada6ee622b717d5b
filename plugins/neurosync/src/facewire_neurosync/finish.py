"""What the published pipeline does to the network's output, with our units."""

from __future__ import annotations

import numpy as np
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import FloatArray

from facewire_neurosync.plugin import ModelConfig

BLENDSHAPES = 61  # columns before the emotions
_SIDES = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))


def rig_of(outputs: int, sides: str) -> Rig:
    """Return the rig of a network: neurosync68, its first 61 columns, or with sides renamed."""
    trained = Rig.named("neurosync68")
    names = list(trained.channels[:outputs])
    if sides == "livelink":
        for one, other in _SIDES:
            i, j = names.index(one), names.index(other)
            names[i], names[j] = other, one
    if tuple(names) == trained.channels:
        return trained
    return Rig(f"neurosync{outputs}{'-livelink' if sides == 'livelink' else ''}", tuple(names))


class Finish:
    """Divides, eases in and zeroes columns (NeuroSync spec, section 3)."""

    def __init__(self, config: ModelConfig, rig: Rig) -> None:
        self._scale = np.float32(1 / config.divide)
        self._ease = config.ease
        self._zero = rig.indices(*config.zero)
        self._row = 0

    def __call__(self, values: FloatArray, whole: bool) -> FloatArray:
        """Return rows of frames (n, outputs) from the network's next rows.

        ``whole``: these rows are all there will be, so a clip shorter than the easing is known.
        """
        if not np.isfinite(values).all():
            raise InputError("neurosync: the weights give values that are not finite numbers")
        out = values * self._scale
        if self._row < self._ease:
            ramp = min(self._ease, len(values)) if whole and not self._row else self._ease
            curve = np.linspace(0, 1, ramp)[self._row : self._row + len(out)]
            out[: len(curve)] *= curve[:, None].astype(np.float32)
        out[:, self._zero] = 0
        self._row += len(out)
        return out
