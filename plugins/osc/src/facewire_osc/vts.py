"""VTube Studio's plugin API: JSON messages over a WebSocket, each request with an answer.

Requests, answers and error numbers are those of VTube Studio's public API, version 1.0.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from websockets.sync.connection import Connection

PLUGIN = {"pluginName": "Facewire", "pluginDeveloper": "Facewire"}
"""Who asks for permission: the token is worth nothing under other names."""
LIMIT = 1_000_000.0
"""The largest value that is taken, and the least is minus that."""
_OFF, _REFUSED, _ASKING = 1, 50, 51
_NAME_TAKEN = (352, 354)  # another plugin or the app itself has the parameter: it can be fed
_POLL = 0.2  # seconds between looks whether the run has ended, while the user decides
_ANSWER = 5.0  # seconds that an answer may take; the app gives it within a frame
_DECISION = 300.0  # seconds that the user has to allow the plugin


class VtsError(Exception):
    """The app answered with an error; ``number`` is the API's."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number


class Refused(VtsError):
    """The user said no: asking again would only open the same question again."""


class Ended(Exception):
    """The run ended while an answer was awaited."""


def request(kind: str, number: str, data: Mapping[str, Any] | None = None) -> str:
    """Return a request as JSON; the answer will carry ``number`` (at most 64 characters)."""
    head = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0"}
    whole = {**head, "requestID": number, "messageType": kind, "data": dict(data or {})}
    return json.dumps(whole, allow_nan=False, separators=(",", ":"))


def injection(names: Sequence[str], values: Iterable[float]) -> dict[str, Any]:
    """Return what an InjectParameterDataRequest holds; values are held within the API's limits."""
    pairs = zip(names, values, strict=True)
    return {
        "faceFound": True,
        "mode": "set",
        "parameterValues": [
            {"id": name, "value": min(max(value, -LIMIT), LIMIT)} for name, value in pairs
        ],
    }


class Client:
    """Asks on an open connection. ``ended()`` is looked at while the user is asked."""

    def __init__(self, connection: Connection, ended: Callable[[], bool]) -> None:
        self._connection, self._ended = connection, ended
        self._count = 0

    def ask(
        self, kind: str, data: Mapping[str, Any] | None = None, patience: float = _ANSWER
    ) -> dict[str, Any]:
        """Return the data of the answer. VtsError, TimeoutError, or Ended where there is none."""
        return self._answer(self._send(kind, data), patience)

    def authenticate(self, token: str | None, asking: Callable[[], None]) -> str:
        """Return the token that was accepted: the one given, or a new one that the user allowed.

        ``asking`` is called before the app asks the user. Refused where the user says no.
        """
        if token is not None and self._accepted(token):
            return token
        asking()
        answer = self.ask("AuthenticationTokenRequest", PLUGIN, _DECISION)
        fresh = str(answer.get("authenticationToken"))
        if not self._accepted(fresh):
            raise VtsError(8, "the app gave a token and did not accept it")
        return fresh

    def _accepted(self, token: str) -> bool:
        answer = self.ask("AuthenticationRequest", {**PLUGIN, "authenticationToken": token})
        return answer.get("authenticated") is True

    def create(self, names: Sequence[str], explanation: str) -> None:
        """Add parameters of the range 0 to 1; those that are there already are left alone."""
        numbers = [
            self._send(
                "ParameterCreationRequest",
                {
                    "parameterName": name,
                    "explanation": explanation,
                    "min": 0,
                    "max": 1,
                    "defaultValue": 0,
                },
            )
            for name in names
        ]
        for number in numbers:
            try:
                self._answer(number, _ANSWER)
            except VtsError as error:
                if error.number not in _NAME_TAKEN:
                    raise

    def inject(self, names: Sequence[str], values: Iterable[float]) -> None:
        """Set parameters; wait for no answer, but read those that have come. VtsError for a bad."""
        self._send("InjectParameterDataRequest", injection(names, values))
        while True:
            try:
                _data(_parsed(self._connection.recv(timeout=0)))
            except TimeoutError:
                return

    def _send(self, kind: str, data: Mapping[str, Any] | None) -> str:
        self._count += 1
        self._connection.send(request(kind, str(self._count), data))
        return str(self._count)

    def _answer(self, number: str, patience: float) -> dict[str, Any]:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self._ended():
                raise Ended
            try:
                answer = _parsed(self._connection.recv(timeout=_POLL))
            except TimeoutError:
                continue
            if answer.get("requestID") == number:
                return _data(answer)
        raise TimeoutError(f"no answer within {patience:g} s")


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise VtsError(2, "the answer is no JSON: is this VTube Studio?") from error
    if not isinstance(answer, dict):
        raise VtsError(2, "the answer is no JSON object: is this VTube Studio?")
    return answer


def _data(answer: dict[str, Any]) -> dict[str, Any]:
    data = answer.get("data")
    data = data if isinstance(data, dict) else {}
    if answer.get("messageType") == "APIError":
        number, text = data.get("errorID"), " ".join(str(data.get("message", "")).split())
        number = number if isinstance(number, int) else 0
        raise _error(number, f"the app says: {text} (error {number})")
    return data


def _error(number: int, text: str) -> VtsError:
    """Return the error of a number, with what to do about it where that is known."""
    if number == _REFUSED:  # of the question, or of anything once permission was taken back
        return Refused(number, "permission was refused in the app; start again to be asked again")
    if number == _OFF:
        return VtsError(number, "plugins are switched off in the app; allow plugin API access")
    if number == _ASKING:
        return VtsError(number, "the app is still asking whether Facewire may; allow it there")
    return VtsError(number, text)


def read_token(path: Path | None) -> str | None:
    """Return the token that a file keeps, if it does."""
    try:
        text = path.read_text("utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError):
        return None
    return text if 0 < len(text) <= 64 and text.isascii() else None


def write_token(path: Path, token: str) -> None:
    """Keep a token in a file that only the user can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes it readable by its owner alone
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(token + "\n")
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
