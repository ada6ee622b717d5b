"""What facewire-v3 offers: the expression layer."""

from __future__ import annotations

from collections.abc import Iterable

from facewire.hookspecs import hookimpl
from facewire.stages import Layer
from facewire.types import Component, Context

from facewire_v3.config import V3Config


def _layer(config: V3Config, context: Context) -> Layer:
    from facewire_v3.layer import V3

    return V3(config, context)


@hookimpl
def facewire_layers() -> Iterable[Component]:
    """Offer ``v3``."""
    summary = "emotion on the face: transitions, expression or overlay, the mouth protected"
    return (Component("v3", _layer, V3Config, summary, example=V3Config()),)
