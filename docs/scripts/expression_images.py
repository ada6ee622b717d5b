"""Draw the pictures of docs/expression.md from the data of facewire-v3. Needs matplotlib.

python docs/scripts/expression_images.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from facewire.emotion import LABELS, NAMES, NEUTRAL_VAD, lookup
from facewire.rig import Rig
from facewire_v3.compiler import Compiler
from facewire_v3.mead import CLASSES, mead_weights
from facewire_v3.overlay import overlay, overlay_strength
from facewire_v3.presets import presets
from facewire_v3.response import curves
from facewire_v3.sheet import write_sheet
from matplotlib.axes import Axes
from numpy.typing import NDArray

IMAGES = Path(__file__).parents[1] / "images"
RIG = Rig.named("arkit52")
SAVE = {"dpi": 100, "metadata": {"Software": None}}
# Where a name would cover another: offset of its text in points.
ASIDE = {
    "love": (6, 6),
    "pride": (6, -12),
    "joy": (-18, -12),
    "amusement": (-62, 2),
    "excitement": (6, 4),
    "fear": (-26, -12),
    "anger": (-8, 8),
    "frustration": (-64, -10),
    "disgust": (6, -10),
    "anxiety": (6, -4),
    "confusion": (6, -12),
    "guilt": (6, 2),
    "sulk": (6, -4),
    "contentment": (-30, -14),
}


def rays(label: str, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the VAD at ``times`` the way from neutral to a label: (n, 3)."""
    rest = np.array(NEUTRAL_VAD)
    return rest + times[:, None] * (np.array(lookup(label).vad) - rest)


def one_hot(label: str, rows: int) -> NDArray[np.float32]:
    """Return rows of weights (n, 16) of one label."""
    return np.tile(np.eye(len(LABELS), dtype=np.float32)[LABELS.index(label)], (rows, 1))


def vad_map() -> None:
    """Draw the 27 names over valence and arousal, dominance as colour."""
    figure, axes = plt.subplots(figsize=(9, 6.4), layout="constrained")
    vad = np.array([lookup(name).vad for name in NAMES])
    drawn = np.array([lookup(name).family == name for name in NAMES])
    for mask, mark, size in ((drawn, "o", 80), (~drawn, "D", 40)):
        dots = axes.scatter(
            *vad[mask, :2].T, c=vad[mask, 2], s=size, marker=mark, cmap="coolwarm",
            vmin=0.2, vmax=0.8, edgecolors="0.2",
        )  # fmt: skip
    for name, (valence, arousal, _) in zip(NAMES, vad, strict=True):
        offset = ASIDE.get(name, (7, 4))
        axes.annotate(name, (valence, arousal), offset, textcoords="offset points", fontsize=9)
    axes.axvline(NEUTRAL_VAD[0], color="0.85", zorder=0)
    axes.axhline(NEUTRAL_VAD[1], color="0.85", zorder=0)
    axes.set(xlabel="valence", ylabel="arousal", xlim=(0.08, 1), ylim=(0.1, 0.95))
    figure.colorbar(dots, label="dominance")
    figure.savefig(IMAGES / "expression-vad.png", **SAVE)


def _authored(axes: Axes, label: str) -> None:
    times = np.linspace(0, 1.6, 161)
    faces = Compiler().rows(one_hot(label, len(times)), rays(label, times))
    shown = [name for name in RIG.channels if not name.endswith("Left")]  # contempt is on the right
    loudest = sorted(shown, key=lambda name: -faces[:, RIG.index(name)].max())[:6]
    for name in loudest:
        axes.plot(times, faces[:, RIG.index(name)], label=name.removesuffix("Right"))
    levels = {"0": 0.0, "L1": 0.45, "L3": 1.0, "L5": 1.4}
    axes.vlines(list(levels.values()), 0, 1, color="0.85", zorder=0)
    axes.set_xticks(list(levels.values()), list(levels))
    axes.set(title=label, ylim=(0, 1.05))
    axes.legend(fontsize=7, loc="upper left", framealpha=0.6)


def _parametric(axes: Axes, channel: str, dominance: float) -> None:
    side = np.linspace(0, 1, 101)
    valence, arousal = np.meshgrid(side, side)
    vad = np.stack([valence, arousal, np.full_like(valence, dominance)], axis=-1).reshape(-1, 3)
    values = curves()(vad)[:, RIG.index(channel)].reshape(101, 101)
    axes.imshow(values, origin="lower", extent=(0, 1, 0, 1), vmin=0, vmax=1, cmap="magma")
    axes.plot(*NEUTRAL_VAD[:2], "w+")
    axes.set(title=f"{channel.removesuffix('Left')}, dominance {dominance:g}")
    axes.set(xlabel="valence", ylabel="arousal")


def responses() -> None:
    """Draw channels over strength (authored) and over valence and arousal (parametric)."""
    figure, grid = plt.subplots(2, 4, figsize=(14, 7), layout="constrained")
    for axes, label in zip(grid[0], ("joy", "gratitude", "fear", "contempt"), strict=True):
        _authored(axes, label)
    wanted = (
        ("cheekSquintLeft", 0.6),
        ("browInnerUp", 0.35),
        ("browDownLeft", 0.75),
        ("eyeWideLeft", 0.35),
    )
    for axes, (channel, dominance) in zip(grid[1], wanted, strict=True):
        _parametric(axes, channel, dominance)
    figure.savefig(IMAGES / "expression-response.png", **SAVE)


def gratitude() -> None:
    """Draw neutral to gratitude at 60 frames a second, half a second of smoothstep from 0.1 s."""
    time = np.arange(49) / 60
    x = np.clip((time - 0.1) / 0.5, 0, 1)
    way = x * x * (3 - 2 * x)
    vad = rays("gratitude", way)
    weights = way[:, None] * one_hot("gratitude", 49) + (1 - way[:, None]) * one_hot("neutral", 49)
    added = overlay(vad, weights)
    figure, (top, middle, bottom) = plt.subplots(
        3, 1, figsize=(9, 7.5), sharex=True, layout="constrained"
    )
    for axis, name in enumerate(("valence", "arousal", "dominance")):
        top.plot(time, vad[:, axis], ".-", label=name, markersize=4)
    for column, name in enumerate(CLASSES):
        middle.plot(time, mead_weights(vad)[:, column], ".-", label=name, markersize=4)
    for name in ("browInnerUp", "eyeSquintLeft", "cheekSquintLeft", "eyeBlinkLeft"):
        values = added[:, RIG.index(name)]
        bottom.plot(time, values, ".-", label=name.removesuffix("Left"), markersize=4)
    bottom.plot(time, overlay_strength(vad), "k--", label="overlay strength")
    for axes, title in ((top, "VAD"), (middle, "MEAD weights"), (bottom, "what the overlay adds")):
        axes.set_ylabel(title)
        axes.legend(fontsize=8, loc="center left")
    bottom.set_xlabel("seconds; a point is a frame at 60 fps")
    figure.savefig(IMAGES / "expression-gratitude.png", **SAVE)


if __name__ == "__main__":
    vad_map()
    responses()
    gratitude()
    write_sheet(IMAGES / "expression-sheet.png", presets())
