"""File outputs and sources for Facewire: Live Link Face CSV, JSON, npz, WAV, TextGrid, SRT."""

__version__ = "0.1.0"
