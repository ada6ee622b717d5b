"""Facewire for Blender: what runs on the engine's side. It never imports bpy."""

__version__ = "0.1.0"
