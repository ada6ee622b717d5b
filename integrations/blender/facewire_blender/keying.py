"""Which frames get keys, and that the curves between them keep what must be kept."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from . import actions, reduce
from .channels import ROTATIONS
from .clip import Clip
from .faces import Track
from .lips import CLOSED, GAP, lip_gap
from .options import Options

Writer = Callable[[Any, Sequence[float], Sequence[float], bool], None]
_ROUNDS = 16
_STILL = 1e-6
_TURN = 4.0
"""A radian counts as much as four channels: .02 is 0.3 degrees then."""


def rows(clip: Clip, tracks: Sequence[Track], options: Options) -> dict[str, list[int]]:
    """Return region -> the rows that its curves are keyed at."""
    every = list(range(len(clip)))
    regions = {track.region for track in tracks}
    if options.keys == "EVERY":
        return dict.fromkeys(regions, every)
    return {region: _region(region, clip, tracks, options) for region in regions}


def _region(region: str, clip: Clip, tracks: Sequence[Track], options: Options) -> list[int]:
    named = {name for track in tracks if track.region == region for name in track.channels}
    columns = [_scaled(clip, name) for name in clip.channels if name in named]
    held = {*range(options.blend_in + 1), *range(len(clip) - 1 - options.blend_out, len(clip))}
    if region != "lips":
        return reduce.simplified(columns, options.tolerance, held)
    gap = lip_gap(clip)
    if options.keys == "PHONES" and any(mark.kind == "phone" for mark in clip.marks):
        apexes = reduce.apexes(gap, clip.marks, clip.fps)
        return sorted({*apexes, *(row for row in held if 0 <= row < len(clip))})
    if options.keys == "PHONES":  # no phones: the apexes of the gap itself
        columns = []
    return reduce.simplified([*columns, gap], options.tolerance, held | reduce.pinned(gap))


def _scaled(clip: Clip, name: str) -> Sequence[float]:
    column = clip.column(name)
    return [_TURN * value for value in column] if name in ROTATIONS else column


def keyed(
    curves: Sequence[tuple[Track, Any]],
    at: dict[str, list[int]],
    start: int,
    clip: Clip,
    options: Options,
    write: Writer = actions.write,
) -> int:
    """Write the curves, and key more rows until what is between the keys is as it should be.

    SIMPLIFIED: the gap and each channel are within the tolerance. Either way, the lips are closed
    in every row where the clip has them closed. Curves that stand still get two keys. Returns how
    many keys there are.
    """
    straight, count = options.keys == "EVERY", 0

    def put(group: Sequence[tuple[Track, Any]], kept: Sequence[int]) -> int:
        frames = [start + row for row in kept]
        for track, curve in group:
            write(curve, frames, [track.values[row] for row in kept], straight)
        return len(group) * len(kept)

    for region in {track.region for track, _ in curves}:
        group = [(track, curve) for track, curve in curves if track.region == region]
        if straight:
            count += put(group, at[region])
            continue
        still = [each for each in group if max(each[0].values) - min(each[0].values) < _STILL]
        moving = [each for each in group if each not in still]
        count += put(still, sorted({at[region][0], at[region][-1]}))
        kept, rows = at[region], list(range(len(clip)))
        for turn in range(_ROUNDS + 1):
            put(moving, kept)
            wrong = set(_wrong(moving, rows, start, clip, options)) - set(kept)
            if not wrong:
                break
            kept = sorted({*kept, *wrong}) if turn < _ROUNDS - 1 else list(range(len(clip)))
            rows = _near(kept, wrong)
        count += len(moving) * len(kept)
    return count


def _near(kept: Sequence[int], added: set[int]) -> list[int]:
    """Return the rows that new keys may have changed: handles look at the keys beside."""
    rows: set[int] = set()
    for at, row in enumerate(kept):
        if row in added:
            low, high = max(0, at - 2), min(len(kept) - 1, at + 2)
            rows |= set(range(kept[low], kept[high] + 1))
    return sorted(rows)


def _wrong(
    group: Sequence[tuple[Track, Any]],
    rows: Sequence[int],
    start: int,
    clip: Clip,
    options: Options,
) -> set[int]:
    """Return the worst row of each run of rows that the curves miss."""
    found: set[int] = set()
    off_gap, counted = [0.0] * len(rows), set()
    within = options.keys == "SIMPLIFIED"
    for track, curve in group:
        evaluate, values, unit = curve.evaluate, track.values, track.unit
        off = [(evaluate(start + row) - values[row]) / unit for row in rows]
        weight = sum(GAP.get(name, 0.0) for name in track.channels if name not in counted)
        counted |= set(track.channels)
        if weight:
            off_gap = [gap + weight * o for gap, o in zip(off_gap, off, strict=True)]
        if within:
            share = _TURN if "rotation" in track.path else 1.0
            found |= _peaks(rows, off, options.tolerance / share)
    if counted & set(GAP):
        found |= _peaks(rows, off_gap, options.tolerance) if within else set()
        gap = lip_gap(clip)
        for row, missed in zip(rows, off_gap, strict=True):
            if gap[row] < CLOSED <= gap[row] + missed:
                found.add(row)
    return found


def _peaks(rows: Sequence[int], off: Sequence[float], tolerance: float) -> set[int]:
    """Return the worst of each run of rows that are beyond the tolerance."""
    peaks: set[int] = set()
    best, worst, before = -1, 0.0, -2
    for row, value in zip(rows, off, strict=True):
        size = abs(value)
        if size <= tolerance:
            continue
        if row == before + 1:
            if size > worst:
                peaks.discard(best)
                peaks.add(row)
                best, worst = row, size
        else:
            peaks.add(row)
            best, worst = row, size
        before = row
    return peaks


def ramp(count: int, blend_in: int, blend_out: int) -> list[float]:
    """Return how much of the bake counts in each row (n,): 0 to 1 and back, eased."""
    weights = [1.0] * count
    for row in range(min(blend_in, count)):
        weights[row] *= _ease(row / blend_in)
    for row in range(min(blend_out, count)):
        weights[count - 1 - row] *= _ease(row / blend_out)
    return weights


def _ease(at: float) -> float:
    return at * at * (3 - 2 * at)


def blended(
    values: Sequence[float], under: Sequence[float], weights: Sequence[float]
) -> array[float]:
    """Return values (n,) that take over from those under them."""
    return array("f", [w * v + (1 - w) * u for v, u, w in zip(values, under, weights, strict=True)])
