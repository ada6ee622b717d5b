"""What facewire-idle offers: the life of a face that is doing nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from facewire.errors import ProfileError
from facewire.hookspecs import hookimpl
from facewire.stages import Layer
from facewire.types import Component, Context

State = Literal["auto", "speaking", "listening", "thinking"]


@dataclass(frozen=True, slots=True)
class BlinkConfig:
    """How the character blinks."""

    rate: float = 17.0
    """Blinks a minute at rest, 0 to 60; talking raises it by half."""
    state: State = "auto"
    """What the character does; auto is speaking where there is sound and idle elsewhere."""


@dataclass(frozen=True, slots=True)
class GazeConfig:
    """Where the character looks."""

    amount: float = 1.0
    """Scales all angles, 0 to 2; with 0 the eyes are still."""
    state: State = "auto"
    """What the character does; auto is speaking where there is sound and idle elsewhere."""


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """How the character moves its head."""

    amount: float = 1.0
    """Scales all angles and brow raises, 0 to 2; with 0 the head is still."""
    state: State = "auto"
    """What the character does; auto is speaking where there is sound and idle elsewhere."""


def _check(where: str, value: float, most: float) -> None:
    if not 0.0 <= value <= most:
        raise ProfileError(f"{where} is {value:g}, expected 0 to {most:g}")


def _blink(config: BlinkConfig, context: Context) -> Layer:
    from facewire_idle.blink import Blink

    _check("idle.blink: rate", config.rate, 60.0)
    return Blink(config, context)


def _gaze(config: GazeConfig, context: Context) -> Layer:
    from facewire_idle.gaze import Gaze

    _check("idle.gaze: amount", config.amount, 2.0)
    return Gaze(config, context)


def _head(config: HeadConfig, context: Context) -> Layer:
    from facewire_idle.head import Head

    _check("idle.head: amount", config.amount, 2.0)
    return Head(config, context)


@hookimpl
def facewire_layers() -> Iterable[Component]:
    """Offer ``idle.gaze``, ``idle.head`` and ``idle.blink``, in the order profiles use them."""
    gaze = "looks at the viewer and away: fixations, saccades, drift, lids that follow"
    head = "breathing sway, nods and brow raises at pitch accents, a listener's nods"
    blink = "blinks, more of them while talking, at phrase ends and at large gaze shifts"
    return (
        Component("idle.gaze", _gaze, GazeConfig, gaze, example=GazeConfig()),
        Component("idle.head", _head, HeadConfig, head, example=HeadConfig()),
        Component("idle.blink", _blink, BlinkConfig, blink, example=BlinkConfig()),
    )
