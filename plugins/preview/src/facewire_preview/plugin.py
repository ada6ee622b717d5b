"""What facewire-preview offers: a page, a film strip and a video of a run, and the moving head."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from facewire.errors import ProfileError
from facewire.hookspecs import hookimpl
from facewire.types import Check, Component, Context


@dataclass(frozen=True, slots=True)
class HtmlConfig:
    """Options of the sink ``preview.html``.

    ``path``: the file. ``head``: a GLB or VRM file with ARKit's shapes, relative to the profile;
    Facewire's own if it is empty. ``minutes``: how much of a long run the page holds, 1 to 120.
    """

    path: str = "{out}/{name}.html"
    head: str = ""
    minutes: int = 10


@dataclass(frozen=True, slots=True)
class StripConfig:
    """Options of the sink ``preview.strip``.

    ``path``: the file. ``head``: as of ``preview.html``. ``faces``: how many at most, 1 to 64.
    ``size``: pixels to a face's side, 64 to 1024.
    """

    path: str = "{out}/{name}.png"
    head: str = ""
    faces: int = 12
    size: int = 192


@dataclass(frozen=True, slots=True)
class VideoConfig:
    """Options of the sink ``preview.video``.

    ``path``: the file. ``head``: as of ``preview.html``. ``size``: pixels to the picture's side,
    64 to 2048. ``fps``: frames a second, 1 to 60.
    """

    path: str = "{out}/{name}.mp4"
    head: str = ""
    size: int = 384
    fps: int = 30


@dataclass(frozen=True, slots=True)
class GlbConfig:
    """Options of the sink ``preview.glb``. ``path``: the file. ``head``: as of ``preview.html``."""

    path: str = "{out}/{name}.glb"
    head: str = ""


@dataclass(frozen=True, slots=True)
class UsdConfig:
    """Options of the sink ``preview.usd``.

    ``path``: the file, .usda for text, .usdc for binary. ``head``: as of ``preview.html``.
    """

    path: str = "{out}/{name}.usdc"
    head: str = ""


def _head(head: str, context: Context) -> Path | None:
    return context.base / head if head else None


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ProfileError(f"{name} is {value}, expected {least} to {most}")


def _html(config: HtmlConfig, context: Context) -> Any:
    from facewire_preview.page import HtmlSink

    _within("minutes", config.minutes, 1, 120)
    return HtmlSink(context.output(config.path), _head(config.head, context), config.minutes)


def _strip(config: StripConfig, context: Context) -> Any:
    from facewire_preview.strip import StripSink

    _within("faces", config.faces, 1, 64)
    _within("size", config.size, 64, 1024)
    path = context.output(config.path)
    return StripSink(path, _head(config.head, context), config.faces, config.size)


def _video(config: VideoConfig, context: Context) -> Any:
    from facewire_preview.video import VideoSink

    _within("size", config.size, 64, 2048)
    _within("fps", config.fps, 1, 60)
    path = context.output(config.path)
    return VideoSink(path, _head(config.head, context), config.size, config.fps)


def _glb(config: GlbConfig, context: Context) -> Any:
    from facewire_preview.animation import GlbSink

    return GlbSink(context.output(config.path), _head(config.head, context))


def _usd(config: UsdConfig, context: Context) -> Any:
    from facewire_preview.usd import UsdSink

    return UsdSink(context.output(config.path), _head(config.head, context))


def _ffmpeg() -> str:
    from facewire_preview.video import ffmpeg

    return f"ffmpeg: {ffmpeg()}"


@hookimpl
def facewire_sinks() -> Iterable[Component]:
    """Offer the page, the film strip, the video, and the head with its animation."""
    video = Component(
        "preview.video",
        _video,
        VideoConfig,
        "a video of the face with its sound, H.264 and AAC, by ffmpeg",
        VideoConfig(size=64),
        needs=("ffmpeg",),
        suffixes=(".mp4",),
    )
    return [
        Component(
            "preview.html",
            _html,
            HtmlConfig,
            "one page that plays the run in a browser, without a network",
            HtmlConfig(),
            suffixes=(".html",),
        ),
        Component(
            "preview.strip",
            _strip,
            StripConfig,
            "a film strip of the run's faces as a PNG",
            StripConfig(size=64),
            suffixes=(".png",),
        ),
        Component(
            "preview.glb",
            _glb,
            GlbConfig,
            "the head with the run as a glTF animation",
            GlbConfig(),
            suffixes=(".glb",),
        ),
        Component(
            "preview.usd",
            _usd,
            UsdConfig,
            "the head with the run as UsdSkel",
            UsdConfig() if find_spec("pxr") else None,
            needs=("usd-core",),
            suffixes=(".usdc", ".usda", ".usd"),
        ),
        video if shutil.which("ffmpeg") else replace(video, example=None),
    ]


@hookimpl
def facewire_checks() -> Iterable[Check]:
    """Look for ffmpeg, which ``preview.video`` needs."""
    return [Check("preview.video", _ffmpeg)]
