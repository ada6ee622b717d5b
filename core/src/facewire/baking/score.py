"""How likely it is that a baked line needs a look: what was measured, and why.

Each measure has a value that is ``fine``, one that is ``bad``, a ``weight`` and the words of its
cause (``data/baking/score.yaml``). Between fine and bad doubt grows from 0 to the weight, and the
suspicion of a line is 1 - the product of 1 - doubt: one sure fault is enough, many small doubts add
up (a noisy or; Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3.2).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from facewire.articulation import lip_gap
from facewire.articulation.tables import numbers
from facewire.baking.sound import STEP, listen
from facewire.baking.talk import plain, talk_measures
from facewire.stages import Sink
from facewire.types import Block, FloatArray, Mark, Reading, RunInfo

TOLD = 0.1
"""Doubt from which a cause is told."""
_PCM = 32767.0
_OUTSIDE = 0.02
"""How far a blendshape may leave 0..1, and a rotation its quarter turn, before it counts."""


@dataclass(frozen=True, slots=True)
class Limit:
    """When a measure gives doubt: none at ``fine``, ``weight`` at ``bad`` and beyond."""

    fine: float
    bad: float
    weight: float
    cause: str

    def doubt(self, value: float) -> float:
        """Return the doubt that a value gives, 0..weight; none for nan: not judged."""
        if math.isnan(value):
            return 0.0
        share = (value - self.fine) / (self.bad - self.fine)
        return self.weight * min(max(share, 0.0), 1.0)


@cache
def limits() -> dict[str, Limit]:
    """Return measure -> limit; checked once."""
    import yaml

    table = yaml.safe_load(files("facewire").joinpath("data/baking/score.yaml").read_text("utf-8"))
    found: dict[str, Limit] = {}
    for measure, row in table.items():
        values = numbers({key: row[key] for key in ("fine", "bad", "weight")}, measure)
        if values["fine"] == values["bad"] or not 0 < values["weight"] <= 1:
            raise ValueError(f"score.yaml: {measure}: expected fine and bad to differ, weight 0..1")
        found[measure] = Limit(**values, cause=str(row["cause"]))
    return found


class Judge(Sink):
    """Listens to a line as it is baked, and scores it. ``words``: what is said, if known."""

    def __init__(self, words: str | None) -> None:
        self._words = words
        self.readings: Sequence[Reading] = ()
        self.marks: list[Mark] = []
        self._pcm: list[np.ndarray[Any, np.dtype[np.int16]]] = []
        self._gap: list[FloatArray] = []
        self._jaw: list[FloatArray] = []
        self._outside: dict[str, float] = {}
        self.frame_rate, self.rate = 60.0, 16000

    def open(self, info: RunInfo) -> None:
        """Begin."""
        self.frame_rate, self.rate = float(info.fps), info.rate
        self._jaw_at = info.rig.index("jawOpen") if "jawOpen" in info.rig else None
        turns = [i for i, name in enumerate(info.rig.channels) if _rotation(name)]
        self._least = np.zeros(len(info.rig), np.float32)
        self._most = np.ones(len(info.rig), np.float32)
        self._least[turns], self._most[turns] = -math.pi / 2, math.pi / 2

    def push(self, block: Block) -> None:
        """Take a block."""
        frames = block.frames
        values = frames.values
        self._gap.append(lip_gap(values, frames.rig))
        if self._jaw_at is not None:
            self._jaw.append(values[:, self._jaw_at].copy())
        if len(values):
            over = np.maximum(values - self._most, self._least - values).max(axis=0)
            for i in np.flatnonzero(over > _OUTSIDE):
                name = frames.rig.channels[i]
                self._outside[name] = max(self._outside.get(name, 0.0), float(over[i]))
        self.rate = block.audio.rate
        clipped = np.clip(block.audio.samples, -1, 1)
        self._pcm.append(np.rint(clipped * _PCM).astype(np.int16))
        self.marks += block.audio.marks

    def close(self) -> None:
        """End."""

    @property
    def pcm(self) -> np.ndarray[Any, np.dtype[np.int16]]:
        """The sound (n,)."""
        return np.concatenate(self._pcm) if self._pcm else np.zeros(0, np.int16)

    @property
    def gap(self) -> FloatArray:
        """The lips' gap (frames,)."""
        return np.concatenate(self._gap) if self._gap else np.zeros(0, np.float32)

    @property
    def jaw(self) -> FloatArray:
        """The jaw's opening (frames,); no rows where the rig has no jaw."""
        return np.concatenate(self._jaw) if self._jaw else np.zeros(0, np.float32)

    def scores(self, notes: Sequence[str]) -> dict[str, Any]:
        """Return the line's scores: ``suspicion`` 0..1, ``causes`` worst first, ``measures``.

        ``notes`` are what the run had to say. A measure is left out where it cannot be judged.
        """
        measured = self.measured(notes)
        doubts = {name: limits()[name].doubt(value) for name, value in measured.items()}
        order = sorted(doubts, key=lambda name: (-doubts[name], name))
        causes = [limits()[name].cause for name in order if doubts[name] >= TOLD]
        if self._outside and doubts.get("outside", 0.0) >= TOLD:
            causes.append(f"out of range: {', '.join(sorted(self._outside)[:8])}")
        return {
            "suspicion": round(1 - math.prod(1 - doubt for doubt in doubts.values()), 4),
            "causes": list(dict.fromkeys(causes)),
            "measures": {
                name: round(value, 4)
                for name, value in sorted(measured.items())
                if not math.isnan(value)
            },
        }

    def measured(self, notes: Sequence[str]) -> dict[str, float]:
        """Return every measure's value; nan where it cannot be judged."""
        sound = listen(self.pcm.astype(np.float32) / np.float32(_PCM), self.rate)
        measured = {
            "level": sound.level,
            "clipped": sound.clipped,
            "begins": sound.begins,
            "ends": sound.ends,
            "outside": max(self._outside.values(), default=0.0),
            "emotion": min((r.confidence for r in self.readings), default=math.nan),
        }
        measured |= read_notes(notes, len(sound.levels) * STEP, len(plain(self._words).split()))
        return measured | talk_measures(
            self._words, sound, self.marks, self.rate, self.gap, self.frame_rate
        )


_MISMATCH = re.compile(r"the transcript does not match ([\d.]+) s of the recording")
_UNHEARD = re.compile(r"in the transcript but not heard: (.+?)(?: and (\d+) more)?$")


def read_notes(notes: Sequence[str], seconds: float, words: int) -> dict[str, float]:
    """Return what a run's notes tell of faults, as measures.

    ``damaged`` and ``short`` are 0 or 1, ``mismatch`` the share of the sound that the words do not
    fit, ``unheard`` the share of the words that are not heard.
    """
    found = {"damaged": 0.0, "short": 0.0, "mismatch": 0.0, "unheard": 0.0}
    for note in notes:
        found["damaged"] = max(found["damaged"], float("damaged; read up to" in note))
        found["short"] = max(found["short"], float("the file is cut off" in note))
        if (match := _MISMATCH.search(note)) and seconds > 0:
            found["mismatch"] = min(1.0, float(match[1]) / seconds)
        if (match := _UNHEARD.match(note)) and words:
            count = match[1].count("', '") + 1 + int(match[2] or 0)
            found["unheard"] = min(1.0, count / words)
    return found


def _rotation(channel: str) -> bool:
    return channel.endswith(("Yaw", "Pitch", "Roll"))
