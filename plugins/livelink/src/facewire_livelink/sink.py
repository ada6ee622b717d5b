"""The sink that sends frames to Unreal as the Live Link Face app would."""

from __future__ import annotations

import uuid
from fractions import Fraction

import numpy as np
from facewire.errors import InputError, ProfileError, nearest
from facewire.rig import ROTATIONS, Rig
from facewire.stages import Sink
from facewire.types import Block, FloatArray, RunInfo
from facewire.udp import Sender

from facewire_livelink.ntp import offset
from facewire_livelink.plugin import LiveLinkConfig
from facewire_livelink.timecode import frame_time, time_of_day, wire_rate
from facewire_livelink.wire import CHANNELS, MAX_NAME, MAX_PACKET, Packet, pack

NOTE = " (Unreal listens on 11111)"
DEVICES = uuid.uuid5(uuid.NAMESPACE_URL, "facewire:livelink:device")
"""The namespace of device ids: a subject has the same id on every machine and in every run."""


def device_id(subject: str) -> str:
    """Return the device id of a subject: a UUID (version 5) in upper case, 36 characters.

    Unreal drops a device's old subject when it brings a new one, so each subject has its own.
    """
    return str(uuid.uuid5(DEVICES, subject)).upper()


class LiveLink(Sink):
    """Sends every frame whole, one datagram each; nothing listening is no error.

    Errors of the network leave ``push`` as OSError: the session counts them and tries again.
    """

    live = True
    rig = Rig.named("arkit61")

    def __init__(self, config: LiveLinkConfig) -> None:
        self._config = config
        self.latency = config.offset
        self._signs = _signs(config.flip)
        self._sender: Sender | None = None
        self._device = ""
        self._rate, self._start = Fraction(60), Fraction(0)

    def open(self, info: RunInfo) -> None:
        """Look the host up, once. InputError on a bad host, port, name or rate."""
        config = self._config
        self._rate = wire_rate(info.fps)
        self._start = self._begin(info.epoch)
        self._device = checked_device(config)
        self.abort()
        self._sender = Sender("livelink", config.host, config.port, NOTE)
        self.result = f"{config.host}:{config.port} {config.subject}"

    def _begin(self, epoch: float) -> Fraction:
        """Return frame 0's time in seconds since midnight; 0 where frames count from the run."""
        if self._config.timecode == "run":
            return Fraction(0)
        if self._config.timecode == "ntp":
            epoch += offset(self._config.ntp_server)
        return time_of_day(epoch)

    def push(self, block: Block) -> None:
        """Send each row."""
        if self._sender is None:
            raise RuntimeError("livelink: push before open")
        frames = block.frames
        for frame, values in enumerate(frames.values, frames.start):
            self._sender.send(self._datagram(frame, values))

    def close(self) -> None:
        """Let the socket go."""
        self.abort()

    def abort(self) -> None:
        """Let the socket go: what was sent is sent."""
        if self._sender is not None:
            self._sender.close()
        self._sender = None

    def _datagram(self, frame: int, values: FloatArray) -> bytes:
        number, sub_frame = frame_time(frame, self._start, self._rate)
        return pack(
            Packet(
                self._device,
                self._config.subject,
                number,
                sub_frame,
                self._rate.numerator,
                self._rate.denominator,
                values * self._signs,
            )
        )


def _signs(flip: tuple[str, ...]) -> FloatArray:
    """Return (61,) factors: -1 for the channels to flip. ProfileError where one is no rotation."""
    for channel in flip:
        if channel not in ROTATIONS:
            known = ", ".join(c for c in Rig.named("arkit61").channels if c in ROTATIONS)
            hint = nearest(channel, ROTATIONS)
            raise ProfileError(
                f"livelink: flip has '{channel}', expected rotations{hint} (known: {known})"
            )
    channels = Rig.named("arkit61").channels
    return np.array([-1 if channel in flip else 1 for channel in channels], np.float32)


def checked_device(config: LiveLinkConfig) -> str:
    """Return the device id; InputError on names that Unreal would drop without a word."""
    _check_name("subject", config.subject)
    device = device_id(config.subject) if config.device is None else config.device
    _check_name("device", device)
    empty = Packet(device, config.subject, 0, 0.0, 60, 1, np.zeros(CHANNELS, np.float32))
    size = len(pack(empty))
    if size > MAX_PACKET:
        raise InputError(
            f"livelink: with this subject and device a packet has {size} bytes,"
            f" expected at most {MAX_PACKET}: use a shorter name"
        )
    return device


def _check_name(field: str, text: str) -> None:
    if not 0 < len(text) <= MAX_NAME:
        raise InputError(f"livelink: {field} has {len(text)} characters, expected 1 to {MAX_NAME}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"livelink: {field} {text!r} cannot be written as UTF-8") from error
