"""What facewire-livelink offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from facewire.hookspecs import hookimpl
from facewire.types import Check, Component, Context

if TYPE_CHECKING:
    from facewire_livelink.mix import Mix
    from facewire_livelink.sink import LiveLink
    from facewire_livelink.source import LiveLinkSource


@dataclass(frozen=True, slots=True)
class LiveLinkConfig:
    """Where frames go, and as whose."""

    host: str = "127.0.0.1"
    """A name or an address: of one machine, a broadcast or a multicast address."""
    port: int = 11111
    """The port that Unreal's ARKit source listens on."""
    subject: str = "Facewire"
    """The name shown in Unreal, at most 256 characters."""
    timecode: Literal["clock", "ntp", "run"] = "clock"
    """Frames count from the time of day, a time server's, or from zero at the run's start."""
    ntp_server: str = "pool.ntp.org"
    """The time server that ``timecode: ntp`` asks once, when the run begins: host or host:port."""
    device: str | None = None
    """The sender's id, one for each subject; by default made from the subject's name."""
    flip: tuple[str, ...] = ()
    """Rotations (headYaw ... rightEyeRoll) that go out with the other sign."""
    offset: float = 0.0
    """Seconds that frames go out later than due (negative: earlier)."""


@dataclass(frozen=True, slots=True)
class LiveLinkSourceConfig:
    """Where a phone sends to, and whose face is taken."""

    host: str = "0.0.0.0"
    """The address of this machine that is listened on; by default all of them."""
    port: int = 11111
    """The port that the app sends to."""
    subject: str | None = None
    """Whose frames; by default those of the first that comes."""
    silence: float = 0.0
    """Seconds without a packet after which the input ends; 0: never."""


@dataclass(frozen=True, slots=True)
class MixConfig:
    """Which take is above the mouth, and when."""

    take: str = "take.csv"
    """The take (.csv or .npz) that ``facewire livelink listen --out`` recorded."""
    shift: float | None = None
    """Seconds that the take is behind the sound; by default both jaws tell."""
    learn: float = 8.0
    """Seconds of the sound that are compared."""
    within: float = 3.0
    """Seconds that the take may be off."""


def _mix(config: MixConfig, context: Context) -> Mix:
    from facewire_livelink.mix import Mix

    return Mix(config, context)


def _source(config: LiveLinkSourceConfig, context: Context) -> LiveLinkSource:
    from facewire_livelink.source import LiveLinkSource

    return LiveLinkSource(config)


def _make(config: LiveLinkConfig, context: Context) -> LiveLink:
    from facewire_livelink.sink import LiveLink

    return LiveLink(config)


def _check_loopback() -> str:
    from facewire_livelink.checks import check_loopback

    return check_loopback()


@hookimpl
def facewire_sources() -> Iterable[Component]:
    """Offer the source ``livelink``."""
    yield Component(
        name="livelink",
        make=_source,
        config=LiveLinkSourceConfig,
        summary="receive a face from the Live Link Face app (UDP)",
        needs=("a sender",),
    )


@hookimpl
def facewire_layers() -> Iterable[Component]:
    """Offer the layer ``livelink.mix``."""
    yield Component(
        name="livelink.mix",
        make=_mix,
        config=MixConfig,
        summary="the face above from a phone's take, the mouth from the sound",
        needs=("a take",),
    )


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
