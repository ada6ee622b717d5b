"""ElevenLabs' voices for Facewire."""

__version__ = "0.1.0"
