# SPDX-License-Identifier: GPL-3.0-or-later
"""What facewire-espeak offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facewire.hookspecs import hookimpl
from facewire.types import Check, Component, Context

if TYPE_CHECKING:
    from facewire_espeak.voice import Espeak


@dataclass(frozen=True, slots=True)
class EspeakConfig:
    """Who speaks, and how."""

    voice: str = "en-us"
    """A language that espeak-ng speaks (``de``, ``en-gb``), with a variant if wanted (``+f3``)."""
    rate: int = 175
    """Words a minute, 80 to 450."""
    pitch: int = 50
    """Height of the voice, 0 to 99."""


def _make(config: EspeakConfig, context: Context) -> Espeak:
    from facewire_espeak.voice import Espeak

    return Espeak(config)


def _check_library() -> str:
    from facewire_espeak.voices import describe

    return describe()


@hookimpl
def facewire_voices() -> Iterable[Component]:
    """Offer the voice ``espeak``."""
    yield Component(
        name="espeak",
        make=_make,
        config=EspeakConfig,
        summary="speak offline with espeak-ng, with phone and word times",
        example=EspeakConfig(),
    )


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Offer a check that espeak-ng's library loads."""
    yield Check("espeak", _check_library)
