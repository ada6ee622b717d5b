"""What facewire-textmood offers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from facewire.hookspecs import hookimpl
from facewire.types import Component, Context, NoConfig

if TYPE_CHECKING:
    from facewire_textmood.reader import TextMood


def _make(config: NoConfig, context: Context) -> TextMood:
    from facewire_textmood.reader import TextMood

    return TextMood(context)


@hookimpl
def facewire_text_emotions() -> Iterable[Component]:
    """Offer the reader ``textmood``."""
    yield Component(
        name="textmood",
        make=_make,
        summary="read emotion from English text with a small model on this machine",
        example=NoConfig(),
    )
