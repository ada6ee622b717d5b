"""The NeuroSync transformer for Facewire: a studio's own checkpoint, exactly and fast."""

__version__ = "0.1.0"
