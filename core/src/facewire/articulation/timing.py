"""The times and scales of articulation, read from ``data/articulation/timing.yaml``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from facewire.articulation.tables import load_numbers

SECTIONS = {
    "onset": ("usual", "protrusion", "closure", "closure_after_pause"),
    "decay": ("usual",),
    "sustain": ("usual", "nasal"),
    "closure": ("least", "most", "gap", "firm"),
    "silence": ("cut", "settle", "prepare", "weight"),
    "glide": ("first", "second"),
    "stress": ("primary", "secondary", "none", "unknown"),
    "duration": ("usual", "power", "least", "most"),
    "loudness": ("per_db", "least", "most", "range_db", "memory"),
    "apart": ("gap", "from", "to"),
    "stiffness": (
        "gap", "jaw", "width", "protrusion", "teeth", "upper", "lower", "press", "tongue",
    ),
}  # fmt: skip


@cache
def timing() -> dict[str, dict[str, float]]:
    """Return section -> name -> number; ValueError if the file lacks one."""
    text = files("facewire").joinpath("data/articulation/timing.yaml").read_text("utf-8")
    table = load_numbers(text, "timing.yaml", SECTIONS)
    for section, names in SECTIONS.items():
        if set(table[section]) != set(names):
            raise ValueError(f"timing.yaml: {section}: expected {', '.join(names)}")
    return table
