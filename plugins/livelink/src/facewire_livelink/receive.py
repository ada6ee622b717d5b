"""Receives what the Live Link Face app sends: subjects, their rate, jitter and loss."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from facewire.errors import InputError

from facewire_livelink.wire import MAX_PACKET, Packet, unpack

WAIT = 0.1  # seconds that are waited for a packet at a time
RECENT = 600  # packets whose spacing is kept for the jitter


class Listener:
    """A socket that phones send to. InputError where its port cannot be listened on."""

    def __init__(self, host: str = "0.0.0.0", port: int = 11111) -> None:
        if not 0 <= port <= 65535:
            raise InputError(f"livelink: port is {port}, expected 0 to 65535")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise InputError(
                f"livelink: {host}:{port} cannot be listened on ({error.strerror or error});"
                " close what uses the port (Unreal does), or take another one"
            ) from error
        self.port: int = self._socket.getsockname()[1]
        self._socket.settimeout(WAIT)
        self._closed = False
        self.broken = 0  # datagrams that are no packets

    def packets(self) -> Iterator[tuple[Packet, float] | None]:
        """Yield each packet and when it came (monotonic seconds), None where none comes."""
        try:
            while not self._closed:
                try:
                    data = self._socket.recv(MAX_PACKET + 1)
                except (TimeoutError, ConnectionResetError):
                    yield None
                    continue
                try:
                    yield unpack(data), time.perf_counter()
                except InputError:
                    self.broken += 1
        finally:
            self._socket.close()

    def close(self) -> None:
        """End soon."""
        self._closed = True


def rate_of(packet: Packet) -> Fraction:
    """Return the packets' frames a second; 60 where a packet says nonsense."""
    if packet.denominator <= 0 or packet.numerator <= 0:
        return Fraction(60)
    rate = Fraction(packet.numerator, packet.denominator)
    return rate if 1 <= rate <= 1000 else Fraction(60)


@dataclass
class Arrivals:
    """How one subject's packets come in."""

    rate: Fraction = Fraction(60)
    count: int = 0
    lost: int = 0
    faceless: int = 0
    backwards: int = 0
    first: float = 0.0
    last: float = 0.0
    _frame: int = 0
    _step: int = 0
    _gaps: list[float] = field(default_factory=list)

    def note(self, packet: Packet, now: float) -> None:
        """Count a packet."""
        self.rate = rate_of(packet)
        self.faceless += packet.values is None
        if self.count:
            self._gaps.append(now - self.last)
            del self._gaps[:-RECENT]
            late = self._follow(packet.frame - self._frame)
            self._frame = self._frame if late else packet.frame
        else:
            self.first, self._frame = now, packet.frame
        self.last, self.count = now, self.count + 1

    def _follow(self, step: int) -> bool:
        """Return whether a packet is late; tell a lost one from a slow sender.

        A slow sender's usual step is two or more (30 frames a second of 60).
        """
        if step <= 0:
            self.backwards += 1
            late = step > -2 * self.rate  # else the sender was started anew
            self.lost = max(0, self.lost - late)
            return late
        elif not self._step or step < self._step:
            self._step = step
        elif step < 10 * self._step:
            self.lost += round(step / self._step) - 1
        return False

    @property
    def per_second(self) -> float:
        """Packets a second."""
        span = self.last - self.first
        return (self.count - 1) / span if span > 0 else 0.0

    @property
    def jitter(self) -> float:
        """Seconds by which 95 % of the gaps between packets are off the median at most."""
        gaps = sorted(self._gaps)
        if not gaps:
            return 0.0
        off = sorted(abs(gap - gaps[len(gaps) // 2]) for gap in gaps)
        return off[int(0.95 * (len(off) - 1))]

    def line(self, subject: str) -> str:
        """Return what came, in a line."""
        share = 100 * self.lost / max(1, self.lost + self.count)
        extra = f", {self.faceless} without a face" if self.faceless else ""
        extra += f", {self.backwards} out of order" if self.backwards else ""
        return (
            f"{subject}: {self.count} packets, {self.per_second:.1f} a second "
            f"(timecode at {float(self.rate):g}), jitter {1000 * self.jitter:.1f} ms, "
            f"{self.lost} lost ({share:.1f} %){extra}"
        )
