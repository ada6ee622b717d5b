"""What facewire-livelink offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from facewire.hookspecs import hookimpl
from facewire.types import Check, Component, Context

if TYPE_CHECKING:
    from facewire_livelink.sink import LiveLink


@dataclass(frozen=True, slots=True)
class LiveLinkConfig:
    """Where frames go, and as whose."""

    host: str = "127.0.0.1"
    """A name or an address: of one machine, a broadcast or a multicast address."""
    port: int = 11111
    """The port that Unreal's ARKit source listens on."""
    subject: str = "Facewire"
    """The name shown in Unreal, at most 256 characters."""
    timecode: Literal["clock", "run"] = "clock"
    """Frames count from the time of day, or from zero at the run's start."""
    device: str | None = None
    """The sender's id, one for each subject; by default made from the subject's name."""
    flip: tuple[str, ...] = ()
    """Rotations (headYaw ... rightEyeRoll) that go out with the other sign."""


def _make(config: LiveLinkConfig, context: Context) -> LiveLink:
    from facewire_livelink.sink import LiveLink

    return LiveLink(config)


def _check_loopback() -> str:
    from facewire_livelink.checks import check_loopback

    return check_loopback()


@hookimpl
def facewire_sinks() -> Iterable[Component]:
    """Offer the sink ``livelink``."""
    yield Component(
        name="livelink",
        make=_make,
        config=LiveLinkConfig,
        summary="send frames to Unreal as the Live Link Face app does (UDP)",
        example=LiveLinkConfig(),
    )


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Offer a check that packets get through this machine."""
    yield Check("livelink", _check_loopback)
