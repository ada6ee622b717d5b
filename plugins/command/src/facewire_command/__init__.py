"""Voices from programs and speech servers for Facewire."""

__version__ = "0.1.0"
