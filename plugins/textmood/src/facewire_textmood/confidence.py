"""How sure a reading is: one formula for training, which fits its weights, and for reading.

There are two doubts: whether the sentence holds an emotion at all, and whether the sign of its
valence may be wrong. The first is what the shares say. The second is a risk, fitted by logistic
regression to the dev splits of GoEmotions and of our own lines, from how much each head says for
and against that sign. The confidence is the smaller of what the two leave; it is 0.5 where the risk
is the largest that is allowed, which was chosen so that errors of sign are rare among what is read.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from facewire.emotion import LABELS, NEUTRAL_VAD, anchors
from facewire.types import FloatArray

from facewire_textmood.corpora import EKMAN
from facewire_textmood.mapping import table
from facewire_textmood.network import SETTINGS, Columns, sigmoid

ABSTAIN, FULL = 0.5, 0.9
"""Below the first the face stays neutral, from the second on it shows the emotion at level 3."""
MARGIN = 0.08  # of valence around neutral that is no sign: surprise has none
SURE = 1e-3  # nothing is more certain than that


def _signs() -> FloatArray:
    away = anchors()[:, 0] - NEUTRAL_VAD[0]
    return np.where(np.abs(away) > MARGIN, np.sign(away), 0.0).astype(np.float32)


SIGNS: FloatArray = _signs()
"""(16,) 1 for a pleasant label, -1 for an unpleasant one, 0 for neutral and surprise."""
EKMAN_SIGNS: FloatArray = SIGNS[[LABELS.index(name) for name in EKMAN]]
"""(7,) the same for GoEmotions' coarse labels."""
NEUTRAL = LABELS.index("neutral")
CLUES = SETTINGS["risk"]
"""How many numbers the risk is computed from."""


def without_neutral(faces: FloatArray) -> FloatArray:
    """Return shares (n, 16) with neutral's at 0."""
    felt = np.array(faces, np.float32)
    felt[:, NEUTRAL] = 0.0
    return felt


def leading_sign(faces: FloatArray) -> FloatArray:
    """Return the sign (n,) of the label that leads among those that are not neutral."""
    return np.asarray(SIGNS[without_neutral(faces).argmax(axis=1)], np.float32)


def clues(columns: Sequence[Columns]) -> FloatArray:
    """Return what the risk is computed from: (n, ``CLUES``).

    1; whether the label that leads has a sign; for the 16, 28 and 7 labels the log odds that there
    is any of that sign, and any of the opposite one; the valence in that direction. Surprise, which
    has no sign, is taken for pleasant.
    """
    faces, labels, coarse, ratings = (
        np.stack([getattr(c, name) for c in columns])
        for name in ("faces", "original", "ekman", "vad")
    )
    sign = leading_sign(faces)
    way = np.where(sign < 0, -1.0, 1.0)
    rows = [np.ones_like(sign), np.abs(sign)]
    for shares, signs in ((faces, SIGNS), (labels, table().signs), (coarse, EKMAN_SIGNS)):
        pleasant, unpleasant = _any(shares[:, signs > 0]), _any(shares[:, signs < 0])
        rows += [np.where(way > 0, pleasant, unpleasant), np.where(way > 0, unpleasant, pleasant)]
    rows.append(way * (ratings[:, 0] - 3.0))
    return np.stack(rows, axis=1).astype(np.float32)


def _any(shares: FloatArray) -> FloatArray:
    """Return the log odds (n,) that at least one of the labels (n, labels) holds."""
    p = np.clip(1.0 - np.prod(1.0 - shares, axis=1), SURE, 1.0 - SURE)
    return np.asarray(np.log(p / (1.0 - p)), np.float32)


def risk(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return how likely the sign is wrong (n,), of clues (n, ``CLUES``)."""
    return sigmoid(rows @ weights)


def confidence(faces: FloatArray, risks: FloatArray, allowed: float) -> FloatArray:
    """Return the confidence (n,) of shares (n, 16) and risks (n,)."""
    left = np.minimum(1.0 - faces[:, NEUTRAL], 1.0 - risks / (2.0 * allowed))
    return np.asarray(np.clip(left, 0.0, 1.0), np.float32)


def strength(p: float) -> float:
    """Return how far from neutral the face goes, 0 to 1 (level 3): clamp((p - .5) / .4)."""
    return min(1.0, max(0.0, (p - ABSTAIN) / (FULL - ABSTAIN)))
