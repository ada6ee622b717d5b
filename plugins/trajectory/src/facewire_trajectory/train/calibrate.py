"""The last step of a training: when a closure is one, and how far the mouth opens.

A network that is unsure opens half and closes late. On items that were kept, the threshold of each
head's closures is moved to where recall and precision are best together, and its curves are scaled
towards the spread that they should have.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from facewire.articulation import CURVES

from facewire_trajectory.network.module import Head, Network
from facewire_trajectory.train.pool import Held
from facewire_trajectory.train.validate import judge

TRIALS = tuple((slope, shift) for slope in (1.0, 2.0) for shift in (-0.5, 0.0, 0.4, 0.8, 1.2, 1.6))
"""What the logit of a closure is multiplied by, and then moved by."""
LIVELY = {"live": 0.9, "file": 1.0}
"""The spread that is aimed at, of that of the targets: in files the early network lessens it."""
MOST = 1.25
MANY = 1.3
"""Closures for each /p b m/ from which on there are too many."""
CLOSURE = len(CURVES)
Figures = dict[str, dict[str, float]]


def calibrate(network: Network, items: Sequence[Held]) -> None:
    """Move the thresholds and scale the curves of both heads, in place."""
    heads = {"live": network.live, "file": network.file}
    spread = judge(network, items)
    for name, head in heads.items():
        _scale(head, spread[name], LIVELY[name])
    spoken = [held for held in items if held.entry.kind == "speech"]
    tried = [_tried(network, heads, spoken, trial) for trial in TRIALS]
    for name, head in heads.items():
        best = max(range(len(TRIALS)), key=lambda i: _both(tried[i][name]))
        _move(head, *TRIALS[best])


@torch.no_grad()
def _move(head: Head, slope: float, shift: float) -> None:
    head.out.weight[CLOSURE] *= slope
    head.out.bias[CLOSURE] = head.out.bias[CLOSURE] * slope + shift


@torch.no_grad()
def _scale(head: Head, figures: dict[str, float], lively: float) -> None:
    """Scale a head's curves by what their spread lacks."""
    found = [value for key, value in figures.items() if key in ("live speech", "live real")]
    lacking = lively / max(sum(found) / len(found), 1e-3) if found else 1.0
    factor = min(max(lacking, 1.0), MOST)
    head.out.weight[: len(CURVES)] *= factor
    head.out.bias[: len(CURVES)] *= factor


def _tried(
    network: Network, heads: dict[str, Head], items: Sequence[Held], trial: tuple[float, float]
) -> Figures:
    before = [copy.deepcopy(head.out.state_dict()) for head in heads.values()]
    for head in heads.values():
        _move(head, *trial)
    found = judge(network, items)
    for head, state in zip(heads.values(), before, strict=True):
        head.out.load_state_dict(state)
    return found


def _both(figures: dict[str, float]) -> float:
    """Return the harmonic mean of recall and precision, less where closures are too many."""
    one, other = (figures.get(name, 0.0) for name in ("recall", "precision"))
    return 2 * one * other / max(one + other, 1e-9) / max(figures.get("rate", 1.0) / MANY, 1.0)
