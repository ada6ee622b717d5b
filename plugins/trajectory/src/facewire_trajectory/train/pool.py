"""The corpus in memory, and batches of pieces that are drawn from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_trajectory.corpus import Corpus, Entry, Item
from facewire_trajectory.level import FPS, Level
from facewire_trajectory.mel import FLOOR
from facewire_trajectory.runtime import REST, WARM
from facewire_trajectory.sizes import FILE_AHEAD
from facewire_trajectory.train.jolt import jolted

KINDS = {"speech": 0.76, "vocal": 0.12, "other": 0.12}
"""How often each kind is drawn, of what is no real take."""
QUIET = np.float32(np.log(FLOOR))
KEPT = 160
"""Items that are validated with, beside takes."""
UNSEEN = 120
"""Items of voices never seen that the card's figures are of."""
EARLY = 40
"""Rows of silence that a piece may begin with, or end with."""
PADS: dict[str, Any] = {
    "mel": QUIET, "cond": REST, "artic": 0.0, "mask": 1, "sound": 0, "phones": 0,
}  # fmt: skip


class Batch(NamedTuple):
    """Pieces: normalised mel (b, 64 + n + 32, 64), the rest (b, n, …); ``real`` (b,) are takes."""

    mel: FloatArray
    condition: FloatArray
    curves: FloatArray
    mask: FloatArray
    sound: NDArray[np.int64]
    phones: NDArray[np.int64]
    real: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Held:
    """An item's arrays as they are drawn from."""

    entry: Entry
    arrays: dict[str, NDArray[Any]]

    def rows(self, name: str, start: int, end: int) -> NDArray[Any]:
        """Return rows from ``start`` to ``end``; what lies outside is silence."""
        array = self.arrays[name]
        a, z = min(max(start, 0), len(array)), min(max(end, 0), len(array))
        before, after = min(max(-start, 0), end - start), max(end - max(len(array), start), 0)
        pad = np.broadcast_to(np.asarray(PADS[name], array.dtype), (1, *array.shape[1:]))
        parts = (np.repeat(pad, before, 0), array[a:z], np.repeat(pad, after, 0))
        return np.concatenate(parts)


def read(corpus: Corpus, without: Sequence[str] = ()) -> Iterator[Held]:
    """Yield the items to learn from, without those whose id holds one of ``without``.

    The corpus has taken each take's own offset off. What they have in common is put back: it is
    as much a habit of lips as of captures, and a face is compared with captures as they are.
    """
    chosen = [
        item
        for item in corpus.items("train")
        if item.entry.kind != "anchor" and not any(name in item.entry.id for name in without)
    ]
    takes = [i.entry.offset for i in chosen if i.entry.kind == "real" and not i.entry.augmented]
    common = float(np.mean(takes)) if takes else 0.0
    for item in chosen:
        yield _held(item, common if item.entry.kind == "real" else 0.0)


def _held(item: Item, seconds: float) -> Held:
    """Return an item with its curves so many seconds later."""
    arrays = {name: item[name] for name in PADS}
    if seconds:
        at = np.arange(item.entry.rows) - seconds * FPS
        curves = arrays["artic"].astype(np.float32)
        known = np.arange(len(curves))
        arrays["artic"] = np.stack([np.interp(at, known, curve) for curve in curves.T], axis=1)
    return Held(item.entry, arrays)


def unseen(corpus: Corpus) -> Iterator[Held]:
    """Yield a spread of the items of voices that neither learning nor validation has seen."""
    found = [item for item in corpus.items("held") if item.entry.kind != "anchor"]
    for item in found[:: max(1, len(found) // UNSEEN)]:
        yield _held(item, 0.0)


def kept(corpus: Corpus, without: Sequence[str] = ()) -> Iterator[Held]:
    """Yield items to validate with: a spread of those kept for it, and the takes left out.

    Takes are as they were captured, with their own offset.
    """
    found = [item for item in corpus.items("dev") if item.entry.kind not in ("anchor", "real")]
    found = found[:: max(1, len(found) // KEPT)]
    real = [item for item in corpus.items(kind="real") if not item.entry.augmented]
    found += [item for item in real if any(name in item.entry.id for name in without)]
    for item in found:
        yield _held(item, item.entry.offset)


class Pool:
    """Items to draw from, by kind, source and group."""

    def __init__(self, items: Iterable[Held]) -> None:
        self.groups: dict[str, dict[str, dict[str, list[Held]]]] = {}
        self.count = self.rows = 0
        for held in items:
            entry = held.entry
            voices = self.groups.setdefault(entry.kind, {}).setdefault(entry.source, {})
            voices.setdefault(entry.group, []).append(held)
            self.count, self.rows = self.count + 1, self.rows + entry.rows

    def draw(self, random: np.random.Generator, size: int, rows: int, real: float) -> Batch:
        """Return a batch; ``real`` is the share of real takes in it. Levels are jolted."""
        kinds = [kind for kind in KINDS if kind in self.groups]
        shares = np.array([KINDS[kind] for kind in kinds])
        pieces = []
        for _ in range(size):
            kind = str(random.choice(kinds, p=shares / shares.sum())) if kinds else "real"
            if "real" in self.groups and random.random() < real:
                kind = "real"
            pieces.append((kind, *self._piece(random, kind, rows)))
        return _batch(random, pieces, rows)

    def _piece(self, random: np.random.Generator, kind: str, rows: int) -> tuple[Held, int]:
        """Return an item and the row a piece begins at: of a source, a voice of it, an item."""
        items: Any = self.groups[kind]
        for _ in range(2):
            items = _drawn(random, items)
        held = items[int(random.integers(len(items)))]
        last = max(held.entry.rows - rows + EARLY, -EARLY + 1)
        return held, int(random.integers(-EARLY, last))


def _drawn(random: np.random.Generator, parts: Any) -> Any:
    """Return one of the parts of a mapping; large ones count by the root of their items."""
    sizes = [_size(part) for part in parts.values()]
    shares = np.sqrt(np.array(sizes, np.float64))
    return list(parts.values())[int(random.choice(len(sizes), p=shares / shares.sum()))]


def _size(part: Any) -> int:
    return sum(map(_size, part.values())) if isinstance(part, dict) else len(part)


def _batch(random: np.random.Generator, pieces: list[tuple[str, Held, int]], rows: int) -> Batch:
    def stack(name: str, before: int = 0, after: int = 0) -> NDArray[Any]:
        return np.stack([h.rows(name, at - before, at + rows + after) for _, h, at in pieces])

    mel = jolted(random, stack("mel", WARM, FILE_AHEAD).astype(np.float32))
    return Batch(
        Level(len(pieces)).push(mel),
        stack("cond").astype(np.float32),
        stack("artic").astype(np.float32),
        stack("mask").astype(np.float32),
        stack("sound").astype(np.int64),
        stack("phones").astype(np.int64),
        np.array([kind == "real" for kind, _, _ in pieces]),
    )
