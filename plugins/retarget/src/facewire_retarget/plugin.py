"""What facewire-retarget offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facewire.hookspecs import hookimpl
from facewire.types import Component, Context

if TYPE_CHECKING:
    from facewire_retarget.layer import Retarget


@dataclass(frozen=True, slots=True)
class RetargetConfig:
    """Which table."""

    table: str
    """The name of a table that comes with this plugin, or the path of one, from the profile."""


def _make(config: RetargetConfig, context: Context) -> Retarget:
    from facewire_retarget.layer import Retarget
    from facewire_retarget.tables import find

    return Retarget(find(config.table, context.base), context.rig)


@hookimpl
def facewire_layers() -> Iterable[Component]:
    """Offer ``retarget``."""
    yield Component(
        name="retarget",
        make=_make,
        config=RetargetConfig,
        summary="change channels by a YAML table: gains and curves, or another rig inside a sink",
        example=RetargetConfig("subtle"),
    )
