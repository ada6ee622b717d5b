"""Bake Facewire's scripts on a Ray cluster."""

__version__ = "0.1.0"
