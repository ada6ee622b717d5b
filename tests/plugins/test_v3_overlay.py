"""The overlay and the lids, by the specification's numbers (section 8)."""

import copy

import numpy as np
import pytest
from facewire.emotion import ARCHETYPES, LABELS, anchors, lookup
from facewire.errors import InputError
from facewire.rig import Rig
from facewire_v3 import mead
from facewire_v3.eyes import settle_lids
from facewire_v3.overlay import UPPER, Overlay, load_archetypes, overlay, overlay_strength
from facewire_v3.response import load_curves
from facewire_v3.strength import scale
from facewire_v3.tables import load
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

RIG = Rig.named("arkit52")
ONE_HOT = np.eye(16, dtype=np.float32)
UNTOUCHED = RIG.indices(*(name for name in RIG.channels if name not in UPPER))


def of(name: str) -> np.ndarray:
    entry = lookup(name)
    return overlay(np.array([entry.vad], np.float32), np.array([entry.weights], np.float32))[0]


def test_strength_of_joy_fear_and_gratitude():
    joy, fear, gratitude = overlay_strength(
        np.array([lookup(name).vad for name in ("joy", "fear", "gratitude")])
    )
    assert joy <= 0.05
    assert 0.70 <= fear <= 0.90
    assert 0.55 <= gratitude <= 0.90


def test_strength_grows_with_the_distance_from_the_nearest_anchor():
    vad = np.random.default_rng(1).random((2000, 3))
    away = np.linalg.norm(vad[:, None] - mead.anchors(), axis=2).min(axis=1)
    strength = overlay_strength(vad)[np.argsort(away)]
    assert (np.diff(strength) >= -1e-9).all()
    assert strength.min() >= 0
    assert strength.max() <= 1


def test_what_gratitude_adds():
    added = of("gratitude")
    assert abs(added[RIG.index("browInnerUp")] - 0.30) <= 0.10
    for side in ("Left", "Right"):
        assert abs(added[RIG.index(f"eyeSquint{side}")] - 0.40) <= 0.10
        assert abs(added[RIG.index(f"cheekSquint{side}")] - 0.35) <= 0.10


def test_a_full_overlay_of_gratitude_is_in_the_same_ranges():
    entry = lookup("gratitude")
    full = Overlay().targets(np.array([entry.vad]), np.array([entry.weights]))[0]
    wanted = {"browInnerUp": 0.30, "eyeSquintLeft": 0.40, "cheekSquintRight": 0.35}
    for channel, value in wanted.items():
        assert abs(full[RIG.index(channel)] - value) <= 0.10


def test_jaw_mouth_and_tongue_stay_bit_for_bit():
    vad = np.concatenate([scale(anchors(), strength) for strength in (0.45, 1, 1.4, 2)])
    added = overlay(vad, np.tile(ONE_HOT, (4, 1)))
    assert not added[:, UNTOUCHED].any()
    frames = np.random.default_rng(2).random((64, 52)).astype(np.float32)
    frames[0, RIG.index("jawOpen")] = -0.0
    upper, out = RIG.indices(*UPPER), frames.copy()
    out[:, upper] += added[:, upper]  # all 52 would turn a -0.0 into 0.0
    assert out[:, UNTOUCHED].tobytes() == frames[:, UNTOUCHED].tobytes()
    assert added[:, RIG.indices(*UPPER)].any(axis=0).sum() >= 18


def test_neutral_adds_nothing_and_joy_next_to_nothing():
    assert np.abs(of("neutral")).max() <= 1e-6
    assert np.abs(of("joy")).max() <= 0.05


@given(arrays(np.float32, (4, 3), elements=st.floats(0, 1, width=32)), st.integers(0, 15))
def test_the_overlay_is_bounded_smooth_and_the_same_for_one_row(vad, label):
    weights = np.tile(ONE_HOT[label], (4, 1))
    added = overlay(vad, weights)
    assert added.min() >= 0
    assert added.max() <= 1
    np.testing.assert_allclose(overlay(vad[:1], weights[:1]), added[:1], atol=1e-6)
    near = np.clip(vad + np.float32(0.002), 0, 1)
    assert np.abs(overlay(near, weights) - added).max() <= 0.06


