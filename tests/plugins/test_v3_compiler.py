"""From emotion and VAD to 52 channels: the three modes, by the specification (section 10)."""

import numpy as np
import pytest
from facewire.emotion import LABELS, NAMES, NEUTRAL_VAD, State, anchors, lookup
from facewire.errors import InputError
from facewire.rig import Rig
from facewire_v3.compiler import (
    MODES,
    Compiler,
    compile_expression,
    family_weights,
)
from facewire_v3.pchip import coefficients
from facewire_v3.presets import JOYFUL, preset, presets
from facewire_v3.strength import scale
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

RIG = Rig.named("arkit52")
ONE_HOT = np.eye(16, dtype=np.float32)


def along(label: str, times: np.ndarray) -> np.ndarray:
    """Return neutral + times the way to a label: (n, 3)."""
    rest, full = np.array(NEUTRAL_VAD), np.array(lookup(label).vad)
    return rest + times[:, None] * (full - rest)


@pytest.mark.parametrize("made", presets(), ids=lambda made: made.title)
def test_a_presets_own_emotion_and_vad_return_it(made):
    face = compile_expression(made.family, made.vad)
    assert face.shape == (52,)
    assert face.dtype == np.float32
    assert np.abs(face - made.face).max() <= 0.01
    weights = ONE_HOT[[LABELS.index(made.family)]]
    full = Compiler().full(weights, np.array([made.vad], np.float32))[0]
    np.testing.assert_allclose(full[52:], made.head, atol=0.01)


def test_each_channel_grows_from_neutral_to_l5_and_is_held_beyond():
    for label in LABELS[1:]:
        vad = along(label, np.linspace(0, 1.4, 57))
        faces = Compiler().rows(np.tile(ONE_HOT[LABELS.index(label)], (57, 1)), vad)
        assert not faces[0].any()
        # L5 of some is cut to [.02, .98]: the projection on the ray still never goes back
        assert (np.diff(faces, axis=0) >= -1e-6).all()
    strong = Compiler().rows(ONE_HOT, scale(anchors(), 2))
    for label, face in zip(LABELS, strong, strict=True):
        assert (face <= preset(label, 5).face + 1e-6).all()
        assert (face >= preset(label, 3).face - 1e-6).all()


def test_strength_2_never_shrinks_a_face():
    once, twice = (
        np.linalg.norm(Compiler().rows(ONE_HOT, scale(anchors(), s)), axis=1) for s in (1, 2)
    )
    assert (twice >= once).all()


@pytest.mark.parametrize("name", NAMES)
def test_all_27_names_have_a_face_of_their_family(name):
    face = compile_expression(name)
    entry = lookup(name)
    np.testing.assert_array_equal(face, compile_expression(entry.family, entry.vad))
    assert (np.linalg.norm(face) > 0.2) == (entry.family != "neutral")


def test_surprise_turns_joyful_with_valence():
    smile = RIG.index("mouthSmileLeft")
    _, a, d = lookup("surprise").vad
    values = np.linspace(0.2, 0.95, 151)
    rows = np.array([[x, a, d] for x in values])
    faces = Compiler().rows(np.tile(ONE_HOT[LABELS.index("surprise")], (151, 1)), rows)
    assert (faces[values <= 0.60, smile] == 0).all()
    assert faces[-1, smile] >= 0.5
    assert (np.diff(faces[:, smile]) >= -1e-6).all()
    assert np.abs(np.diff(faces, axis=0)).max() <= 0.03
    np.testing.assert_allclose(
        compile_expression("surprise", preset(JOYFUL).vad), preset(JOYFUL).face, atol=1e-6
    )


def test_a_transition_blends_the_faces_of_both_families():
    vad = along("joy", np.array([0.7]))
    both = 0.25 * ONE_HOT[[1]] + 0.75 * ONE_HOT[[3]]
    compiler = Compiler()
    joy, sadness = (compiler.rows(ONE_HOT[[i]], vad) for i in (1, 3))
    np.testing.assert_allclose(compiler.rows(both, vad), 0.25 * joy + 0.75 * sadness, atol=2e-3)


def test_weights_that_fade_out_do_not_jump():
    compiler, vad = Compiler(), np.array([lookup("anger").vad])
    steps = np.linspace(0, 0.01, 101)[:, None]
    rows = compiler.rows(steps * ONE_HOT[[1]] + (1 - steps) * ONE_HOT[[2]], np.tile(vad, (101, 1)))
    assert np.abs(np.diff(rows, axis=0)).max() < 5e-4


