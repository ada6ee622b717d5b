"""The options of the sinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlainConfig:
    """Channels under addresses of one's own."""

    host: str = "127.0.0.1"
    """A name or an address: of one machine, a broadcast or a multicast address."""
    port: int = 9000
    """The port that the receiver listens on."""
    prefix: str = "/face"
    """What addresses begin with."""
    message: Literal["channel", "floats"] = "channel"
    """A message for each channel, or one with all values in the rig's order."""
    bundle: bool = True
    """Send a frame's messages in bundles; false for receivers that cannot read them."""
    retarget: str | None = None
    """A table's name or path: the channels it makes are sent."""
    offset: float = 0.0
    """Seconds that frames go out later than due (negative: earlier)."""


@dataclass(frozen=True, slots=True)
class VmcConfig:
    """Where frames go, and under which names."""

    host: str = "127.0.0.1"
    """A name or an address: of one machine, a broadcast or a multicast address."""
    port: int = 39539
    """39539 is a marionette's (it draws the model), 39540 a performer's."""
    names: Literal["perfect-sync", "vrm0", "vrm1"] = "perfect-sync"
    """ARKit's 52, or the presets of VRM 0 or VRM 1 made from them."""
    casing: Literal["pascal", "camel"] = "pascal"
    """Perfect sync's names as JawOpen or jawOpen."""
    head: bool = True
    """Send the head bone's rotation."""
    flip: tuple[str, ...] = ()
    """Rotations (headYaw ... rightEyeRoll) that go out with the other sign."""
    retarget: str | None = None
    """A table's name or path: its channels are sent in place of ``names``."""
    offset: float = 0.0
    """Seconds that frames go out later than due (negative: earlier)."""


@dataclass(frozen=True, slots=True)
class VrchatConfig:
    """Where parameters go, and which."""

    host: str = "127.0.0.1"
    """The machine that runs VRChat."""
    port: int = 9000
    """The port that VRChat listens on."""
    prefix: str = "FT/"
    """What stands before v2/ in the avatar's parameters; empty where nothing does."""
    parameters: tuple[str, ...] = ()
    """Only these of the v2 parameters (JawOpen ...); by default all of them."""
    eyes: bool = True
    """Send VRChat's own eye tracking addresses too."""
    bundle: bool = True
    """Send a frame's messages in bundles; false for receivers that cannot read them."""
    flip: tuple[str, ...] = ()
    """Rotations (headYaw ... rightEyeRoll) that go out with the other sign."""
    offset: float = 0.0
    """Seconds that frames go out later than due (negative: earlier)."""


@dataclass(frozen=True, slots=True)
class SteamLinkConfig:
    """Where frames go."""

    host: str = "127.0.0.1"
    """A name or an address of the machine that receives."""
    port: int = 9015
    """The port that receivers of Steam Link's face data listen on."""
    flip: tuple[str, ...] = ()
    """Rotations (headYaw ... rightEyeRoll) that go out with the other sign."""
    offset: float = 0.0
    """Seconds that frames go out later than due (negative: earlier)."""


@dataclass(frozen=True, slots=True)
class FaceCapConfig:
    """Where frames go."""

    host: str = "127.0.0.1"
    """A name or an address of the machine that receives."""
    port: int = 9000
    """The port that was set in the receiver: the app has none of its own."""
    bundle: bool = True
    """Send a frame's messages in bundles; false for receivers that cannot read them."""
    flip: tuple[str, ...] = ()
    """Rotations (headYaw ... rightEyeRoll) that go out with the other sign."""
    offset: float = 0.0
    """Seconds that frames go out later than due (negative: earlier)."""


@dataclass(frozen=True, slots=True)
class IFacialMocapConfig:
    """Where frames go, and in which version of the text."""

    host: str = "127.0.0.1"
    """A name or an address of the machine that receives."""
    port: int = 49983
    """The port that receivers of iFacialMocap listen on."""
    version: Literal["v1", "v2"] = "v1"
    """How names and values are parted: by - (v1) or by & (v2)."""
    flip: tuple[str, ...] = ()
    """Rotations (headYaw ... rightEyeRoll) that go out with the other sign."""
    offset: float = 0.0
    """Seconds that frames go out later than due (negative: earlier)."""


@dataclass(frozen=True, slots=True)
class VTubeStudioConfig:
    """Where VTube Studio runs, and what is sent to it."""

    host: str = "127.0.0.1"
    """The machine that runs VTube Studio."""
    port: int = 8001
    """The port of its plugin API."""
    arkit: bool = True
    """Send the ARKit channels too, as parameters that are added to VTube Studio."""
    token: str | None = None
    """The file that keeps its permission; by default one in the user's config folder."""
    flip: tuple[str, ...] = ()
    """Rotations (headYaw ... rightEyeRoll) that go out with the other sign."""
    offset: float = 0.0
    """Seconds that frames go out later than due (negative: earlier)."""
