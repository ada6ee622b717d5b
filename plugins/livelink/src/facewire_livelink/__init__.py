"""Live Link Face packets over UDP for Unreal Engine."""

__version__ = "0.1.0"