def test_any_finite_vad_gives_a_finite_overlay():
    assert np.isfinite(overlay(np.array([[1e30, -1e30, 1e30]], np.float32), ONE_HOT[:1])).all()


def test_there_are_22_archetypes_and_fear_raises_the_brows():
    assert load_archetypes(load("overlay.yaml")["archetypes"]).shape == (len(ARCHETYPES), 52)
    added = of("fear")
    assert added[RIG.index("browInnerUp")] > 0.4
    assert added[RIG.index("eyeWideLeft")] > 0.2


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"jawOpen": 0.2}, "overlay.yaml: archetypes: relief: jawOpen is not of the upper face"),
        (
            {"eyeBlnk": 0.2},
            "overlay.yaml: archetypes: relief: 'eyeBlnk' is no ARKit channel; did you mean "
            "'eyeBlinkLeft'?",
        ),
    ],
)
def test_an_archetype_that_is_wrong_is_one_line(change, line):
    data = copy.deepcopy(load("overlay.yaml")["archetypes"])
    data["relief"] = change
    with pytest.raises(InputError) as raised:
        load_archetypes(data)
    assert str(raised.value) == line


def test_a_response_that_moves_the_neutral_face_is_one_line():
    data = {"mouthSmile": [{"gain": 0.5, "valence": [0.4, 0.8]}]}
    with pytest.raises(InputError) as raised:
        load_curves(data)
    assert str(raised.value) == (
        "response.yaml: mouthSmile[0]: the term is not 0 at neutral; begin one of its steps later"
    )


def lids(**values: float) -> np.ndarray:
    row = np.zeros((1, 52), np.float32)
    for name, value in values.items():
        row[0, RIG.indices(f"eye{name}Left", f"eye{name}Right")] = value
    return row


def test_a_blink_takes_wide_to_0():
    row = lids(Blink=1, Wide=0.8)
    settle_lids(row, RIG)
    assert row[0, RIG.index("eyeWideLeft")] == 0
    assert row[0, RIG.index("eyeBlinkRight")] == 1


@given(arrays(np.float32, (3, 52), elements=st.floats(0, 1, width=32)))
def test_a_lid_is_shut_once_and_nothing_else_is_touched(values):
    before = values.copy()
    settle_lids(values, RIG)
    for side in ("Left", "Right"):
        blink, wide, squint, down = (
            values[:, RIG.index(f"eye{kind}{side}")]
            for kind in ("Blink", "Wide", "Squint", "LookDown")
        )
        assert (blink + 0.4 * down + 0.3 * squint <= 1 + 1e-5).all()
        assert (np.minimum(blink + 0.4 * down, 1) + wide <= 2).all()
        assert wide[blink >= 1 - 0.4 * down].max(initial=0) <= 1e-6
    kinds = ("Blink", "Wide", "Squint")
    lid = RIG.indices(*(f"eye{kind}{side}" for kind in kinds for side in ("Left", "Right")))
    rest = np.setdiff1d(np.arange(52), lid)
    assert values[:, rest].tobytes() == before[:, rest].tobytes()
    assert (values <= before).all()
    assert values.min() >= 0


def test_what_fits_is_left_as_it_is():
    row = lids(Blink=0.3, LookDown=0.4, Squint=0.5)
    before = row.copy()
    settle_lids(row, RIG)
    np.testing.assert_array_equal(row, before)


def test_a_rig_without_lids_is_left_alone():
    rig = Rig("mouth", ("jawOpen", "mouthClose"))
    row = np.ones((1, 2), np.float32)
    settle_lids(row, rig)
    assert row.tolist() == [[1, 1]]


def test_labels_come_first_in_the_archetypes():
    assert ARCHETYPES[:16] == LABELS
