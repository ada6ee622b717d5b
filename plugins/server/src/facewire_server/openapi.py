"""The OpenAPI description: a data file, with the version filled in."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from facewire_server import __version__


@cache
def described() -> dict[str, Any]:
    """Return the description."""
    text = files("facewire_server").joinpath("data/openapi.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    found["info"]["version"] = __version__
    return found
