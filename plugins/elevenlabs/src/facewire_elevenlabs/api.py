"""The service's HTTP API: as much of it as the voice needs.

Endpoints and the shapes of their answers: ElevenLabs' API reference, "Stream speech with timing",
"Get voices" and "Get user subscription". A stream is JSON objects, one a line.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
from facewire.errors import PluginError
from facewire.voicing import Interrupted, VoiceEntry
from facewire.voicing.retry import check_answer, shown

from facewire_elevenlabs.plugin import KEY

WHO = "elevenlabs"
_CONNECT = 10.0  # seconds
_MAX_ERROR = 1 << 16  # bytes of an error's body that are read


def read_key() -> str:
    """Return the key. PluginError if there is none, or if it cannot go into a header."""
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise PluginError(f"elevenlabs: no key: set the environment variable {KEY}")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise PluginError(f"elevenlabs: {KEY} holds characters that no key has; copy it anew")
    return key


class _Authorization(httpx.Auth):
    """Adds the key to a request as it goes out, so that no client or header list shows it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        """Add the key."""
        request.headers["xi-api-key"] = self._key
        yield request


class Api:
    """A client of the service at ``url``. What fails raises as ``check_answer`` says."""

    def __init__(self, url: str, key: str, timeout: float) -> None:
        self._key = key
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            auth=_Authorization(key),
            timeout=httpx.Timeout(timeout, connect=min(_CONNECT, timeout)),
        )
        weakref.finalize(self, self._client.close)

    def speak(self, voice: str, body: dict[str, Any], rate: int) -> Iterator[dict[str, Any]]:
        """Yield a stream's objects as they come; Interrupted where it breaks off."""
        path = f"/v1/text-to-speech/{quote(voice, safe='')}/stream/with-timestamps"
        options = {"output_format": f"pcm_{rate}"}
        try:
            with self._client.stream("POST", path, params=options, json=body) as answer:
                self._check(answer)
                for line in _lines(answer.iter_bytes()):
                    yield self._object(line)
        except httpx.HTTPError as error:
            raise Interrupted(self._cause(error)) from None

    def voices(self) -> list[VoiceEntry]:
        """Return the account's voices."""
        listed = self._get("/v1/voices").get("voices") or []
        return [
            VoiceEntry(
                str(voice.get("voice_id")),
                str(voice.get("name")),
                ", ".join(str(value) for value in (voice.get("labels") or {}).values()),
            )
            for voice in listed
        ]

    def account(self) -> str:
        """Return how much of the account's quota is used, in words."""
        try:
            told = self._get("/v1/user/subscription")
        except Interrupted as error:
            raise PluginError(f"elevenlabs: {error}") from None
        used, most = told.get("character_count"), told.get("character_limit")
        return f"{used} of {most} credits used"

    def _get(self, path: str) -> dict[str, Any]:
        try:
            with self._client.stream("GET", path) as answer:
                self._check(answer)
                answer.read()
                return self._object(answer.content)
        except httpx.HTTPError as error:
            raise Interrupted(self._cause(error)) from None

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        body = b""
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > _MAX_ERROR:
                break
        after = answer.headers.get("retry-after")
        check_answer(WHO, KEY, answer.status_code, body, after, self._key)

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            found = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Interrupted("the service sent what is not JSON") from None
        if not isinstance(found, dict):
            raise Interrupted("the service sent what is no object")
        if "audio_base64" not in found and ("detail" in found or "error" in found):
            # An error in the middle of a stream: it began with 200.
            check_answer(WHO, KEY, 500, msgspec.json.encode(found), None, self._key)
        return found

    def _cause(self, error: httpx.HTTPError) -> str:
        what = "no byte came in time" if isinstance(error, httpx.TimeoutException) else str(error)
        return shown(f"the connection failed ({what or type(error).__name__})", self._key)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines that are not blank. Only a line feed ends one: JSON may hold U+2028 as it is."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from filter(bytes.strip, lines)
    if rest.strip():
        yield rest
