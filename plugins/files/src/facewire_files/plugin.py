"""What facewire-files offers: six sinks and three sources, each found by its suffix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facewire.hookspecs import hookimpl
from facewire.retargeted import retargeted
from facewire.types import Component, Context

_EXAMPLES = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class LiveLinkCsvConfig:
    """Options of the sink ``files.livelink_csv``.

    ``path``: the file; Unreal names the subject after it. ``start``: the timecode of frame 0 as
    HH:MM:SS:FF, 60 frames a second whatever the take's rate.
    """

    path: str = "{out}/{name}.csv"
    start: str = "00:00:00:00"


@dataclass(frozen=True, slots=True)
class JsonConfig:
    """Options of the sink ``files.json``.

    ``path``: the file. ``retarget``: a table's name or path, such as ``metahuman``.
    """

    path: str = "{out}/{name}.json"
    retarget: str | None = None


@dataclass(frozen=True, slots=True)
class NpzConfig:
    """Options of the sink ``files.npz``.

    ``path``: the file. ``retarget``: a table's name or path, such as ``metahuman``.
    """

    path: str = "{out}/{name}.npz"
    retarget: str | None = None


@dataclass(frozen=True, slots=True)
class WavConfig:
    """Options of the sink ``files.wav``. ``path``: the file."""

    path: str = "{out}/{name}.wav"


@dataclass(frozen=True, slots=True)
class TextGridConfig:
    """Options of the sink ``files.textgrid``. ``path``: the file."""

    path: str = "{out}/{name}.TextGrid"


@dataclass(frozen=True, slots=True)
class SrtConfig:
    """Options of the sink ``files.srt``. ``path``: the file."""

    path: str = "{out}/{name}.srt"


@dataclass(frozen=True, slots=True)
class TakeConfig:
    """Options of every source here. ``path``: the file, relative to the profile."""

    path: str


def _livelink_csv(config: LiveLinkCsvConfig, context: Context) -> Any:
    from facewire_files.livelink_csv import LiveLinkCsv

    return LiveLinkCsv(context.output(config.path), config.start)


def _json(config: JsonConfig, context: Context) -> Any:
    from facewire_files.json_sink import JsonSink

    return retargeted(JsonSink(context.output(config.path)), config.retarget, context)


def _npz(config: NpzConfig, context: Context) -> Any:
    from facewire_files.npz_sink import NpzSink

    return retargeted(NpzSink(context.output(config.path)), config.retarget, context)


def _wav(config: WavConfig, context: Context) -> Any:
    from facewire_files.wav import WavSink

    return WavSink(context.output(config.path))


def _textgrid(config: TextGridConfig, context: Context) -> Any:
    from facewire_files.textgrid import TextGridSink

    return TextGridSink(context.output(config.path))


def _srt(config: SrtConfig, context: Context) -> Any:
    from facewire_files.srt import SrtSink

    return SrtSink(context.output(config.path))


def _livelink_take(config: TakeConfig, context: Context) -> Any:
    from facewire_files.livelink_take import LiveLinkTake

    return LiveLinkTake(context.base / config.path, context.fps)


def _npz_take(config: TakeConfig, context: Context) -> Any:
    from facewire_files.npz_source import NpzTake

    return NpzTake(context.base / config.path)


def _json_take(config: TakeConfig, context: Context) -> Any:
    from facewire_files.json_source import JsonTake

    return JsonTake(context.base / config.path)


@hookimpl
def facewire_sources() -> Iterable[Component]:
    """Offer recorded takes: Live Link Face CSV, npz, JSON."""
    return [
        Component(
            "files.livelink_csv",
            _livelink_take,
            TakeConfig,
            "a take of the Live Link Face app",
            TakeConfig(str(_EXAMPLES / "example.csv")),
            suffixes=(".csv",),
        ),
        Component(
            "files.npz",
            _npz_take,
            TakeConfig,
            "frames from a numpy archive",
            TakeConfig(str(_EXAMPLES / "example.npz")),
            suffixes=(".npz",),
        ),
        Component(
            "files.json",
            _json_take,
            TakeConfig,
            "frames from JSON",
            TakeConfig(str(_EXAMPLES / "example.json")),
            suffixes=(".json",),
        ),
    ]


@hookimpl
def facewire_sinks() -> Iterable[Component]:
    """Offer files: Live Link Face CSV, JSON, npz, WAV, TextGrid, SRT."""
    made: list[tuple[str, Callable[[Any, Context], Any], type, str, str]] = [
        ("livelink_csv", _livelink_csv, LiveLinkCsvConfig, "a Live Link Face take", ".csv"),
        ("json", _json, JsonConfig, "frames, emotion and marks as text, one frame a line", ".json"),
        ("npz", _npz, NpzConfig, "frames, emotion and marks as a numpy archive", ".npz"),
        ("wav", _wav, WavConfig, "the session's sound, 16-bit PCM", ".wav"),
        ("textgrid", _textgrid, TextGridConfig, "words and phones for Praat", ".TextGrid"),
        ("srt", _srt, SrtConfig, "the words as subtitles", ".srt"),
    ]
    return [
        Component(
            f"files.{name}", make, config, summary, config(), suffixes=(suffix, suffix.lower())
        )
        for name, make, config, summary, suffix in made
    ]
