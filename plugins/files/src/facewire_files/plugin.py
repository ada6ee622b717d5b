"""What facewire-files offers: files that are written and takes that are read, by their suffix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from facewire.hookspecs import hookimpl
from facewire.retargeted import retargeted
from facewire.types import Component, Context

_EXAMPLES = Path(__file__).parent / "data"
_SINKS = {
    "livelink_csv": "livelink_csv.LiveLinkCsv",
    "json": "json_sink.JsonSink",
    "npz": "npz_sink.NpzSink",
    "wav": "wav.WavSink",
    "textgrid": "textgrid.TextGridSink",
    "srt": "srt.SrtSink",
    "rhubarb": "rhubarb.RhubarbSink",
    "bvh": "bvh.BvhSink",
    "a2f_json": "a2f.A2fJsonSink",
    "a2f_csv": "a2f.A2fCsvSink",
}
"""Module and class of each sink."""


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
class A2fJsonConfig:
    """Options of the sink ``files.a2f_json``.

    ``path``: the file. ``retarget``: the table of names, or null for the rig's own.
    """

    path: str = "{out}/{name}.a2f.json"
    retarget: str | None = "a2f"


@dataclass(frozen=True, slots=True)
class A2fCsvConfig:
    """Options of the sink ``files.a2f_csv``.

    ``path``: the file. ``retarget``: the table of names, or null for the rig's own.
    """

    path: str = "{out}/{name}.a2f.csv"
    retarget: str | None = "a2f"


@dataclass(frozen=True, slots=True)
class RhubarbConfig:
    """Options of the sink ``files.rhubarb``. ``path``: the file; .json or .xml, else TSV."""

    path: str = "{out}/{name}.tsv"


@dataclass(frozen=True, slots=True)
class BvhConfig:
    """Options of the sink ``files.bvh``. ``path``: the file."""

    path: str = "{out}/{name}.bvh"


@dataclass(frozen=True, slots=True)
class TakeConfig:
    """Options of every source here. ``path``: the file, relative to the profile."""

    path: str


def _sink(name: str) -> Callable[[Any, Context], Any]:
    """Return what builds a sink of this package; it is imported when it is built."""

    def make(config: Any, context: Context) -> Any:
        start = [config.start] if isinstance(config, LiveLinkCsvConfig) else []
        sink = _imported(_SINKS[name])(context.output(config.path), *start)
        return retargeted(sink, getattr(config, "retarget", None), context)

    return make


def _take(where: str) -> Callable[[TakeConfig, Context], Any]:
    """Return what builds a source of this package."""

    def make(config: TakeConfig, context: Context) -> Any:
        return _imported(where)(context.base / config.path)

    return make


def _imported(where: str) -> Any:
    module, name = where.split(".")
    return getattr(import_module(f"facewire_files.{module}"), name)


def _csv_take(config: TakeConfig, context: Context) -> Any:
    """Build the reader for what the file's first line says it is."""
    path = context.base / config.path
    make = _a2f_csv_take if b"blendShapes." in _begin(path) else _livelink_take
    return make(config, context)


def _json_take(config: TakeConfig, context: Context) -> Any:
    """Build the reader for what the file holds."""
    make = _rhubarb_take if b'"mouthCues"' in _begin(context.base / config.path) else _frames_take
    return make(config, context)


def _begin(path: Path) -> bytes:
    try:
        if path.is_file():  # a pipe would wait for ever
            with path.open("rb") as file:
                return file.read(4096)
    except (OSError, ValueError):
        pass  # the reader says what is wrong
    return b""


def _livelink_take(config: TakeConfig, context: Context) -> Any:
    from facewire_files.livelink_take import LiveLinkTake

    return LiveLinkTake(context.base / config.path, context.fps)


_a2f_csv_take = _take("a2f.A2fCsvTake")
_frames_take = _take("json_source.JsonTake")
_rhubarb_take = _take("rhubarb.RhubarbTake")


@hookimpl
def facewire_sources() -> Iterable[Component]:
    """Offer recorded takes: Live Link Face CSV, npz, JSON, Audio2Face, Rhubarb."""
    return [
        Component(
            "files.livelink_csv",
            _csv_take,
            TakeConfig,
            "a take of the Live Link Face app, or Audio2Face's CSV",
            TakeConfig(str(_EXAMPLES / "example.csv")),
            suffixes=(".csv",),
        ),
        Component(
            "files.npz",
            _take("npz_source.NpzTake"),
            TakeConfig,
            "frames from a numpy archive",
            TakeConfig(str(_EXAMPLES / "example.npz")),
            suffixes=(".npz",),
        ),
        Component(
            "files.json",
            _json_take,
            TakeConfig,
            "frames from JSON: ours, Audio2Face's or Rhubarb's",
            TakeConfig(str(_EXAMPLES / "example.json")),
            suffixes=(".json",),
        ),
        Component(
            "files.rhubarb",
            _rhubarb_take,
            TakeConfig,
            "a mouth from Rhubarb's cues",
            TakeConfig(str(_EXAMPLES / "example.tsv")),
            suffixes=(".tsv", ".xml"),
        ),
    ]


@hookimpl
def facewire_sinks() -> Iterable[Component]:
    """Offer files: Live Link Face CSV, JSON, npz, WAV, TextGrid, SRT, cues, BVH, Audio2Face."""
    made: list[tuple[str, type, str, str]] = [
        ("livelink_csv", LiveLinkCsvConfig, "a Live Link Face take", ".csv"),
        ("json", JsonConfig, "frames, emotion and marks as text, one frame a line", ".json"),
        ("npz", NpzConfig, "frames, emotion and marks as a numpy archive", ".npz"),
        ("wav", WavConfig, "the session's sound, 16-bit PCM", ".wav"),
        ("textgrid", TextGridConfig, "words and phones for Praat", ".TextGrid"),
        ("srt", SrtConfig, "the words as subtitles", ".srt"),
        ("rhubarb", RhubarbConfig, "mouth cues as Rhubarb Lip Sync writes them", ".tsv"),
        ("bvh", BvhConfig, "the turns of head and eyes as a skeleton", ".bvh"),
        ("a2f_json", A2fJsonConfig, "Audio2Face's legacy JSON", ""),
        ("a2f_csv", A2fCsvConfig, "Audio2Face-3D's CSV", ""),
    ]
    return [
        Component(
            f"files.{name}",
            _sink(name),
            config,
            summary,
            config(),
            suffixes=(suffix, suffix.lower()) if suffix else (),
        )
        for name, config, summary, suffix in made
    ]
