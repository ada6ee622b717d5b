"""Marks as timeline markers and back: what a marker is called, and what its moving means.

A marker is a name at a frame, and nothing else: Blender 5.0 keeps no properties on it. So the name
tells the kind (``/m/`` a phone, ``"hello"`` a word, ``<laugh>`` a sound), and a list of what was
placed where stands beside. A marker that stayed at its frame is its mark, to the last digit; one
that moved is moved by whole frames. A pause among the phones has a marker too, ``/_/``, so that a
phone ends at the next marker, and its end can be moved.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest
from typing import TypeVar

from .clip import Mark

PAUSE = "_"
_SIGNS = {"phone": ("/", "/"), "word": ('"', '"'), "sound": ("<", ">")}
_LONGEST = 63  # bytes of a marker's name
_TOUCH = 1e-3  # seconds: marks nearer than that have no pause between
SHORTEST = 0.01  # seconds of a phone that others were moved upon

Item = TypeVar("Item")


@dataclass(frozen=True)
class Placed:
    """A mark, and the frame its marker was put on."""

    mark: Mark
    frame: int


def label(mark: Mark) -> str:
    """Return a marker's name for a mark."""
    first, last = _SIGNS[mark.kind]
    text = mark.text.encode()[: _LONGEST - 2].decode(errors="ignore")
    return f"{first}{text}{last}"


def read_label(name: str) -> tuple[str, str] | None:
    """Return kind and text of a marker's name, None if it is none of ours."""
    for kind, (first, last) in _SIGNS.items():
        if len(name) > 2 and name[0] == first and name[-1] == last:
            return kind, name[1:-1]
    return None


def with_pauses(marks: Iterable[Mark]) -> list[Mark]:
    """Return marks in order of time, with a mark for each pause between phones and at the end."""
    ordered = sorted(marks, key=lambda mark: (mark.start, mark.kind))
    phones = [mark for mark in ordered if mark.kind == "phone"]
    pauses = []
    for phone, after in _neighbours(phones):
        if after is None:
            pauses.append(Mark("phone", PAUSE, phone.end, phone.end))
        elif after.start - phone.end >= _TOUCH:
            pauses.append(Mark("phone", PAUSE, phone.end, after.start))
    return sorted([*ordered, *pauses], key=lambda mark: (mark.start, mark.kind))


def _neighbours(items: Sequence[Item]) -> Iterator[tuple[Item, Item | None]]:
    """Yield each with the one after it, the last with None."""
    yield from zip_longest(items, items[1:])


def placed(marks: Iterable[Mark], start: int, fps: Fraction) -> list[Placed]:
    """Return marks with the frames their markers belong on; ``start`` is the frame of second 0."""
    return [Placed(mark, start + round(mark.start * fps)) for mark in marks]


def edited(
    marks: Sequence[Mark],
    shown: Sequence[Placed],
    markers: Iterable[tuple[str, int]],
    start: int,
    fps: Fraction,
) -> list[Mark]:
    """Return a take's marks as its markers are now.

    ``shown`` says which of the marks (with pauses) have markers, ``markers`` are the names and
    frames of all markers that are there. Words that moved take their phones along.
    """
    found = [(name, frame) for name, frame in markers if read_label(name)]
    pairs, new = _paired(shown, found)
    hidden = _without(with_pauses(marks), [each.mark for each in shown])
    moves = [(mark, mark) for mark in hidden]
    moves += [(each.mark, _moved(each, frame, fps)) for each, frame in pairs]
    words = _words([pair for pair in moves if pair[0].kind == "word"])
    fresh = [_fresh(name, frame, start, fps) for name, frame in new]
    phones = [pair for pair in moves if pair[0].kind == "phone"]
    warped = [(old, _warped(old, now, words)) for old, now in phones]
    made = _ended(warped, [mark for mark in fresh if mark.kind == "phone"], fps)
    rest = [now for old, now in moves if old.kind == "sound"]
    others = [mark for mark in fresh if mark.kind != "phone"]
    everything = [*(now for _, now in words), *made, *rest, *others]
    return sorted(everything, key=lambda mark: (mark.start, mark.kind))


def _without(marks: Sequence[Mark], taken: Sequence[Mark]) -> list[Mark]:
    left, out = Counter(taken), []
    for mark in marks:
        if left[mark]:
            left[mark] -= 1
        else:
            out.append(mark)
    return out


def _paired(
    shown: Sequence[Placed], markers: Iterable[tuple[str, int]]
) -> tuple[list[tuple[Placed, int]], list[tuple[str, int]]]:
    """Return which marker is which mark: first those that stayed, then by name in order of time."""
    left = Counter(markers)
    pairs, moved = [], []
    for each in shown:
        if left[label(each.mark), each.frame]:
            left[label(each.mark), each.frame] -= 1
            pairs.append((each, each.frame))
        else:
            moved.append(each)
    others: dict[str, list[int]] = {}
    for name, frame in sorted(left.elements(), key=lambda marker: -marker[1]):
        others.setdefault(name, []).append(frame)
    for each in moved:
        if others.get(label(each.mark)):
            pairs.append((each, others[label(each.mark)].pop()))
    return pairs, [(name, frame) for name, frames in others.items() for frame in frames]


