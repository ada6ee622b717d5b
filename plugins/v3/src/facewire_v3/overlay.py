"""What is added to a face whose model already carries emotion: brows, eyes, cheeks and nose."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from facewire.emotion import ARCHETYPES, LABELS, lookup
from facewire.errors import InputError
from facewire.types import FloatArray

from facewire_v3.groups import EXPRESSION
from facewire_v3.mead import anchors
from facewire_v3.presets import preset
from facewire_v3.response import Doubles, curves
from facewire_v3.tables import CHANNELS, RIG, load, number, spread, table

UPPER: tuple[str, ...] = (*EXPRESSION, "noseSneerLeft", "noseSneerRight")
"""The channels that the overlay may touch: EXPRESSION and noseSneer."""
_KEYS = ("parametric", "archetype", "reach", "sigma", "unnamed", "archetypes")
_NEUTRAL = LABELS.index("neutral")


def load_archetypes(data: Any, where: str = "overlay.yaml: archetypes") -> FloatArray:
    """Return the upper faces of the 22 archetypes: (22, 52), 0 outside ``UPPER``.

    The labels' are their presets at L3; ``data`` holds the others. InputError if it holds more or
    less, or touches another channel.
    """
    rows = table(data, ARCHETYPES[len(LABELS) :], where)
    out = np.zeros((len(ARCHETYPES), len(CHANNELS)), np.float32)
    upper = RIG.indices(*UPPER)
    for i, label in enumerate(LABELS):
        out[i, upper] = preset(label).face[upper]
    for i, name in enumerate(ARCHETYPES[len(LABELS) :], len(LABELS)):
        for column, value in spread(rows[name], f"{where}: {name}").items():
            if column not in upper:
                raise InputError(f"{where}: {name}: {CHANNELS[column]} is not of the upper face")
            out[i, column] = number(value, f"{where}: {name}: {CHANNELS[column]}", 0.0, 1.0)
    return out


class Overlay:
    """Adds to the upper face, the more the further the emotion is from what the model knows."""

    def __init__(self) -> None:
        data = table(load("overlay.yaml"), _KEYS, "overlay.yaml")
        real = {key: number(data[key], f"overlay.yaml: {key}", 0.0, 1.0) for key in _KEYS[:-1]}
        if abs(real["parametric"] + real["archetype"] - 1.0) > 1e-9:
            raise InputError("overlay.yaml: parametric and archetype: expected shares with sum 1")
        self._unnamed = real["unnamed"]
        self._parametric = curves().only(RIG.indices(*UPPER), real["parametric"])
        self._reach, self._sharp = -(real["reach"] ** -2), -0.5 * real["sigma"] ** -2
        self._targets = real["archetype"] * load_archetypes(data["archetypes"]).astype(np.float64)
        # The archetypes, then MEAD's anchors: (27, 3).
        self._places = np.vstack([[lookup(name).vad for name in ARCHETYPES], anchors()])
        self._soft = np.array([lookup(name).weights for name in ARCHETYPES]).T  # (16, 22)

    def strength(self, vad: FloatArray) -> Doubles:
        """Return how much of the overlay is added: (n,) in [0, 1].

        It grows with the distance from the nearest of MEAD's anchors.
        """
        return self._strength(self._away(vad)[1])

    def _away(self, vad: FloatArray) -> tuple[Doubles, Doubles]:
        """Return VAD within [0, 1] and its squared distances (n, 27) from the places."""
        points = np.minimum(np.maximum(vad, 0.0), 1.0)
        away = points[:, None] - self._places
        return points, np.einsum("nkj,nkj->nk", away, away)

    def _strength(self, away: Doubles) -> Doubles:
        nearest = away[:, len(ARCHETYPES) :].min(axis=1)
        grown: Doubles = 1.0 - np.exp(self._reach * nearest)
        return grown

    def targets(self, vad: FloatArray, weights: FloatArray) -> Doubles:
        """Return what a full overlay asks for: (n, 52), 0 outside ``UPPER``."""
        return self._targets_of(*self._away(vad), weights)

    def _targets_of(self, vad: Doubles, away: Doubles, weights: FloatArray) -> Doubles:
        fits = weights @ self._soft + self._unnamed  # (n, 22): does the name fit
        fits[:, _NEUTRAL] = 1.0  # whatever the name, near neutral is nearly neutral
        fits *= np.exp(self._sharp * away[:, : len(ARCHETYPES)])  # 1e-60 or more: never 0 / 0
        fits /= fits.sum(axis=1, keepdims=True)
        out: Doubles = fits @ self._targets
        out += self._parametric.at(vad)
        return out

    def __call__(self, vad: FloatArray, weights: FloatArray) -> FloatArray:
        """Return what is added to frames: (n, 52) in arkit52's order, 0 outside ``UPPER``.

        ``vad`` is (n, 3), ``weights`` (n, 16) in the order of the labels. Sixty per cent are
        response curves, forty the nearest archetypes (specification, section 8).
        """
        points, away = self._away(vad)
        out = self._targets_of(points, away, weights)
        out *= self._strength(away)[:, None]
        return out.astype(np.float32)


@cache
def _overlay() -> Overlay:
    return Overlay()


def overlay(vad: FloatArray, weights: FloatArray) -> FloatArray:
    """Return what the overlay adds (n, 52) for VAD (n, 3) and label weights (n, 16)."""
    return _overlay()(vad, weights)


def overlay_strength(vad: FloatArray) -> Doubles:
    """Return how much of the overlay is added: (n,) in [0, 1], of VAD (n, 3)."""
    return _overlay().strength(vad)
