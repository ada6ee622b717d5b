"""Rhubarb Lip Sync's mouth cues: TSV, JSON and XML, written from phones and read as frames.

Format: Rhubarb Lip Sync, README: "Output formats". TSV is a line a cue, its start and its shape,
and a last one with the end and the rest shape.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import yaml
from facewire.articulation import PLANNED, Solver, Spoken, decode, read_phone
from facewire.articulation.phones import tables
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import Block, Frames, RunInfo

from facewire_files.base import FileSink
from facewire_files.marks import Marks
from facewire_files.take import Take, length, readable

REST = "X"
FPS = Fraction(60)
LEVEL = 0.7  # loudness that a mouth of ordinary size speaks with, of 0 (silence) to 1 (0 dBFS)
SHORT = 0.04  # seconds: a shape shorter than this is not drawn, unless the lips meet in it
FIRM = ("A", "G")
_MOST = 16 << 20


class Cue(NamedTuple):
    """A mouth shape from a time on, in seconds."""

    start: float
    end: float
    shape: str


@cache
def mouths() -> tuple[dict[str, str], dict[str, str]]:
    """Return phone shape -> mouth shape, and mouth shape -> phone; checked once."""
    data = yaml.safe_load(files("facewire_files").joinpath("data/rhubarb.yaml").read_text("utf-8"))
    shapes, phones = data["shapes"], data["phones"]
    if set(shapes) != set(tables().shapes):
        odd = set(shapes) ^ set(tables().shapes)
        raise ValueError(f"rhubarb.yaml: shapes: expected each of the core's, differs in {odd}")
    if set(phones) != set("ABCDEFGH") or not set(shapes.values()) <= set(phones):
        raise ValueError("rhubarb.yaml: phones: expected A to H")
    return shapes, phones


def cues_of(marks: Marks, seconds: float) -> list[Cue]:
    """Return the cues of a run's phones, over its whole length without gaps."""
    found: list[Cue] = []

    def add(start: float, end: float, shape: str) -> None:
        if end <= start:
            return
        if found and found[-1].shape == shape:
            found[-1] = found[-1]._replace(end=end)
        else:
            found.append(Cue(start, end, shape))

    at = 0.0
    for mark in marks.apart("phone"):
        start, end = mark.start / marks.rate, mark.end / marks.rate
        shapes = read_phone(mark.text).shapes
        if not shapes:
            continue
        add(at, start, REST)
        parts = [mouths()[0][shape.name] for shape in shapes]
        for i, part in enumerate(parts):
            from_, to = (start + (end - start) * j / len(parts) for j in (i, i + 1))
            add(from_, to, part)
        at = end
    add(at, seconds, REST)
    return _drawn(found)


def _drawn(cues: list[Cue]) -> list[Cue]:
    """Give shapes that are too short to be drawn to the one before."""
    kept: list[Cue] = []
    for cue in cues:
        brief = cue.end - cue.start < SHORT and cue.shape not in FIRM
        if kept and (brief or kept[-1].shape == cue.shape):
            kept[-1] = kept[-1]._replace(end=cue.end)
        else:
            kept.append(cue)
    return kept


class RhubarbSink(FileSink):
    """Write cues from the run's phones: JSON or XML by the path's suffix, else TSV."""

    def begin(self, info: RunInfo) -> None:
        """Hold no phones yet."""
        self._info, self._marks, self._rows = info, Marks(info.rate), 0
        self._cues: list[Cue] = []

    def write(self, block: Block) -> None:
        """Hold the block's phones."""
        self._marks.add(block.audio)
        self._rows += len(self.rows(block))

    def finish(self) -> None:
        """Write the cues."""
        seconds = float(self._rows / self._info.fps)
        self._cues = cues_of(self._marks, seconds)
        writers = {".json": _as_json, ".xml": _as_xml}
        writer = writers.get(self.path.suffix.lower(), _as_tsv)
        self.file.write(writer(self._cues, f"{self._info.name}.wav", seconds).encode())

    def report(self) -> Sequence[str]:
        """Say so if there were no phones."""
        if self.result is None or any(cue.shape != REST for cue in self._cues):
            return ()
        return (f"{self.path.name}: only the rest shape, as nothing in this run knows the phones",)


