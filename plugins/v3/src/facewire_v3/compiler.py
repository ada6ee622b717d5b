"""From an emotion and its VAD to the 52 channels of a face."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from facewire.emotion import LABELS, State, lookup
from facewire.errors import InputError, nearest
from facewire.types import FloatArray
from numpy.typing import ArrayLike

from facewire_v3.pchip import Doubles, coefficients
from facewire_v3.presets import AUTHORED, JOYFUL, Preset, preset, presets
from facewire_v3.response import FULL, curves
from facewire_v3.tables import CHANNELS, REST

Mode = Literal["expressive", "hybrid", "parametric"]
MODES: tuple[Mode, ...] = ("expressive", "hybrid", "parametric")
FAMILIES = (*LABELS, JOYFUL)
PARAMETRIC = 0.6  # the share of the curves in hybrid; the rest is the nearest presets'
SIGMA = 0.12  # hybrid: the width of a preset in VAD
BOOST = 8.0  # hybrid: what a preset of the family counts more
FAINT = 1e-3  # weights up to this are noise of soft labels: their families are not compiled
# Surprise turns joyful as valence rises from here to joyful surprise's own.
PLEASANT = 0.60
_SURPRISE = LABELS.index("surprise")
_REST = np.array(REST)


def _full(made: Preset) -> Doubles:
    return np.concatenate([made.face, made.head])


def _joyful(shares: list[float], x: float) -> list[float]:
    """Return shares (17): surprise's part is joyful where valence is x of the way or more."""
    x = min(max(x, 0.0), 1.0)
    part = shares[_SURPRISE] * (x * x * (3.0 - 2.0 * x))
    shares[_SURPRISE] -= part
    shares.append(part)
    return shares


class Rays:
    """The authored faces along each family's ray from neutral.

    t is the projection of VAD on the ray: 0 at neutral, 1 at L3. Each channel is a monotone cubic
    through neutral, L1, L3 and L5, held beyond (specification, section 10).
    """

    def __init__(self) -> None:
        self._table = [self._author(family) for family in FAMILIES]

    def _author(self, family: str) -> tuple[tuple[float, ...], tuple[float, ...], Doubles]:
        """Return a family's ray (3,), its knots (4,) in t, and its cubics (3, 4, 55)."""
        if family == "neutral":
            return (0.0, 0.0, 0.0), (0.0, 1.0, 2.0, 3.0), np.zeros((3, 4, len(FULL)))
        made = [preset(family, level) for level in (AUTHORED if family in LABELS else (3,))]
        way = np.array(lookup(family).vad if family in LABELS else made[0].vad) - _REST
        ray = way / (way @ way)
        knots = [0.0, *(float(ray @ (np.array(each.vad) - _REST)) for each in made)]
        faces = [np.zeros(len(FULL)), *(_full(each) for each in made)]
        if len(made) == 1:  # a straight line to the only one
            knots, faces = [0.0, 0.5, 1.0, 1.5], [faces[0], 0.5 * faces[1], faces[1], faces[1]]
        v, a, d = ray.tolist()
        return (v, a, d), tuple(knots), coefficients(np.array(knots), np.array(faces))

    def face(self, family: int, away: tuple[float, float, float]) -> Doubles:
        """Return the whole face (55,) of a family at VAD - neutral."""
        (v, a, d), knots, cubics = self._table[family]
        t = min(max(v * away[0] + a * away[1] + d * away[2], 0.0), knots[3])
        segment = (t > knots[1]) + (t > knots[2])
        u = t - knots[segment]
        face: Doubles = np.array((1.0, u, u * u, u * u * u)) @ cubics[segment]
        return face


@cache
def _rays() -> Rays:
    return Rays()


