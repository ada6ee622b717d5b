"""Another frame rate, with closures kept: the rule of Facewire's core."""

from __future__ import annotations

from array import array
from dataclasses import replace
from fractions import Fraction

from .clip import Clip
from .lips import CLOSED, lip_gap

_MOUTH = ("jaw", "mouth", "tongue")


def retimed(clip: Clip, target: Fraction) -> Clip:
    """Return ceil(n * target / fps) rows at ``target``.

    Rows are interpolated linearly; where a given row within half a new period has its lips closed,
    that row's mouth is taken whole.
    """
    if target == clip.fps:
        return clip
    ratio = clip.fps / target
    count = -(-len(clip) * ratio.denominator // ratio.numerator)
    last = len(clip) - 1
    whole = [divmod(k * ratio.numerator, ratio.denominator) for k in range(count)]
    lows = [min(low, last) for low, _ in whole]
    parts = [rest / ratio.denominator for _, rest in whole]
    held = _held(clip, ratio, count) if "jawOpen" in clip.channels else []
    columns = []
    for name, column in zip(clip.channels, clip.columns, strict=True):
        made = _between(column, lows, parts)
        for row, closed in held if name.startswith(_MOUTH) else ():
            made[row] = column[closed]
        columns.append(made)
    return replace(clip, fps=target, columns=tuple(columns))


def _between(column: array[float], lows: list[int], parts: list[float]) -> array[float]:
    after = column[1:] + column[-1:]
    return array(
        "f",
        [
            column[low] * (1 - part) + after[low] * part
            for low, part in zip(lows, parts, strict=True)
        ],
    )


def _held(clip: Clip, ratio: Fraction, count: int) -> list[tuple[int, int]]:
    """Return (new row, given row) where a given row within half a new period is closed."""
    gap = lip_gap(clip)
    above, below = ratio.numerator, 2 * ratio.denominator
    held = []
    for k in range(count):
        # the given rows above (2k - 1) / 2 and up to (2k + 1) / 2 new periods
        begin = (2 * k - 1) * above // below + 1 if k else 0
        near = range(begin, min((2 * k + 1) * above // below + 1, len(gap)))
        best = min(near, key=gap.__getitem__, default=None)
        if best is not None and gap[best] < CLOSED:
            held.append((k, best))
    return held
