"""From the corpora's labels and ratings to Facewire's 16 labels and VAD: a table and its loader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from facewire.emotion import LABELS, NEUTRAL_VAD
from facewire.types import FloatArray
from numpy.typing import ArrayLike

from facewire_textmood.corpora import ORIGINAL

TABLE = "data/mapping.yaml"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """``shares`` (28, 16): what a GoEmotions label says about the 16; each row sums to 1.

    ``signs`` (28,): 1 pleasant, -1 unpleasant, 0 either (and neutral).
    ``ratings`` (3,) and ``places`` (3, 3): EmoBank's 1, 3 and 5, and their VAD.
    """

    shares: FloatArray
    signs: FloatArray
    ratings: FloatArray
    places: FloatArray

    def weights(self, targets: ArrayLike) -> FloatArray:
        """Return the 16 weights (n, 16) of GoEmotions labels (n, 28): their rows' mean."""
        rows = np.asarray(targets, np.float64)
        mixed = rows @ self.shares
        return np.asarray(mixed / np.maximum(mixed.sum(axis=1, keepdims=True), 1e-9), np.float32)

    def vad(self, ratings: ArrayLike) -> FloatArray:
        """Return the VAD (n, 3) of EmoBank ratings (n, 3), within 0 and 1."""
        rows = np.asarray(ratings, np.float64).reshape(-1, 3)
        columns = [np.interp(rows[:, i], self.ratings, self.places[:, i]) for i in range(3)]
        return np.stack(columns, axis=1).astype(np.float32)


def _fail(found: str) -> ValueError:
    return ValueError(f"facewire_textmood/{TABLE}: {found}; reinstall facewire-textmood")


def parse_table(data: Mapping[str, Any]) -> Table:
    """Check a table that was read from YAML; ValueError says which row is wrong."""
    rows, points = data.get("goemotions", {}), data.get("emobank", {})
    if set(rows) != set(ORIGINAL):
        raise _fail(f"labels {sorted(set(rows) ^ set(ORIGINAL))} are missing or unknown")
    for name, row in rows.items():
        if not set(row) <= set(LABELS) or min(row.values()) < 0 or not _is_one(sum(row.values())):
            raise _fail(f"{name}: {row} are not shares of the 16 labels")
    if list(points) != [1, 3, 5] or tuple(points[3]) != NEUTRAL_VAD:
        raise _fail("emobank: expected 1, 3 and 5, and neutral at 3")
    places = np.array(list(points.values()), np.float32)
    if places.shape != (3, 3) or not (np.diff(places, axis=0) > 0).all() or np.ptp(places) > 1:
        raise _fail("emobank: expected growing places of three numbers in [0, 1]")
    shares = np.array(
        [[rows[name].get(label, 0.0) for label in LABELS] for name in ORIGINAL], np.float32
    )
    return Table(shares, _signs(data), np.array(list(points), np.float32), places)


def _signs(data: Mapping[str, Any]) -> FloatArray:
    pleasant, unpleasant = (set(data.get(key, ())) for key in ("pleasant", "unpleasant"))
    if not pleasant | unpleasant <= set(ORIGINAL) or pleasant & unpleasant:
        raise _fail("pleasant and unpleasant: expected labels, none in both")
    return np.array([(name in pleasant) - (name in unpleasant) for name in ORIGINAL], np.float32)


def _is_one(total: float) -> bool:
    return abs(total - 1.0) < 1e-9


@cache
def table() -> Table:
    """Return the shipped table, checked."""
    return parse_table(
        yaml.safe_load(files("facewire_textmood").joinpath(TABLE).read_text("utf-8"))
    )
