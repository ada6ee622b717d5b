from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from facewire.emotion import LABELS, NEUTRAL_VAD, EmotionCurve, Key, State
from facewire_v3.boundaries import FADE
from facewire_v3.config import V3Config
from facewire_v3.feelings import swaps
from facewire_v3.mead import mead_weights
from facewire_v3.transition import Intensity, detour, time_constant
from hypothesis import given, settings
from hypothesis import strategies as st
from v3_parts import ARKIT, FPS, NEUTRAL, Run, Speech, condition, key, shaped, silence

REST = np.array(NEUTRAL_VAD)
JOY = np.array(State.named("joy").vad)


def share(vad: np.ndarray, name: str = "joy") -> np.ndarray:
    """Return how far along an emotion's ray VAD (n, 3) is."""
    ray = np.array(State.named(name).vad) - REST
    return (vad - REST) @ ray / (ray @ ray)


def test_live_boundaries_start_at_their_key_and_take_half_a_second() -> None:
    vad = shaped(Run([NEUTRAL, key(1, "joy")], causal=True), 2).vad
    assert np.abs(vad[:61] - REST).max() < 1e-6
    assert share(vad)[75] == pytest.approx(0.5, abs=1e-4)  # smoothstep, half way
    assert share(vad)[61] == pytest.approx(3 / 30**2, rel=0.05)
    assert np.abs(vad[90:] - JOY).max() < 1e-6


def test_known_boundaries_are_centred_with_0_8_seconds_each_side() -> None:
    vad = share(shaped(Run([NEUTRAL, key(5, "joy")]), 10).vad)
    assert vad[:252].max() < 1e-6 and vad[253] > 0.0  # 5 - 0.8 s is row 252
    assert vad[300] == pytest.approx(0.5, abs=1e-4)
    assert vad[347] < 1.0 - 1e-6 and vad[348:].min() > 1.0 - 1e-6


@pytest.mark.parametrize("length", [0.8, 1.5, 2.5])
def test_a_transition_takes_at_most_0_6_of_the_shorter_neighbour(length: float) -> None:
    keys = [NEUTRAL, key(5, "joy"), key(5 + length, "neutral")]
    vad = share(shaped(Run(keys), 10).vad)
    moving = np.flatnonzero((vad[:300] > 1e-6) & (vad[:300] < 1.0))
    assert 300 - moving[0] <= 0.3 * length * 60 + 1
    held = int((vad > 1.0 - 1e-6).sum())
    assert held >= (1.0 - 0.6) * length * 60 - 1


def test_asked_durations_begin_at_their_key() -> None:
    for causal in (False, True):
        keys = [key(2, "joy", "track", 1.0), key(6, "neutral", "track", 0.0)]
        vad = share(shaped(Run(keys, causal=causal), 8).vad)
        assert vad[:121].max() < 1e-6
        assert vad[150] == pytest.approx(0.5, abs=1e-4)
        assert vad[180] == pytest.approx(1.0, abs=1e-6) and vad[360] == pytest.approx(0.0, abs=1e-6)
    short = [key(2, "joy", "track", 10.0), key(3, "neutral", "track", 0.2)]
    assert share(shaped(Run(short), 5).vad)[156] == pytest.approx(1.0, abs=1e-5)  # 0.6 of 1 s


def test_live_changes_follow_a_spring_that_rises_faster_than_it_falls() -> None:
    keys = [NEUTRAL, key(1, "sadness", "live"), key(4, "neutral", "live")]
    vad = share(shaped(Run(keys, causal=True), 8).vad, "sadness")
    assert vad[60] < 1e-6 and vad[61] < 0.02  # no jump in the first frame
    assert vad[69] == pytest.approx(1 - 2 / np.e, abs=1e-3)  # onset 0.15 s: arousal is neutral's
    assert 1 - vad[264] == pytest.approx(1 - 2 / np.e, abs=1e-3)  # offset 0.40 s
    assert time_constant(0.3, rising=True) == pytest.approx(0.15)
    assert time_constant(0.3, rising=False) == pytest.approx(0.40)
    rising = [time_constant(arousal, rising=True) for arousal in np.linspace(0, 1, 11)]
    assert rising == sorted(rising, reverse=True) and min(rising) == pytest.approx(0.11)


