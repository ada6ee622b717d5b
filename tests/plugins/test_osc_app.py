"""A server that speaks VTube Studio's messages."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

DEFAULTS = ("MouthOpen", "MouthSmile", "FaceAngleX", "CheekPuff", "TongueOut")


class App:
    """What VTube Studio does with these messages, by its API's documentation.

    ``allow`` is what the user answers: yes, no, or None: not yet.
    """

    def __init__(self) -> None:
        self.allow: bool | None = True
        self.on = True
        self.tokens: set[str] = set()
        self.asked = 0
        self.created: list[str] = []
        self.others: set[str] = set()
        self.injected: list[dict[str, Any]] = []
        self.connections: list[ServerConnection] = []
        self.port = 0
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen, on the same port again after a stop."""
        # a client that goes away in the middle is logged as an error: here it is meant
        quiet = logging.getLogger("facewire.tests.silent")
        quiet.disabled = True
        self._server = serve(self._serve, "127.0.0.1", self.port, logger=quiet)
        self.port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and the port, as an app that is closed does."""
        assert self._server is not None and self._thread is not None
        for connection in self.connections:
            connection.close()
        self.connections.clear()
        self._server.shutdown()
        self._thread.join()

    def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        allowed = False
        try:
            for text in connection:
                request = json.loads(text)
                assert request["apiName"] == "VTubeStudioPublicAPI"
                assert request["apiVersion"] == "1.0"
                assert 1 <= len(request["requestID"]) <= 64
                kind, data = self._answer(request["messageType"], request["data"], allowed)
                allowed = allowed or data.get("authenticated", False)
                answer = {"requestID": request["requestID"], "messageType": kind, "data": data}
                connection.send(self.say({"timestamp": 1, **answer}))
        except ConnectionClosed:
            pass

    def say(self, answer: dict[str, Any]) -> str:
        return json.dumps(answer)

    def _answer(self, kind: str, data: dict[str, Any], allowed: bool) -> tuple[str, dict[str, Any]]:
        if kind == "APIStateRequest":
            return "APIStateResponse", {"active": self.on, "vTubeStudioVersion": "1.28.0"}
        if not self.on:
            return error(1, "API access deactivated.")
        if kind == "AuthenticationTokenRequest":
            return self._ask(data)
        if kind == "AuthenticationRequest":
            known = data["authenticationToken"] in self.tokens
            return "AuthenticationResponse", {"authenticated": known, "reason": "-"}
        if not allowed:
            return error(8, "This request requires authentication.")
        if kind == "ParameterCreationRequest":
            return self._create(data)
        assert kind == "InjectParameterDataRequest"
        return self._inject(data)

    def _ask(self, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        assert all(3 <= len(data[name]) <= 32 for name in ("pluginName", "pluginDeveloper"))
        self.asked += 1
        until = time.monotonic() + 5
        while self.allow is None and time.monotonic() < until:
            time.sleep(0.01)
        if not self.allow:
            return error(50, "User has denied API access for your plugin.")
        self.tokens.add(f"token-{self.asked}")
        return "AuthenticationTokenResponse", {"authenticationToken": f"token-{self.asked}"}

    def _create(self, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        name = data["parameterName"]
        assert name.isalnum() and name.isascii() and 4 <= len(name) <= 32
        if name in DEFAULTS:
            return error(354, "Default parameter names are not allowed.")
        if name in self.others:
            return error(352, "Already created by another plugin.")
        self.created.append(name)
        return "ParameterCreationResponse", {"parameterName": name}

    def _inject(self, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        assert data["mode"] == "set" and data["faceFound"] is True
        values = {row["id"]: row["value"] for row in data["parameterValues"]}
        assert all(abs(value) <= 1_000_000 for value in values.values())
        self.injected.append(values)
        return "InjectParameterDataResponse", {}


def error(number: int, text: str) -> tuple[str, dict[str, Any]]:
    return "APIError", {"errorID": number, "message": text}
