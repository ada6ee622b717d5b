"""Microphone, loudspeaker and sound over the network, on one clock with the face."""

__version__ = "0.1.0"
