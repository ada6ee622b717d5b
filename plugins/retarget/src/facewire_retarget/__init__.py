"""Frames for other rigs, from YAML tables."""

__version__ = "0.1.0"
