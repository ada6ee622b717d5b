"""Another frame rate, with closures kept: the rule of Facewire's core, without numpy."""

from __future__ import annotations

from fractions import Fraction

from facewire_unreal.clip import Clip, Row
from facewire_unreal.face import CLOSED, lip_gap

_MOUTH = ("jaw", "mouth", "tongue")


def retime(clip: Clip, target: Fraction) -> Clip:
    """Return ceil(n * target / fps) rows at ``target``.

    Rows are interpolated linearly; where a given row within half a new period has its lips closed,
    that row's mouth is taken whole.
    """
    if target == clip.fps:
        return clip
    count = -int(-len(clip.rows) * target // clip.fps)
    mouth = [i for i, name in enumerate(clip.channels) if name.startswith(_MOUTH)]
    gap = lip_gap(clip.channels, clip.rows) if "jawOpen" in clip.channels else []
    rows = []
    for k in range(count):
        at = k * clip.fps / target
        row = _between(clip.rows, at)
        closed = _closure(gap, at, clip.fps / (2 * target))
        if closed is not None:
            for i in mouth:
                row[i] = clip.rows[closed][i]
        rows.append(row)
    return Clip(clip.channels, rows, target, clip.words)


def _between(rows: list[Row], at: Fraction) -> Row:
    low = min(int(at), len(rows) - 1)
    high = min(low + 1, len(rows) - 1)
    part = float(at - int(at))
    return [a * (1 - part) + b * part for a, b in zip(rows[low], rows[high], strict=True)]


def _closure(gap: list[float], at: Fraction, half: Fraction) -> int | None:
    """Return the given row within ``half`` whose lips are closest, if they are closed."""
    begin = int(at - half) + 1 if at >= half else 0
    near = range(begin, min(int(at + half) + 1, len(gap)))
    best = min(near, key=lambda k: gap[k], default=None)
    return best if best is not None and gap[best] < CLOSED else None
