"""VAD to MEAD's five classes, strength and channel groups, by the specification's numbers."""

import copy
from itertools import product

import numpy as np
import pytest
from facewire.emotion import LABELS, NEUTRAL_VAD, anchors, lookup
from facewire.errors import InputError
from facewire.rig import Rig
from facewire_v3 import mead
from facewire_v3.groups import EXPRESSION, LIPSYNC, PAUSE, SHARED, load_groups
from facewire_v3.mead import CLASSES, mead_weights
from facewire_v3.strength import scale
from facewire_v3.tables import load
from hypothesis import given
from hypothesis import strategies as st

share = st.floats(0, 1)


def test_each_anchor_gives_itself_at_least_080():
    weights = mead_weights(mead.anchors())
    assert (np.diag(weights) >= 0.80).all()
    assert CLASSES[0] == "neutral"


def test_gratitude_is_mostly_joy_with_some_neutral():
    found = dict(zip(CLASSES, mead_weights(np.array([lookup("gratitude").vad]))[0], strict=True))
    assert 0.60 <= found["joy"] <= 0.80
    assert 0.10 <= found["neutral"] <= 0.30
    assert 0.03 <= found["surprise"] <= 0.16
    assert found["anger"] < 0.03
    assert found["sadness"] < 0.03


def test_anger_needs_dominance_and_sadness_its_want():
    low, high = np.array([[0.17, 0.82, 0.15]]), np.array([[0.17, 0.30, 0.85]])
    assert mead_weights(low)[0, CLASSES.index("anger")] < 0.5
    assert mead_weights(high)[0, CLASSES.index("sadness")] < 0.5


def test_a_step_of_001_moves_no_weight_by_more_than_006():
    grid = np.array(list(product(np.linspace(0, 1, 31), repeat=3)))
    here = mead_weights(grid)
    for direction in product((-1, 0, 1), repeat=3):
        if any(direction):
            step = 0.01 * np.array(direction) / np.linalg.norm(direction)
            assert np.abs(mead_weights(grid + step) - here).max() <= 0.06


@given(st.tuples(share, share, share))
def test_weights_have_sum_1_and_one_row_gives_what_many_give(vad):
    rows = np.array([vad, NEUTRAL_VAD, vad], np.float32)
    weights = mead_weights(rows)
    assert weights.shape == (3, 5)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(mead_weights(rows[:1]), weights[:1], atol=1e-6)


def test_any_finite_vad_gives_finite_weights():
    assert np.isfinite(mead_weights(np.array([[1e30, -1e30, 1e30], [0, 0, 0]], np.float32))).all()
    assert mead_weights(np.zeros((0, 3), np.float32)).shape == (0, 5)


def test_strength_0_is_neutral_1_is_as_it_is_and_2_twice_as_far():
    vad = anchors()
    np.testing.assert_allclose(scale(vad, 0), np.tile(NEUTRAL_VAD, (16, 1)), atol=1e-6)
    np.testing.assert_allclose(scale(vad, 1), vad, atol=1e-6)
    i = LABELS.index("apology")
    np.testing.assert_allclose(scale(vad, 2)[i], 2 * vad[i] - np.array(NEUTRAL_VAD), atol=1e-6)
    assert scale(vad, 2).min() >= 0
    assert scale(vad, 2).max() <= 1


@pytest.mark.parametrize("strength", [-0.1, 2.1, float("nan")])
def test_a_strength_out_of_range_is_one_line(strength):
    with pytest.raises(InputError, match=r"^strength: found \S+, expected 0 \(deadpan\) to 2"):
        scale(anchors(), strength)


def test_groups_have_14_16_and_22_of_the_52_channels():
    assert (len(LIPSYNC), len(SHARED), len(EXPRESSION)) == (14, 16, 22)
    assert {*LIPSYNC, *SHARED, *EXPRESSION} == set(Rig.named("arkit52").channels)
    assert sum(name.startswith("eye") for name in EXPRESSION) == 14
    assert sum(name.startswith("brow") for name in EXPRESSION) == 5
    assert set(PAUSE) < set(LIPSYNC)
    assert "jawOpen" not in PAUSE


def test_a_channel_that_no_group_has_is_one_line():
    data = copy.deepcopy(load("groups.yaml"))
    data["lipsync"].remove("jawOpen")
    with pytest.raises(InputError) as raised:
        load_groups(data)
    assert str(raised.value) == (
        "groups.yaml: channel jawOpen is in 0 groups, expected one of lipsync, shared, expression"
    )