@pytest.mark.parametrize("causal, source", [(False, "tags"), (True, "tags"), (True, "live")])
def test_no_class_of_mead_rises_on_any_of_the_240_ways(causal: bool, source: str) -> None:
    keys, time = [NEUTRAL], 4
    pairs = list(permutations(LABELS, 2))
    assert len(pairs) == 240
    for one, other in pairs:
        keys += [key(time, one, source), key(time + 4, other, source)]
        time += 8
    run = Run(keys, causal=causal, fps=Fraction(30))
    classes = mead_weights(shaped(run, time).vad)
    for i in range(240):
        a, z = (2 + 8 * i + 4) * 30, (2 + 8 * i + 8) * 30  # both at rest
        ends = np.maximum(classes[a], classes[z])
        excess = (classes[a:z] - ends)[:, 1:].max()
        assert excess < 0.30, f"{pairs[i]}: {excess:.3f}"


def test_intensity_falls_to_neutral_and_rises_again_as_far_as_needed() -> None:
    joy, anger, love = (State.named(name).vad for name in ("joy", "anger", "love"))
    assert detour(joy, anger) > 0.5 and detour(joy, love) == 0.0
    size = np.linalg.norm(shaped(Run([key(0, "joy"), key(5, "anger")]), 10).vad - REST, axis=1)
    assert size[250:350].min() < 0.4 * min(size[0], size[-1])
    vad = shaped(Run([key(0, "joy"), key(5, "love")]), 10).vad
    line = np.array(love) - np.array(joy)
    off = (vad - np.array(joy)) - np.outer((vad - np.array(joy)) @ line / (line @ line), line)
    assert np.abs(off).max() < 1e-5


def test_weights_say_which_and_vad_how_much() -> None:
    emotion = shaped(Run([NEUTRAL, key(5, "joy:80"), key(12, "anger")]), 18)
    joy, anger = LABELS.index("joy"), LABELS.index("anger")
    assert np.allclose(emotion.weights.sum(axis=1), 1.0, atol=1e-5)
    assert emotion.weights[600, joy] == 1.0
    assert share(emotion.vad)[600] == pytest.approx(0.8, abs=1e-5)
    assert emotion.weights[300, joy] == pytest.approx(1.0)  # half way there it is joy already
    assert np.abs(np.diff(emotion.weights, axis=0)).max() < 0.12
    assert emotion.weights[-1, anger] == 1.0


MIXED = [
    NEUTRAL,
    key("1.03", "joy"),
    key("3.51", "anger", "live"),
    key("4.22", "embarrassment"),
    key("5.9", "gratitude", "track", 0.7),
    key("7.317", "fear", "live"),
]


