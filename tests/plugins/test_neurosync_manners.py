"""What the player does: scales, blinks from a capture, and blends from and to idle."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.errors import FacewireError
from facewire.rig import Rig
from facewire.testing import drive_layer, layer_blocks
from facewire.types import Context
from facewire_neurosync.capture import Loop, read
from facewire_neurosync.idle_blend import MOUTH, IdleBlend
from facewire_neurosync.manners import CaptureBlinks, Scales
from facewire_neurosync.plugin import BlinksConfig, IdleBlendConfig, ScalesConfig, facewire_layers

RIG, FPS = Rig.named("arkit61"), Fraction(60)


def take(path: Path, rows: int, **channels: Any) -> Path:
    lines = [",".join(["Timecode", "BlendshapeCount", *channels])]
    for k in range(rows):
        values = (f"{value(k):.6f}" for value in channels.values())
        lines.append(",".join(["00:00:00:00.000", "61", *values]))
    path.write_text("\n".join(lines) + "\n")
    return path


def drive(layer: Any, values: Any, fps: Fraction = FPS, sizes: tuple[int, ...] = (64,)) -> Any:
    values = np.asarray(values, np.float32)
    return drive_layer(layer, layer_blocks(layer, values, RIG, fps, sizes), RIG)


def test_scales() -> None:
    found = drive(Scales(ScalesConfig(), Context()), np.full((10, 61), 0.5))
    for i, channel in enumerate(RIG.channels):
        factor = 0.6 if channel.startswith("brow") else 0.4 if "Wide" in channel else 1.0
        assert np.allclose(found[:, i], 0.5 * factor)
    with pytest.raises(ValueError, match="brows: found 3, expected 0 to 2"):
        ScalesConfig(brows=3)


def test_blinks_follow_the_capture_and_loop(tmp_path: Path) -> None:
    path = take(tmp_path / "a.csv", 50, EyeBlinkLeft=lambda k: k / 100, EyeBlinkRight=lambda k: 0.5)
    layer = CaptureBlinks(BlinksConfig(path, fade=10), Context())
    found = drive(layer, np.full((200, 61), 0.9), sizes=(7, 30))
    left, right = (found[:, RIG.index(f"eyeBlink{side}")] for side in ("Left", "Right"))
    assert np.allclose(left[:40], np.arange(40) / 100) and np.allclose(right, 0.5)
    assert np.allclose(left[50:80], np.arange(10, 40) / 100)  # the second time round
    assert np.abs(np.diff(left)).max() < 0.05  # no jump at the joint
    others = [i for i, name in enumerate(RIG.channels) if "Blink" not in name]
    assert np.allclose(found[:, others], 0.9)


def test_captures_play_at_their_own_speed(tmp_path: Path) -> None:
    loop = Loop(np.arange(100, dtype=np.float32)[:, None], Fraction(24), 0)
    assert np.allclose(loop.rows(0, 5)[:, 0], [0, 2.5, 5, 7.5, 10])
    assert np.allclose(loop.rows(40, 1)[:, 0], 0)


def test_blend_in_and_out(tmp_path: Path) -> None:
    path = take(tmp_path / "a.csv", 400, JawOpen=lambda k: 0.2, EyeLookUpLeft=lambda k: 0.8)
    layer = IdleBlend(IdleBlendConfig(path), Context())
    assert layer.lookahead == 60
    found = drive(layer, np.ones((300, 61)), sizes=(13,))
    jaw, smile = found[:, RIG.index("jawOpen")], found[:, RIG.index("mouthSmileLeft")]
    assert jaw[0] == jaw[-1] == pytest.approx(0.2) and smile[0] == smile[-1] == 0
    assert np.allclose(jaw[6:-6], 1) and (jaw[:6] < 1).all() and (jaw[-6:] < 1).all()
    assert np.allclose(smile[30:-30], 1) and np.allclose(smile[:31], np.arange(31) / 30)
    assert np.allclose(smile[-31:], np.arange(31)[::-1] / 30)
    assert np.allclose(found[:, RIG.index("headYaw")], 1)
    assert np.allclose(found[:, RIG.index("tongueOut")], 1)
    assert found[0, RIG.index("eyeLookUpLeft")] == 0  # looks of the idle take are not used


@pytest.mark.parametrize(("rows", "half"), [(1, 1), (20, 12), (29, 12), (45, 18), (59, 18)])
def test_short_clips_blend_faster(rows: int, half: int) -> None:
    found = drive(IdleBlend(IdleBlendConfig(), Context()), np.ones((rows, 61)))
    away = np.minimum(np.arange(rows), rows - 1 - np.arange(rows))
    smile = found[:, RIG.index("mouthSmileLeft")]
    assert np.allclose(smile, np.minimum(1, away / half))


def test_a_live_run_blends_in_only_and_waits_for_nothing() -> None:
    layer = IdleBlend(IdleBlendConfig(), Context(causal=True))
    found = drive(layer, np.ones((100, 61)), sizes=(1,))
    assert layer.lookahead == 0
    smile = found[:, RIG.index("mouthSmileLeft")]
    assert smile[0] == 0 and np.allclose(smile[30:], 1)


def test_the_mouth_is_the_players() -> None:
    assert len(MOUTH) == 6 and all(name in RIG for name in MOUTH)


def test_a_rig_without_the_channels(tmp_path: Path) -> None:
    rig = Rig("mouth", ("jawOpen",))
    context = replace(Context(), rig=rig)
    for component in facewire_layers():
        layer = component.make(component.example, context)
        blocks = layer_blocks(layer, np.ones((90, 1), np.float32), rig, FPS, [30])
        found = drive_layer(layer, blocks, rig)
        assert found.shape == (90, 1) and np.allclose(found[10:80], 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1 is no header"),
        ("a,b\n1,2\n", "line 1 is no header"),
        ("Timecode,BlendshapeCount,EyeBlinkLeft,EyeBlinkRight\n", "has 0 rows"),
        ("Timecode,EyeBlinkLeft,EyeBlinkRight\nx,1,two\n", "line 2 has not a number"),
        ("Timecode,EyeBlinkLeft,EyeBlinkRight\nx,1,2\nx,1\n", "line 3 has not a number"),
        ("Timecode,EyeBlinkLeft,EyeBlinkRight\nx,1,nan\n", "line 2 holds a value"),
        ("Timecode,JawOpen\nx,1\n", "has no columns EyeBlinkLeft"),
    ],
)
def test_bad_captures(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(FacewireError, match=words):
        CaptureBlinks(BlinksConfig(path), Context())
    with pytest.raises(FacewireError, match="cannot be read"):
        read(tmp_path / "none.csv")
