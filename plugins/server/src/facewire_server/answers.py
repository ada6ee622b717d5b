"""What a clip is answered as: JSON, or a file that an installed sink writes."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import soundfile
from facewire.api import Clip
from facewire.assemble import shared
from facewire.errors import FacewireError
from facewire.registry import Registry
from facewire.types import FloatArray

JSON = "application/json"
TYPES = {
    ".npz": "application/x-npz",
    ".csv": "text/csv",
    ".wav": "audio/wav",
    ".html": "text/html",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".srt": "application/x-subrip",
    ".textgrid": "text/x-textgrid",
    ".usda": "model/vnd.usda",
    ".usdc": "model/vnd.usdc",
    ".usdz": "model/vnd.usdz+zip",
    ".fbx": "application/vnd.autodesk.fbx",
}
DECIMALS = 7  # beyond float32's own for values of 1


class NotAcceptable(FacewireError):
    """Nothing the client accepts can be made here."""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of answer."""

    suffix: str
    type: str
    sink: str
    summary: str


@cache
def formats() -> tuple[Format, ...]:
    """Return what can be answered: JSON first, then what installed sinks write."""
    registry: Registry = shared("facewire.registry", Registry)
    found = {JSON: Format(".json", JSON, "server", "frames, emotion and marks as JSON")}
    for part in registry.catalogue()["sink"]:
        for suffix in part.suffixes:
            kind = TYPES.get(suffix.lower())
            usable = part.example is not None or not part.needs
            if kind and usable and kind not in found:
                found[kind] = Format(suffix, kind, part.name, part.summary)
    return tuple(found.values())


def chosen(accept: str | None) -> Format:
    """Return the format that an Accept header likes best (RFC 9110, 12.5.1); JSON for anything.

    NotAcceptable with what there is, otherwise.
    """
    wanted = _ranges(accept or "*/*")
    best = max(formats(), key=lambda form: _liking(form.type, wanted))
    if _liking(best.type, wanted) <= 0:
        known = ", ".join(form.type for form in formats())
        raise NotAcceptable(
            f"accept: {(accept or '')[:80]!r} cannot be made here; there is {known}"
        )
    return best


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(",")[:64]:
        kind, *options = (piece.strip().lower() for piece in part.split(";"))
        quality = next((o[2:].strip() for o in options if o.startswith("q=")), "1")
        try:
            found.append((kind, min(1.0, max(0.0, float(quality)))))
        except ValueError:
            continue
    return found


def _liking(kind: str, wanted: list[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that a type falls into."""
    for form in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        for name, quality in wanted:
            if name == form:
                return quality
    return 0.0


def rendered(clip: Clip, form: Format, sound: bool = False) -> bytes:
    """Return the clip in a format."""
    if form.type == JSON:
        return msgspec.json.encode(table(clip, sound))
    with TemporaryDirectory(prefix="facewire-server-") as folder:
        # the file's name is the server's own: nothing of a client's becomes a path
        return clip.save(Path(folder) / f"clip{form.suffix}").read_bytes()


def rounded(values: FloatArray, decimals: int = DECIMALS) -> list[list[float]]:
    """Return rows of numbers as JSON holds them: as short as float32 is exact."""
    found: list[list[float]] = np.round(values.astype(np.float64), decimals).tolist()
    return found


def table(clip: Clip, sound: bool = False) -> dict[str, Any]:
    """Return what the JSON answer holds; ``sound`` adds the sound as a WAV in base64."""
    frames, rate, fps = clip.frames, clip.audio.rate, clip.frames.fps
    told: dict[str, Any] = {
        "name": clip.name,
        "fps": number(fps),
        "rate": rate,
        "rig": {"name": frames.rig.name, "channels": list(frames.rig.channels)},
        "frames": rounded(frames.values),
        "vad": rounded(clip.emotion.vad, 4),
        "marks": [
            {"kind": m.kind, "text": m.text, "start": m.start / rate, "end": m.end / rate}
            for m in clip.marks
        ],
        "seconds": len(clip.audio) / rate,
        "report": _report(clip),
    }
    if sound:
        told["audio"] = base64.b64encode(wav(clip.audio.samples, rate)).decode("ascii")
    return told


def number(value: Any) -> int | float:
    """Return a fraction as JSON writes it: 60 where it is whole."""
    return int(value) if value == int(value) else float(value)


def _report(clip: Clip) -> dict[str, Any]:
    report = clip.report
    return {
        "profile": report.profile,
        "stages": [{"kind": k, "name": n, "origin": o} for k, n, o in report.stages],
        "notes": report.notes,
        "frames": report.frames,
        "elapsed": round(report.elapsed, 4),
        "speed": round(report.speed, 2),
    }


def wav(samples: FloatArray, rate: int) -> bytes:
    """Return sound as a WAV of 16 bits."""
    out = io.BytesIO()
    soundfile.write(out, np.clip(samples, -1, 1), rate, format="WAV", subtype="PCM_16")
    return out.getvalue()
