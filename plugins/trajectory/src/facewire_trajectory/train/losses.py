"""What is learnt: curves and their motion, closures on either side of the threshold, classes."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from facewire.articulation import CURVES
from torch import Tensor

from facewire_trajectory.network.module import Found
from facewire_trajectory.train.pool import Batch

WEIGHTS = {"gap": 6.0, "jaw": 5.0, "width": 3.0, "protrusion": 2.0, "teeth": 1.5, "upper": 2.0,
           "lower": 2.0, "press": 0.7}  # fmt: skip
TONGUE = 0.4
BEND = 0.02
"""Errors below this count squared."""
LIPS = 3.0
"""What the gap counts more at p b m f v."""
SHUT, OPEN = 0.02, 0.05
"""A target gap below the first is a closure; where it is above the second there may be none."""
MARGINS = (0.005, 0.045)
"""The gap that closures stay below, and that open lips stay above (the threshold is .03)."""
NEAR, WIDE = 0.06, 0.09
"""A take's gap below the first only says that lips are no further apart than the second.

Captured lips come near each other in many sounds, each capture in its own way, and no phones say
which of them are closures: that is learnt from the voices whose phones are known.
"""
BAND = (2.0, 8.0)
TAPS = 61
CORRELATION = 0.25
JERK = 0.3
GAP, JAW = CURVES.index("gap"), CURVES.index("jaw")


class Wanted(NamedTuple):
    """A batch as tensors."""

    condition: Tensor
    curves: Tensor
    mask: Tensor
    sound: Tensor
    phones: Tensor
    real: Tensor


def wanted(batch: Batch, device: torch.device) -> Wanted:
    """Return a batch's targets on a device."""
    return Wanted(*(torch.from_numpy(part).to(device) for part in batch[1:]))


@cache
def _weights() -> Tensor:
    return torch.tensor([WEIGHTS.get(curve, TONGUE) for curve in CURVES])


@cache
def _band() -> Tensor:
    """Return a filter (1, 1, 61) that passes 2 to 8 Hz of 60 rows a second."""
    at = np.arange(TAPS) - TAPS // 2
    low, high = (2 * f / 60 * np.sinc(2 * f / 60 * at) for f in BAND)
    taps = (high - low) * np.hanning(TAPS + 2)[1:-1]
    return torch.tensor(taps - taps.mean(), dtype=torch.float32)[None, None]


def bent(error: Tensor) -> Tensor:
    """Return errors as they count: squared where small, in proportion where large."""
    size = error.abs()
    return torch.where(size < BEND, size * size / (2 * BEND), size - BEND / 2)


def curve_loss(found: Tensor, want: Wanted) -> Tensor:
    """Return the loss of curves (b, n, 15): values, motion over 3 rows, acceleration."""
    weights = _weights().to(found.device)
    lips = (want.phones == 1) | (want.phones == 2)
    focus = torch.ones_like(found)
    focus[..., GAP] += (LIPS - 1.0) * lips
    near = want.real[:, None] & (want.curves[..., GAP] < NEAR)  # (b, n)
    mask = want.mask.clone()
    mask[..., GAP] *= ~near
    total = (bent(found - want.curves) * mask * weights * focus).mean()
    wide = F.relu(found[..., GAP] - WIDE) * near * want.mask[..., GAP]
    total = total + WEIGHTS["gap"] / len(CURVES) * wide.mean()
    for step, share in ((3, 1.0), (1, 0.5)):
        moved = found[:, step:] - found[:, :-step], want.curves[:, step:] - want.curves[:, :-step]
        total = total + share * (bent(moved[0] - moved[1]) * mask[:, step:] * weights).mean()
    bend, asked = (x[:, 2:] - 2 * x[:, 1:-1] + x[:, :-2] for x in (found, want.curves))
    jerk = (bend - asked).abs() * mask[:, 2:] * weights
    return total + JERK * jerk.mean()


def closure_loss(found: Found, want: Wanted) -> Tensor:
    """Return how far the gap (b, n) is on the wrong side of the threshold, and the logits' loss."""
    gap, mask, asked = found.curves[..., GAP], want.mask[..., GAP], want.curves[..., GAP]
    speech = (want.sound == 1) & (asked < SHUT) & (want.phones != 0)
    open_ = asked > OPEN
    rest = (want.sound == 0) & (asked.abs() < 0.005)
    missed = F.relu(gap - MARGINS[0]) * speech
    false = F.relu(MARGINS[1] - gap) * open_
    leak = F.relu(gap.abs() - 0.004) * rest
    logits = F.binary_cross_entropy_with_logits(found.closure, speech.float(), reduction="none")
    logits = logits * ~want.real[:, None]  # no phones are known of takes
    total: Tensor = ((12 * missed + 9 * false + 3 * leak + 0.3 * logits) * mask).mean()
    return total


def class_loss(found: Found, want: Wanted) -> Tensor:
    """Return the cross entropies of sounds and phones; real takes have no phones."""
    kept = ~want.real
    if not bool(kept.any()):
        return found.sound.sum() * 0.0
    sound = F.cross_entropy(found.sound[kept].flatten(0, 1), want.sound[kept].flatten())
    phones = F.cross_entropy(found.phones[kept].flatten(0, 1), want.phones[kept].flatten())
    return 0.06 * sound + 0.15 * phones


def band_loss(found: Tensor, want: Wanted) -> Tensor:
    """Return 1 - correlation over 2 to 8 Hz of gap and jaw, where they move and are known."""
    both = torch.stack([found[..., [GAP, JAW]], want.curves[..., [GAP, JAW]]])  # (2, b, n, 2)
    known = want.mask[..., [GAP, JAW]].amin(dim=1)  # (b, 2)
    rows = both.permute(0, 1, 3, 2).flatten(0, 2)[:, None]
    band = F.conv1d(rows, _band().to(found.device)).reshape(2, *known.shape, -1)
    one, other = band - band.mean(dim=-1, keepdim=True)
    power = (one * one).sum(-1), (other * other).sum(-1)
    r = (one * other).sum(-1) / torch.sqrt(power[0] * power[1] + 1e-4)
    moving = known * (power[1] > 0.02) * (1.0 + 2.0 * want.real[:, None])
    total: Tensor = ((1.0 - r) * moving).sum() / (moving.sum() + 1.0)
    return total


def loss(found: Found, want: Wanted) -> Tensor:
    """Return the loss of one variant."""
    total = curve_loss(found.curves, want) + closure_loss(found, want) + class_loss(found, want)
    return total + CORRELATION * band_loss(found.curves, want)
