"""Options of the model. Light: the entry point imports it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class MelConfig:
    """Options of the features."""

    mode: Literal["auto", "live", "marks"] = "auto"
    """``marks``: phones are a voice's own or none. ``auto``: where it brings none, and the run is
    not live, the plugin ``phonemes`` finds them: a transcript's, else those it hears in English.
    ``live``: it hears them in live runs too, 0.7 s late; the model may ask for that."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Options of the model."""

    variant: Literal["auto", "live", "file"] = "auto"
    """``live`` looks 58 ms ahead, ``file`` about a second; ``auto`` takes live in a live run."""
    weights: Path | None = None
    """A folder with ``live.onnx`` and ``file.onnx``, as training and fine-tuning write them; by
    default what is shipped."""
    phones: bool = True
    """Whether ``file`` is held to phones: of a voice, of a transcript, or heard."""
    live: Literal["sound", "phones"] = "sound"
    """What moves a live face: ``sound`` alone, 58 ms later, or ``phones`` as well: a voice's own
    0.2 s later; in English those that are heard, 0.9 s later."""
    expression: Literal["layer", "model"] = "layer"
    """Who draws an emotion's face: the layer ``v3``, or the model itself (for a profile without
    that layer)."""
