"""What facewire-eval tells ``facewire doctor``; its work is the command ``facewire eval``."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from facewire.hookspecs import hookimpl
from facewire.types import Check

_PARTS = {
    "facewire_preview": "the head",
    "facewire_v3": "authored faces",
    "facewire_espeak": "other languages",
}


def _parts() -> str:
    there = [what for module, what in _PARTS.items() if find_spec(module)]
    missing = [what for module, what in _PARTS.items() if not find_spec(module)]
    lacks = f"; not installed, so left out: {', '.join(missing)}" if missing else ""
    return f"measures lips and motion, {', '.join(there)}{lacks}" if there else f"lips{lacks}"


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Offer a check: what can be measured here."""
    return (Check("eval", _parts),)
