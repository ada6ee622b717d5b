"""What facewire-ray offers: a check that Ray is there. ``facewire bake --ray`` does the rest."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from facewire.hookspecs import hookimpl
from facewire.types import Check


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Say which Ray is installed: a cluster's must be the same."""
    return [Check("ray", lambda: f"Ray {version('ray')}; every node of a cluster needs the same")]
