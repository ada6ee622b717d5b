"""An open benchmark of visual speech."""

__version__ = "0.1.0"
