"""What facewire-files offers: files that are written and takes that are read, by their suffix."""

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


def _a2f_json(config: A2fJsonConfig, context: Context) -> Any:
    from facewire_files.a2f import A2fJsonSink

    return retargeted(A2fJsonSink(context.output(config.path)), config.retarget, context)


def _a2f_csv(config: A2fCsvConfig, context: Context) -> Any:
    from facewire_files.a2f import A2fCsvSink

    return retargeted(A2fCsvSink(context.output(config.path)), config.retarget, context)


def _rhubarb(config: RhubarbConfig, context: Context) -> Any:
    from facewire_files.rhubarb import RhubarbSink

    return RhubarbSink(context.output(config.path))


def _bvh(config: BvhConfig, context: Context) -> Any:
    from facewire_files.bvh import BvhSink

    return BvhSink(context.output(config.path))


def _rhubarb_take(config: TakeConfig, context: Context) -> Any:
    from facewire_files.rhubarb import RhubarbTake

    return RhubarbTake(context.base / config.path)


def _a2f_csv_take(config: TakeConfig, context: Context) -> Any:
    from facewire_files.a2f import A2fCsvTake

    return A2fCsvTake(context.base / config.path)


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


def _npz_take(config: TakeConfig, context: Context) -> Any:
    from facewire_files.npz_source import NpzTake

    return NpzTake(context.base / config.path)


def _frames_take(config: TakeConfig, context: Context) -> Any:
    from facewire_files.json_source import JsonTake

    return JsonTake(context.base / config.path)


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
    made: list[tuple[str, Callable[[Any, Context], Any], type, str, str]] = [
        ("livelink_csv", _livelink_csv, LiveLinkCsvConfig, "a Live Link Face take", ".csv"),
        ("json", _json, JsonConfig, "frames, emotion and marks as text, one frame a line", ".json"),
        ("npz", _npz, NpzConfig, "frames, emotion and marks as a numpy archive", ".npz"),
        ("wav", _wav, WavConfig, "the session's sound, 16-bit PCM", ".wav"),
        ("textgrid", _textgrid, TextGridConfig, "words and phones for Praat", ".TextGrid"),
        ("srt", _srt, SrtConfig, "the words as subtitles", ".srt"),
        ("rhubarb", _rhubarb, RhubarbConfig, "mouth cues as Rhubarb Lip Sync writes them", ".tsv"),
        ("bvh", _bvh, BvhConfig, "the turns of head and eyes as a skeleton", ".bvh"),
        ("a2f_json", _a2f_json, A2fJsonConfig, "Audio2Face's legacy JSON", ""),
        ("a2f_csv", _a2f_csv, A2fCsvConfig, "Audio2Face-3D's CSV", ""),
    ]
    return [
        Component(
            f"files.{name}",
            make,
            config,
            summary,
            config(),
            suffixes=(suffix, suffix.lower()) if suffix else (),
        )
        for name, make, config, summary, suffix in made
    ]
