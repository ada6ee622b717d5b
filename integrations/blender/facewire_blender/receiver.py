"""What comes in live by UDP, from Facewire or the Live Link Face app, and a record of it."""

from __future__ import annotations

import socket
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from . import wire
from .clip import Clip, Mark
from .errors import AddonError, cause

MOST = 512  # datagrams that are read at once; the window must not wait for a flood
SUBJECTS = 32
LONGEST = 3600.0  # seconds that a record may be
MARKS = 200_000
AWAY = 1.0  # seconds by which packet times may differ from the clock before it is a new run


@dataclass
class Subject:
    """One sender: its newest values, and how its packets come."""

    name: str
    values: tuple[float, ...] | None = None
    count: int = 0
    began: float = 0.0
    came: float = 0.0

    @property
    def per_second(self) -> float:
        """Packets a second since the first."""
        span = self.came - self.began
        return (self.count - 1) / span if span > 0 else 0.0


@dataclass
class Record:
    """Frames of one subject by the sender's own time, which has no jitter."""

    fps: Fraction = Fraction(60)
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("f"))
    marks: list[wire.Timed] = field(default_factory=list)
    _shift: float = 0.0
    _came: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.times[-1] - self.times[0] if self.times else 0.0

    def note(self, packet: wire.Packet, now: float) -> None:
        """Add a frame; a sender that starts anew goes on where the clock is."""
        if packet.values is None or self.seconds > LONGEST:
            return
        at = packet.seconds + self._shift
        if not self.times:
            self.fps = _rate(packet)
        elif abs((at - self.times[-1]) - (now - self._came)) > AWAY:
            self._shift += self.times[-1] + max(1e-3, now - self._came) - at
            at = packet.seconds + self._shift
        if self.times and at <= self.times[-1]:
            return  # late, or sent twice
        self.times.append(at)
        self.values.extend(packet.values)
        self._came = now

    def hear(self, marks: list[wire.Timed]) -> None:
        """Add marks, as many as a record of that length may have."""
        if len(self.marks) > MARKS:
            return
        self.marks += [
            m._replace(start=m.start + self._shift, end=m.end + self._shift) for m in marks
        ]

    def clip(self, name: str) -> Clip:
        """Return the record as a clip; rows that were lost lie between their neighbours."""
        if len(self.times) < 2:
            raise AddonError("nothing was recorded: no frames came in")
        size, first = len(wire.CHANNELS), self.times[0]
        count = round(self.seconds * self.fps) + 1
        columns = [array("f") for _ in wire.CHANNELS]
        for row in range(count):
            at = min(first + float(row / self.fps), self.times[-1])
            low = min(max(0, bisect_right(self.times, at) - 1), len(self.times) - 2)
            part = (at - self.times[low]) / (self.times[low + 1] - self.times[low])
            # packets' times are exact, but for what floating point makes of them
            part = 0.0 if part < 1e-4 else 1.0 if part > 1 - 1e-4 else part
            here = low * size
            for column in range(size):
                one = self.values[here + column]
                columns[column].append(one + part * (self.values[here + size + column] - one))
        marks = tuple(
            Mark(m.kind, m.text, m.start - first, m.end - first)
            for m in sorted(self.marks, key=lambda m: (m.start, m.end))
            if m.end > first and m.start < self.times[-1]
        )
        return Clip(name, self.fps, wire.CHANNELS, tuple(columns), marks)


def _rate(packet: wire.Packet) -> Fraction:
    if packet.numerator <= 0 or packet.denominator <= 0:
        return Fraction(60)
    rate = Fraction(packet.numerator, packet.denominator)
    return rate if 1 <= rate <= 1000 else Fraction(60)


class Receiver:
    """A port that is listened on, without ever waiting. AddonError where that cannot be."""

    def __init__(
        self, host: str, port: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.subjects: dict[str, Subject] = {}
        self.broken = 0
        self.record: Record | None = None
        self._recorded = ""
        self._clock = clock
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            why = cause(error) if isinstance(error, OSError) else "no port"
            raise AddonError(
                f"{host}:{port} cannot be listened on ({why}); close what uses the port, "
                "or choose another one here and at the sender"
            ) from None
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def drain(self) -> None:
        """Read what has come: the newest values of each subject, and all into the record."""
        for _ in range(MOST):
            try:
                data = self._socket.recv(wire.MAX_PACKET + 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # on Windows a sender's ICMP error comes out here
            try:
                self._take(data)
            except wire.WireError:
                self.broken += 1

    def _take(self, data: bytes) -> None:
        now = self._clock()
        if data.startswith(wire.MARKS):
            name, marks = wire.unpack_marks(data)
            if self.record is not None and name == self._recorded:
                self.record.hear(marks)
            return
        packet = wire.unpack(data)
        if packet.subject not in self.subjects and len(self.subjects) >= SUBJECTS:
            return
        subject = self.subjects.setdefault(packet.subject, Subject(packet.subject, began=now))
        subject.count, subject.came = subject.count + 1, now
        if packet.values is not None:
            subject.values = packet.values
        if self.record is not None and packet.subject == self._recorded:
            self.record.note(packet, now)

    def chosen(self, name: str) -> Subject | None:
        """Return a subject by name; the first that came where there is no name."""
        if name:
            return self.subjects.get(name)
        return next(iter(self.subjects.values()), None)

    def begin_record(self, subject: str) -> None:
        """Record a subject from now on."""
        self.record, self._recorded = Record(), subject

    def end_record(self) -> Record:
        """Stop recording; return what was."""
        record, self.record = self.record, None
        return record or Record()

    def close(self) -> None:
        """Let the port go."""
        self._socket.close()
