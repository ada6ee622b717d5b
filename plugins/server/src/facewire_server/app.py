"""The application: its parts, its routes, and how errors are answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facewire.assemble import assemble, shared
from facewire.emotion import EmotionCurve
from facewire.errors import FacewireError, StageError
from facewire.registry import Registry
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response

from facewire_server import __version__, clips_routes, lists_routes, stream
from facewire_server.answers import NotAcceptable
from facewire_server.clips import Busy, Clips, Stopped
from facewire_server.guard import Guard
from facewire_server.limits import Seats
from facewire_server.metrics import Metrics
from facewire_server.openapi import described
from facewire_server.pool import Pool
from facewire_server.profiles import Profiles
from facewire_server.settings import Settings
from facewire_server.sound import TooLong, Undecodable
from facewire_server.studio import Studio

log = logging.getLogger("facewire.server")
STATUS: dict[type[FacewireError], int] = {
    Undecodable: 415,
    TooLong: 413,
    NotAcceptable: 406,
    Busy: 503,
    Stopped: 503,
    StageError: 500,
}


@dataclass
class Parts:
    """What the routes share."""

    settings: Settings
    profiles: Profiles
    pool: Pool
    clips: Clips
    metrics: Metrics
    studio: Studio
    seats: Seats
    loaded: bool = False
    """Whether the default profile's model is in memory."""


def make_app(settings: Settings, studio: Path | None = None) -> FastAPI:
    """Return the application; ProfileError if the default profile cannot be loaded."""
    registry: Registry = shared("facewire.registry", Registry)
    registry.catalogue()  # before there are threads: plugins are imported by one alone
    metrics, pool = Metrics(), Pool(settings.workers)
    parts = Parts(
        settings,
        Profiles(settings.profile),
        pool,
        Clips(pool, settings, metrics),
        metrics,
        Studio(studio),
        Seats(settings.max_sessions),
    )
    guard = Middleware(Guard, settings, metrics, parts.studio.paths)
    app = FastAPI(
        title="Facewire",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=_life,
        middleware=[guard],
    )
    app.state.parts = parts
    app.include_router(clips_routes.router)
    app.include_router(lists_routes.router)
    app.include_router(stream.router)
    app.openapi = described  # type: ignore[method-assign]
    for kind in (FacewireError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _failed)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    warm = asyncio.get_running_loop().run_in_executor(parts.pool.slices, _warm_up, parts)
    yield
    warm.cancel()
    await asyncio.to_thread(parts.pool.close)


def _warm_up(parts: Parts) -> None:
    """Build the default profile once, so that the model is in memory before the first request."""
    try:
        profile = parts.profiles.load()
        assemble(profile, "clip", Path()).pipeline(EmotionCurve())
        parts.loaded = True
    except FacewireError as error:
        log.warning("profile '%s' cannot be used: %s", parts.profiles.default, error)


async def _failed(request: Request, error: Exception) -> Response:
    """Answer an error as one line with the right status."""
    headers: Mapping[str, str] | None = None
    if isinstance(error, HTTPException):
        status, line = error.status_code, str(error.detail)
        headers = {"Connection": "close"} if status in (408, 413) else error.headers
    elif isinstance(error, FacewireError):
        status, line = status_of(error), str(error)
    elif isinstance(error, RequestValidationError):
        status, line = 400, "; ".join(_told(problem) for problem in error.errors()[:4])
    else:
        status, line = 500, f"unexpected {type(error).__name__}; the server's log says more"
    if isinstance(error, Busy):
        headers = {"Retry-After": "5"}
    if status == 500:
        log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    return JSONResponse({"error": " ".join(line.split())}, status, headers)


def _told(problem: Any) -> str:
    where = ".".join(str(part) for part in problem.get("loc", ()))
    return f"{where}: {problem.get('msg', 'is wrong')}"


def status_of(error: FacewireError) -> int:
    """Return the HTTP status that an error is answered with."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)
