"""What a talking face does, measured on curves: pure functions, each figure with an interval.

Curves are (n,) at ``fps``, phones are ``facewire.articulation.PhoneTime`` in seconds, values are
(n, channels) with a rig. Gap, protrusion and the lip on the teeth are the core's
(``facewire.articulation.lip_gap`` and so on).
"""

from facewire_eval.metrics.agreement import (
    Agreement,
    Pair,
    agreement,
    band_correlation,
    lag_of,
    moving,
)
from facewire_eval.metrics.bootstrap import NOTHING, Figure, bootstrap, ratio, resampled, share
from facewire_eval.metrics.emotion import (
    closed,
    displacements,
    distinctness,
    preset_errors,
    protection,
    reproducibility,
)
from facewire_eval.metrics.filters import above, band_pass, below, sampled, velocity
from facewire_eval.metrics.lips import (
    Closures,
    Spoken,
    closure_figures,
    labiodental,
    rounding,
    vowel_order,
)
from facewire_eval.metrics.motion import (
    energy,
    follows,
    jitter,
    leak,
    leak_pieces,
    pooled_leak,
    quiet,
    silences,
)

__all__ = [
    "NOTHING",
    "Agreement",
    "Closures",
    "Figure",
    "Pair",
    "Spoken",
    "above",
    "agreement",
    "band_correlation",
    "band_pass",
    "below",
    "bootstrap",
    "closed",
    "closure_figures",
    "displacements",
    "distinctness",
    "energy",
    "follows",
    "jitter",
    "labiodental",
    "lag_of",
    "leak",
    "leak_pieces",
    "moving",
    "pooled_leak",
    "preset_errors",
    "protection",
    "quiet",
    "ratio",
    "reproducibility",
    "resampled",
    "rounding",
    "sampled",
    "share",
    "silences",
    "velocity",
    "vowel_order",
]
