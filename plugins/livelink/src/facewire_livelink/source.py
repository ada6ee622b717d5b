"""The source ``livelink``: a face that comes from a phone, or from another Facewire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from facewire.rig import Rig
from facewire.stages import Source
from facewire.types import MAX_BLOCK_ROWS, FloatArray, Frames

from facewire_livelink.plugin import LiveLinkSourceConfig
from facewire_livelink.receive import Arrivals, Listener, rate_of
from facewire_livelink.wire import Packet

RIG = Rig.named("arkit61")
LOOK = "look at the app's address and port, and at the firewall"
JUMP = 2.0  # seconds of timecode that no loss explains: the sender was started anew


class LiveLinkSource(Source):
    """Brings one subject's frames at the rate of its timecode; lost ones are filled in evenly.

    It ends when it is closed, or ``silence`` seconds after the last packet where that is set.
    """

    live = True
    brings = "frames"

    def __init__(self, config: LiveLinkSourceConfig) -> None:
        self._config = config
        self._listener = Listener(config.host, config.port)
        self.port = self._listener.port
        self.arrivals: dict[str, Arrivals] = {}
        self._subject = config.subject
        self._fps = Fraction(60)
        self._index = 0
        self._origin: Fraction | None = None
        self._last: FloatArray | None = None

    def blocks(self) -> Iterator[Frames]:
        """Yield the frames as they come."""
        last: float | None = None
        waited = 0.0
        for found in self._listener.packets():
            if found is None:
                waited += 0.1
                if self._config.silence and last is not None and waited >= self._config.silence:
                    self.close()
                continue
            packet, now = found
            self.arrivals.setdefault(packet.subject, Arrivals()).note(packet, now)
            self._subject = self._subject or packet.subject
            if packet.subject != self._subject or packet.values is None:
                continue
            last, waited = now, 0.0
            yield from self._placed(packet, np.nan_to_num(packet.values, posinf=0, neginf=0))

    def _placed(self, packet: Packet, values: FloatArray) -> Iterator[Frames]:
        """Yield the packet's frame in its place, after those that were lost before it."""
        at = packet.frame + Fraction(packet.sub_frame if 0 <= packet.sub_frame < 1 else 0)
        if self._origin is None:
            self._fps, self._origin = rate_of(packet), at
        index = round(at - self._origin)
        if (
            self._last is not None
            and not -JUMP * self._fps < index - self._index < JUMP * self._fps
        ):
            self._origin = at - self._index  # goes on where it was
            index = self._index
        if index < self._index:
            return  # came too late
        missing = index - self._index
        before = values if self._last is None else self._last
        share = (np.arange(1, missing + 2) / (missing + 1)).astype(np.float32)[:, None]
        rows = before + (values - before) * share
        rows[-1] = values
        for i in range(0, len(rows), MAX_BLOCK_ROWS):
            piece = rows[i : i + MAX_BLOCK_ROWS]
            yield Frames(piece, RIG, self._fps, self._index)
            self._index += len(piece)
        self._last = values

    def close(self) -> None:
        """End soon."""
        self._listener.close()

    def lacking(self) -> str:
        """Return why it brought no frame, in a line."""
        if not self.arrivals:
            return f"livelink: nothing came in: {LOOK}"
        wanted = f"the subject '{self._subject}'" if self._subject else "anybody"
        return f"livelink: no face came of {wanted}; packets came from: {', '.join(self.arrivals)}"

    def report(self) -> Sequence[str]:
        """Say what came of whom."""
        lines = [f"livelink: {arrived.line(who)}" for who, arrived in self.arrivals.items()]
        if self._listener.broken:
            lines.append(f"livelink: {self._listener.broken} datagrams were no packets")
        return lines or ["livelink: nothing came in"]