@pytest.mark.parametrize("causal", [False, True])
def test_all_frame_rates_agree(causal: bool) -> None:
    fine = shaped(Run(MIXED, causal=causal, fps=Fraction(120)), 10)
    for fps in (24, 30, 60):
        found = shaped(Run(MIXED, causal=causal, fps=Fraction(fps)), 10)
        assert np.abs(found.vad - fine.vad[:: 120 // fps]).max() < 0.01
        assert np.abs(found.weights - fine.weights[:: 120 // fps]).max() < 0.01


@settings(max_examples=15)
@given(st.lists(st.integers(1, 64), min_size=1, max_size=5), st.booleans())
def test_any_cut_gives_what_the_whole_gives(sizes: list[int], causal: bool) -> None:
    whole, cut = (shaped(Run(MIXED, causal=causal, sizes=each), 10) for each in ([64], sizes))
    assert np.abs(whole.vad - cut.vad).max() < 1e-6
    assert np.abs(whole.weights - cut.weights).max() < 1e-6


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 1.5),
            st.sampled_from(LABELS),
            st.sampled_from(["live", "tags", "track"]),
            st.none() | st.floats(0.0, 3.0),
        ),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
)
def test_whatever_is_asked_stays_in_range_and_arrives(asked: list, causal: bool) -> None:
    curve, time = EmotionCurve([NEUTRAL]), 0.0
    for step, name, source, transition in asked:
        time += step
        curve.set(round(time, 3), State.named(name), source, transition)
        if source != "live":
            curve.release(round(time, 3), "live")
    layer = Run(causal=causal).build(ARKIT, curve)
    emotion = condition(layer, curve, int((time + 8) * 60), FPS)
    assert np.isfinite(emotion.vad).all() and np.isfinite(emotion.weights).all()
    assert emotion.vad.min() >= 0.0 and emotion.vad.max() <= 1.0
    assert emotion.weights.min() >= -1e-6
    assert np.allclose(emotion.weights.sum(axis=1), 1.0, atol=1e-4)
    last = curve.sample(10**6, 1, FPS)
    assert np.abs(emotion.vad[-1] - last.vad[0]).max() < 1e-3


def test_a_change_within_a_change_moves_on_without_a_jump() -> None:
    keys = [NEUTRAL, key(1, "joy", "live"), key("1.1", "anger", "live"), key("1.2", "joy", "live")]
    vad = shaped(Run(keys, causal=True), 3).vad
    assert np.abs(np.diff(vad, axis=0)).max() < 0.05
    assert np.abs(np.diff(vad, n=2, axis=0)).max() < 0.02
    assert np.abs(vad[-1] - JOY).max() < 1e-3


def test_an_intensity_keeps_its_speed_when_it_is_sent_elsewhere() -> None:
    for spring in (True, False):
        one = Intensity(0.0)
        one.move(0.0, 1.0, 0.3, spring)
        one.move(0.15, 0.0, 0.3, spring)
        before, at, after = (one.at(time) for time in (0.149, 0.15, 0.151))
        assert (after - at) == pytest.approx(at - before, rel=0.25)
        assert one.at(3.0) == pytest.approx(0.0, abs=1e-3)


def brows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    up = values[:, ARKIT.indices("browInnerUp", "browOuterUpLeft")].max(axis=1)
    return up, values[:, ARKIT.index("browDownLeft")]


def test_brows_pass_through_zero_only_where_they_swap() -> None:
    still = Speech("still", silence(10).values, ARKIT, 16000)
    up, down = brows(Run([key(0, "surprise"), key(5, "fear")])(still))
    assert up.min() > 0.9 * min(up[0], up[-1])  # two raised brows blend directly
    up, down = brows(Run([key(0, "surprise"), key(5, "anger")])(still))
    assert up[0] > 0.4 and down[-1] > 0.4
    assert (np.minimum(up, down) < 0.12).all()  # raised first goes, then lowered comes


def test_swapped_brows_are_those_that_change_sides_by_more_than_0_40() -> None:
    from facewire_v3.compiler import Compiler
    from facewire_v3.feelings import feeling

    def felt(name: str):
        state = State.named(name)
        row = np.array(state.vad, np.float32)
        return feeling(row, np.array(state.weights, np.float32), row, Compiler().full)

    assert swaps(felt("surprise"), felt("anger")) and not swaps(felt("surprise"), felt("fear"))


def test_a_key_does_not_reach_further_back_than_its_half() -> None:
    first = shaped(Run([NEUTRAL, key(5, "joy")]), 5 - FADE / 2)
    assert np.abs(first.vad - REST).max() < 1e-6


def test_what_the_model_hears_is_played_only_when_asked() -> None:
    keys = [Key(Fraction(1), State.named("joy"), "heard")]
    for hear in (False, True):
        vad = shaped(Run(keys, V3Config(hear=hear), causal=True), 3).vad
        assert share(vad)[-1] == pytest.approx(float(hear), abs=1e-5)
