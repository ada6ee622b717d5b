"""Options of the layer. Light: the entry point imports it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Overlay = Literal["auto", "only", "off"]
Mode = Literal["expressive", "hybrid", "parametric"]
Arc = Literal["auto", "off", "gentle", "snappier"]


@dataclass(frozen=True, slots=True)
class V3Config:
    """How emotions become a face."""

    strength: float = 1.0
    """How far from neutral emotions are played: 0 deadpan, 1 as they are, 2 exaggerated."""
    transition: float = 0.5
    """Seconds a change takes in a live run, from its key on; a live call follows a spring."""
    overlay: Overlay = "auto"
    """``auto`` lays eyes and brows over a model that carries emotion and draws the whole expression
    for one that carries none; ``only`` is eyes and brows for any; ``off`` leaves frames alone."""
    compiler: Mode = "expressive"
    """What draws a face: the authored presets, curves over VAD, or both (``hybrid``)."""
    hear: bool = False
    """Whether emotion that the model hears in the voice is played."""
    speech: Literal["auto", "none"] = "auto"
    """``none``: nobody speaks (a silent reaction); the emotion has the jaw and the mouth."""
    monologue: Arc = "auto"
    """Several turns as one arc, each drawn towards the mood before it; ``auto`` is ``gentle`` where
    several turns come and the profile's ``turns`` is ``monologue``."""
    fade: float | None = None
    """Seconds of a transition around a boundary known beforehand at most, 0 to 10. Not live."""
    smooth: float | None = None
    """Sigma in seconds of a Gaussian over VAD, 0 to 5. Not live."""
