"""The table from the corpora to the 16 labels, how sure a reading is, and the scores."""

from __future__ import annotations

import copy
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
import yaml
from facewire.emotion import LABELS, NEUTRAL_VAD
from facewire_textmood.confidence import CLUES, SIGNS, clues, confidence, risk, strength
from facewire_textmood.corpora import ORIGINAL
from facewire_textmood.mapping import TABLE, parse_table, table
from facewire_textmood.network import Columns
from facewire_textmood.scores import chosen, f1, pearson, tuned


def raw() -> dict[str, Any]:
    text = files("facewire_textmood").joinpath(TABLE).read_text("utf-8")
    return dict(yaml.safe_load(text))


def test_the_shipped_table() -> None:
    shares = table().shares
    assert shares.shape == (28, 16)
    assert shares.sum(axis=1) == pytest.approx(1.0)
    for name in ("anger", "fear", "joy", "love", "sadness", "surprise", "gratitude", "neutral"):
        assert LABELS[int(shares[ORIGINAL.index(name)].argmax())] == name
    assert np.count_nonzero(table().signs == 1) == 12
    assert np.count_nonzero(table().signs == -1) == 11


def test_pleasant_labels_are_drawn_pleasant() -> None:
    sign = table().shares @ SIGNS
    assert (sign[table().signs > 0] > 0).all()
    assert (sign[table().signs < 0] < 0).all()


def test_ratings_go_through_neutral() -> None:
    found = table().vad([[3, 3, 3], [1, 1, 1], [5, 5, 5], [4, 2, 9]])
    assert found[0] == pytest.approx(NEUTRAL_VAD)
    assert found[1:3] == pytest.approx(np.array([[0, 0, 0], [1, 1, 1]]))
    assert found[3] == pytest.approx([0.75, 0.15, 1.0])


def test_weights_are_the_mean_of_a_lines_labels() -> None:
    line = np.zeros((1, 28))
    line[0, [ORIGINAL.index("anger"), ORIGINAL.index("joy")]] = 1
    weights = table().weights(line)[0]
    assert weights[LABELS.index("anger")] == weights[LABELS.index("joy")] == 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["goemotions"].pop("joy"), r"labels \['joy'\] are missing"),
        (lambda d: d["goemotions"]["joy"].update(joy=0.5), "joy: .* are not shares"),
        (lambda d: d["goemotions"]["joy"].update(mirth=0.0), "joy: .* are not shares"),
        (lambda d: d["pleasant"].append("anger"), "none in both"),
        (lambda d: d["emobank"].update({3: [0.5, 0.5, 0.5]}), "neutral at 3"),
        (lambda d: d["emobank"].update({5: [1.0, 0.2, 1.0]}), "growing places"),
    ],
)
def test_a_damaged_table_is_refused(change: Any, message: str) -> None:
    data = copy.deepcopy(raw())
    change(data)
    with pytest.raises(ValueError, match=message):
        parse_table(data)


def test_strength_is_the_specified_one() -> None:
    assert [strength(p) for p in (0.0, 0.5, 0.7, 0.9, 1.0)] == pytest.approx([0, 0, 0.5, 1, 1])


def columns(**shares: float) -> Columns:
    faces = np.full(16, 0.001, np.float32)
    for name, share in shares.items():
        faces[LABELS.index(name)] = share
    even = np.full(28, 0.1, np.float32)
    return Columns(even, even[:7], np.array([3.5, 3.0, 3.0], np.float32), faces, 1.0)


def test_either_doubt_lowers_confidence() -> None:
    faces = np.stack([c.faces for c in (columns(joy=0.95), columns(joy=0.40, neutral=0.58))])
    assert confidence(faces, np.zeros(2), 0.05) == pytest.approx([0.999, 0.42])
    assert confidence(faces[:1].repeat(3, 0), np.array([0.01, 0.05, 0.9]), 0.05) == pytest.approx(
        [0.9, 0.5, 0.0]
    )


def test_clues_are_what_speaks_for_the_sign_that_leads_and_against_it() -> None:
    rows = clues([columns(joy=0.9), columns(anger=0.5, joy=0.3), columns(surprise=0.9)])
    assert rows.shape == (3, CLUES) and np.isfinite(rows).all()
    assert rows[:, 0].tolist() == [1, 1, 1] and rows[:, 1].tolist() == [1, 1, 0]
    nine_in_ten, even, three_in_ten = (np.log(p / (1 - p)) for p in (0.9, 0.5, 0.3))
    assert rows[0, 2] == pytest.approx(nine_in_ten, abs=0.02)
    assert rows[0, 3] < -4  # next to nothing unpleasant
    assert rows[1, 2:4] == pytest.approx([even, three_in_ten], abs=0.02)
    pleasant, unpleasant = ((table().signs == sign).sum() for sign in (1, -1))
    assert rows[0, 4:6] == pytest.approx([np.log(0.9**-n - 1) for n in (pleasant, unpleasant)])
    assert rows[0, 4:8] == pytest.approx(rows[1, [5, 4, 7, 6]])
    assert rows[:, 8] == pytest.approx([0.5, -0.5, 0.5])  # valence: half a point over 3
    weights = np.zeros(CLUES, np.float32)
    weights[0] = -3.0
    assert risk(rows, weights) == pytest.approx(1 / (1 + np.exp(3.0)))


def test_scores_against_known_values() -> None:
    wanted = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    given = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], np.float32)
    assert f1(given, wanted) == pytest.approx([2 / 3, 0.8])
    assert f1(np.zeros((4, 2), np.float32), wanted) == pytest.approx([0, 0])
    rows = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]], np.float32)
    other = np.array([[2.0, 1.0], [3.0, 2.0], [9.0, 3.0]], np.float32)
    assert pearson(rows, other) == pytest.approx([np.corrcoef(rows[:, 0], other[:, 0])[0, 1], 0])


def test_a_line_has_at_least_one_label() -> None:
    p = np.array([[0.6, 0.3], [0.1, 0.18], [0.7, 0.9]], np.float32)
    limits = np.array([0.5, 0.2], np.float32)
    assert chosen(p, limits).tolist() == [[1, 1], [0, 1], [1, 1]]


def test_thresholds_separate_what_can_be_separated() -> None:
    random = np.random.default_rng(0)
    wanted = (random.random((4000, 2)) < [0.3, 0.05]).astype(np.float32)
    noise = random.random((4000, 2)) * 0.2
    p = (wanted * [0.4, 0.3] + noise).astype(np.float32)  # right at 0.2..0.4 and 0.2..0.3
    limits = tuned(p, wanted)
    assert 0.19 <= limits[0] <= 0.41 and 0.19 <= limits[1] <= 0.31
