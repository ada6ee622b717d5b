"""What a face's lips do: gap, width, protrusion and lower lip to upper teeth, from its channels.

All four are linear in the channels, with coefficients measured on the CC0 head
(``data/articulation/lips.yaml``).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np

from facewire.articulation.tables import load_numbers
from facewire.rig import Rig
from facewire.types import FloatArray

MEASURES = ("gap", "width", "protrusion", "teeth")


@cache
def coefficients() -> dict[str, dict[str, float]]:
    """Return measure -> channel -> change as the channel goes from 0 to 1; checked once."""
    path = files("facewire").joinpath("data/articulation/lips.yaml")
    table = load_numbers(path.read_text("utf-8"), "lips.yaml", MEASURES)
    known = Rig.named("arkit52")
    for measure, row in table.items():
        for channel in row:
            if channel not in known:
                raise ValueError(f"lips.yaml: {measure}: '{channel}' is no ARKit channel")
    return table


@cache
def weights(measure: str, rig: Rig) -> FloatArray:
    """Return a measure's coefficients in a rig's order: (len(rig),). Channels it lacks count 0."""
    row = coefficients()[measure]
    found = np.array([row.get(channel, 0.0) for channel in rig.channels], np.float32)
    found.flags.writeable = False
    return found


def lip_gap(values: FloatArray, rig: Rig) -> FloatArray:
    """Return the distance of the central lips (n,) of frames (n, len(rig)); jawOpen alone = 1.

    Closed is 0; lips pressed together are a little below. Mean over 25 contact pairs of the CC0
    head.
    """
    return values @ weights("gap", rig)


def lip_width(values: FloatArray, rig: Rig) -> FloatArray:
    """Return the change of the mouth's width (n,), as a share of its width at rest."""
    return values @ weights("width", rig)


def lip_protrusion(values: FloatArray, rig: Rig) -> FloatArray:
    """Return how far the lips are pushed forward (n,); mouthPucker alone = 1."""
    return values @ weights("protrusion", rig)


def lip_to_teeth(values: FloatArray, rig: Rig) -> FloatArray:
    """Return the lower lip's height below the edge of the upper teeth (n,); jawOpen alone = 1.

    About 0 is contact, which /f v/ need.
    """
    return values @ weights("teeth", rig)
