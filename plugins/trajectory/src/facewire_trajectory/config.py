"""Options of the model. Light: the entry point imports it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class MelConfig:
    """Options of the features."""

    align: bool = True
    """Whether a known transcript is aligned (by the plugin ``phonemes``) where a run is not live
    and the voice brings no phones."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Options of the model."""

    variant: Literal["auto", "live", "file"] = "auto"
    """``live`` looks 58 ms ahead, ``file`` about a second; ``auto`` takes live in a live run."""
    weights: Path | None = None
    """A folder with ``live.onnx`` and ``file.onnx``, as training and fine-tuning write them; by
    default what is shipped."""
    phones: bool = True
    """Whether ``file`` is held to the phones that a voice or a transcript brings."""
    expression: Literal["layer", "model"] = "layer"
    """Who draws an emotion's face: the layer ``v3``, or the model itself (for a profile without
    that layer)."""
