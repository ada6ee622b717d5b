"""What a network is worth on items it has not seen: closures, correlation, classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from facewire.articulation import CURVES, PhoneTime, measure
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_trajectory.level import Level
from facewire_trajectory.network.module import Network
from facewire_trajectory.runtime import WARM
from facewire_trajectory.sizes import FILE_AHEAD
from facewire_trajectory.train.losses import BAND
from facewire_trajectory.train.pool import Held

GAP, JAW = CURVES.index("gap"), CURVES.index("jaw")
VARIANTS = ("live", "file")
Found = dict[str, tuple[FloatArray, FloatArray]]


@torch.no_grad()
def run(network: Network, held: Held) -> Found:
    """Return curves (n, 15) and sound logits (n, 3) of an item by variant."""
    rows = held.entry.rows
    mel = held.rows("mel", -WARM, rows + FILE_AHEAD).astype(np.float32)
    condition = held.rows("cond", 0, rows).astype(np.float32)
    device = next(network.parameters()).device
    given = torch.from_numpy(Level().push(mel[None])).to(device)
    both = network(given, torch.from_numpy(condition[None]).to(device), WARM)
    return {
        name: (found.curves[0].cpu().numpy(), found.sound[0].cpu().numpy())
        for name, found in zip(VARIANTS, both, strict=True)
    }


def in_band(rows: FloatArray, fps: float = 60.0) -> NDArray[np.float64]:
    """Return rows (n,) with 2 to 8 Hz alone."""
    spectrum = np.fft.rfft(rows - rows.mean())
    at = np.fft.rfftfreq(len(rows), 1 / fps)
    spectrum[(at < BAND[0]) | (at > BAND[1])] = 0
    out: NDArray[np.float64] = np.fft.irfft(spectrum, len(rows))
    return out


def correlation(one: FloatArray, other: FloatArray) -> float:
    """Return the correlation over 2 to 8 Hz of two curves (n,)."""
    return float(np.corrcoef(in_band(one), in_band(other))[0, 1])


@dataclass
class Tally:
    """Figures of several items, to be averaged."""

    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **figures: float) -> None:
        """Take figures; nan is left out."""
        for name, value in figures.items():
            if np.isfinite(value):
                self.figures.setdefault(name, []).append(value)

    def means(self) -> dict[str, float]:
        """Return the mean of each."""
        return {name: float(np.mean(values)) for name, values in self.figures.items()}


def judge(network: Network, items: Sequence[Held]) -> dict[str, dict[str, float]]:
    """Return variant -> figure -> mean over the items."""
    network.eval()
    tallies = {name: Tally() for name in VARIANTS}
    for held in items:
        for name, (curves, sound) in run(network, held).items():
            _item(tallies[name], held, curves, sound)
    network.train()
    return {name: tally.means() for name, tally in tallies.items()}


def _item(tally: Tally, held: Held, curves: FloatArray, sound: FloatArray) -> None:
    kind, gap = held.entry.kind, curves[:, GAP]
    asked = held.arrays["artic"].astype(np.float32)
    if kind != "real":
        right = float((sound.argmax(1) == held.arrays["sound"]).mean())
        tally.add(**{f"class {kind}": right})
    if kind == "other":
        tally.add(noise=float(np.percentile(np.abs(gap), 95)))
        return
    moved = float(asked[:, GAP].std()) > 0.005
    if moved:
        tally.add(**{
            f"gap {kind}": correlation(gap, asked[:, GAP]),
            f"jaw {kind}": correlation(curves[:, JAW], asked[:, JAW]),
            f"live {kind}": float(gap.std() / asked[:, GAP].std()),
        })  # fmt: skip
    if kind == "speech":
        phones = [PhoneTime(text, a, z) for text, a, z in held.entry.marks]
        report = measure(gap, 60.0, phones)
        names = ("recall", "precision", "timing", "release", "leak")
        tally.add(**{name: float(getattr(report, name)) for name in names})
        if report.phone_rate > 0.0:
            tally.add(rate=report.rate / report.phone_rate)


def score(judged: dict[str, dict[str, float]]) -> float:
    """Return one figure to choose a network by: closures, and the motion of gap and jaw."""
    parts = []
    for figures in judged.values():
        f1 = [figures.get(name, 0.0) for name in ("recall", "precision")]
        parts.append(2 * f1[0] * f1[1] / max(sum(f1), 1e-9))
        parts += [v for k, v in figures.items() if k.startswith(("gap", "jaw"))]
    return float(np.mean(parts)) if parts else 0.0
