"""What a server is told when it starts: where it listens, who may call, and how much."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from dataclasses import dataclass

from facewire.errors import FacewireError

MEGABYTE = 1 << 20
SHORTEST_TOKEN = 8
_TOKEN = re.compile(r"[!-~]([ -~]*[!-~])?")
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Checked settings of one server. FacewireError if it would be open to others unguarded."""

    host: str = "127.0.0.1"
    port: int = 8000
    profile: str = "default"
    """What is used where a client names none: a name, or a path of the server's owner."""
    token: str | None = None
    names: tuple[str, ...] = ()
    """Further names that the server is called by, in Host headers."""
    max_body: int = 64 * MEGABYTE
    """Bytes of a request."""
    max_seconds: float = 600.0
    """Seconds of sound of a request, given or spoken."""
    max_text: int = 10_000
    """Characters of a request, or of what waits in a stream."""
    max_sessions: int = 64
    """Streams at once."""
    max_jobs: int = 16
    """Clips that wait to be made."""
    rate: float = 20.0
    """Requests a second from one address, ten times as many in a burst."""
    idle: float = 900.0
    """Seconds that a stream may be silent before it is closed."""
    workers: int = max(1, os.cpu_count() or 1)
    """Threads that compute."""

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise FacewireError(
                f"the token has {len(self.token)} characters, expected {SHORTEST_TOKEN} or more"
            )
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise FacewireError(
                "the token has characters that a header cannot carry, expected ASCII letters, "
                "digits and marks, without blanks at its ends"
            )
        if self.token is None and not is_loopback(self.host):
            raise FacewireError(
                f"--host {self.host} lets other machines in, and that needs a token: "
                "set FACEWIRE_TOKEN (or --token), or leave --host out"
            )

    @property
    def hosts(self) -> frozenset[str]:
        """The names that a Host header may hold besides addresses."""
        own = {*LOCAL_NAMES, *self.names, self.host.lower()}
        return frozenset(own if is_loopback(self.host) else {*own, socket.gethostname().lower()})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that is bound to ``host``."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether a name is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
