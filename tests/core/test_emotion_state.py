"""One emotion at one moment: strengths, expressions as people write them, soft labels, rows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from facewire.emotion import (
    LABELS,
    LEVELS,
    NAMES,
    NEUTRAL,
    NEUTRAL_VAD,
    State,
    anchors,
    constant,
    lookup,
    neutral,
    parse,
    soft_labels,
)
from facewire.emotion.state import seconds
from facewire.errors import InputError
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "name", "strength"),
    [
        ("joy", "joy", 1.0),
        ("joy:80", "joy", 0.8),
        (" Happy : 80 % ", "joy", 0.8),
        ("sorry:12.5", "apology", 0.125),
        ("fear:0", "fear", 0.0),
        ("fear:200", "fear", 2.0),
        ("joy:L1", "joy", 0.45),
        ("joy:l5", "joy", 1.4),
        ("사랑:50", "love", 0.5),
    ],
)
def test_expression(text: str, name: str, strength: float) -> None:
    state = parse(text)
    assert (state.name, state.strength) == (name, strength)
    assert state.weights == lookup(name).weights
    full, rest = np.array(lookup(name).vad), np.array(NEUTRAL_VAD)
    np.testing.assert_allclose(state.vad, np.clip(rest + strength * (full - rest), 0, 1))


def test_vad_expression() -> None:
    state = parse("0.8, 0.6,0.5")
    assert state.vad == (0.8, 0.6, 0.5) and state.name is None
    np.testing.assert_allclose(state.weights, soft_labels([[0.8, 0.6, 0.5]])[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--emotion: found no emotion, expected a name such as joy or joy:80"),
        (":80", "--emotion: found no emotion, expected a name such as joy or joy:80"),
        ("jo:80", "--emotion: emotion 'jo' is unknown; did you mean 'joy'?"),
        (
            "joy:",
            "--emotion: found strength '', expected 0 to 200 percent or L1 to L5",
        ),
        (
            "joy:201",
            "--emotion: found strength '201', expected 0 to 200 percent or L1 to L5",
        ),
        (
            "0.8,0.6",
            "--emotion: found vad '0.8,0.6', expected valence, arousal, dominance in 0 to 1, "
            "such as 0.8,0.6,0.5",
        ),
    ],
)
def test_wrong_expression(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse(text, "--emotion")
    assert str(error.value) == message


@pytest.mark.parametrize(
    "text",
    [
        *("joy:-1", "joy:nan", "joy:inf", "joy:1e2", "joy:L0", "joy:L6", "joy:8_0", "joy:80:80"),
        *("joy:" + "9" * 10_000, "nan,0,0", "inf,0,0", "0.1,0.2,1.5", "-0.1,0,0", "a,b,c", ",,"),
        *("joy,sad", "0,0,0,0", "joy:٣", "joy\n:80\nx", "1e400,0,0"),
    ],
)
def test_out_of_range_is_one_line(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse(text)
    assert "\n" not in str(error.value) and len(str(error.value)) < 200


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_state_or_one_line(text: str) -> None:
    try:
        state = parse(text)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert all(0 <= value <= 1 for value in state.vad)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_at_every_strength_stays_in_range(name: str) -> None:
    for strength in (0.0, *LEVELS, 2.0):
        assert all(0.0 <= value <= 1.0 for value in State.named(name, strength).vad)
    assert State.named(name, 0.0).vad == NEUTRAL_VAD


def test_soft_labels_by_distance() -> None:
    own = soft_labels(anchors())
    assert own.shape == (16, 16) and own.dtype == np.float32
    np.testing.assert_allclose(own.sum(axis=1), 1, atol=1e-6)
    assert (own.argmax(axis=1) == np.arange(16)).all()
    assert own.diagonal().min() >= 0.7
    between = (anchors()[LABELS.index("joy")] + anchors()[LABELS.index("gratitude")]) / 2
    shares = soft_labels(between)[0]
    assert shares[LABELS.index("joy")] == pytest.approx(shares[LABELS.index("gratitude")], abs=1e-5)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=8))
def test_soft_labels_are_finite_everywhere(points: list[tuple[float, float, float]]) -> None:
    shares = soft_labels(points)
    assert np.isfinite(shares).all() and (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)


def test_soft_labels_of_absurd_numbers() -> None:
    assert np.isfinite(soft_labels([[1e30, -1e30, 1e300]])).all()
    assert soft_labels(np.zeros((0, 3))).shape == (0, 16)


def test_state_of_arrays() -> None:
    weights = np.full(16, 1 / 16, np.float32)
    state = State.of(np.array([1.0000001, 0.5, 0], np.float32), weights)
    assert state.vad == (1.0, 0.5, 0.0)
    np.testing.assert_allclose(state.weights, weights)


@pytest.mark.parametrize(
    ("vad", "weights"),
    [
        ([0.5, 0.5], None),
        ([np.nan, 0.5, 0.5], None),
        ([1.1, 0.5, 0.5], None),
        ([0.5, 0.5, 0.5], np.zeros(16)),
        ([0.5, 0.5, 0.5], np.full(15, 1 / 15)),
        ([0.5, 0.5, 0.5], [2, -1, *[0] * 14]),
        ([0.5, 0.5, 0.5], [np.nan] * 16),
        ([0.5, 0.5, 0.5], []),
    ],
)
def test_state_refuses_what_is_no_emotion(vad: list, weights: list | None) -> None:
    with pytest.raises(InputError, match=r"^emotion: found .*expected"):
        State.of(vad, weights)


def test_times_are_the_decimals_written() -> None:
    assert seconds(2.1, "at") == Fraction(21, 10) == seconds(np.float64(2.1), "at")
    for wrong in (float("nan"), float("inf"), True, "2", None, 1e12):
        with pytest.raises(InputError, match=r"^at: found .*expected a number of seconds$"):
            seconds(wrong, "at")


def test_rows() -> None:
    rows = neutral(3, 7, Fraction(60))
    assert rows.start == 7 and rows.fps == 60 and len(rows) == 3
    assert rows.vad.dtype == rows.weights.dtype == np.float32
    np.testing.assert_allclose(rows.vad, np.tile(NEUTRAL_VAD, (3, 1)), atol=1e-7)
    assert (rows.weights[:, 0] == 1).all() and NEUTRAL.name == "neutral"
    assert constant(parse("joy"), 0, 0, Fraction(30)).weights.shape == (0, 16)
