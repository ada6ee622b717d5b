"""The shape of the network, its columns, and how far its two variants look ahead."""

from __future__ import annotations

from dataclasses import dataclass

from facewire.articulation import CURVES

BANDS = 64
CONDITION = 19
"""16 label weights, then valence, arousal and dominance."""
FACE = 52
SOUND = ("other", "speech", "vocal")
"""Classes of sound: other (silence, noise, music), speech, vocal non-speech (laugh, breath …)."""
PHONES = ("none", "bilabial", "labiodental", "round", "open", "spoken")
"""Classes of phones that are learnt beside the curves."""
OUTPUTS = len(CURVES) + 1 + len(SOUND) + len(PHONES)
"""Columns of a head: curves, the logit of a closure, logits of sounds, logits of phones."""
KERNEL = 5
"""Rows that a convolution sees at a time."""
FRONT = 2 * (KERNEL - 1)
"""Rows around a row that the front end sees."""
LIVE_AHEAD, FILE_AHEAD = 2, 2 + 2 * (2 + 4 + 8)
"""Rows that live and file look ahead: with the features' 25 ms, 58 ms and half a second."""
DILATIONS = (2, 4, 8)
"""Of the convolutions that file adds behind the recurrent layer."""
REFINED = 2 * (FILE_AHEAD - LIVE_AHEAD)
"""Rows around a row that these see."""
SHUT = -0.05
"""The gap of a closure: a little past contact."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Units: of the front end, the recurrent layer, the refinement, the heads, the embedding."""

    front: int = 96
    hidden: int = 160
    refine: int = 112
    head: int = 96
    embedding: int = 64