class Compiler:
    """Compiles rows of emotion into faces.

    ``mode``: "expressive" (the authored presets are the truth, default), "hybrid" (60 % response
    curves, 40 % the nearest presets) or "parametric" (response curves alone). InputError for
    another.
    """

    def __init__(self, mode: str = "expressive") -> None:
        if mode not in MODES:
            hint = f"{', '.join(MODES)}{nearest(mode, MODES)}"
            raise InputError(f"compiler: found {mode!r}, expected one of {hint}")
        self.mode = mode
        self._rays = _rays()
        self._pleasant = 1.0 / (preset(JOYFUL).vad[0] - PLEASANT)
        self._points = np.array([each.vad for each in presets()])  # (47, 3)
        self._faces = np.stack([_full(each) for each in presets()])  # (47, 55)
        self._family = np.array([LABELS.index(each.family) for each in presets()])

    def rows(self, weights: FloatArray, vad: FloatArray) -> FloatArray:
        """Return faces (n, 52) in arkit52's order of weights (n, 16) and VAD (n, 3).

        VAD says how much, inside each family; weights blend the families' faces (in a transition).
        """
        return self.full(weights, vad)[:, : len(CHANNELS)]

    def full(self, weights: FloatArray, vad: FloatArray) -> FloatArray:
        """Return faces and heads (n, 55): ``rows``, then head yaw, pitch and roll in radians."""
        points = np.minimum(np.maximum(vad, 0.0), 1.0).astype(np.float64)
        if self.mode == "expressive":
            return self._expressive(weights, points)
        full = curves()(points)
        if self.mode == "hybrid":
            full = PARAMETRIC * full + (1.0 - PARAMETRIC) * self._near(weights, points)
        return full.astype(np.float32)

    def _expressive(self, weights: FloatArray, vad: Doubles) -> FloatArray:
        # Row by row: most rows have one or two families, and one frame at a time is the live case.
        out = np.empty((len(weights), len(FULL)), np.float32)
        for i, (shares, (v, a, d)) in enumerate(zip(weights.tolist(), vad.tolist(), strict=True)):
            away = (v - REST[0], a - REST[1], d - REST[2])
            out[i] = self._blend(_joyful(shares, (v - PLEASANT) * self._pleasant), away)
        return out

    def _blend(self, shares: list[float], away: tuple[float, float, float]) -> Doubles:
        """Return the families' faces blended by ``shares`` (17) less what is faint: (55,)."""
        parts = [(i, share - FAINT) for i, share in enumerate(shares) if share > FAINT]
        if len(parts) == 1:
            return self._rays.face(parts[0][0], away)
        total = sum(share for _, share in parts)
        faces = np.array([self._rays.face(i, away) for i, _ in parts])  # (families, 55)
        blended: Doubles = np.array([share / total for _, share in parts]) @ faces
        return blended

    def _near(self, weights: FloatArray, vad: Doubles) -> Doubles:
        """Return the mean of all presets, the near ones and the family's counting most: (n, 55).

        The shares have sum 1 and are not negative, so that nothing overshoots.
        """
        away = ((vad[:, None] - self._points) ** 2).sum(axis=2)  # (n, 47)
        shares = np.exp((away.min(axis=1, keepdims=True) - away) / (2 * SIGMA**2))
        shares *= 1.0 + BOOST * weights[:, self._family]
        near: Doubles = (shares / shares.sum(axis=1, keepdims=True)) @ self._faces
        return near


@cache
def _compiler(mode: str) -> Compiler:
    return Compiler(mode)


def family_weights(weights: FloatArray) -> FloatArray:
    """Return weights (n, 16) that are 1 for each row's strongest label: the family alone.

    An emotion's soft labels are what a model is told; its face is its family's.
    """
    out: FloatArray = np.zeros_like(weights)
    out[np.arange(len(weights)), weights.argmax(axis=1)] = 1.0
    return out


def compile_expression(
    emotion: str | None, vad: ArrayLike | None = None, mode: Mode = "expressive"
) -> FloatArray:
    """Return the face (52,), in arkit52's order, of an emotion at a VAD.

    ``emotion`` is a name or alias; None takes the labels nearest to the VAD. ``vad`` is valence,
    arousal, dominance in [0, 1]; None takes the emotion's own. InputError for an unknown emotion
    or mode, a VAD that is out of range or not finite, or neither of the two.
    """
    if vad is None:
        if emotion is None:
            raise InputError("compile_expression: found neither emotion nor vad, expected one")
        vad = lookup(emotion).vad
    state = State.of(vad)
    weights = np.array([state.weights], np.float32)
    if emotion is not None:
        weights = np.zeros((1, len(LABELS)), np.float32)
        weights[0, LABELS.index(lookup(emotion).family)] = 1.0
    face: FloatArray = _compiler(mode).rows(weights, np.array([state.vad], np.float32))[0]
    return face
