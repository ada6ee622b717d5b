"""Measure the shipped model: ``python -m facewire_textmood.evaluate --goemotions FILE …``.

Prints macro-F1 for a GoEmotions file (of either label set) and Pearson's r of valence, arousal and
dominance for an EmoBank file. Sentences are read one by one, without context.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from facewire.errors import FacewireError
from facewire.types import FloatArray

from facewire_textmood.corpora import (
    EKMAN,
    LABEL_SETS,
    ORIGINAL,
    label_set,
    read_emobank,
    read_goemotions,
)
from facewire_textmood.network import Columns, Network
from facewire_textmood.scores import chosen, f1, pearson


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options, print the figures; 2 if a file cannot be read."""
    parser = argparse.ArgumentParser("facewire_textmood.evaluate", description=__doc__)
    parser.add_argument("--goemotions", type=Path, metavar="FILE", help="text, tab, label numbers")
    parser.add_argument("--emobank", type=Path, metavar="FILE", help="CSV with V, A, D and text")
    parser.add_argument(
        "--labels",
        choices=sorted(LABEL_SETS),
        help="the label set, where no labels.txt lies beside the GoEmotions file",
    )
    options = parser.parse_args(arguments)
    if options.goemotions is None and options.emobank is None:
        parser.error("name a file with --goemotions or --emobank, or both")
    try:
        network = Network()
        if options.goemotions is not None:
            for line in goemotions(network, options.goemotions, options.labels):
                print(line, flush=True)
        if options.emobank is not None:
            print(emobank(network, options.emobank))
    except FacewireError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def label_probabilities(columns: Sequence[Columns], labels: tuple[str, ...]) -> FloatArray:
    """Return each label's probability (n, labels), in the order of ``labels``."""
    order = ORIGINAL if len(labels) == len(ORIGINAL) else EKMAN
    rows = np.stack([c.original if order is ORIGINAL else c.ekman for c in columns])
    return rows[:, [order.index(label) for label in labels]]


def goemotions(network: Network, path: Path, named: str | None) -> list[str]:
    """Return lines: macro-F1 of a file, and each label's F1."""
    labels = label_set(path, named)
    found = read_goemotions(path, labels)
    probabilities = label_probabilities([network.read(text) for text in found.texts], labels)
    order = ORIGINAL if len(labels) == len(ORIGINAL) else EKMAN
    limits = network.settings["original" if order is ORIGINAL else "ekman"]
    given = chosen(probabilities, limits[[order.index(label) for label in labels]])
    each = f1(given, found.targets)
    head = f"goemotions: {path.name}: {len(found.texts)} lines, {len(labels)} labels"
    listed = [f"  {label}: F1 {value:.3f}" for label, value in zip(labels, each, strict=True)]
    return [f"{head}: macro-F1 {each.mean():.4f}", *listed]


def emobank(network: Network, path: Path) -> str:
    """Return a line: Pearson's r of valence, arousal and dominance of a file."""
    rated = read_emobank(path)
    guess = np.stack([network.read(text).vad for text in rated.texts])
    v, a, d = pearson(guess, rated.vad)
    return f"emobank: {path.name}: {len(rated.texts)} sentences: r V {v:.4f}, A {a:.4f}, D {d:.4f}"


if __name__ == "__main__":
    raise SystemExit(main())
