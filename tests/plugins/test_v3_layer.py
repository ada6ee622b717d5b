from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import facewire
import numpy as np
import pytest
from facewire.emotion import LABELS, EmotionCurve, State
from facewire.profile import component, load_profile
from facewire.registry import Registry
from facewire.rig import Rig
from facewire.testing import check_stage
from facewire.types import Context
from facewire_v3.compiler import Compiler
from facewire_v3.config import V3Config
from facewire_v3.layer import V3
from facewire_v3.overlay import UPPER
from facewire_v3.presets import presets
from hypothesis import given, settings
from hypothesis import strategies as st
from v3_parts import ARKIT, FPS, NEUTRAL, RATE, Run, Speech, key, silence, speeches

BLINK = ARKIT.indices("eyeBlinkLeft", "eyeBlinkRight")


@pytest.fixture(scope="module")
def spoken() -> Speech:
    return speeches(["Perhaps, my brother, five people believe it. Well? Move over, Bob!"])[0]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    "config",
    [
        V3Config(),
        V3Config(overlay="only", strength=2.0),
        V3Config(overlay="off", monologue="gentle"),
        V3Config(speech="none", compiler="hybrid"),
    ],
)
@pytest.mark.parametrize("rig", ["arkit61", "arkit52", "neurosync68"])
def test_it_is_a_stage(config: V3Config, causal: bool, rig: str) -> None:
    shape = Rig.named(rig)
    check_stage(lambda: V3(config, Context(causal=causal, rig=shape)), shape)


def test_the_plugin_offers_it() -> None:
    part, _ = Registry().find("layer", "v3")
    assert part.config is V3Config and part.example == V3Config()


def test_it_looks_9_rows_ahead_and_none_live() -> None:
    def layer(**options: object) -> V3:
        return V3(V3Config(), Context(**options))  # type: ignore[arg-type]

    assert layer().lookahead == 9 and layer(causal=True).lookahead == 0
    assert layer(causal=True).condition_lookahead == 0
    assert layer(fps=Fraction(120)).lookahead == 18 and layer(fps=Fraction(24)).lookahead == 9


KEYS = [key(0, "joy:60"), key(1, "anger:140"), key("2.2", "sulk:100", "live")]


