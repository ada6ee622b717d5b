"""What the sinks over UDP share: an address, a socket that never waits, whole frames."""

from __future__ import annotations

import socket
from abc import abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Protocol

from facewire.rig import Rig
from facewire.stages import Sink
from facewire.types import Block, FloatArray, RunInfo
from facewire.udp import resolve


class Target(Protocol):
    """The part of a config that says where to."""

    @property
    def host(self) -> str:
        """A name or an address."""

    @property
    def port(self) -> int:
        """1 to 65535."""

    @property
    def offset(self) -> float:
        """Seconds that frames go out later than due."""


class UdpSink(Sink):
    """Sends every frame whole; nothing listening is no error.

    Errors of the network leave ``push`` as OSError: the session counts them and tries again.
    """

    live = True
    rig: Rig | None = Rig.named("arkit61")
    name: str
    """The component's, for error texts."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.latency = target.offset
        self._socket: socket.socket | None = None
        self._address: Any = None
        self._fps = Fraction(60)

    def open(self, info: RunInfo) -> None:
        """Look the host up, once. InputError on a bad host, port or name."""
        host, port = self._target.host, self._target.port
        self._fps = info.fps
        family, self._address = resolve(self.name, host, port)
        self.abort()
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.setblocking(False)  # a full buffer is an error to count, not a late frame
        self.result = f"{host}:{port}"

    def push(self, block: Block) -> None:
        """Send each row."""
        for frame, values in enumerate(block.frames.values, block.frames.start):
            self._send(self.datagrams(frame, values))

    @abstractmethod
    def datagrams(self, frame: int, values: FloatArray) -> Iterable[bytes]:
        """Return what is sent for frame ``frame``; ``values`` (channels,) are its row."""

    def farewell(self) -> Iterable[bytes]:
        """Return what is sent after the last frame."""
        return ()

    def close(self) -> None:
        """Say farewell and let the socket go."""
        try:
            self._send(self.farewell())
        except OSError:
            pass  # the run is over, and a receiver that is gone needs no farewell
        finally:
            self.abort()

    def abort(self) -> None:
        """Let the socket go: what was sent is sent."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _send(self, datagrams: Iterable[bytes]) -> None:
        if self._socket is None:
            raise RuntimeError(f"{self.name}: push or close before open")
        for datagram in datagrams:
            self._socket.sendto(datagram, self._address)
