"""Facewire: speech and text to facial animation, delivered where characters live.

import facewire

clip = facewire.animate("speech.wav")          # or text="[joy:80] Hello"
clip.frames.values                             # (n, channels) float32
clip.save("take.csv")

with facewire.open_pipeline("default") as p:   # streaming: push audio, take blocks
blocks = p.push(facewire.Audio(samples, 16000))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from facewire.api import Clip, animate, open_pipeline
    from facewire.errors import FacewireError
    from facewire.session import Session
    from facewire.types import Audio, Frames

__all__ = ["Audio", "Clip", "FacewireError", "Frames", "Session", "animate", "open_pipeline"]

_HOMES = {
    "Audio": "types",
    "Frames": "types",
    "FacewireError": "errors",
    "Session": "session",
    "Clip": "api",
    "animate": "api",
    "open_pipeline": "api",
}


def __getattr__(name: str) -> Any:
    """Import on first use: a plugin that needs the types alone does not load the engine."""
    if name not in _HOMES:
        raise AttributeError(f"module 'facewire' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(f"facewire.{_HOMES[name]}"), name)
