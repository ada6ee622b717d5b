"""The sink ``preview.html``: one page with the head, the frames, the sound and a player.

Nothing is loaded from anywhere, and the page's own policy (Content Security Policy, W3C) forbids
it. Frames are the run's own float32, byte by byte in planes (all first bytes, all second …), which
deflate packs well; the head is deflated too, the sound is FLAC.
"""

from __future__ import annotations

import base64
import html
import json
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import numpy as np
from facewire.articulation import lip_gap
from facewire.emotion import LABELS
from facewire.types import FloatArray

from facewire_preview.base import TakeSink
from facewire_preview.binding import Binding
from facewire_preview.take import Take

_SILENT = 8000  # samples a second of a take without sound
_PIECE = 3 << 16  # bytes that base64 takes at once: a multiple of 3


class HtmlSink(TakeSink):
    """Write the page."""

    def made(self, take: Take) -> Iterator[bytes]:
        """Yield the page in pieces: ten minutes of sound are never in memory twice."""
        told: dict[str, str | Iterator[str]] = {
            "head": packed(self.head.glb),
            "frames": packed(planes(take.values)),
            "gap": packed(planes(lip_gap(take.values, take.rig)[:, None])),
            "emotion": packed(_emotion(take)),
            "audio": sound(take),
        }
        told["about"] = in_script(json.dumps(self._about(take), separators=(",", ":")))
        return pieces(take.name, told)

    def _about(self, take: Take) -> dict[str, Any]:
        return {
            "name": take.name,
            "fps": [take.fps.numerator, take.fps.denominator],
            "start": take.start,
            "frames": len(take.values),
            "rig": take.rig.name,
            "channels": list(take.rig.channels),
            "labels": list(LABELS),
            "marks": [[m.kind, m.text, round(m.start, 5), round(m.end, 5)] for m in take.marks()],
            "look": self.head.look,
            "nodes": self.head.nodes,
            "targets": targets(self.head.binding),
            "centre": [round(float(x), 5) for x in self.head.view.centre],
            "reach": round(self.head.view.reach, 5),
            "report": "" if self._own else self.head.report(),
        }


def targets(binding: Binding) -> dict[str, list[list[float]]]:
    """Return mesh, target and weight of each channel, as the player takes them."""
    return {channel: [list(t) for t in found] for channel, found in binding.targets.items()}


def planes(values: FloatArray) -> bytes:
    """Return float32 values (n, m) column by column, each column's first bytes first, and so on."""
    columns = np.ascontiguousarray(values.T, "<f4")  # (m, n)
    return np.ascontiguousarray(columns.view(np.uint8).reshape(-1, 4).T).tobytes()


def packed(data: bytes) -> str:
    """Return bytes deflated (RFC 1950), in base64."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def sound(take: Take) -> Iterator[str]:
    """Yield the sound as FLAC in base64; an eighth of a second of silence if there is none."""
    import soundfile

    parts, rate = take.sound, take.rate
    if not any(len(part) for part in parts):
        parts, rate = [np.zeros(_SILENT // 8, np.int16)], _SILENT
    with tempfile.TemporaryFile() as spool:
        with soundfile.SoundFile(
            spool, "w", rate, channels=1, format="FLAC", subtype="PCM_16"
        ) as out:
            for part in parts:
                out.write(part)
        spool.seek(0)
        while piece := spool.read(_PIECE):
            yield base64.b64encode(piece).decode("ascii")


def _emotion(take: Take) -> bytes:
    """Return for each frame the label with most weight, that weight, and VAD, as bytes (n, 5)."""
    weights = take.weights
    table = np.zeros((len(weights), 5))
    if len(weights):
        table[:, 0] = weights.argmax(axis=1)
        table[:, 1] = 255 * weights.max(axis=1)
        table[:, 2:] = 255 * take.vad
    return np.clip(np.rint(table), 0, 255).astype(np.uint8).tobytes()


def in_script(text: str) -> str:
    """Return JSON that may stand inside a script element."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def pieces(name: str, told: Mapping[str, str | Iterator[str]]) -> Iterator[bytes]:
    """Yield the page: the template with the player and the data filled in."""
    data = files("facewire_preview").joinpath("data")
    template = data.joinpath("page.html").read_text("utf-8")
    title = html.escape(name.encode("utf-8", "replace").decode())
    # split, not replaced: what is filled in may itself hold a placeholder
    first, *rest = template.split("{{")
    yield first.encode()
    for part in rest:
        key, _, after = part.partition("}}")
        if key == "TITLE":
            yield title.encode()
        elif key == "PLAYER":
            yield data.joinpath("player.js").read_bytes()
        else:
            yield from _blocks(told)
        yield after.encode()


def _blocks(told: Mapping[str, str | Iterator[str]]) -> Iterator[bytes]:
    for i, (key, text) in enumerate(told.items()):
        yield f'{chr(10) if i else ""}<script type="text/plain" id="data-{key}">'.encode()
        for piece in [text] if isinstance(text, str) else text:
            yield piece.encode()
        yield b"</script>"
