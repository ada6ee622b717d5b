"""Faces to look at: a head with the 52 ARKit shapes, pictures of it, a page and a video."""

__version__ = "0.1.0"
