"""Phones to mouth shapes: the articulatory model of Facewire."""

__version__ = "0.1.0"