def _moved(each: Placed, frame: int, fps: Fraction) -> Mark:
    if frame == each.frame:
        return each.mark
    by = float((frame - each.frame) / fps)
    return replace(each.mark, start=max(0.0, each.mark.start + by), end=each.mark.end + by)


def _fresh(name: str, frame: int, start: int, fps: Fraction) -> Mark:
    found = read_label(name)
    assert found is not None
    at = max(0.0, float((frame - start) / fps))
    return Mark(found[0], found[1], at, at + 0.1)


def _words(pairs: Sequence[tuple[Mark, Mark]]) -> list[tuple[Mark, Mark]]:
    """Return old and new words in order: one ends where the next begins if they touched."""
    ordered = sorted(pairs, key=lambda pair: pair[1].start)
    out = []
    for (old, now), after in _neighbours(ordered):
        end = now.end
        if after is not None:
            touched = abs(after[0].start - old.end) < _TOUCH
            same = now == old and after[0] == after[1]
            end = end if same else after[1].start if touched else min(end, after[1].start)
        out.append((old, replace(now, end=max(end, now.start + SHORTEST))))
    return out


def _warped(old: Mark, now: Mark, words: Sequence[tuple[Mark, Mark]]) -> Mark:
    """Return a phone that was not moved itself, moved as its word was."""
    if now != old:
        return now
    for was, new in words:
        if was != new and was.start - _TOUCH <= old.start <= was.end + _TOUCH:
            scale = (new.end - new.start) / max(was.end - was.start, SHORTEST)
            start = new.start + (old.start - was.start) * scale
            return replace(now, start=start, end=start + (old.end - old.start) * scale)
    return now


def _ended(pairs: Sequence[tuple[Mark, Mark]], fresh: Sequence[Mark], fps: Fraction) -> list[Mark]:
    """Return phones without pauses; one ends at the next unless neither moved.

    Of two that are on one frame now, the one that was first stays first.
    """
    everything = [*pairs, *((mark, mark) for mark in fresh)]
    everything.sort(key=lambda pair: (round(pair[1].start * fps), pair[0].start))
    still = {id(now) for old, now in pairs if now == old}
    out = []
    for mark, after in _neighbours(_apart([now for _, now in everything], still)):
        if mark.text == PAUSE:
            continue
        if after is None or (id(mark) in still and id(after) in still):
            out.append(mark)
        else:
            out.append(replace(mark, end=max(after.start, mark.start + SHORTEST)))
    return out


def _apart(marks: Sequence[Mark], still: set[int]) -> list[Mark]:
    """Return marks in their order, with those that moved between those that did not."""
    ordered: list[Mark] = []
    limit = math.inf
    for mark in reversed(marks):
        latest = limit - (0.0 if mark.text == PAUSE else SHORTEST)
        late = id(mark) not in still and mark.start > latest
        ordered.append(replace(mark, start=max(0.0, latest)) if late else mark)
        limit = ordered[-1].start
    out: list[Mark] = []
    for mark in reversed(ordered):
        earliest = out[-1].start + (0.0 if out[-1].text == PAUSE else SHORTEST) if out else 0.0
        early = id(mark) not in still and mark.start < earliest
        out.append(replace(mark, start=earliest) if early else mark)
    return out


def changes(
    was: Iterable[Mark], now: Iterable[Mark], reach: float, longest: float
) -> list[tuple[float, float]]:
    """Return the stretches (seconds) whose mouth differs between two lists of marks.

    ``reach`` is how far beyond its own time a phone moves the mouth. Stretches are apart, in order,
    and none is longer than ``longest``.
    """
    old, new = Counter(was), Counter(now)
    different = [mark for mark in (old - new) + (new - old) if mark.kind != "word"]
    out: list[tuple[float, float]] = []
    for mark in sorted(different, key=lambda mark: mark.start):
        begin, end = max(0.0, mark.start - reach), mark.end + reach
        if out and begin <= out[-1][1]:
            begin, end = out[-1][0], max(end, out.pop()[1])
        out.append((begin, end))
    return [part for begin, end in out for part in _cut(begin, end, longest)]


def _cut(begin: float, end: float, longest: float) -> list[tuple[float, float]]:
    parts = max(1, math.ceil((end - begin) / longest))
    edges = [begin + (end - begin) * k / parts for k in range(parts)]
    return list(zip(edges, [*edges[1:], end], strict=True))
