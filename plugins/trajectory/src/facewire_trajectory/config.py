"""Options of the model. Light: the entry point imports it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class MelConfig:
    """Options of the features."""

    phones: bool = True
    """Whether the plugin ``phonemes`` finds phones where a run is not live and the voice brings
    none: a transcript's, else those it hears in English."""


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
    live: bool = True
    """Whether it moves live faces too; else such a run takes the profile's next model."""
    expression: Literal["layer", "model"] = "layer"
    """Who draws an emotion's face: the layer ``v3``, or the model itself (for a profile without
    that layer)."""
