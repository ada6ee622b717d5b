"""Who may come in, and with how much: the first thing that a request or a WebSocket meets.

A page of another site can make a browser call a server on this machine. Against that: the Host
must be one of the server's own names (or an address, which DNS rebinding cannot have), an Origin
must be the server's own, and no answer may be read by other origins (no CORS headers, and
Cross-Origin-Resource-Policy of the Fetch standard).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facewire_server.limits import Buckets
from facewire_server.metrics import Metrics
from facewire_server.settings import Settings, is_address

COOKIE = "facewire_studio"
_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::[0-9]{1,5})?", re.ASCII)
PATIENCE = 30.0  # seconds between two pieces of a body
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
UNMETERED = frozenset({"/", "/health", "/metrics"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further."""

    status: int
    line: str
    reason: str
    headers: Mapping[str, str] | None = None


class Guard:
    """ASGI middleware that refuses what may not come in. ``pages`` are the studio's paths."""

    def __init__(
        self, app: ASGIApp, settings: Settings, metrics: Metrics, pages: frozenset[str]
    ) -> None:
        self._app, self._settings, self._metrics, self._pages = app, settings, metrics, pages
        self._buckets = Buckets(settings.rate, 10 * settings.rate)
        self._hosts = settings.hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on with limits around."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            self._metrics.refused.labels(refusal.reason).inc()
            response = JSONResponse({"error": refusal.line}, refusal.status, refusal.headers)
            await response(scope, receive, self._secured(scope, send))
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            try:
                await self._app(scope, self._limited(receive), self._secured(scope, send))
            except asyncio.CancelledError:  # the server ends and has waited long enough
                if not scope.get("facewire.begun"):
                    last = JSONResponse({"error": "the server ends"}, 503)
                    await last(scope, receive, self._secured(scope, send))

    # -- who -------------------------------------------------------------------------------------

    def _refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        return (
            self._wrong_host(headers)
            or self._foreign(scope, headers)
            or self._unknown(scope, headers)
            or self._too_often(scope)
            or self._too_big(headers)
        )

    def _wrong_host(self, headers: Headers) -> Refusal | None:
        host = headers.get("host", "")
        found = _HOST.fullmatch(host)
        name = (found[1] or found[2]).lower() if found else ""
        if name in self._hosts or is_address(name):
            return None
        line = f"host {host[:80]!r} is not this server's; start it with --name to be called so"
        return Refusal(421, line, "host")

    def _foreign(self, scope: Scope, headers: Headers) -> Refusal | None:
        origin = headers.get("origin")
        own = ("http://", "https://")
        if origin is not None and origin not in [f"{way}{headers['host']}" for way in own]:
            return Refusal(403, f"origin {origin[:80]!r} is not this server's", "origin")
        cross = headers.get("sec-fetch-site") == "cross-site"
        if cross and headers.get("sec-fetch-mode") != "navigate":
            return Refusal(403, "another site's page may not call this server", "origin")
        return None

    def _unknown(self, scope: Scope, headers: Headers) -> Refusal | None:
        token = self._settings.token
        if token is None or any(same(token, given) for given in self._given(scope, headers)):
            return None
        if self._is_page(scope) and same(cookie_of(token), _cookie(headers)):
            return None
        line = "a token is needed: send 'Authorization: Bearer …', or ?token=… for page and stream"
        return Refusal(401, line, "token", {"WWW-Authenticate": "Bearer"})

    def _is_page(self, scope: Scope) -> bool:
        return scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and (
            scope["path"] in self._pages
        )  # fmt: skip

    def _given(self, scope: Scope, headers: Headers) -> list[str]:
        kind, _, value = headers.get("authorization", "").partition(" ")
        given = [value.strip()] if kind.lower() == "bearer" else []
        if scope["type"] == "websocket" or self._is_page(scope):
            query = scope["query_string"].decode("latin-1")
            given += parse_qs(query, max_num_fields=100).get("token", []) if query else []
        return given

    # -- how much --------------------------------------------------------------------------------

    def _too_often(self, scope: Scope) -> Refusal | None:
        if scope["path"] in UNMETERED or scope["path"] in self._pages:
            return None
        client = scope["client"][0] if scope.get("client") else ""
        wait = self._buckets.take(client)
        if not wait:
            return None
        line = f"more than {self._settings.rate:g} requests a second; try again in {wait} s"
        return Refusal(429, line, "rate", {"Retry-After": str(wait)})

    def _too_big(self, headers: Headers) -> Refusal | None:
        stated = headers.get("content-length", "0")
        if not stated.isdecimal() or int(stated) <= self._settings.max_body:
            return None
        return Refusal(413, self._big(), "body", {"Connection": "close"})

    def _big(self) -> str:
        return f"the body is larger than {self._settings.max_body} bytes; send a shorter sound"

    def _limited(self, receive: Receive) -> Receive:
        """Return ``receive`` that counts the body and does not wait for ever."""
        taken, whole = 0, False

        async def limited() -> Message:
            nonlocal taken, whole
            if whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), PATIENCE)
            except TimeoutError:
                self._metrics.refused.labels("slow").inc()
                raise HTTPException(408, f"nothing came for {PATIENCE:g} s") from None
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > self._settings.max_body:
                self._metrics.refused.labels("body").inc()
                raise HTTPException(413, self._big())
            return message

        return limited

    def _secured(self, scope: Scope, send: Send) -> Send:
        """Return ``send`` that counts answers and puts headers on them."""

        async def secured(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                scope["facewire.begun"] = True
                path = getattr(scope.get("route"), "path", "other")
                self._metrics.requests.labels(path, message["status"]).inc()
                have = {name.lower() for name, _ in message.get("headers", ())}
                added = [pair for pair in SECURITY if pair[0] not in have]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        return secured


def same(one: str, other: str) -> bool:
    """Whether two secrets are one, in a time that tells nothing."""
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogateescape"))


def cookie_of(token: str) -> str:
    """Return what a browser shows to load the page's parts: it opens nothing else."""
    return hmac.new(token.encode(), b"facewire studio", hashlib.sha256).hexdigest()


def _cookie(headers: Headers) -> str:
    try:
        found: Any = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
