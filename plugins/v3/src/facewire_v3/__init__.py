"""The V3 expression system: from an emotion to a face."""

from __future__ import annotations

__version__ = "0.1.0"
