"""``hear``: emotion that the model hears in the voice is put on the face."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from facewire.emotion import EmotionCurve, Key, State
from facewire.profile import load_profile
from facewire.rig import Rig
from facewire.session import Session
from facewire.sources import GivenAudio
from facewire.testing import voiced
from facewire.types import Audio, Block, Context, Frames
from facewire_v3.config import V3Config
from facewire_v3.layer import V3

RIG = Rig.named("neurosync68")
FPS = Fraction(60)
ROWS = 180


def frames(**heard: float) -> Frames:
    values = np.zeros((ROWS, len(RIG)), np.float32)
    for channel, value in heard.items():
        values[:, RIG.index(channel)] = value
    return Frames(values, RIG, FPS, 0)


def worn(given: Frames, config: V3Config, keys=(), cut: int = 64) -> np.ndarray:
    """Return what the layer makes of silent frames, given to it ``cut`` rows at a time."""
    curve = EmotionCurve(keys)
    layer = V3(config, Context(rig=RIG, fps=FPS, causal=True, curve=curve))
    out = []
    for at in range(0, ROWS, cut):
        count = min(cut, ROWS - at)
        emotion = layer.condition(curve.sample(at, count, FPS))
        part = Frames(given.values[at : at + count], RIG, FPS, at)
        audio = Audio(np.zeros(count * 800, np.float32), 48000, at * 800)
        out.append(layer.push(Block(part, emotion, audio)).values)
    return np.concatenate([*out, *(piece.values for piece in layer.flush())])


def at(values: np.ndarray, channel: str, row: int = -1) -> float:
    return float(values[row, RIG.index(channel)])


def test_a_happy_voice_smiles_only_when_asked() -> None:
    happy = frames(emotionHappy=0.9)
    assert at(worn(happy, V3Config()), "mouthSmileLeft") == 0.0
    heard = worn(happy, V3Config(hear=True))
    assert at(heard, "mouthSmileLeft") > 0.25 and at(heard, "cheekSquintLeft") > 0.1
    assert at(heard, "mouthSmileLeft", 5) < 0.3 * at(heard, "mouthSmileLeft")
    assert at(heard, "emotionHappy") == pytest.approx(0.9)
    neutral = worn(frames(emotionNeutral=1.0), V3Config(hear=True))
    np.testing.assert_allclose(neutral[:, :52], worn(frames(), V3Config())[:, :52], atol=1e-6)
    twice = worn(frames(emotionSad=1.0), V3Config(hear=True, strength=2.0))
    assert at(twice, "mouthFrownLeft") >= at(
        worn(frames(emotionSad=1.0), V3Config(hear=True)), "mouthFrownLeft"
    )


def test_any_cut_hears_the_same() -> None:
    values = frames(emotionAngry=0.6).values.copy()
    values[60:, RIG.index("emotionAngry")] = 0.0
    values[90:, RIG.index("emotionSurprised")] = 3.0
    given = Frames(values, RIG, FPS, 0)
    whole = worn(given, V3Config(hear=True))
    for cut in (1, 7, 50):
        np.testing.assert_allclose(worn(given, V3Config(hear=True), cut=cut), whole, atol=1e-5)


def test_everybody_else_decides_before_the_voice() -> None:
    happy = frames(emotionHappy=1.0)
    neutral = [Key(Fraction(0), State.named("neutral"), "tags")]
    assert at(worn(happy, V3Config(hear=True), neutral), "mouthSmileLeft") == 0.0
    sad = [Key(Fraction(1), State.named("sadness"), "text")]
    mixed = worn(happy, V3Config(hear=True), sad)
    assert at(mixed, "mouthSmileLeft", 58) > 0.2
    assert at(mixed, "mouthFrownLeft") > 0.1 and at(mixed, "mouthSmileLeft") < 0.02


def test_another_rig_is_told_in_one_line() -> None:
    assert V3(V3Config(hear=True), Context()).report() == (
        "v3 hears no emotion: the rig 'arkit61' has no emotionAngry; "
        "put 'rig: neurosync68' into the profile, or remove 'hear'",
    )
    assert V3(V3Config(), Context()).report() == ()


def test_a_checkpoints_emotion_reaches_the_face_and_files(tmp_path) -> None:
    """A real session: the small checkpoint of the plugin, its seven columns heard."""
    from importlib.resources import files

    weights = files("facewire_neurosync").joinpath("data/tiny.safetensors")
    head = f"rig: neurosync68\nmodel: {{use: neurosync, weights: '{weights}'}}\n"
    sinks = '[{use: files.npz, path: "{out}/{name}.npz"}, files.livelink_csv]'
    made = {}
    for hear in ("false", "true"):
        (tmp_path / "p.yaml").write_text(
            f"{head}layers: [{{use: v3, hear: {hear}}}]\nsinks: {sinks}\n", "utf-8"
        )
        sound = voiced(2.0, 22050).samples
        profile = load_profile(str(tmp_path / "p.yaml"), [f"sinks[1].path={tmp_path}/x.csv"])
        Session(profile, GivenAudio(sound, 22050), f"take{hear}", tmp_path).run()
        made[hear] = np.load(tmp_path / f"take{hear}.npz")
    channels = tuple(made["true"]["channels"])
    assert channels == RIG.channels
    emotions = made["true"]["values"][:, 61:]
    np.testing.assert_array_equal(emotions, made["false"]["values"][:, 61:])
    assert emotions.max() > 0.01
    moved = np.abs(made["true"]["values"][:, :52] - made["false"]["values"][:, :52]).max()
    assert moved > 0.01
    assert (tmp_path / "x.csv").read_text().splitlines()[0].count(",") == 62


def test_the_curve_says_who_decides() -> None:
    curve = EmotionCurve([Key(Fraction(1), State.named("joy"), "tags")])
    curve.put(Key(Fraction(2), None, "tags"))
    curve.put(Key(Fraction(0), State.named("fear"), "heard"))
    assert [curve.source(row, FPS) for row in (0, 59, 60, 119, 120)] == [
        "heard", "heard", "tags", "tags", "heard"
    ]  # fmt: skip
