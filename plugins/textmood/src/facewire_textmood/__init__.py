"""Emotion read from text: 16 label weights, VAD and a confidence for every sentence."""

from __future__ import annotations

__version__ = "0.1.0"
