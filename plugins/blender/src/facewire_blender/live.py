"""The live sink: a packet a frame to the add-on, and the words and phones beside."""

from __future__ import annotations

from fractions import Fraction
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.stages import Sink
from facewire.types import Block, FloatArray, RunInfo
from facewire.udp import Sender

from facewire_blender.plugin import BlenderConfig
from facewire_blender.wire import MAX_NAME, Packet, Timed, pack, pack_marks


class Live(Sink):
    """Sends each frame as the Live Link Face app would, timed from the run's begin.

    Marks go in datagrams of their own, in seconds of the same time. Errors of the network leave
    ``push`` as OSError: the session counts them and tries again.
    """

    live = True
    rig = Rig.named("arkit61")

    def __init__(self, config: BlenderConfig) -> None:
        self._config = config
        self.latency = config.offset
        self._device = str(uuid5(NAMESPACE_URL, f"facewire:blender:{config.subject}")).upper()
        self._rate = Fraction(60)
        self._sender: Sender | None = None

    def open(self, info: RunInfo) -> None:
        """Look the host up, once. InputError on a bad host, port or subject."""
        host, port, subject = self._config.host, self._config.port, self._config.subject
        if not 0 < len(subject) <= MAX_NAME or not subject.isprintable():
            raise InputError(
                f"blender: subject has {len(subject)} characters, expected 1 to {MAX_NAME} "
                "that can be printed"
            )
        self._rate = info.fps
        self.abort()
        self._sender = Sender("blender", host, port)
        self.result = f"{host}:{port} {subject}"

    def push(self, block: Block) -> None:
        """Send the rows, and the marks that begin in them."""
        if self._sender is None:
            raise RuntimeError("blender: push before open")
        for frame, values in enumerate(block.frames.values, block.frames.start):
            self._sender.send(self._datagram(frame, values))
        rate = block.audio.rate
        marks = [Timed(m.kind, m.text, m.start / rate, m.end / rate) for m in block.audio.marks]
        for datagram in pack_marks(self._config.subject, marks):
            self._sender.send(datagram)

    def close(self) -> None:
        """Let the socket go."""
        self.abort()

    def abort(self) -> None:
        """Let the socket go: what was sent is sent."""
        if self._sender is not None:
            self._sender.close()
        self._sender = None

    def _datagram(self, frame: int, values: FloatArray) -> bytes:
        subject, rate = self._config.subject, self._rate
        told = tuple(np.nan_to_num(values, posinf=0.0, neginf=0.0).tolist())
        return pack(
            Packet(self._device, subject, frame, 0.0, rate.numerator, rate.denominator, told)
        )
