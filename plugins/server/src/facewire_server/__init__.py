"""Facewire over HTTP and WebSocket."""

__version__ = "0.1.0"
