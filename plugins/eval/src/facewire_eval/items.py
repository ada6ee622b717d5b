"""What an engine is measured on: takes of captured faces, and transcribed recordings."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from facewire.articulation import PhoneTime
from facewire.assemble import assemble, shared
from facewire.errors import InputError
from facewire.profile import Profile, component
from facewire.registry import Registry
from facewire.rig import Rig
from facewire.sources import AudioFile
from facewire.types import FloatArray, Mark, frames_within
from numpy.typing import NDArray

from facewire_eval.textgrid import read_textgrid

SOUNDS = (".wav", ".flac", ".ogg", ".mp3")
TEXTS = (".lab", ".txt")
GRIDS = (".TextGrid", ".textgrid")


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Mono sound (n,) float32 at ``rate``, by name; ``lang`` is what is spoken in it.

    ``marks`` are those of the voice that spoke it, if any: a profile then gets them too.
    """

    name: str
    samples: FloatArray
    rate: int
    lang: str | None = None
    marks: tuple[Mark, ...] = ()

    @property
    def seconds(self) -> float:
        """Return its length."""
        return len(self.samples) / self.rate

    def rows(self, fps: Fraction) -> int:
        """Return how many frames begin in it."""
        return frames_within(len(self.samples), self.rate, fps)

    def heard(self, samples: NDArray[np.floating]) -> Sound:
        """Return the same recording with other samples."""
        return replace(self, samples=np.asarray(samples, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Frames of a face: values (n, channels) at the rate they were made at."""

    values: FloatArray
    rig: Rig
    fps: Fraction

    @property
    def rate(self) -> float:
        """Return frames a second."""
        return float(self.fps)


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """Sound and the face that was captured with it."""

    sound: Sound
    motion: Motion


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Sound, what is said in it, and when each phone is spoken."""

    sound: Sound
    text: str | None
    phones: tuple[PhoneTime, ...]


def read_sound(path: Path, lang: str | None = None) -> Sound:
    """Read a sound file, mixed down to mono; InputError if it is none."""
    source = AudioFile(path)
    pieces = list(source.blocks())
    return Sound(path.stem, np.concatenate([p.samples for p in pieces]), pieces[0].rate, lang)


def read_motion(path: Path) -> Motion:
    """Read frames through the installed source for the suffix (npz, csv, json); InputError."""
    registry: Registry = shared("facewire.registry", Registry)
    part = registry.by_suffix("source", path.suffix)
    if part is None:
        raise InputError(f"{path}: no installed source reads '{path.suffix}'; use npz or csv")
    profile = Profile(name="eval", sinks=())
    context = assemble(profile, path.stem, Path("out"), registry=registry).context
    spec = component({"use": part.name, "path": str(path.absolute())}, str(path))
    blocks = list(registry.build("source", spec, context).stage.blocks())
    values = np.concatenate([block.values for block in blocks])
    return Motion(values, blocks[0].rig, blocks[0].fps)


def load_takes(folder: Path, lang: str | None = None) -> list[Take]:
    """Return the (sound, motion) pairs of one stem in a folder, by name; InputError if none."""
    takes = []
    for path in _sounds(folder):
        motion = _beside(path, (".npz", ".csv", ".json"))
        if motion:
            takes.append(Take(read_sound(path, lang), read_motion(motion)))
    if not takes:
        raise InputError(
            f"{folder}: found no pairs, expected sound and motion of one name, such as "
            "a.wav and a.csv"
        )
    return takes


def load_lines(folder: Path, lang: str | None = None) -> list[Line]:
    """Return the recordings of a folder that have a transcript or a TextGrid, by name.

    Phones are those of the TextGrid's tier ``phones`` (or ``phone``); where there is only a text
    they are aligned to the sound. InputError if there are no such recordings.
    """
    from facewire_eval.judge_phones import align

    lines = []
    for path in _sounds(folder):
        grid, text = _beside(path, GRIDS), _beside(path, TEXTS)
        words = text.read_text("utf-8-sig", errors="replace").strip() if text else None
        if grid:
            lines.append(Line(read_sound(path, lang), words, tuple(read_textgrid(grid))))
        elif words:
            sound = read_sound(path, lang)
            lines.append(Line(sound, words, tuple(align(sound, words))))
    if not lines:
        raise InputError(
            f"{folder}: found no transcribed recordings, expected a.wav with a.txt, a.lab or "
            "a.TextGrid beside it"
        )
    return lines


def load_untold(folder: Path, pattern: str, lang: str | None = None) -> list[Sound]:
    """Return the recordings without transcript whose name has ``pattern`` in it."""
    return [
        read_sound(path, lang)
        for path in _sounds(folder)
        if re.search(pattern, path.stem, re.IGNORECASE) and not _beside(path, (*TEXTS, *GRIDS))
    ]


def _sounds(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SOUNDS)


def _beside(path: Path, suffixes: tuple[str, ...]) -> Path | None:
    return next((p for s in suffixes if (p := path.with_suffix(s)).is_file()), None)
