"""Idle life for Facewire: blinks, gaze and head."""

__version__ = "0.1.0"
