"""Twenty everyday lines for each label: most must be read as they were meant."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from pathlib import Path

import yaml
from facewire.emotion import LABELS
from facewire.types import Context
from facewire_textmood.confidence import ABSTAIN, SIGNS
from facewire_textmood.network import Network
from facewire_textmood.reader import TextMood

FILE = Path(__file__).with_name("test_textmood_everyday.yaml")
DATA = yaml.safe_load(FILE.read_text("utf-8"))
WANTED, SHOWN, OPPOSITE = 0.80, 0.65, 0.02


def test_the_lines_are_twenty_for_each_and_not_in_the_training() -> None:
    lines = DATA["lines"]
    assert list(lines) == list(LABELS) == list(DATA["neighbours"])
    assert {len(each) for each in lines.values()} == {20}
    every = [line for each in lines.values() for line in each]
    assert len(set(every)) == 320
    trained = files("facewire_textmood").joinpath("train/lines.tsv").read_text("utf-8")
    seen = {field.strip().lower() for line in trained.splitlines() for field in line.split("\t")}
    assert seen & {line.lower() for line in every} == set()


def test_neighbours_are_few() -> None:
    assert all(len(near) <= 2 and set(near) <= set(LABELS) for near in DATA["neighbours"].values())


def counted(labels: list[str]) -> Counter[str]:
    """Count each label's lines that got it or a neighbour; ``labels``: in the file's order."""
    meant = [label for label, lines in DATA["lines"].items() for _ in lines]
    return Counter(
        label
        for label, found in zip(meant, labels, strict=True)
        if found in (label, *DATA["neighbours"][label])
    )


LINES = [line for lines in DATA["lines"].values() for line in lines]


def test_most_lines_get_the_label_that_is_meant() -> None:
    """The label that leads, however sure it is."""
    network = Network()
    right = counted([LABELS[int(network.read(line).faces.argmax())] for line in LINES])
    share = sum(right.values()) / len(LINES)
    assert share >= WANTED, f"{share:.1%} of the lines: {dict(right)}"
    assert min(right[label] for label in LABELS) >= 10


def test_many_are_shown_and_few_with_the_opposite_face() -> None:
    """What the face shows: neutral where the reader is not sure enough."""
    reader = TextMood(Context())
    surest = [max(reader.read(line, []), key=lambda r: r.confidence) for line in LINES]
    shown = counted([LABELS[int(reading.weights.argmax())] for reading in surest])
    assert sum(shown.values()) / len(LINES) >= SHOWN, dict(shown)
    meant = [LABELS.index(label) for label, lines in DATA["lines"].items() for _ in lines]
    sure = [
        SIGNS[label] * SIGNS[int(reading.weights.argmax())]
        for label, reading in zip(meant, surest, strict=True)
        if reading.confidence >= ABSTAIN
    ]
    assert len(sure) > 200
    assert sum(product < 0 for product in sure) / len(sure) <= OPPOSITE
