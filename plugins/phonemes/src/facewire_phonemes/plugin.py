"""What facewire-phonemes offers: an extractor that hears phones and a model that moves a mouth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facewire.hookspecs import hookimpl
from facewire.types import Component, Context

from facewire_phonemes.config import ExtractorConfig

if TYPE_CHECKING:
    from facewire_phonemes.extractor import PhoneExtractor
    from facewire_phonemes.model import PhoneModel


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Options of the model: the two axes of speaking style (Edwards et al., JALI, 2016).

    A mumbler is low jaw and low lip, a ventriloquist low jaw and high lip, a shouter high both.
    """

    jaw: float = 1.0
    """How much the jaw takes part: 0 (held) to 2 (shouted)."""
    lip: float = 1.0
    """How much the lips take part beside the jaw: 0 (slack) to 2 (over-articulated)."""


def _extractor(config: ExtractorConfig, context: Context) -> PhoneExtractor:
    from facewire_phonemes.extractor import PhoneExtractor

    return PhoneExtractor(config, context)


def _model(config: ModelConfig, context: Context) -> PhoneModel:
    from facewire_phonemes.model import PhoneModel

    return PhoneModel(config, context)


@hookimpl
def facewire_features() -> Iterable[Component]:
    """Offer the extractor."""
    summary = "phones and words heard in the audio, and its loudness"
    return (Component("phonemes", _extractor, ExtractorConfig, summary, ExtractorConfig()),)


@hookimpl
def facewire_models() -> Iterable[Component]:
    """Offer the model."""
    summary = "phones to mouth shapes by an articulatory spline; lips close where they must"
    return (Component("phonemes", _model, ModelConfig, summary, ModelConfig()),)
