from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from facewire.emotion import EmotionCurve, State
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import Mark
from facewire_v3.compiler import compile_expression
from facewire_v3.controller import V3Controller
from facewire_v3.scheduler import Scheduler
from v3_parts import FPS, Run, key, one_line, silence

RIG = Rig.named("arkit52")
ZERO = np.zeros(52, np.float32)
SMILE = RIG.index("mouthSmileLeft")


def play(controller: V3Controller, frames: int) -> np.ndarray:
    out = []
    for _ in range(frames):
        controller.update()
        out.append(controller.apply(ZERO))
    return np.array(out)


def test_it_plays_an_emotion_alone() -> None:
    controller = V3Controller()
    assert not play(controller, 10).any()
    controller.set_emotion("joy")
    rows = play(controller, 120)
    assert rows[0, SMILE] < 0.05 and (np.diff(rows[:, SMILE]) > -1e-6).all()
    face = compile_expression("joy")
    assert np.abs(np.delete(rows[-1] - face, RIG.index("jawOpen"))).max() < 0.01
    controller.set_emotion("neutral")
    assert np.abs(play(controller, 300)[-1]).max() < 0.01


def test_names_levels_and_vad_all_say_what_is_wanted() -> None:
    controller = V3Controller()
    for emotion, level, vad in (
        ("happy:50", None, State.named("joy", 0.5).vad),
        ("joy", 5, State.named("joy", 1.4).vad),
        ("joy", "80%", State.named("joy", 0.8).vad),
        ((0.8, 0.6, 0.5), None, (0.8, 0.6, 0.5)),
        (State.named("fear"), None, State.named("fear").vad),
    ):
        controller.set_emotion(emotion, level, transition=0.0)
        assert controller.update(dt=0.1).vad[0] == pytest.approx(vad, abs=1e-6)


def test_strength_scales_and_changes_smoothly() -> None:
    controller = V3Controller(strength=0.0)
    controller.set_emotion("joy", transition=0.0)
    assert not play(controller, 5).any()
    controller.set_strength(1.0)
    rows = play(controller, 90)[:, SMILE]
    assert 0.0 < rows[0] < 0.06 and np.diff(rows).max() < 0.10
    assert rows[-1] == pytest.approx(compile_expression("joy")[SMILE], abs=0.01)


def test_frames_and_seconds_are_one_clock() -> None:
    one, other = V3Controller(), V3Controller()
    for controller in (one, other):
        controller.set_emotion("anger")
    for frame in range(1, 40):
        a, b = one.update(frame=frame), other.update(dt=1 / 60)
        assert np.abs(a.vad - b.vad).max() < 1e-6


def test_it_is_what_the_layer_does_live() -> None:
    controller = V3Controller()
    rows = [controller.apply(ZERO)]
    for frame in range(1, 120):
        if frame == 30:
            controller.set_emotion("sulk", at=0.5)
        controller.update(frame=frame)
        rows.append(controller.apply(ZERO))
    keys = [key(0, "neutral"), key("0.5", "sulk", "live")]
    layer = Run(keys, causal=True)(silence(2, RIG))
    assert np.abs(np.array(rows) - layer).max() < 0.01


def test_a_talking_mouth_is_protected() -> None:
    controller = V3Controller(strength=2.0)
    controller.set_emotion("disgust", 5, transition=0.0)
    jaw, close = RIG.index("jawOpen"), RIG.index("mouthClose")
    for frame in range(240):
        row = ZERO.copy()
        row[jaw] = 0.16 + 0.1 * np.sin(2 * np.pi * 4 * frame / 60)
        controller.update()
        out = controller.apply(row)
    assert out[jaw] == row[jaw] and out[close] == 0.0
    assert 0 < out[RIG.index("mouthUpperUpLeft")] < 0.4


def test_wrong_calls_are_one_line() -> None:
    controller = V3Controller()
    calls = {
        "emotion: emotion 'joi' is unknown; did you mean 'joy'?": (
            lambda: controller.set_emotion("joi")
        ),
        "emotion: found vad nan, 0.5, 0.5, expected three numbers in 0 to 1": (
            lambda: controller.set_emotion((float("nan"), 0.5, 0.5))
        ),
        "emotion: found vad 1.5, 0.5, 0.5, expected three numbers in 0 to 1": (
            lambda: controller.set_emotion((1.5, 0.5, 0.5))
        ),
        "emotion: 'joy:80' already says how much; leave out level 3": (
            lambda: controller.set_emotion("joy:80", 3)
        ),
        "strength: found 3, expected 0 (deadpan) to 2 (exaggerated)": (
            lambda: controller.set_strength(3.0)
        ),
        "update: found second -1 after 0; go forward": lambda: controller.update(dt=-1.0),
        "emotion: transition: found nan, expected 0 to 60 seconds": (
            lambda: controller.set_emotion("joy", transition=float("nan"))
        ),
        "schedule: found time -1, expected 0 or more seconds": (
            lambda: Scheduler().schedule(-1, "joy")
        ),
        "scheduler: found no controller; give it one as controller=…": (
            lambda: Scheduler().update(1.0)
        ),
    }
    for text, call in calls.items():
        with pytest.raises(InputError) as error:
            call()
        assert one_line(error.value) == text
    with pytest.raises(InputError, match="expected one frame of 52 channels of arkit52"):
        controller.apply(np.zeros(61, np.float32))


def test_the_scheduler_places_emotions_on_the_clock() -> None:
    controller = V3Controller()
    scheduler = Scheduler(controller=controller)
    scheduler.schedule(0.5, "joy")
    scheduler.schedule(2.1, "embarrassment", level=3, transition=0.2)
    seen = []
    for frame in range(0, 200):
        scheduler.update(frame / 60)
        seen.append(controller.state.name)
    assert seen[29] == "neutral" and seen[30] == "joy" and seen[125] == "joy"
    assert seen[126] == "embarrassment"
    vad = controller.update(dt=0.0).vad[0]
    assert vad == pytest.approx(State.named("embarrassment").vad, abs=1e-3)


def test_it_schedules_into_any_curve_tags_tracks_and_live(tmp_path: Path) -> None:
    scheduler = Scheduler(EmotionCurve())
    marks = [Mark("word", "Hello", 1000, 8000, (0, 5)), Mark("word", "you", 16000, 20000, (6, 9))]
    text = scheduler.text("[joy:80] Hello [sad]you", marks, 16000)
    assert text == "Hello you"
    times = [(float(k.time), k.state.name) for k in scheduler.curve.changes()]
    assert times == [(1000 / 16000, "joy"), (1.0, "sadness")]
    track = tmp_path / "track.yaml"
    track.write_text("- {at: 3, emotion: anger, level: 4}\n", "utf-8")
    other = Scheduler()
    other.track(track)
    assert other.due(2.9) == [] and [k.state.name for k in other.due(3.0)] == ["anger"]
    other.curve.sample(0, 60, FPS)
    other.live("fear")
    row = other.curve.sample(60, 1, FPS)
    assert row.vad[0] == pytest.approx(State.named("fear").vad, abs=1e-6)


def test_a_track_with_times_going_back_is_one_line(tmp_path: Path) -> None:
    track = tmp_path / "track.yaml"
    track.write_text("- {at: 3, emotion: anger}\n- {at: 1, emotion: joy}\n", "utf-8")
    with pytest.raises(InputError) as error:
        Scheduler().track(track)
    assert "[1].at: found 1, expected more than the 3" in str(error.value)
    assert "\n" not in str(error.value)
