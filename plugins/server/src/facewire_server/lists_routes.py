"""The routes that tell: health, lists, the page, metrics."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from facewire_server import __version__, listing
from facewire_server.guard import COOKIE, cookie_of
from facewire_server.studio import policy

if TYPE_CHECKING:
    from facewire_server.app import Parts

router = APIRouter()
ENDPOINTS = {
    "audio_to_blendshapes": "POST /audio_to_blendshapes",
    "animate": "POST /v1/animate",
    "resolve": "POST /v1/resolve",
    "stream": "WS /v1/stream",
    "health": "GET /health",
    "metrics": "GET /metrics",
    "openapi": "GET /openapi.json",
}
POSTED = frozenset({"/audio_to_blendshapes", "/v1/animate", "/v1/resolve"})


def _parts(request: Request) -> Parts:
    return cast("Parts", request.app.state.parts)


@router.get("/health")
async def health(request: Request) -> Any:
    """Say that the server works, as NeuroSync's clients ask."""
    parts = _parts(request)
    profile = await run_in_threadpool(parts.profiles.load)
    torch = sys.modules.get("torch")  # asked only where a model has loaded it
    cuda = bool(torch is not None and torch.cuda.is_available())
    device = profile.model[0].options.get("device", "cpu") if profile.model else "cpu"
    return {
        "status": "operational",
        "device": device,
        "model_loaded": parts.loaded,
        "cuda_available": cuda,
    }


@router.get("/v1/profiles")
def profiles(request: Request) -> Any:
    """List the profiles that clients may name."""
    return _parts(request).profiles.listed()


@router.get("/v1/plugins")
def plugins() -> Any:
    """List what is installed."""
    return listing.plugins()


@router.get("/v1/voices")
def voices(request: Request, profile: str | None = None) -> Any:
    """List what a profile's voice can speak with."""
    return listing.voices(_parts(request).profiles.load(profile))


@router.get("/v1/formats")
def formats() -> Any:
    """List what a clip can be answered as."""
    return listing.listed_formats()


@router.get("/v1/vocabulary")
def vocabulary() -> Any:
    """Return the emotions that have names."""
    return listing.vocabulary()


@router.get("/v1/presets")
def presets() -> Any:
    """Return the authored faces."""
    return listing.presets()


@router.get("/v1/head.glb")
def head() -> Response:
    """Return the head."""
    data = listing.head()
    if data is None:
        raise HTTPException(404, "the head is in facewire-preview, which is not installed")
    return Response(data, media_type="model/gltf-binary")


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Return what was counted."""
    kind = "text/plain; version=0.0.4; charset=utf-8"
    return Response(_parts(request).metrics.text(), media_type=kind)


@router.get("/")
async def root(request: Request) -> Response:
    """Say what this is, or show the page to a browser."""
    if "text/html" in request.headers.get("accept", ""):
        return _page(request)
    return JSONResponse(
        {
            "name": "Facewire",
            "description": "Speech and text to facial animation.",
            "version": __version__,
            "endpoints": ENDPOINTS,
            "documentation": "/openapi.json",
        },
        headers={"Vary": "Accept"},
    )


@router.get("/{path:path}", include_in_schema=False)
async def page(request: Request) -> Response:
    """Return a part of the studio page."""
    return _page(request)


def _page(request: Request) -> Response:
    parts = _parts(request)
    path = request.url.path
    if path in POSTED:
        raise HTTPException(405, f"{path} takes POST alone", {"Allow": "POST"})
    found = parts.studio.find(path)
    if found is None:
        raise HTTPException(404, f"there is no {path[:80]}; see /openapi.json")
    html = found.type == "text/html"
    headers = {"Cache-Control": "no-cache"}
    if html:
        host = request.headers["host"]
        headers |= {"Content-Security-Policy": policy(host), "Vary": "Accept"}
    response = Response(found.data, media_type=found.type, headers=headers)
    token = parts.settings.token
    if html and token is not None:
        # opens the page's own files alone, which a script element cannot ask for with a token
        response.set_cookie(COOKIE, cookie_of(token), httponly=True, samesite="strict")
    return response
