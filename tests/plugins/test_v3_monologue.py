from __future__ import annotations

import numpy as np
import pytest
from facewire.emotion import State
from facewire.errors import ProfileError
from facewire_v3.config import V3Config
from facewire_v3.monologue import Damper, Smoother, monologues
from hypothesis import given, settings
from hypothesis import strategies as st
from v3_parts import NEUTRAL, Run, key, one_line, shaped

TURNS = [key(0, "joy"), key(10, "sadness"), key(20, "anger")]


def test_the_sets_are_the_specified_ones() -> None:
    gentle, snappier = monologues()["gentle"], monologues()["snappier"]
    assert (gentle.g, gentle.b, gentle.sigma, gentle.fade) == (0.3, 0.7, 1.0, 3.2)
    assert (snappier.g, snappier.sigma, snappier.fade) == (0.45, 0.83, 2.4)


def test_damping_comes_before_the_mean_and_leaves_the_first_turn() -> None:
    raw = np.array([0.9, 0.2, 0.5, 0.7])
    damper = Damper(monologues()["gentle"])
    found = [float(damper.take(np.array([value]))[0]) for value in raw]
    mean, expected = raw[0], [raw[0]]
    for value in raw[1:]:
        expected.append(0.3 * value + 0.7 * mean)
        mean = 0.7 * mean + 0.3 * value
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("causal", [False, True])
def test_turns_are_damped_live_as_well(causal: bool) -> None:
    vad = shaped(Run(TURNS, V3Config(monologue="gentle"), causal=causal), 30).vad
    joy, sadness, anger = (np.array(State.named(k.state.name).vad) for k in TURNS)
    first = 0.3 * sadness + 0.7 * joy
    second = 0.3 * anger + 0.7 * (0.7 * joy + 0.3 * sadness)
    assert np.abs(vad[60] - joy).max() < 1e-5
    assert np.abs(vad[900] - first).max() < 1e-4
    assert np.abs(vad[-60] - second).max() < 1e-4


def test_silence_before_the_first_turn_is_none() -> None:
    vad = shaped(Run([key(5, "joy"), key(15, "sadness")], V3Config(monologue="gentle")), 20).vad
    joy, sadness = (np.array(State.named(name).vad) for name in ("joy", "sadness"))
    assert np.abs(vad[600] - joy).max() < 1e-3
    assert np.abs(vad[-60] - (0.3 * sadness + 0.7 * joy)).max() < 1e-3


def test_one_turn_is_as_without() -> None:
    one, other = (
        shaped(Run([key(0, "joy")], V3Config(monologue=arc)), 3).vad for arc in ("off", "gentle")
    )
    assert np.abs(one - other).max() < 1e-6


def test_cross_fades_last_up_to_3_2_seconds_within_the_neighbours() -> None:
    config = V3Config(monologue="gentle", smooth=0.0)
    vad = shaped(Run([NEUTRAL, key(10, "joy")], config), 20).vad
    moving = np.flatnonzero(np.abs(np.diff(vad[:, 0])) > 1e-7)
    assert (moving[0], moving[-1]) == pytest.approx((600 - 96, 600 + 95), abs=1)
    vad = shaped(Run([NEUTRAL, key(3, "joy")], config), 20).vad
    moving = np.flatnonzero(np.abs(np.diff(vad[:, 0])) > 1e-7)
    assert moving[-1] - moving[0] <= 0.6 * 180


def test_the_gaussian_has_the_sigma_it_says() -> None:
    rows = np.zeros((1201, 2))
    rows[600] = 60.0
    smoother = Smoother(1.0, 60.0, [0])
    found = np.concatenate([smoother.push(rows[:700]), smoother.push(rows[700:])])
    assert len(found) == 1201 - smoother.lookahead
    time = (np.arange(len(found)) - 600) / 60
    assert found[:, 0].sum() / 60 == pytest.approx(1.0, abs=1e-6)
    assert (found[:, 0] / 60 * time**2).sum() == pytest.approx(1.0, abs=0.03)
    assert np.array_equal(found[:, 1], rows[: len(found), 1])


@settings(max_examples=6)
@given(st.lists(st.integers(1, 64), min_size=1, max_size=4))
def test_any_cut_gives_what_the_whole_gives(sizes: list[int]) -> None:
    config = V3Config(monologue="snappier")
    whole, cut = (shaped(Run(TURNS, config, sizes=each), 25) for each in ([64], sizes))
    assert np.abs(whole.vad - cut.vad).max() < 1e-6


@pytest.mark.parametrize("name", ["fade", "smooth"])
def test_what_needs_the_future_is_refused_live_by_name(name: str) -> None:
    config = V3Config(**{name: 1.0})
    shaped(Run([NEUTRAL], config), 1)
    with pytest.raises(ProfileError) as error:
        shaped(Run([NEUTRAL], config, causal=True), 1)
    assert one_line(error.value) == (
        f"layer v3: {name}: found 1, but this run is live and {name} needs to know what comes; "
        f"remove '{name}' or run on a file without --live"
    )


@pytest.mark.parametrize(
    "config",
    [V3Config(strength=2.5), V3Config(transition=-1.0), V3Config(strength=float("nan"))],
)
def test_options_out_of_range_are_one_line(config: V3Config) -> None:
    with pytest.raises(ProfileError) as error:
        shaped(Run([NEUTRAL], config), 1)
    assert "expected 0 to" in one_line(error.value)
