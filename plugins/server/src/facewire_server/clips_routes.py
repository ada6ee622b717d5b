"""The routes that make frames: NeuroSync's, ``/v1/animate`` and ``/v1/resolve``."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from facewire.api import Clip
from facewire.errors import InputError
from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from facewire_server import neurosync
from facewire_server.answers import JSON, Format, chosen, number, rendered, rounded
from facewire_server.clips import Stopped
from facewire_server.options import (
    Options,
    decoded,
    options_of,
    options_of_query,
    wish_of_clip,
)
from facewire_server.profiles import need_model
from facewire_server.resolve import Stretch, resolved, stretch_of
from facewire_server.sound import Sound, Undecodable, read_sound

if TYPE_CHECKING:
    from facewire_server.app import Parts

router = APIRouter()
T = TypeVar("T")


def parts_of(request: Request) -> Parts:
    """Return what the routes share."""
    return cast("Parts", request.app.state.parts)


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work; give it up when the client has gone (its body must have been read)."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Stopped("the client has gone")
        return task.result()
    finally:
        gone.cancel()
        task.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _read(parts: Parts, body: bytes, kind: str, rate: str | None = None) -> Sound:
    loop, most = asyncio.get_running_loop(), parts.settings.max_seconds
    return await loop.run_in_executor(parts.pool.slices, read_sound, body, kind, most, rate)


# -- NeuroSync -----------------------------------------------------------------------------------


@router.post("/audio_to_blendshapes")
async def audio_to_blendshapes(request: Request) -> Response:
    """Answer 68 columns a frame for the sound in the body."""
    parts, body = parts_of(request), await request.body()
    if not body:
        return JSONResponse({"error": "No audio data provided"}, 400)
    kind = request.headers.get("content-type", "")
    sound = await _read(parts, body, kind, request.query_params.get("rate"))
    if sound.seconds < neurosync.SHORTEST:
        return _blendshapes([])
    profile = need_model(neurosync.fitted(parts.profiles.load()))
    clip = await unless_gone(request, parts.clips.animate(profile, sound))
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(parts.pool.slices, _answered, clip)


def _answered(clip: Clip) -> Response:
    return _blendshapes(rounded(neurosync.blendshapes(clip)))


def _blendshapes(rows: list[list[float]]) -> Response:
    told = {
        "blendshapes": rows,
        "num_frames": len(rows),
        "frame_rate": number(neurosync.FPS),
    }
    return Response(msgspec.json.encode(told), media_type=JSON)


# -- /v1/animate ---------------------------------------------------------------------------------


@router.post("/v1/animate")
async def animate(request: Request) -> Response:
    """Animate sound or text; Accept chooses what comes back."""
    parts, form = parts_of(request), chosen(request.headers.get("accept"))
    given, options = await _request(request, parts)
    clip = await unless_gone(request, _made(parts, given, options))
    return await _rendered(parts, clip, form, options.sound)


async def _made(parts: Parts, given: Sound | str, options: Options) -> Clip:
    wish = wish_of_clip(need_model(parts.profiles.load(options.profile)), options)
    return await parts.clips.animate(wish.profile, given, wish.keys, options.transcript)


async def _rendered(parts: Parts, clip: Clip, form: Format, sound: bool) -> Response:
    loop = asyncio.get_running_loop()
    data = await loop.run_in_executor(parts.pool.slices, rendered, clip, form, sound)
    headers = {"Content-Disposition": f'attachment; filename="clip{form.suffix}"'}
    return Response(data, media_type=form.type, headers=None if form.type == JSON else headers)


async def _request(request: Request, parts: Parts) -> tuple[Sound | str, Options]:
    """Return the sound or text of a request, and its options."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _form(request, parts)
    body = await request.body()
    if kind == JSON:
        options = options_of(decoded(body, "body"))
        return _text(options), options
    if not (kind.startswith("audio/") or kind == "application/octet-stream"):
        raise Undecodable(
            f"content type {kind[:60]!r} is not taken; send multipart/form-data, "
            "application/json or audio/…"
        )
    query = dict(request.query_params)
    rate = query.pop("rate", None)
    options = options_of_query(query)
    return await _sound(parts, body, request.headers["content-type"], rate), options


async def _form(request: Request, parts: Parts) -> tuple[Sound | str, Options]:
    async with request.form(max_files=4, max_fields=16) as form:
        told = form.get("options", "{}")
        raw = await told.read() if isinstance(told, UploadFile) else told.encode()
        options = options_of(decoded(raw, "options"))
        audio, text = form.get("audio"), form.get("text")
        if isinstance(text, str):
            options.text = text
        if audio is None:
            return _text(options), options
        if not isinstance(audio, UploadFile):
            raise InputError("audio: found a field, expected a file; send it with a file name")
        if options.text is not None:
            raise InputError("found both audio and text, expected one; use 'transcript' for words")
        return await _sound(parts, await audio.read(), audio.content_type or ""), options


async def _sound(parts: Parts, body: bytes, kind: str, rate: str | None = None) -> Sound:
    sound = await _read(parts, body, kind, rate)
    if not len(sound.samples):
        raise InputError("sound: holds no samples")
    return sound


def _text(options: Options) -> str:
    if options.text is None or not options.text.strip():
        raise InputError("found no text and no audio, expected one; write what shall be said")
    return options.text


# -- /v1/resolve ---------------------------------------------------------------------------------


@router.post("/v1/resolve")
async def resolve(request: Request) -> Response:
    """Solve a stretch of mouth anew from its marks."""
    parts, body = parts_of(request), await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Undecodable(f"content type {kind[:60]!r} is not taken; send application/json")
    stretch = stretch_of(decoded(body, "body"))
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(parts.pool.slices, _resolved, parts, stretch)


def _resolved(parts: Parts, stretch: Stretch) -> Response:
    profile = parts.profiles.load(stretch.profile)
    return Response(msgspec.json.encode(resolved(stretch, profile)), media_type=JSON)
