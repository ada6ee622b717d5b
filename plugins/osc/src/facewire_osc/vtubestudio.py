"""The sink that feeds VTube Studio's parameters.

A thread of its own connects, waits for the user's permission and sends, so that neither a slow app
nor a question on its screen holds frames up. It sends the newest frame there is.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from facewire.profile_files import config_folder
from facewire.rig import Rig
from facewire.stages import Sink
from facewire.types import Block, FloatArray, RunInfo
from facewire.udp import resolve
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from facewire_osc import tables
from facewire_osc.config import VTubeStudioConfig
from facewire_osc.pose import RIG, posed, signs
from facewire_osc.vts import Client, Ended, Refused, VtsError, read_token, write_token

_NAME = "osc.vtubestudio"
_EXPLANATION = "ARKit face channel sent by Facewire"
_CONNECTING = 3.0  # seconds that a connection may take to open
_READY = 2.0  # seconds that a run waits for it at its start, and for the last frame at its end
_ANSWERS = 256  # that may wait to be read: fewer than the parameters would block each other
_AGAIN = 0.5  # seconds that a new attempt may hold up the frames, which go nowhere anyway
_PING = 5.0  # seconds after which an app that does not answer counts as gone


class Link(threading.Thread):
    """One connection: opens it, asks for permission, creates parameters, and sends until it ends.

    ``failure`` is why it ended, if it did not end by ``finish``.
    """

    def __init__(self, url: str, names: Sequence[str], own: Sequence[str], token: Path | None):
        super().__init__(name="facewire vtubestudio", daemon=True)
        self._url, self._names, self._own, self._token = url, names, own, token
        self._change = threading.Condition()
        self._values: list[float] | None = None
        self._ending = False
        self.state: Literal["connecting", "asking", "ready", "ended"] = "connecting"
        self.failure: Exception | None = None

    def put(self, values: list[float]) -> None:
        """Hand over the newest frame; one that was not sent yet is forgotten."""
        with self._change:
            self._values = values
            self._change.notify_all()

    def wait_ready(self, seconds: float) -> None:
        """Return when it is ready or has failed, or when the time is over."""
        with self._change:
            self._change.wait_for(lambda: self.state in ("ready", "ended"), seconds)

    def finish(self, last: bool) -> None:
        """End, with the last frame if wanted."""
        with self._change:
            self._ending = True
            self._values = self._values if last else None
            self._change.notify_all()
        self.join(_READY)

    def run(self) -> None:
        """Do all of it; keep what went wrong."""
        try:
            with connect(
                self._url,
                compression=None,
                proxy=None,  # the app is on this machine or beside it
                open_timeout=_CONNECTING,
                close_timeout=1,
                ping_interval=_PING,
                ping_timeout=_PING,
                max_queue=_ANSWERS,
            ) as connection:
                client = Client(connection, lambda: self._ending)
                self._permit(client)
                client.create(self._own, _EXPLANATION)
                self._enter("ready")
                while (values := self._next()) is not None:
                    client.inject(self._names, values)
        except Ended:
            pass
        except (OSError, WebSocketException, VtsError) as error:
            self.failure = error
        self._enter("ended")

    def _permit(self, client: Client) -> None:
        known = read_token(self._token)
        token = client.authenticate(known, lambda: self._enter("asking"))
        if token != known and self._token is not None:
            write_token(self._token, token)

    def _enter(self, state: Literal["asking", "ready", "ended"]) -> None:
        with self._change:
            self.state = state
            self._change.notify_all()

    def _next(self) -> list[float] | None:
        """Return the next frame to send, or None at the end."""
        with self._change:
            self._change.wait_for(lambda: self._ending or self._values is not None)
            values, self._values = self._values, None
            return values


class VTubeStudio(Sink):
    """Sets VTube Studio's own parameters, and ARKit's channels as parameters that it adds.

    What fails leaves ``push`` as OSError: the session counts it, and tries again every second.
    """

    live = True
    rig = Rig.named("arkit61")

    def __init__(self, config: VTubeStudioConfig) -> None:
        self._config = config
        self.latency = config.offset
        self._signs = signs(_NAME, config.flip)
        self._table = tables.vtubestudio(RIG.channels)
        self._channels = _added(self._table.names) if config.arkit else ()
        self._columns = RIG.indices(*self._channels)
        self._own = tuple(channel[0].upper() + channel[1:] for channel in self._channels)
        self.names = (*self._table.names, *self._own)
        self._url = ""
        self._link: Link | None = None
        self._told = False  # that the link has failed: time for another

    def open(self, info: RunInfo) -> None:
        """Begin to connect. InputError on a bad host or port; an app that is not there is none."""
        host, port = self._config.host, self._config.port
        family, address = resolve(_NAME, host, port, kind=socket.SOCK_STREAM)
        shown = f"[{address[0]}]" if family == socket.AF_INET6 else address[0]
        self._url, self.result = f"ws://{shown}:{port}", f"{host}:{port}"
        self.abort()
        self._told = False
        self._link = self._connect(_READY)

    def push(self, block: Block) -> None:
        """Hand over the newest row. OSError where there is no connection yet, or none any more."""
        if self._link is None:
            raise RuntimeError(f"{_NAME}: push before open")
        if not len(block.frames):
            return
        if self._told and not isinstance(self._link.failure, Refused):  # who was refused asks once
            self._link = self._connect(_AGAIN)
        self._link.put(self.values(block.frames.values[-1]))
        self._told = self._link.failure is not None
        if self._link.failure is not None:
            why = _line(self._link.failure)
            raise OSError(f"no connection to VTube Studio at {self._url}: {why}")
        if self._link.state == "asking":
            raise OSError(
                f"VTube Studio asks whether Facewire may send; allow it there ({self._url})"
            )

    def values(self, row: FloatArray) -> list[float]:
        """Return the values of ``names`` for a row (61,)."""
        turned = posed(row, self._signs)
        parameters: list[float] = self._table.apply(turned).tolist()
        return [round(value, 5) for value in (*parameters, *turned[self._columns].tolist())]

    def close(self) -> None:
        """Send the last frame and let the connection go."""
        self._end(last=True)

    def abort(self) -> None:
        """Let the connection go."""
        self._end(last=False)

    def _end(self, last: bool) -> None:
        if self._link is not None:
            self._link.finish(last)
        self._link = None

    def _connect(self, patience: float) -> Link:
        """Return a new connection: ready, failed, or on its way for longer than ``patience``."""
        link = Link(self._url, self.names, self._own, _token_file(self._config))
        link.start()
        link.wait_ready(patience)
        return link


def _added(defaults: Sequence[str]) -> tuple[str, ...]:
    """Return the channels whose names are not VTube Studio's own (CheekPuff, TongueOut)."""
    taken = {name.lower() for name in defaults}
    return tuple(channel for channel in tables.CHANNELS if channel.lower() not in taken)


def _token_file(config: VTubeStudioConfig) -> Path | None:
    if config.token is not None:
        return Path(config.token)
    folder = config_folder()
    return folder / "vtubestudio.token" if folder else None


def _line(error: Exception) -> str:
    """Return an error in one line; what a user can do, where that is known."""
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; start it and allow plugin API access in its settings"
    return " ".join(str(error).split()) or type(error).__name__
