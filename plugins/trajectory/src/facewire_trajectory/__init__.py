"""The trajectory model: a small network that hears speech and moves a face, shipped with it."""

__version__ = "0.1.0"
