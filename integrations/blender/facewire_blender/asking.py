"""Ask a running ``facewire serve``: one JSON request, its answer or one line why there is none."""

from __future__ import annotations

import http.client
import json
import os
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from .errors import AddonError

SERVER = "http://127.0.0.1:8000"
TOKEN = "FACEWIRE_TOKEN"
_LARGEST = 64 << 20  # bytes of an answer
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def ask(server: str, route: str, body: Any, token: str = "", timeout: float = 30.0) -> Any:
    """Post ``body`` as JSON and return the JSON that comes back; AddonError if it does not.

    ``timeout`` seconds may pass without a byte. A proxy is never asked about this machine.
    """
    parts = urllib.parse.urlsplit(server.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddonError(f"server: found '{server}', expected an address such as {SERVER}")
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.strip().rstrip("/") + route, data, headers)
    proxies = urllib.request.ProxyHandler({} if is_here(server) else None)
    try:
        with urllib.request.build_opener(proxies).open(request, timeout=timeout) as answer:
            return json.loads(answer.read(_LARGEST))
    except urllib.error.HTTPError as error:
        raise AddonError(f"{server}: {_line(error)}") from None
    except TimeoutError:
        raise AddonError(_late(server, timeout)) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise AddonError(_late(server, timeout)) from None
        raise AddonError(
            f"no Facewire answers at {server} ({_reason(error.reason)}): "
            "start it with 'facewire serve', or change the server's address"
        ) from None
    except (ValueError, RecursionError):
        raise AddonError(f"what answers at {server} is no Facewire: change the address") from None
    except (OSError, http.client.HTTPException) as error:
        raise AddonError(f"{server}: the answer broke off ({_reason(error)}); try again") from None


def is_here(server: str) -> bool:
    """Return whether an address is this machine's."""
    return urllib.parse.urlsplit(server.strip()).hostname in _LOOPBACK


def token_for(server: str, given: str = "") -> str:
    """Return the token to send: the one ``given``; the environment's to this machine alone."""
    return given or (os.environ.get(TOKEN, "") if is_here(server) else "")


def check_allowed(server: str, online: bool) -> None:
    """Raise AddonError where Blender is told to stay offline and a server is not this machine."""
    if not online and not is_here(server):
        raise AddonError(
            f"{server} is another machine, and Blender is offline: allow online access in "
            "Preferences > System, or use a server on this machine"
        )


def _reason(error: Any) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def _late(server: str, timeout: float) -> str:
    return f"{server} has not answered for {timeout:g} s: see whether it is busy, and try again"


def _line(error: urllib.error.HTTPError) -> str:
    """Return what a server says of a request that it refuses."""
    try:
        told = json.loads(error.read(65536))["error"]
    except (ValueError, KeyError, TypeError, OSError):
        told = None
    if isinstance(told, str):
        return told
    return f"it answers {error.code} {error.reason}; expected a Facewire of this add-on's version"


class Question(threading.Thread):
    """A question that is asked beside Blender's own work.

    When ``is_alive`` says no, ``result`` gives the answer or raises why there is none.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(daemon=True)
        self._arguments = arguments
        self._answer: Any = None
        self._error: AddonError | None = None

    def run(self) -> None:
        """Ask, in the thread."""
        try:
            self._answer = ask(*self._arguments)
        except AddonError as error:
            self._error = error

    def result(self) -> Any:
        """Return the answer; AddonError if there is none."""
        if self._error is not None:
            raise self._error
        return self._answer
