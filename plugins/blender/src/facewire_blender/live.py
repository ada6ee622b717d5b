"""The live sink: a packet a frame to the add-on, and the words and phones beside."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import Block, FloatArray, RunInfo
from facewire_osc.udp import UdpSink

from facewire_blender.plugin import BlenderConfig
from facewire_blender.wire import MAX_NAME, Packet, Timed, pack, pack_marks


class Live(UdpSink):
    """Sends each frame as the Live Link Face app would, timed from the run's begin.

    Marks go in datagrams of their own, in seconds of the same time.
    """

    name = "blender"
    rig = Rig.named("arkit61")

    def __init__(self, config: BlenderConfig) -> None:
        super().__init__(config)
        self._subject = config.subject
        self._device = str(uuid5(NAMESPACE_URL, f"facewire:blender:{config.subject}")).upper()

    def open(self, info: RunInfo) -> None:
        """Look the host up, once. InputError on a bad host, port or subject."""
        if not 0 < len(self._subject) <= MAX_NAME or not self._subject.isprintable():
            raise InputError(
                f"blender: subject has {len(self._subject)} characters, expected 1 to {MAX_NAME} "
                "that can be printed"
            )
        super().open(info)
        self.result = f"{self.result} {self._subject}"

    def push(self, block: Block) -> None:
        """Send the rows, and the marks that begin in them."""
        super().push(block)
        rate = block.audio.rate
        marks = [Timed(m.kind, m.text, m.start / rate, m.end / rate) for m in block.audio.marks]
        self._send(pack_marks(self._subject, marks))

    def datagrams(self, frame: int, values: FloatArray) -> Iterable[bytes]:
        """Return the frame's packet."""
        rate = self._fps
        told = tuple(np.nan_to_num(values, posinf=0.0, neginf=0.0).tolist())
        packet = Packet(
            self._device, self._subject, frame, 0.0, rate.numerator, rate.denominator, told
        )
        return (pack(packet),)
