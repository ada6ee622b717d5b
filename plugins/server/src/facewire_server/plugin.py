"""What facewire-server offers: the command ``facewire serve``, and a check."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

from facewire.hookspecs import hookimpl
from facewire.types import Check


def _studio() -> str:
    page = files("facewire_server").joinpath("data/studio/index.html")
    return "the studio page is built" if page.is_file() else "the studio page is not built"


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Say whether the studio page is there."""
    return [Check("server", _studio)]
