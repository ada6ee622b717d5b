"""What facewire-trajectory offers: log-mel features and the model that ships with Facewire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from facewire.hookspecs import hookimpl
from facewire.types import Component, Context

from facewire_trajectory.config import MelConfig, ModelConfig

if TYPE_CHECKING:
    from facewire.stages import FeatureExtractor

    from facewire_trajectory.model import Trajectory


def _extractor(config: MelConfig, context: Context) -> FeatureExtractor:
    from facewire_trajectory.extractor import make

    return make(config, context)


def _model(config: ModelConfig, context: Context) -> Trajectory:
    from facewire_trajectory.model import Trajectory

    return Trajectory(config, context)


@hookimpl
def facewire_features() -> Iterable[Component]:
    """Offer the features."""
    summary = "64 log-mel bands a frame, and the phones of a voice or a transcript"
    return (Component("trajectory.mel", _extractor, MelConfig, summary, MelConfig()),)


@hookimpl
def facewire_models() -> Iterable[Component]:
    """Offer the model."""
    summary = "a small network that hears speech and moves the mouth; ships with its weights"
    return (Component("trajectory", _model, ModelConfig, summary, ModelConfig()),)