@settings(max_examples=12)
@given(
    st.lists(st.integers(1, 64), min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from(["none", "labels+vad"]),
    st.booleans(),
)
def test_any_cut_gives_what_the_whole_gives(
    spoken: Speech, sizes: list[int], causal: bool, emotion: str, marked: bool
) -> None:
    whole, cut = (
        Run(KEYS, V3Config(), causal, emotion, each, marked=marked)(spoken)
        for each in ([64], sizes)
    )
    assert whole.shape == cut.shape and np.abs(whole - cut).max() < 1e-5


def test_a_run_repeated_is_identical(spoken: Speech) -> None:
    one, other = (Run(KEYS)(spoken) for _ in range(2))
    assert one.tobytes() == other.tobytes()


def test_neutral_leaves_frames_bit_for_bit(spoken: Speech) -> None:
    for config in (V3Config(), V3Config(overlay="only"), V3Config(speech="none")):
        assert np.array_equal(Run([NEUTRAL], config)(spoken), spoken.values)
    deadpan = Run([key(0, "joy:140")], V3Config(strength=0.0))(spoken)
    assert np.array_equal(deadpan, spoken.values)


def test_auto_draws_the_face_where_the_model_carries_no_emotion() -> None:
    still = silence(2)
    none, mead, only, off = (
        Run([key(0, "anger")], V3Config(overlay=how), emotion=model)(still)[-1]
        for how, model in (
            ("auto", "none"),
            ("auto", "mead5"),
            ("only", "none"),
            ("off", "none"),
        )
    )
    press, upper = ARKIT.index("mouthPressLeft"), set(ARKIT.indices(*UPPER))
    assert none[press] > 0.1 and mead[press] == 0.0
    assert np.array_equal(mead, only) and not off.any()
    assert set(np.flatnonzero(mead[:52])) <= upper


def test_a_still_face_is_its_preset_but_for_the_jaw() -> None:
    still, jaw = silence(2), ARKIT.index("jawOpen")
    for made in presets():
        if made.name not in LABELS:
            continue
        strength = {1: 0.45, 3: 1.0, 5: 1.4}[made.level]
        wanted = key(0, f"{made.family}:{strength * 100:g}")
        heard, silent = (Run([wanted], V3Config(speech=how))(still)[-1] for how in ("auto", "none"))
        assert np.abs(np.delete(heard[:52] - made.face, jaw)).max() < 0.01, made.title
        assert np.abs(silent[:52] - made.face).max() < 0.01, made.title
        assert np.abs(silent[52:55] - made.head).max() < 0.01, made.title
        assert heard[jaw] == 0.0


def test_eye_channels_and_rotations_agree() -> None:
    row = Run([key(0, "embarrassment")])(silence(2))[-1]
    pitch = row[ARKIT.index("leftEyePitch")]
    assert pitch == pytest.approx(np.radians(35) * row[ARKIT.index("eyeLookDownLeft")], abs=1e-3)
    assert pitch > 0.1 and abs(row[ARKIT.index("rightEyePitch")] - pitch) < 1e-6


def test_embarrassment_looks_down_then_smiles_then_turns_the_head() -> None:
    rows = Run([NEUTRAL, key(1, "embarrassment", "live")], causal=True)(silence(5))
    eyes, smile, head = (
        rows[:, ARKIT.index(name)] for name in ("leftEyePitch", "mouthSmileLeft", "headPitch")
    )
    half = [int(np.flatnonzero(part > 0.5 * part[-1])[0]) for part in (eyes, smile, head)]
    assert half == sorted(half) and half[0] < 60 + 45 and half[2] - half[0] > 30
    assert eyes[60 + 45] > 0.9 * eyes[-1]  # within 0.75 s


def switched(seed: int, seconds: int, source: str, level: int) -> list:
    random = np.random.default_rng(seed)
    times = np.sort(random.uniform(0.2, seconds, 4 * seconds))
    names = random.choice(LABELS, len(times))
    pairs = zip(times, names, strict=True)
    return [NEUTRAL, *(key(f"{time:.4f}", f"{name}:{level}", source) for time, name in pairs)]


@pytest.mark.parametrize("strength", [1.0, 2.0])
@pytest.mark.parametrize("causal, source", [(True, "live"), (True, "tags"), (False, "tags")])
def test_nothing_pops(causal: bool, source: str, strength: float) -> None:
    keys = switched(3, 60, source, 140)
    rows = Run(keys, V3Config(strength=strength), causal=causal)(silence(60))
    moved = np.abs(np.diff(np.delete(rows[:, :52], BLINK, axis=1), axis=0)).max(axis=1)
    assert moved.max() <= 0.15
    assert (moved < 0.10).mean() >= 0.999
    assert np.degrees(np.abs(np.diff(rows[:, 52:], axis=0)).max()) < 3.0


@pytest.mark.parametrize("mode", ["hybrid", "parametric"])
def test_nor_in_the_other_modes(mode: str) -> None:
    config = V3Config(compiler=mode)  # type: ignore[arg-type]
    rows = Run(switched(4, 20, "live", 140), config, causal=True)(silence(20))
    assert np.abs(np.diff(rows[:, :52], axis=0)).max() <= 0.10
    assert rows[:, :52].min() >= 0.0 and rows[:, :52].max() <= 1.0


def test_speech_starts_and_ends_without_a_pop(spoken: Speech) -> None:
    for causal in (False, True):
        added = Run([key(0, "disgust:140")], causal=causal)(spoken) - spoken.values
        close = spoken.rig.index("mouthClose")
        assert np.abs(np.diff(np.delete(added, close, axis=1)[:, :50], axis=0)).max() < 0.15


@pytest.mark.parametrize("fps", [24, 30, 120])
def test_other_frame_rates_give_the_same_face(fps: int) -> None:
    keys = [NEUTRAL, key(1, "joy"), key("3.3", "fear", "live")]
    found = []
    for rate in (fps, 120):
        values = np.zeros((6 * rate, len(ARKIT)), np.float32)
        speech = Speech("still", values, ARKIT, RATE)
        found.append(Run(keys, causal=True, fps=Fraction(rate))(speech))
    assert np.abs(found[0] - found[1][:: 120 // fps]).max() < 0.01


def test_frames_without_conditioned_rows_get_their_own_emotion(spoken: Speech) -> None:
    """A block whose emotion never passed ``condition`` is drawn as its rows say."""
    run = Run([key(0, "joy")], causal=True)
    layer = run.build(spoken.rig, EmotionCurve())
    state = State.named("joy")
    emotion = EmotionCurve([key(0, "joy")]).sample(0, 10, FPS)
    block = run.block(Speech("", spoken.values[:10] * 0, spoken.rig, RATE), emotion, 0, 10)
    face = layer.push(block).values[-1]
    full = Compiler().rows(np.array([state.weights], np.float32), np.array([state.vad], np.float32))
    smile = Rig.named("arkit52").index("mouthSmileLeft")
    assert face[spoken.rig.index("mouthSmileLeft")] == pytest.approx(full[0, smile], abs=1e-3)


def test_it_runs_in_a_profile_with_tags() -> None:
    layers = tuple(component(spec, "layers") for spec in ({"use": "v3"}, {"use": "clamp"}))
    profile = replace(load_profile("default", []), layers=layers)
    text = "[joy:80] My brother came by. [sadness] But Peter moved to Bombay."
    clip = facewire.animate(text=text, profile=profile)
    smile, inner = (
        clip.frames.values[:, clip.frames.rig.index(name)]
        for name in ("mouthSmileLeft", "browInnerUp")
    )
    second = next(m.start for m in clip.marks if m.kind == "word" and m.text == "But")
    row = round(second / clip.audio.rate * 60)
    assert smile[40] > 0.25 and smile[row + 40] < 0.1
    assert inner[40] < 0.1 and inner[row + 60] > 0.3
    assert clip.emotion.vad[0, 0] > 0.7 and clip.emotion.vad[-1, 0] < 0.3


def test_finite_frames_stay_finite() -> None:
    values = np.full((80, len(ARKIT)), 1e30, np.float32)
    values[40:] *= -1
    rows = Run([key(0, "disgust:140")])(Speech("loud", values, ARKIT, RATE))
    assert np.isfinite(rows).all()
