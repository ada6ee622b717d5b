"""The sink ``audio.rtp``: the session's sound over the network, with the frames' own times."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from facewire.atomic import AtomicFile, told
from facewire.errors import InputError
from facewire.stages import Sink
from facewire.types import Block, RunInfo

from facewire_audio.plugin import RtpConfig
from facewire_audio.rtp_wire import RtpPacket, pack, pack_report, session_description

MOST = 640  # samples in a packet: 1,292 bytes, which no network on the way cuts
EVERY = 2.0  # seconds of sound between reports of the clock; the first goes out at once


class Rtp(Sink):
    """Sends each frame's sound when the frame goes out, RTP timestamp = the sample's number.

    Reports (RTCP) tie the numbers to the wall clock, as the timecodes of frames are: a player that
    reads both lines sound and face up. ``source`` is the sender's number (RTP's SSRC, 32 bits).
    Nothing listening is no error.
    """

    live = True

    def __init__(self, config: RtpConfig, source: int, sdp: Path | None = None) -> None:
        self._config, self.path = config, sdp
        self.latency = config.offset
        self._source = source
        self._socket: socket.socket | None = None
        self._address: Any = None
        self._reports_to: Any = None
        self._rate, self._epoch = 48000, 0.0
        self._sequence = self._octets = 0
        self._expected = self._report_at = -1

    def open(self, info: RunInfo) -> None:
        """Look the host up, and write the SDP file. InputError on a bad host, port or payload."""
        config = self._config
        if not 96 <= config.payload <= 127:
            raise InputError(f"audio.rtp: payload is {config.payload}, expected 96 to 127")
        family, self._address = _resolved(config.host, config.port)
        _, self._reports_to = _resolved(config.host, config.port + 1)
        self._rate, self._epoch = info.rate, info.epoch
        self.abort()
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.setblocking(False)  # a full buffer is an error to count, not a late frame
        self.result = f"{config.host}:{config.port}, L16 at {info.rate} Hz"
        if self.path is not None:
            ipv6 = family == socket.AF_INET6
            text = session_description(
                self._address[0], config.port, config.payload, self._rate, ipv6
            )
            _write(self.path, text)
            self.result = f"{self.result}, {self.path}"

    def push(self, block: Block) -> None:
        """Send the block's sound."""
        if self._socket is None:
            raise RuntimeError("audio.rtp: push before open")
        audio = block.audio
        if not len(audio):
            return
        if self._report_at < 0 or audio.start >= self._report_at:
            self._report_at = audio.start + int(EVERY * self._rate)
            self._report(audio.start)
        for at in range(0, len(audio), MOST):
            samples, start = audio.samples[at : at + MOST], audio.start + at
            data = pack(
                RtpPacket(
                    self._config.payload,
                    self._sequence,
                    start,
                    self._source,
                    samples,
                    marker=start != self._expected,
                )
            )
            self._expected = start + len(samples)
            self._sequence += 1
            self._octets += 2 * len(samples)
            self._socket.sendto(data, self._address)

    def _report(self, sample: int) -> None:
        at = self._epoch + sample / self._rate
        data = pack_report(self._source, at, sample, self._sequence, self._octets)
        assert self._socket is not None
        self._socket.sendto(data, self._reports_to)

    def close(self) -> None:
        """Let the socket go."""
        self.abort()

    def abort(self) -> None:
        """Let the socket go: what was sent is sent."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    if not 1 <= port <= 65535:
        raise InputError(f"audio.rtp: port is {port}, expected 1 to 65534")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, ValueError) as error:  # ValueError: no host name could be written so
        raise InputError(
            f"audio.rtp: host '{host}' cannot be found ({error});"
            " expected a name or an address such as 127.0.0.1"
        ) from error
    # players listen on IPv4, and "localhost" is often IPv6 first
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address


def _write(path: Path, text: str) -> None:
    with told(path):
        file = AtomicFile(path)
        file.write(text.encode())
        file.commit()
