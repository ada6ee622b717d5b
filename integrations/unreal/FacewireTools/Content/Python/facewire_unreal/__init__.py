"""Facewire clips in Unreal. What does not touch Unreal needs the standard library alone."""

from __future__ import annotations

__version__ = "0.1.0"
