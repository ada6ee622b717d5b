"""The sink ``audio.rtp``: the session's sound over the network, with the frames' own times."""

from __future__ import annotations

import socket
from pathlib import Path

from facewire.atomic import AtomicFile, told
from facewire.errors import InputError
from facewire.stages import Sink
from facewire.types import Block, RunInfo
from facewire.udp import Sender

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

    live = faceless = True

    def __init__(self, config: RtpConfig, source: int, sdp: Path | None = None) -> None:
        self._config, self.path = config, sdp
        self.latency = config.offset
        self._source = source
        self._senders: tuple[Sender, Sender] | None = None  # of sound, and of reports
        self._rate, self._epoch = 48000, 0.0
        self._sequence = self._octets = 0
        self._expected = self._report_at = -1

    def open(self, info: RunInfo) -> None:
        """Look the host up, and write the SDP file. InputError on a bad host, port or payload."""
        config = self._config
        if not 96 <= config.payload <= 127:
            raise InputError(f"audio.rtp: payload is {config.payload}, expected 96 to 127")
        if not 1 <= config.port <= 65534:
            raise InputError(f"audio.rtp: port is {config.port}, expected 1 to 65534")
        self._rate, self._epoch = info.rate, info.epoch
        self.abort()
        sound = Sender("audio.rtp", config.host, config.port)
        self._senders = sound, Sender("audio.rtp", config.host, config.port + 1)
        self.result = f"{config.host}:{config.port}, L16 at {info.rate} Hz"
        if self.path is not None:
            ipv6 = sound.family == socket.AF_INET6
            text = session_description(
                sound.address[0], config.port, config.payload, self._rate, ipv6
            )
            _write(self.path, text)
            self.result = f"{self.result}, {self.path}"

    def push(self, block: Block) -> None:
        """Send the block's sound."""
        if self._senders is None:
            raise RuntimeError("audio.rtp: push before open")
        audio, (sound, reports) = block.audio, self._senders
        if not len(audio):
            return
        if self._report_at < 0 or audio.start >= self._report_at:
            self._report_at = audio.start + int(EVERY * self._rate)
            reports.send(self._report(audio.start))
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
            sound.send(data)

    def _report(self, sample: int) -> bytes:
        at = self._epoch + sample / self._rate
        return pack_report(self._source, at, sample, self._sequence, self._octets)

    def close(self) -> None:
        """Let the socket go."""
        self.abort()

    def abort(self) -> None:
        """Let the socket go: what was sent is sent."""
        for sender in self._senders or ():
            sender.close()
        self._senders = None


def _write(path: Path, text: str) -> None:
    with told(path):
        file = AtomicFile(path)
        file.write(text.encode())
        file.commit()
