"""Make the add-on's ``tables.json`` from Facewire's own tables: ``python make_tables.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from facewire.articulation.closures import CLOSED, HOLD
from facewire.articulation.lips import coefficients
from facewire.rig import Rig

OUT = Path(__file__).parent / "facewire_blender/tables.json"


def tables() -> dict[str, Any]:
    """Return what the add-on needs: channels, the lips' gap, what a closure is."""
    return {
        "arkit61": list(Rig.named("arkit61").channels),
        "tongue": list(Rig.named("arkit52_tongue").channels[52:]),
        "gap": dict(coefficients()["gap"]),
        "closed": CLOSED,
        "hold": HOLD,
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(tables(), indent=1) + "\n"


if __name__ == "__main__":
    OUT.write_text(text(), "utf-8")
