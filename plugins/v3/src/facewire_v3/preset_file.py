"""Read a file of authored faces: channels, where head and eyes point, how the display runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import radians
from pathlib import Path
from typing import Any

import numpy as np
from facewire.emotion import LABELS, LEVELS, lookup
from facewire.errors import InputError
from facewire.types import FloatArray
from facewire.yaml_loader import load_yaml

from facewire_v3.tables import CHANNELS, REST, RIG, load, number, numbers, spread, table

AUTHORED = (1, 3, 5)
"""The levels that are authored; the compiler makes what is between."""
JOYFUL = "joyful surprise"
FULL_LOOK = radians(35.0)
"""The angle of an eye at 1.0 of a look channel."""
LOWEST, HIGHEST = 0.02, 0.98  # the VAD of a preset is within these
MAX_ANGLE = 35.0  # degrees
HEAD, GAZE = ("yaw", "pitch", "roll"), ("yaw", "pitch")
_LOOK = tuple(channel for channel in CHANNELS if channel.startswith("eyeLook"))
YAW = (("eyeLookInLeft", "eyeLookOutRight"), ("eyeLookOutLeft", "eyeLookInRight"))
PITCH = (("eyeLookDownLeft", "eyeLookDownRight"), ("eyeLookUpLeft", "eyeLookUpRight"))
"""Look channels of a positive angle (to the subject's right, down), and of a negative one."""
_FIELDS = ("units", "sources", "note", "face", "rest", "head", "gaze", "course")


@dataclass(frozen=True, slots=True)
class Course:
    """The time course of a display, in seconds.

    ``onset``, ``apex`` and ``offset`` are how long it grows, stays and fades; ``gaze``, ``face``
    and ``head`` how long after its beginning each sets in.
    """

    onset: float
    apex: float
    offset: float
    gaze: float
    face: float
    head: float


@dataclass(frozen=True, slots=True, eq=False)
class Preset:
    """One authored face.

    ``family`` is the label it belongs to, ``level`` 1, 3 or 5. ``face`` (52,) is in arkit52's
    order, gaze included. ``head`` (yaw, pitch, roll) and ``gaze`` (yaw, pitch) are radians: yaw +
    to the subject's right, pitch + down, roll + right ear to right shoulder. ``units`` are FACS
    action units; ``sources`` say where they are from.
    """

    name: str
    family: str
    level: int
    vad: tuple[float, float, float]
    face: FloatArray
    head: tuple[float, float, float]
    gaze: tuple[float, float]
    course: Course
    units: str
    sources: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name, with the level where there are several."""
        return f"{self.name} L{self.level}" if self.family == self.name != "neutral" else self.name


def on_ray(family: str, times: float) -> tuple[float, float, float]:
    """Return neutral + ``times`` the way to a family's VAD, within [.02, .98]."""
    v, a, d = (
        min(HIGHEST, max(LOWEST, rest + times * (full - rest)))
        for rest, full in zip(REST, lookup(family).vad, strict=True)
    )
    return v, a, d


def _look(face: FloatArray, yaw: float, pitch: float) -> None:
    """Write a gaze (radians) into the look channels of a face (52,)."""
    for angle, (positive, negative) in ((yaw, YAW), (pitch, PITCH)):
        face[RIG.indices(*(positive if angle > 0 else negative))] = abs(angle) / FULL_LOOK


def _faces(row: dict[str, Any], count: int, where: str) -> FloatArray:
    """Return ``count`` faces (count, 52) of a row, without gaze; every channel must be named."""
    if not isinstance(row["face"], dict) or not isinstance(row["rest"], list):
        raise InputError(f"{where}: expected a table under face and a list under rest")
    zero = [0.0] * count
    named = spread({**dict.fromkeys(row["rest"], zero), **row["face"]}, where)
    if len(set(row["face"]) & set(row["rest"])):
        raise InputError(f"{where}: {(set(row['face']) & set(row['rest'])).pop()} is set twice")
    out = np.zeros((count, len(CHANNELS)), np.float32)
    for column, channel in enumerate(CHANNELS):
        if (channel in _LOOK) == (column in named):
            problem = "belongs to gaze" if channel in _LOOK else "is missing"
            raise InputError(
                f"{where}: channel {channel} {problem}; name every channel but eyeLook… once, "
                f"with {count} value{'s' * (count > 1)} under face, or under rest where it stays 0"
            )
        if column in named:
            found = named[column] if isinstance(named[column], list) else [named[column]]
            out[:, column] = numbers(found, count, f"{where}: {channel}", 0.0, 1.0)
    return out


def _angles(row: Any, axes: Sequence[str], count: int, where: str) -> list[list[float]]:
    """Return ``count`` times radians for each axis of a table of degrees."""
    found = table(row, axes, where)
    columns = []
    for axis in axes:
        given = found[axis] if isinstance(found[axis], list) else [found[axis]]
        values = numbers(given, count, f"{where}: {axis}", -MAX_ANGLE, MAX_ANGLE)
        columns.append([radians(value) for value in values])
    return [list(angles) for angles in zip(*columns, strict=True)]


def _course(row: Any, where: str) -> Course:
    keys = tuple(Course.__dataclass_fields__)
    found = table(row, keys, where)
    return Course(**{key: number(found[key], f"{where}: {key}", 0.0, 10.0) for key in keys})


def _sources(row: Any, known: dict[str, str], where: str) -> tuple[str, ...]:
    if not isinstance(row, list) or not row or not set(row) <= set(known):
        raise InputError(f"{where}: found {row!r}, expected names of sources ({', '.join(known)})")
    return tuple(known[name].strip() for name in row)


def _presets(
    name: str,
    family: str,
    vads: Sequence[tuple[float, float, float]],
    row: dict[str, Any],
    known: dict[str, str],
    where: str,
) -> list[Preset]:
    """Return the presets of one row of the file: one for each of ``vads``."""
    count = len(vads)
    faces = _faces(row, count, where)
    heads = _angles(row["head"], HEAD, count, f"{where}: head")
    gazes = _angles(row["gaze"], GAZE, count, f"{where}: gaze")
    course = _course(row["course"], f"{where}: course")
    sources = _sources(row["sources"], known, f"{where}: sources")
    made = []
    for face, (head_yaw, head_pitch, roll), (yaw, pitch), vad, level in zip(
        faces, heads, gazes, vads, AUTHORED if count > 1 else (3,), strict=True
    ):
        _look(face, yaw, pitch)
        face.flags.writeable = False
        head = (head_yaw, head_pitch, roll)
        gaze, units = (yaw, pitch), str(row["units"])
        made.append(Preset(name, family, level, vad, face, head, gaze, course, units, sources))
    return made


def load_presets(path: Path | None = None) -> tuple[Preset, ...]:
    """Read a file of presets, the plugin's own by default: neutral, 15 emotions, joyful surprise.

    InputError in one line with the place, if a channel is missing or anything else is wrong.
    """
    where = "presets.yaml" if path is None else str(path)
    data = load(where) if path is None else load_yaml(path, where)
    table(data, ("sources", "emotions", "joyful_surprise"), where)
    known = data["sources"]
    zero = np.zeros(len(CHANNELS), np.float32)
    zero.flags.writeable = False
    still = Course(0.5, 0.0, 0.5, 0.0, 0.0, 0.0)
    made = [Preset("neutral", "neutral", 3, REST, zero, (0.0, 0.0, 0.0), (0.0, 0.0), still, "", ())]
    times = [LEVELS[level - 1] for level in AUTHORED]
    for name, row in table(data["emotions"], LABELS[1:], f"{where}: emotions").items():
        place = f"{where}: {name}"
        vads = [on_ray(name, much) for much in times]
        made += _presets(name, name, vads, table(row, _FIELDS, place), known, place)
    place = f"{where}: joyful_surprise"
    row = table(data["joyful_surprise"], (*_FIELDS, "vad"), place)
    v, a, d = numbers(row["vad"], 3, f"{place}: vad", LOWEST, HIGHEST)
    made += _presets(JOYFUL, "surprise", [(v, a, d)], row, known, place)
    order = {name: i for i, name in enumerate((*LABELS, JOYFUL))}
    return tuple(sorted(made, key=lambda preset: (order[preset.name], preset.level)))