vads = arrays(np.float32, (5, 3), elements=st.floats(0, 1, width=32))


@pytest.mark.parametrize("mode", MODES)
@given(vads, arrays(np.float32, (5, 16), elements=st.floats(0.0078125, 1, width=32)))
def test_any_emotion_stays_in_bounds_and_cuts_change_nothing(mode, vad, weights):
    weights = weights / weights.sum(axis=1, keepdims=True)
    compiler = Compiler(mode)
    rows = compiler.rows(weights, vad)
    assert rows.shape == (5, 52)
    assert rows.min() >= 0
    assert rows.max() <= 1 + 1e-6
    pieces = [compiler.rows(weights[i : i + 1], vad[i : i + 1]) for i in range(5)]
    np.testing.assert_allclose(np.concatenate(pieces), rows, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_neutral_is_nearly_still_in_every_mode(mode):
    assert np.abs(compile_expression("neutral", mode=mode)).max() <= 0.05
    extreme = np.array([[1e30, -1e30, 1e30]], np.float32)
    assert np.isfinite(Compiler(mode).full(ONE_HOT[:1], extreme)).all()
    assert Compiler(mode).rows(ONE_HOT[:0], extreme[:0]).shape == (0, 52)


@pytest.mark.parametrize("mode", ["hybrid", "parametric"])
def test_the_other_modes_move_smoothly(mode):
    for label in LABELS[1:]:
        weights = np.tile(ONE_HOT[LABELS.index(label)], (141, 1))
        faces = Compiler(mode).rows(weights, along(label, np.linspace(0, 1.4, 141)))
        assert np.abs(np.diff(faces, axis=0)).max() <= 0.05


def test_hybrid_is_nearer_to_the_authored_face_than_parametric():
    authored = np.stack([preset(label).face for label in LABELS[1:]])
    hybrid, parametric = (
        np.linalg.norm(Compiler(mode).rows(ONE_HOT[1:], anchors()[1:]) - authored, axis=1)
        for mode in ("hybrid", "parametric")
    )
    assert (hybrid < parametric).all()


def test_a_vad_without_a_name_takes_the_labels_nearby():
    state = State.of(lookup("disgust").vad)
    face = compile_expression(None, lookup("disgust").vad)
    assert state.weights[LABELS.index("disgust")] > 0.7
    assert np.linalg.norm(face - preset("disgust").face) < 0.3


def test_the_family_alone_of_soft_labels():
    soft = np.array([lookup("curiosity").weights, lookup("guilt").weights], np.float32)
    found = family_weights(soft)
    assert found.sum(axis=1).tolist() == [1, 1]
    assert [LABELS[i] for i in found.argmax(axis=1)] == ["surprise", "apology"]


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda: compile_expression("joyy"),
            "emotion: emotion 'joyy' is unknown; did you mean 'joy'?",
        ),
        (lambda: compile_expression("joy", (0.5, 1.5, 0.5)), "emotion: found vad 0.5, 1.5, 0.5"),
        (
            lambda: compile_expression("joy", (0.5, float("nan"), 0.5)),
            "emotion: found vad 0.5, nan",
        ),
        (lambda: compile_expression(None), "compile_expression: found neither emotion nor vad"),
        (
            lambda: compile_expression("joy", mode="hybird"),
            "compiler: found 'hybird', expected one",
        ),
    ],
)
def test_mistakes_are_one_line(call, line):
    with pytest.raises(InputError) as raised:
        call()
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


@given(arrays(np.float64, (4, 6), elements=st.integers(-8, 8).map(float)))
def test_the_cubics_are_scipys(values):
    interpolate = pytest.importorskip("scipy.interpolate")
    knots = np.array([0.0, 0.45, 1.0, 1.37])
    cubics = coefficients(knots, values)
    for i in range(3):
        u = np.linspace(0, knots[i + 1] - knots[i], 9)
        found = np.stack([u**0, u, u**2, u**3], axis=1) @ cubics[i]
        wanted = interpolate.PchipInterpolator(knots, values)(knots[i] + u)
        np.testing.assert_allclose(found, wanted, atol=1e-9)
