"""The corpus on disk: whole items, runs that were cut off, and errors that say what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from facewire.articulation import CURVES
from facewire.errors import InputError
from facewire_trajectory.corpus import load
from facewire_trajectory.corpus.emotions import CONDITIONS, EXPRESSION, anchors, condition
from facewire_trajectory.corpus.store import WIDTHS, Arrays, Entry, Writer, path_of

ENTRY = Entry(
    "one", "speech", "test", "v", "en", "g", "train", "a text", [(0.0, "joy", 3)], "CC0-1.0", rows=5
)


def arrays(rows: int = 5) -> Arrays:
    return {
        name: np.full((rows, width) if width else (rows,), 1.0) for name, width in WIDTHS.items()
    }


def write(folder: Path, *names: str) -> None:
    writer = Writer(folder)
    for name in names:
        writer.add(replace(ENTRY, id=name), {**arrays(), "native": np.zeros((2, 3))})
    writer.close()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path, "one", "two")
    corpus = load(tmp_path)
    assert len(corpus) == 2
    assert corpus.columns == {"artic": CURVES, "cond": CONDITIONS, "expr": EXPRESSION}
    item = next(corpus.items(split="train", kind="speech", source="test", augmented=False))
    assert item.entry.text == "a text"
    assert item["mel"].dtype == np.float16
    assert item["mask"].dtype == np.uint8
    assert item["native"].shape == (2, 3)
    assert list(corpus.items(split="held")) == []


def test_a_run_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    write(tmp_path, "one", "two", "three")
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(manifest.read_text("utf-8")[:-40], "utf-8")  # the last line is cut
    (tmp_path / path_of("one")).unlink()  # and an item is gone
    writer = Writer(tmp_path)
    assert writer.done == {"two"}
    writer.add(replace(ENTRY, id="three"), arrays())
    writer.close()
    assert [entry.id for entry in load(tmp_path).entries] == ["two", "three"]


def test_a_wrong_shape_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    with pytest.raises(ValueError, match=r"one: mel has the shape \(5, 3\), 5 rows"):
        writer.add(ENTRY, {**arrays(), "mel": np.zeros((5, 3))})
    writer.close()
    assert list((tmp_path / "items").iterdir()) == []
    assert load(tmp_path).entries == []


def test_a_folder_without_a_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no manifest.jsonl.*facewire_trajectory.corpus"):
        load(tmp_path)


def test_conditions_follow_the_timeline() -> None:
    rows = condition([(0.0, "joy", 4), (1.0, "sadness", 3)], 150, 0.5)
    assert rows.shape == (150, len(CONDITIONS) + len(EXPRESSION))
    joy, sad = CONDITIONS.index("joy"), CONDITIONS.index("sadness")
    assert (rows[:60, joy] == 1.0).all()
    assert 0.05 < rows[72, sad] < 0.95  # on its way
    assert rows[149, sad] > 0.99
    smile = 19 + EXPRESSION.index("mouthSmileLeft")
    assert rows[30, smile] > 0.3 > 0.05 > rows[149, smile]
    assert np.abs(np.diff(rows, axis=0)).max() < 0.15  # no jump
    assert condition([(0.0, "neutral", 3)], 0, 0.0).shape == (0, 71)


def test_anchors_are_the_presets() -> None:
    found = anchors()
    assert len(found) == 47
    for preset, row in found:
        assert CONDITIONS[int(row[:16].argmax())] == preset.family
        np.testing.assert_allclose(row[16:19], preset.vad, atol=1e-6)
        np.testing.assert_allclose(row[19:], preset.face, atol=1e-6)
