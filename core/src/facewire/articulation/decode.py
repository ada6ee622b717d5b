"""Articulatory curves to a rig's channels, so that the lips' gap is the one that was solved."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from facewire.articulation.lips import coefficients, lip_gap, lip_width
from facewire.articulation.phones import CURVES
from facewire.articulation.tables import load_yaml, numbers
from facewire.articulation.targets import GAP, JAW, PROTRUSION, WIDTH
from facewire.rig import Rig
from facewire.types import FloatArray

Array = NDArray[np.float64]
ROUNDING = ("closed", "open", "wide")
SPREAD = ("smile", "stretch")


@cache
def _tables() -> tuple[dict[str, dict[str, float]], dict[str, float], dict[str, float]]:
    text = files("facewire").joinpath("data/articulation/decode.yaml").read_text("utf-8")
    data = load_yaml(text, "decode.yaml", ("direct", "rounding", "spread"))
    direct = {}
    for curve, row in data["direct"].items():
        if curve not in CURVES:
            raise ValueError(f"decode.yaml: direct: '{curve}' is no articulatory curve")
        direct[curve] = numbers(row, f"decode.yaml: direct: {curve}")
    rounding, spread = (numbers(data[k], f"decode.yaml: {k}") for k in ("rounding", "spread"))
    if set(rounding) != set(ROUNDING) or set(spread) != set(SPREAD):
        raise ValueError(f"decode.yaml: expected rounding {ROUNDING} and spread {SPREAD}")
    return direct, rounding, spread


@cache
def _matrix(rig: Rig) -> Array:
    """Return the directly driven channels of each curve: (curves, len(rig))."""
    matrix = np.zeros((len(CURVES), len(rig)))
    for curve, row in _tables()[0].items():
        for channel, share in row.items():
            if channel in rig:
                matrix[CURVES.index(curve), rig.index(channel)] = share
    return matrix


def decode(curves: Array, rig: Rig) -> FloatArray:
    """Return frames (n, len(rig)) of curves (n, curves); all within 0..1, left = right.

    ``lip_gap`` of the frames is the curves' gap: mouthClose takes back what the other channels
    open too far, jawOpen adds what they lack. A rig without mouthClose closes with the jaw.
    """
    values = np.maximum(curves, 0.0) @ _matrix(rig)
    _round(values, curves, rig)
    _put(values, rig, np.maximum(curves[:, JAW], 0.0), "jawOpen")
    _spread(values, curves, rig)
    np.clip(values, 0.0, 1.0, out=values)
    _close(values, curves[:, GAP], rig)
    return values.astype(np.float32)


def _put(values: Array, rig: Rig, amount: Array, *channels: str) -> None:
    """Set channels (those that the rig has) to an amount (n,)."""
    for column in rig.indices(*channels):
        values[:, column] = amount


def _round(values: Array, curves: Array, rig: Rig) -> None:
    """Set pucker and funnel for the protrusion that is asked for."""
    share = _tables()[1]
    effect = coefficients()["protrusion"]
    apart = np.clip(curves[:, JAW] / share["wide"], 0.0, 1.0)
    funnel = share["closed"] + (share["open"] - share["closed"]) * apart**2 * (3 - 2 * apart)
    forward = np.maximum(curves[:, PROTRUSION], 0.0)
    _put(values, rig, forward * funnel / effect["mouthFunnel"], "mouthFunnel")
    _put(values, rig, forward * (1.0 - funnel) / effect["mouthPucker"], "mouthPucker")


def _spread(values: Array, curves: Array, rig: Rig) -> None:
    """Set smile and stretch for the width that jaw and rounding leave to be made."""
    share, effect = _tables()[2], coefficients()["width"]
    missing = np.maximum(curves[:, WIDTH] - lip_width(values, rig), 0.0)  # type: ignore[arg-type]
    smile = missing * share["smile"] / (2 * effect["mouthSmileLeft"])
    stretch = missing * share["stretch"] / (2 * effect["mouthStretchLeft"])
    _put(values, rig, smile, "mouthSmileLeft", "mouthSmileRight")
    _put(values, rig, stretch, "mouthStretchLeft", "mouthStretchRight")


def _close(values: Array, gap: Array, rig: Rig) -> None:
    """Close or open the lips by mouthClose and jawOpen until they are ``gap`` (n,) apart."""
    excess = lip_gap(values, rig) - gap  # type: ignore[arg-type]
    if "mouthClose" in rig:
        values[:, rig.index("mouthClose")] = np.clip(excess, 0.0, 1.0)
        excess = np.minimum(excess, 0.0)
    if "jawOpen" in rig:
        jaw = values[:, rig.index("jawOpen")]
        jaw[:] = np.clip(jaw - excess, 0.0, 1.0)
