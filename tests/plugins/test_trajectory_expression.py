from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire.articulation import closures, lip_gap, read_phone
from facewire.assemble import assemble
from facewire.emotion import LABELS, EmotionCurve, Key, State
from facewire.profile import load_profile
from facewire.rig import Rig
from facewire.testing import cuts
from facewire.types import Audio, Context, Emotion, Features, FloatArray
from facewire_trajectory.config import ModelConfig
from facewire_trajectory.mel import RATE
from facewire_trajectory.model import Trajectory
from trajectory_parts import FPS, SENTENCES, animate, features_of, phones_of, speak

presets = pytest.importorskip("facewire_v3.presets")

ARKIT = Rig.named("arkit52")
TONGUE = Rig.named("arkit52_tongue")
JAW = ARKIT.index("jawOpen")
DRAWN = ModelConfig(expression="model")
STRONG = ("joy", "anger", "disgust", "fear", "sadness", "sulk", "surprise", "contempt")


def still_face(weights: FloatArray, vad: FloatArray, rows: int = 100) -> FloatArray:
    """The face (52,) that the model itself settles on in silence."""
    model = Trajectory(DRAWN, Context())
    quiet = features_of(Audio(np.zeros(rows * 400, np.float32), RATE))
    out = []
    for a, z in cuts(rows, [50]):
        part = Features(quiet.values[a:z], FPS, a, RATE)
        felt = Emotion(np.tile(vad, (z - a, 1)), np.tile(weights, (z - a, 1)), FPS, a)
        out.append(model.push(part, felt).values)
    out += [frames.values for frames in model.flush()]
    face: FloatArray = np.concatenate(out)[-20, :52]
    return face


def anchors() -> list[tuple[str, FloatArray, FloatArray, FloatArray]]:
    found = []
    for each in presets.presets():
        weights = np.zeros(16, np.float32)
        weights[LABELS.index(each.family if each.family in LABELS else "surprise")] = 1.0
        vad = np.array(each.vad, np.float32)
        found.append((f"{each.name} {each.level}", weights, vad, each.face))
    return found


def curve(*keys: tuple[float, str]) -> EmotionCurve:
    from facewire.emotion import parse

    made = [Key(Fraction(at), parse(text), "tags") for at, text in keys]
    return EmotionCurve(made)


def in_profile(sound: Audio, felt: EmotionCurve) -> FloatArray:
    """Frames (n, 61) of the default profile with this model, without idle life."""
    profile = load_profile("default", ["model=trajectory"])
    layers = tuple(spec for spec in profile.layers if not spec.use.startswith("idle"))
    profile = replace(profile, layers=layers, sinks=())
    pipeline = assemble(profile, "test", Path("out")).pipeline(felt)
    blocks = [*pipeline.push(sound), *pipeline.flush()]
    return np.concatenate([block.frames.values for block in blocks])


def test_it_says_who_draws_the_face() -> None:
    assert Trajectory(ModelConfig(), Context()).emotion == "none"
    assert Trajectory(DRAWN, Context()).emotion == "labels+vad"


def test_the_network_knows_the_presets() -> None:
    """All 47 in silence, each channel but jawOpen within .05."""
    worst = {}
    for name, weights, vad, face in anchors():
        away = np.abs(still_face(weights, vad) - face)
        away[JAW] = 0.0
        worst[name] = float(away.max())
    assert len(worst) == 47
    assert max(worst.values()) <= 0.05, sorted(worst.items(), key=lambda kv: -kv[1])[:5]


def test_jitter_of_the_emotion_changes_little() -> None:
    random = np.random.default_rng(0)
    for _, weights, vad, _ in anchors()[::6]:
        for _ in range(2):
            shaken = (vad + random.uniform(-0.05, 0.05, 3)).astype(np.float32)
            away = still_face(weights, np.clip(shaken, 0, 1)) - still_face(weights, vad)
            assert np.abs(away).max() < 0.16


def test_neutral_leaves_speech_as_it_is() -> None:
    sound = speak(SENTENCES[0])
    drawn, plain = animate(sound, DRAWN), animate(sound)
    assert np.abs(drawn - plain).max() < 0.02


@pytest.mark.parametrize("emotion", STRONG)
@pytest.mark.parametrize("who", ["model", "layer"])
def test_closures_survive_every_emotion(emotion: str, who: str) -> None:
    kept = closed = 0
    for text in SENTENCES[:3]:
        sound = speak(text)
        felt = curve((0.0, f"{emotion}:140"))
        if who == "model":
            before, after = animate(sound), animate(sound, DRAWN, emotion=felt)
            gaps = [lip_gap(values, TONGUE) for values in (before, after)]
        else:
            rig = Rig.named("arkit61")
            neutral = curve((0.0, "neutral"))
            gaps = [lip_gap(in_profile(sound, each), rig) for each in (neutral, felt)]
        for phone in phones_of(sound):
            if read_phone(phone.text).kind != "closure":
                continue
            was, now = (_closes(gap, phone.start, phone.end) for gap in gaps)
            closed += was
            kept += was and now
    assert closed >= 12
    assert kept == closed


def _closes(gap: FloatArray, start: float, end: float) -> bool:
    held = (min(z, end) - max(a, start - 0.04) for a, z in closures(gap, 60.0))
    return any(seconds >= 0.033 - 1e-9 for seconds in held)


def test_emotions_differ_in_the_default_profile() -> None:
    quiet = Audio(np.zeros(3 * RATE, np.float32), RATE)
    faces = {name: in_profile(quiet, curve((0.0, name)))[-1, :52] for name in LABELS}
    for i, one in enumerate(LABELS):
        for other in LABELS[i + 1 :]:
            assert np.linalg.norm(faces[one] - faces[other]) >= 0.35, (one, other)


@pytest.mark.parametrize("who", ["model", "layer"])
def test_a_switch_within_a_sentence_is_smooth(who: str) -> None:
    sound = speak(SENTENCES[4])
    felt = curve((0.0, "joy"), (1.6, "anger"))
    eyes = [i for i, c in enumerate(ARKIT.channels) if not c.startswith(("jaw", "mouth", "tongue"))]
    values = animate(sound, DRAWN, emotion=felt) if who == "model" else in_profile(sound, felt)
    assert np.abs(np.diff(values[:, eyes], axis=0)).max() < 0.1
    assert values[70, eyes].std() > 0.01 and not np.allclose(values[70, eyes], values[-70, eyes])


def test_a_named_state_is_what_it_is_conditioned_with() -> None:
    assert State.named("joy").weights[LABELS.index("joy")] == 1.0
