"""The emotion curve: precedence, rows by absolute index, live changes, threads, memory."""

from __future__ import annotations

import math
import threading
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from facewire.emotion import LABELS, NEUTRAL, SOURCES, EmotionCurve, Key, State, parse
from facewire.errors import InputError
from hypothesis import given, settings
from hypothesis import strategies as st

JOY, SAD, ANGER, FEAR = map(parse, ("joy", "sadness", "anger", "fear"))
FPS = Fraction(60)


def which(curve: EmotionCurve, start: int, n: int = 1, fps: Fraction = FPS) -> list[str]:
    """Return the label that weighs most, row by row."""
    return [LABELS[i] for i in curve.sample(start, n, fps).weights.argmax(axis=1)]


def test_empty_curve_is_neutral() -> None:
    rows = EmotionCurve().sample(5, 64, FPS)
    assert rows.start == 5 and rows.vad.shape == (64, 3) and rows.weights.shape == (64, 16)
    assert rows.vad.dtype == rows.weights.dtype == np.float32
    assert (rows.vad == np.array(NEUTRAL.vad, np.float32)).all()
    assert len(EmotionCurve().sample(0, 0, FPS)) == 0


def test_a_row_has_the_last_key_not_after_it() -> None:
    curve = EmotionCurve()
    curve.set(Fraction(10, 60), JOY, "tags")
    curve.set(Fraction(1, 5) + Fraction(1, 10**9), SAD, "tags")  # just after row 12
    assert which(curve, 8, 7) == ["neutral"] * 2 + ["joy"] * 3 + ["sadness"] * 2


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001), Fraction(60), Fraction(120)])
def test_rows_at_any_rate_after_hours(fps: Fraction) -> None:
    at = Fraction(3 * 3600) + Fraction(1, 7)
    curve = EmotionCurve([Key(at, ANGER, "track")])
    first = math.ceil(at * fps)
    assert which(curve, first - 1, 2, fps) == ["neutral", "anger"]


def test_precedence_and_release() -> None:
    curve = EmotionCurve()
    for at, source in enumerate(reversed(SOURCES)):
        curve.set(at, parse(LABELS[at + 1]), source)
    assert which(curve, 0, 7, Fraction(1)) == [*LABELS[1:7], LABELS[6]]
    for at, source in enumerate(SOURCES, start=10):
        curve.release(at, source)
    assert which(curve, 10, 7, Fraction(1)) == [*LABELS[5:0:-1], "neutral", "neutral"]


def test_neutral_is_held_over_lower_sources() -> None:
    curve = EmotionCurve([Key(Fraction(0), JOY, "track"), Key(Fraction(1), NEUTRAL, "tags")])
    assert which(curve, 59, 2) == ["joy", "neutral"]


def test_live_change_acts_on_the_first_row_not_yet_sampled() -> None:
    curve = EmotionCurve([Key(Fraction(0), SAD, "option")])
    assert which(curve, 0, 64) == ["sadness"] * 64
    curve.set(None, JOY)
    curve.set(None, ANGER)  # the last word before the next row counts
    assert which(curve, 64, 2) == ["anger"] * 2
    curve.release()
    assert which(curve, 66, 2) == ["sadness"] * 2
    assert [(key.time, key.source) for key in curve.changes()] == [
        (0, "option"),
        (Fraction(64, 60), "live"),
        (Fraction(66, 60), "option"),
    ]


def test_change_in_the_past_acts_from_now_on() -> None:
    curve = EmotionCurve()
    curve.sample(0, 100, FPS)
    curve.set(0.5, JOY)
    assert which(curve, 100) == ["joy"]


def test_changes_are_what_precedence_leaves() -> None:
    curve = EmotionCurve()
    curve.set(1, JOY, "track", transition=0.5)
    curve.set(2, SAD, "track")
    curve.set(1.5, ANGER, "live", transition=0.25)
    curve.release(3, "live", transition=2.0)
    curve.release(4, "track")
    curve.set(2.5, FEAR, "heard")  # never in force before the end
    found = [(float(key.time), key.state, key.source, key.transition) for key in curve.changes()]
    assert found == [
        (1.0, JOY, "track", 0.5),
        (1.5, ANGER, "live", 0.25),
        (3.0, SAD, "track", 2.0),
        (4.0, FEAR, "heard", None),
    ]
    curve.release(5, "heard")
    assert (curve.changes()[-1].state, curve.changes()[-1].source) == (NEUTRAL, "neutral")


