"""Emotion on a face: presets come out as authored, differ on the head, and leave lips closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from facewire.articulation import PhoneTime, measure, read_phone
from facewire.articulation.closures import EARLY
from facewire.errors import PluginError
from facewire.rig import Rig
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_eval.metrics.bootstrap import Array, Figure, share

WITHIN = 0.05
"""How far a channel may be from the authored one."""
MOVES = 1e-3
"""Metres that some channel moves a vertex of the face by, at least; others are not looked at."""


def preset_errors(found: FloatArray, authored: FloatArray, channels: Sequence[str]) -> Array:
    """Return the largest error of a channel, all but jawOpen, of each face: (faces,).

    Both (faces, channels): what an engine shows in silence, and what was authored.
    """
    kept = [i for i, channel in enumerate(channels) if channel != "jawOpen"]
    away = np.abs(np.asarray(found, np.float64) - authored)[:, kept]
    return np.asarray(away.max(axis=1))


def reproducibility(errors: NDArray[np.floating]) -> Figure:
    """Return the share of authored faces that come out within .05 in every channel."""
    return share([bool(error <= WITHIN) for error in errors])


def head() -> Any:
    """Return facewire-preview's head; PluginError in one line if it is not installed."""
    try:
        from facewire_preview.head import load_head
    except ImportError:
        raise PluginError(
            "distinctness is measured on the head of facewire-preview, which is not installed; "
            "pip install facewire-preview"
        ) from None
    return load_head()


def displacements(faces: FloatArray, rig: Rig, on: Any = None) -> Array:
    """Return where the face's vertices are moved to, in millimetres: (faces, vertices, 3).

    ``faces`` (faces, channels). Vertices of the face alone: some channel moves them by 1 mm, and
    they are no tongue, teeth or eyeballs. Head and eyes are not turned: they alone must not make a
    difference.
    """
    model = on or head()
    moved = np.zeros((len(faces), len(model.positions), 3))
    seen = np.zeros(len(model.positions), bool)
    for channel, (at, by) in model.morphs.items():
        if channel in rig and channel != "tongueOut":
            moved[:, at] += faces[:, rig.index(channel), None, None] * by.astype(np.float64)
            seen[at] |= np.sqrt((by.astype(np.float64) ** 2).sum(axis=1)) > MOVES
    return np.asarray(1000 * moved[:, seen & _skin(model)])


def _skin(model: Any) -> NDArray[np.bool_]:
    """Return which vertices (v,) belong to the largest surface that hangs together: the skin."""
    first = model.weld.astype(np.int64).copy()
    corners = first[model.triangles]
    label = np.arange(len(first))
    for _ in range(len(first)):
        least = label[corners].min(axis=1)
        before = label.copy()
        for k in range(3):
            np.minimum.at(label, corners[:, k], least)
        label = label[label]
        if np.array_equal(before, label):
            break
    whole = label[first]
    names, counts = np.unique(whole, return_counts=True)
    return np.asarray(whole == names[counts.argmax()])


def distinctness(
    faces: Mapping[str, FloatArray], rig: Rig, on: Any = None
) -> dict[tuple[str, str], float]:
    """Return the mean displacement in millimetres between every two named faces (channels,)."""
    names = list(faces)
    moved = displacements(np.stack([faces[name] for name in names]), rig, on)
    return {
        (names[i], names[j]): float(np.linalg.norm(moved[i] - moved[j], axis=1).mean())
        for i, j in combinations(range(len(names)), 2)
    }


def protection(
    neutral: NDArray[np.floating],
    emotional: NDArray[np.floating],
    fps: float,
    phones: Sequence[PhoneTime],
) -> Figure:
    """Return the share of /p b m/ closed without emotion that are closed with it.

    ``neutral`` and ``emotional`` are the gap (n,) of the same speech.
    """
    kept = []
    for phone in phones:
        if read_phone(phone.text).kind == "closure" and closed(neutral, fps, phone):
            kept.append(closed(emotional, fps, phone))
    return share(kept)


def closed(gap: NDArray[np.floating], fps: float, phone: PhoneTime) -> bool:
    """Return whether the gap (n,) has a closure at one /p b m/."""
    first = max(0, int((phone.start - EARLY - 0.2) * fps))
    last = int((phone.end + 0.2) * fps) + 1
    moved = PhoneTime(phone.text, phone.start - first / fps, phone.end - first / fps)
    return measure(gap[first:last], fps, [moved]).recall == 1.0
