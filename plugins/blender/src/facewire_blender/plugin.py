"""What facewire-blender offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from facewire.hookspecs import hookimpl
from facewire.types import Check, Component, Context


@dataclass(frozen=True, slots=True)
class BlenderConfig:
    """Live to the add-on, or into a package where there is a path."""

    path: str | None = None
    """A package for the add-on to import, such as ``{out}/{name}.facewire``; null: live."""
    host: str = "127.0.0.1"
    """The machine that Blender runs on."""
    port: int = 11111
    """The port that the add-on listens on."""
    subject: str = "Facewire"
    """Whose face this is, for the add-on; at most 256 characters."""
    offset: float = 0.0
    """Seconds that live frames go out later than due (negative: earlier)."""


def _sink(config: BlenderConfig, context: Context) -> Any:
    if config.path is None:
        from facewire_blender.live import Live

        return Live(config)
    from facewire_blender.package import PackageSink

    return PackageSink(context.output(config.path), context.name)


def _check() -> str:
    from facewire_blender.find import check_blender

    return check_blender()


@hookimpl
def facewire_sinks() -> Iterable[Component]:
    """Offer the sink ``blender``."""
    yield Component(
        name="blender",
        make=_sink,
        config=BlenderConfig,
        summary="to the Blender add-on: live (UDP), or a package to import in one click",
        example=BlenderConfig(path="{out}/{name}.facewire"),
        suffixes=(".facewire",),
    )


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Offer a check of what Blender there is."""
    yield Check("blender", _check)
