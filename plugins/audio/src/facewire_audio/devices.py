"""What a sound device is to this plugin: a real one (PortAudio) and a simulated one look alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from facewire.stages import Clock
from facewire.types import FloatArray

Fill = Callable[[int, float], FloatArray]
"""``fill(count, now)`` returns the next (count,) samples; ``now`` is the world's, in seconds."""
Take = Callable[[FloatArray, float, bool], None]
"""``take(samples, now, overflow)`` gets the next (n,) samples; were some lost before them?"""


class Output(Protocol):
    """A device that plays."""

    name: str
    world: Clock
    """The clock that ``now`` is told on."""
    latency: float
    """Seconds from a sample's hand-over to the ear, as the device states them."""

    def start(self, rate: int, fill: Fill) -> int:
        """Begin, near ``rate`` if the device can; return its rate. InputError if it cannot play."""

    def stop(self) -> None:
        """Stop now. ``fill`` is not called any more."""


class Input(Protocol):
    """A device that records."""

    name: str
    world: Clock

    def start(self, rate: int | None, channel: int, take: Take) -> int:
        """Begin (``rate`` None: the device's own); return the rate. InputError if it cannot."""

    def stop(self) -> None:
        """Stop now. ``take`` is not called any more."""
