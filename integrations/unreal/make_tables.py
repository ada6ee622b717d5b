"""Make the plugin's ``tables.json`` from Facewire's own tables: ``python make_tables.py``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from facewire.articulation.closures import CLOSED
from facewire.articulation.lips import coefficients
from facewire.rig import Rig
from facewire_retarget.tables import Row, shipped

OUT = Path(__file__).parent / "FacewireTools/Content/Python/facewire_unreal/tables.json"


def tables() -> dict[str, Any]:
    """Return what the plugin needs: channels, the lips' gap and the MetaHuman table."""
    rows = shipped("metahuman").rows
    return {
        "arkit61": list(Rig.named("arkit61").channels),
        "closed": CLOSED,
        "gap": dict(coefficients()["gap"]),
        "metahuman": {name: _row(name, row) for name, row in rows.items()},
    }


def _row(name: str, row: Row) -> dict[str, Any]:
    if row.dead or row.curve or isinstance(row.closed, dict):
        raise ValueError(f"{name}: the plugin knows no dead zone, curve, or closed mix")
    return {
        "from": dict(row.inputs),
        "ratio": list(row.ratio) if row.ratio else None,
        "gain": row.gain,
        "offset": row.offset,
        "low": row.low if math.isfinite(row.low) else None,
        "high": row.high if math.isfinite(row.high) else None,
        "closed": row.closed,
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(tables(), indent=1) + "\n"


if __name__ == "__main__":
    OUT.write_text(text(), "utf-8")
