"""The course of a training as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

PANELS = {
    "loss": (),
    "closures (file)": ("recall", "precision"),
    "2 to 8 Hz (file)": ("gap speech", "jaw speech", "gap real", "jaw real"),
    "classes (file)": ("class speech", "class vocal", "class other"),
}


def draw(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the loss and the figures of every validation as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    steps = [row["step"] for row in history]
    for axes, (title, names) in zip(figure.subplots(2, 2).flat, PANELS.items(), strict=True):
        axes.set_title(title)
        for name in names or ("loss",):
            values = [row["file"].get(name) if names else row[name] for row in history]
            if any(value is not None for value in values):
                axes.plot(steps, [float("nan") if v is None else v for v in values], label=name)
        axes.legend()
        axes.grid(alpha=0.3)
    part = path.with_name(f".{path.name}.part")
    figure.savefig(part, format="png", dpi=90)
    part.replace(path)