def _as_tsv(cues: list[Cue], sound: str, seconds: float) -> str:
    lines = [f"{cue.start:.2f}\t{cue.shape}\n" for cue in cues]
    return "".join([*lines, f"{seconds:.2f}\t{REST}\n"])


def _as_json(cues: list[Cue], sound: str, seconds: float) -> str:
    made = [{"start": round(c.start, 2), "end": round(c.end, 2), "value": c.shape} for c in cues]
    whole = {"metadata": {"soundFile": sound, "duration": round(seconds, 2)}, "mouthCues": made}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _as_xml(cues: list[Cue], sound: str, seconds: float) -> str:
    lines = [f'    <mouthCue start="{c.start:.2f}" end="{c.end:.2f}">{c.shape}</mouthCue>\n'
             for c in cues]  # fmt: skip
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rhubarbResult>\n  <metadata>\n'
        f"    <soundFile>{escape(sound)}</soundFile>\n    <duration>{seconds:.2f}</duration>\n"
        f"  </metadata>\n  <mouthCues>\n{''.join(lines)}  </mouthCues>\n</rhubarbResult>\n"
    )


# -- reading ---------------------------------------------------------------------------------------


class RhubarbTake(Take):
    """Read cues as a talking mouth: each shape as a phone, through the articulatory solver."""

    def blocks(self) -> Iterator[Frames]:
        """Yield frames of the rig arkit52_tongue at 60 fps; InputError if the file is broken."""
        with readable(self.path):
            if self.path.stat().st_size > _MOST:
                raise InputError(f"{self.path}: is larger than {_MOST >> 20} MB")
            text = self.path.read_text("utf-8-sig", errors="replace")
        cues = read_cues(self.path, text)
        rows = length(self.path, int(np.ceil(cues[-1].end * float(FPS))), FPS)
        yield from self.cut(mouth(cues, rows), Rig.named("arkit52_tongue"), FPS, 0)


def mouth(cues: Sequence[Cue], rows: int) -> Any:
    """Return frames (rows, channels of arkit52_tongue) of a mouth that makes the cues."""
    solver, phones = Solver(float(FPS), PLANNED), mouths()[1]
    spoken = [
        Spoken(cue.start * float(FPS), cue.end * float(FPS), read_phone(phones[cue.shape]))
        for cue in cues
        if cue.shape in phones
    ]
    curves = [solver.push(spoken, np.full(rows, LEVEL)), solver.flush()]
    return decode(np.concatenate(curves), Rig.named("arkit52_tongue"))


def read_cues(path: Path, text: str) -> list[Cue]:
    """Return the cues of a TSV, JSON or XML text; InputError if there are none or they are odd."""
    start = text.lstrip()[:1]
    reader = {"{": _from_json, "<": _from_xml}.get(start, _from_tsv)
    try:
        cues = reader(text)
    except (ValueError, KeyError, TypeError, ElementTree.ParseError) as error:
        raise InputError(f"{path}: no mouth cues of Rhubarb: {str(error)[:120]}") from None
    if not cues or not cues[-1].end > 0:
        raise InputError(f"{path}: has no mouth cues")
    for one, other in zip(cues, [*cues[1:], None], strict=True):
        if one.shape not in (*mouths()[1], REST):
            raise InputError(f"{path}: mouth shape '{one.shape[:20]}', expected A to H or X")
        if not 0 <= one.start <= one.end or (other and other.start < one.start):
            raise InputError(f"{path}: the cue at {one.start:g} s does not come in order")
    return cues


def _from_json(text: str) -> list[Cue]:
    rows = json.loads(text)["mouthCues"]
    return [Cue(float(r["start"]), float(r["end"]), str(r["value"])) for r in rows]


def _from_xml(text: str) -> list[Cue]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a document type is not read")
    found = ElementTree.fromstring(text).iter("mouthCue")
    return [
        Cue(float(c.attrib["start"]), float(c.attrib["end"]), (c.text or "").strip()) for c in found
    ]


def _from_tsv(text: str) -> list[Cue]:
    rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    times = [float(row[0]) for row in rows]
    shapes = [row[1].strip() if len(row) > 1 else "" for row in rows]
    return [Cue(a, b, shape) for (a, b), shape in zip(pairwise(times), shapes, strict=False)]
