"""What facewire-audio offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facewire.hookspecs import hookimpl
from facewire.types import Check, Component, Context

if TYPE_CHECKING:
    from facewire_audio.mic import Microphone
    from facewire_audio.rtp import Rtp
    from facewire_audio.speaker import Speaker


@dataclass(frozen=True, slots=True)
class MicConfig:
    """Which microphone, and what of it is let through."""

    device: str | None = None
    """A part of the device's name, or its number; by default the system's."""
    rate: int | None = None
    """Samples a second; by default the device's."""
    channel: int = 1
    """Which channel of the device is taken, from 1."""
    gate: float | None = -50.0
    """dBFS (RMS of 10 ms) above which sound is let through; null lets everything through."""
    hysteresis: float = 6.0
    """dB below ``gate`` at which it closes again."""
    hold: float = 0.25
    """Seconds that it stays open after the last loud sound."""


@dataclass(frozen=True, slots=True)
class SpeakerConfig:
    """Which loudspeaker, and when."""

    device: str | None = None
    """A part of the device's name, or its number; by default the system's."""
    offset: float = 0.0
    """Seconds that the sound is heard later than its frames are due (negative: earlier)."""


@dataclass(frozen=True, slots=True)
class RtpConfig:
    """Where sound goes, and who is told how to read it."""

    host: str = "127.0.0.1"
    """A name or an address: of one machine, a broadcast or a multicast address."""
    port: int = 5004
    """An even port; reports of the clock (RTCP) go to the one above it."""
    payload: int = 96
    """The payload type, 96 to 127, as the SDP file states it."""
    offset: float = 0.0
    """Seconds that packets go out later than their frames are due (negative: earlier)."""
    sdp: str | None = None
    """A path for the SDP file that players open, such as "{out}/{name}.sdp"."""


def _mic(config: MicConfig, context: Context) -> Microphone:
    from facewire_audio.mic import Microphone
    from facewire_audio.portaudio import PortAudioInput

    return Microphone(config, PortAudioInput(config.device))


def _speaker(config: SpeakerConfig, context: Context) -> Speaker:
    from facewire_audio.portaudio import PortAudioOutput
    from facewire_audio.speaker import Speaker

    return Speaker(PortAudioOutput(config.device), config.offset)


def _rtp(config: RtpConfig, context: Context) -> Rtp:
    from facewire_audio.rtp import Rtp

    source = int(context.random("audio.rtp").integers(2**32))
    return Rtp(config, source, context.output(config.sdp) if config.sdp else None)


def _check_devices() -> str:
    from facewire_audio.portaudio import check_devices

    return check_devices()


@hookimpl
def facewire_sources() -> Iterable[Component]:
    """Offer the source ``audio.mic``."""
    yield Component(
        name="audio.mic",
        make=_mic,
        config=MicConfig,
        summary="a microphone, with a noise gate (the input 'mic')",
        needs=("a sound device that records",),
    )


@hookimpl
def facewire_sinks() -> Iterable[Component]:
    """Offer the sinks ``audio`` and ``audio.rtp``."""
    yield Component(
        name="audio",
        make=_speaker,
        config=SpeakerConfig,
        summary="play the sound; live frames follow the sound device's clock",
        needs=("a sound device that plays",),
    )
    yield Component(
        name="audio.rtp",
        make=_rtp,
        config=RtpConfig,
        summary="send the sound as RTP L16, counted in the frames' own samples",
        example=RtpConfig(),
    )


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Offer a check that lists the sound devices."""
    yield Check("audio", _check_devices)
