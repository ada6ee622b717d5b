"""The sink ``preview.strip``: the run's faces side by side, with time and word under each."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from facewire.articulation import closures, lip_gap
from facewire.types import FloatArray
from PIL import Image

from facewire_preview.base import TakeSink
from facewire_preview.png import PAPER, Picture, encoded, write_text
from facewire_preview.render import Renderer
from facewire_preview.take import Span, Take

_APART = 0.045  # seconds: nearer moments look the same
_OPEN = 0.08  # of the lip gap: less is no opening worth a picture
_COLUMNS = 6
_LIPS = ("p", "b", "m")  # phones that close them, in ARPAbet and IPA alike


class Moment(NamedTuple):
    """A frame worth a picture, what is said there, and how much it matters."""

    frame: int
    text: str
    rank: float


class StripSink(TakeSink):
    """Write the film strip."""

    def __init__(self, path: Path, head: Path | None, faces: int, size: int) -> None:
        super().__init__(path, head)
        self._faces, self._size = faces, size

    def made(self, take: Take) -> bytes:
        """Return the picture as a PNG."""
        return encoded(film_strip(take, Renderer(self.head), self._faces, self._size))


def film_strip(take: Take, renderer: Renderer, faces: int, size: int) -> Picture:
    """Return a picture of at most ``faces`` moments of a take, in order of time."""
    values = take.values
    chosen = moments(take, faces) or [Moment(0, "no frames", 0.0)]
    columns = min(_COLUMNS, len(chosen))
    strip = max(24, size // 5)
    rows = -(-len(chosen) // columns)
    image = Image.new("RGB", (columns * size, rows * (size + strip)), PAPER)
    for k, moment in enumerate(chosen):
        left, top = k % columns * size, k // columns * (size + strip)
        row = values[moment.frame] if len(values) else np.zeros(len(take.rig), np.float32)
        image.paste(Image.fromarray(renderer.picture(row, take.rig, size)), (left, top))
        middle, line = left + size / 2, strip * 0.42
        time = f"{take.seconds(moment.frame):.2f} s"
        under = top + size + strip * 0.04
        write_text(image, middle, under, time, int(line), size - 4)
        write_text(image, middle, under + line, moment.text, int(line), size - 4)
    return np.asarray(image)


def moments(take: Take, most: int) -> list[Moment]:
    """Return the frames that show the take best: where words open most, and where lips close."""
    values = take.values
    if not len(values):
        return []
    gap = lip_gap(values, take.rig)
    found = [*(_words(take, gap) or _peaks(take, gap)), *_closed(take, gap)]
    if not found:
        found = [Moment(k, "", 1.0) for k in np.linspace(0, len(gap) - 1, most).astype(int)]
    kept: list[Moment] = []
    for moment in sorted(found, key=lambda m: (-m.rank, m.frame)):
        at = bisect(kept, moment)
        beside = kept[max(0, at - 1) : at + 1]
        if all(abs(moment.frame - other.frame) >= _APART * take.fps for other in beside):
            kept.insert(at, moment)
    if len(kept) > most:
        # all along the take, not only where most happens
        edges = np.linspace(0, len(kept), most + 1).astype(int)
        kept = [max(kept[a:b], key=lambda m: m.rank) for a, b in pairwise(edges)]
    return kept


def _words(take: Take, gap: FloatArray) -> list[Moment]:
    """Return where each word opens the mouth most."""
    found = []
    fps = float(take.fps)
    for mark in take.marks():
        if mark.kind == "word":
            first = min(int(mark.start * fps), len(gap) - 1)
            last = max(first + 1, min(int(np.ceil(mark.end * fps)), len(gap)))
            at = first + int(np.argmax(gap[first:last]))
            found.append(Moment(at, mark.text, 1.0 + float(np.clip(gap[at], 0, 1))))
    return found


def _peaks(take: Take, gap: FloatArray) -> list[Moment]:
    """Return where the mouth is opener than a little before and after; for a take without words."""
    found = []
    reach = max(1, round(0.12 * float(take.fps)))
    phones = [mark for mark in take.marks() if mark.kind == "phone" and mark.text.isascii()]
    starts = [mark.start for mark in phones]
    for at in np.flatnonzero(gap > _OPEN).tolist():
        first = max(0, at - reach)
        if first + int(np.argmax(gap[first : at + reach + 1])) == at:
            heard = next((m.text for m in _near(phones, starts, take.seconds(at), 0.0)), None)
            text = f"/{heard.lower()}/" if heard else "open"
            found.append(Moment(at, text, 1.0 + float(np.clip(gap[at], 0, 1))))
    return found


def _closed(take: Take, gap: FloatArray) -> list[Moment]:
    """Return closures between openings: a rest is no closure worth a picture."""
    found = []
    phones = [m for m in take.marks() if m.kind == "phone" and m.text.lower() in _LIPS]
    starts = [mark.start for mark in phones]
    reach = max(1, round(0.15 * float(take.fps)))
    for first, last in np.asarray(closures(gap, float(take.fps)), float).reshape(-1, 2):
        middle = (first + last) / 2
        at = min(round(middle * float(take.fps)), len(gap) - 1)
        opens = float(gap[max(0, at - reach) : at + reach + 1].max())
        if opens > 0.1:
            lips = next((m.text.lower() for m in _near(phones, starts, middle)), None)
            found.append(Moment(at, f"closed /{lips}/" if lips else "closed", 1.0 + opens))
    return found


def _near(
    marks: list[Span], starts: list[float], seconds: float, slack: float = 0.05
) -> Iterator[Span]:
    """Yield the marks at a time, or at most ``slack`` seconds from it; ``starts`` are theirs."""
    last = bisect(starts, seconds + slack)
    for mark in marks[max(0, last - 4) : last]:
        if seconds <= mark.end + slack:
            yield mark