def test_wrong_calls_are_one_line() -> None:
    curve = EmotionCurve()
    with pytest.raises(InputError) as error:
        curve.set(0, JOY, "tag")
    assert str(error.value) == (
        "emotion: source 'tag' is unknown; did you mean 'tags'? "
        "(known: live, tags, track, option, text, heard)"
    )
    with pytest.raises(InputError, match=r"^emotion: time: found 'nan', expected a number of sec"):
        curve.set(float("nan"), JOY)
    for transition in (-1.0, 61.0, float("nan")):
        with pytest.raises(InputError, match=r"^emotion: transition: found .*0 to 60 seconds$"):
            curve.set(0, JOY, transition=transition)
    assert curve.changes() == []


events = st.tuples(
    st.integers(0, 40), st.sampled_from(SOURCES), st.sampled_from([None, *LABELS]), st.booleans()
)


def _by_hand(keys: list[Key], row: int, fps: Fraction) -> State:
    for source in SOURCES:
        own = [key for key in keys if key.source == source and key.time <= row / fps]
        if own and (state := max(own, key=lambda key: key.time).state) is not None:
            return state
    return NEUTRAL


@settings(max_examples=60, deadline=None)
@given(st.lists(events, max_size=12), st.lists(st.integers(0, 64), max_size=6))
def test_any_cut_gives_what_a_look_at_every_row_gives(
    drawn: list[tuple[int, str, str | None, bool]], cuts: list[int]
) -> None:
    fps = Fraction(24000, 1001)
    wanted: dict[tuple[Fraction, str], Key] = {}
    for at, source, label, off in drawn:
        time = Fraction(at, 20) + (Fraction(1, 1000) if off else 0)
        wanted[time, source] = Key(time, None if label is None else parse(label), source)
    keys, curve = list(wanted.values()), EmotionCurve(wanted.values())
    edges = sorted({0, 64, *cuts})
    pieces = [curve.sample(a, b - a, fps) for a, b in pairwise(edges)]
    vad = np.concatenate([piece.vad for piece in pieces])
    weights = np.concatenate([piece.weights for piece in pieces])
    for row in range(64):
        state = _by_hand(keys, row, fps)
        np.testing.assert_array_equal(vad[row], np.array(state.vad, np.float32))
        np.testing.assert_array_equal(weights[row], np.array(state.weights, np.float32))
    for change in curve.changes():
        assert change.state == _by_hand(
            keys, 1, 1 / change.time if change.time else Fraction(10**9)
        )


def test_hours_of_changes_need_no_more_memory_and_stay_right() -> None:
    curve, states = EmotionCurve(), (JOY, SAD)
    held = []
    for second in range(0, 6 * 3600, 2):
        curve.set(second, states[second // 2 % 2], "text")
        curve.set(None, states[second // 2 % 2], "live")
        wanted = ["joy", "sadness"][second // 2 % 2]
        assert which(curve, second * 60, 64)[::63] == [wanted] * 2
        curve.sample(second * 60 + 64, 56, FPS)
        held.append(len(curve._lanes["text"].keys) + len(curve._lanes["live"].keys))
    assert max(held) <= 2 * 1024
    assert which(curve, 6 * 3600 * 60, 1) == ["sadness"]


def test_what_is_still_to_come_is_never_forgotten() -> None:
    keys = [Key(Fraction(second), (JOY, SAD)[second % 2], "track") for second in range(5000)]
    curve = EmotionCurve(keys)
    for second in range(0, 5000, 7):
        assert which(curve, second * 60, 60) == [("joy", "sadness")[second % 2]] * 60


def test_setting_from_another_thread_while_sampling() -> None:
    curve, done, problems = EmotionCurve(), threading.Event(), []

    def shout() -> None:
        at = 0
        try:
            while not done.is_set():
                curve.set(None, (JOY, SAD)[at % 2], ("live", "heard")[at // 2 % 2])
                curve.changes()
                at += 1
        except Exception as error:
            problems.append(error)

    thread = threading.Thread(target=shout)
    thread.start()
    for row in range(0, 64 * 300, 64):
        rows = curve.sample(row, 64, FPS)
        assert set(rows.weights.argmax(axis=1)) <= {0, 1, 3}
        np.testing.assert_array_equal(rows.weights.sum(axis=1), 1)
    done.set()
    thread.join()
    assert not problems
    times = [key.time for key in curve.changes()]
    assert times == sorted(times)
