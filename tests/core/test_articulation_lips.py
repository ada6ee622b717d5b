from __future__ import annotations

import numpy as np
import pytest
from facewire.articulation import lip_gap, lip_protrusion, lip_to_teeth, lip_width
from facewire.articulation.lips import coefficients
from facewire.articulation.tables import load_numbers
from facewire.rig import Rig

GAP = {
    "jawOpen": 1.0,
    "mouthClose": -1.0,
    "mouthFunnel": 0.25,
    "mouthPucker": -0.07,
    "mouthLowerDownLeft": 0.068,
    "mouthUpperUpRight": 0.082,
    "mouthShrugUpper": 0.10,
    "mouthShrugLower": -0.14,
    "mouthRollLower": -0.06,
    "mouthRollUpper": -0.04,
    "mouthSmileLeft": -0.037,
    "mouthPressRight": -0.027,
}


def row(rig: Rig, **channels: float) -> np.ndarray:
    values = np.zeros((1, len(rig)), np.float32)
    for channel, value in channels.items():
        values[0, rig.index(channel)] = value
    return values


@pytest.mark.parametrize("name", ["arkit52", "arkit52_tongue", "arkit61", "neurosync68"])
def test_the_gap_is_the_same_on_every_rig(name: str) -> None:
    rig = Rig.named(name)
    for channel, expected in GAP.items():
        assert lip_gap(row(rig, **{channel: 1.0}), rig)[0] == pytest.approx(expected, abs=1e-6)
    parted = row(rig, jawOpen=0.02, mouthLowerDownLeft=0.3, mouthLowerDownRight=0.3,
                 mouthUpperUpLeft=0.3, mouthUpperUpRight=0.3)  # fmt: skip
    assert lip_gap(parted, rig)[0] == pytest.approx(0.11, abs=0.001)


def test_channels_a_rig_lacks_count_as_zero() -> None:
    rig = Rig("jaw alone", ("jawOpen", "eyeBlinkLeft"))
    values = np.array([[0.3, 1.0], [0.0, 1.0]], np.float32)
    assert lip_gap(values, rig) == pytest.approx([0.3, 0.0])
    assert lip_gap(values[:0], rig).shape == (0,)


def test_width_protrusion_and_teeth_move_as_lips_do() -> None:
    rig = Rig.named("arkit52")
    smile = row(rig, mouthSmileLeft=0.5, mouthSmileRight=0.5)
    pucker, funnel = row(rig, mouthPucker=1.0), row(rig, mouthFunnel=1.0)
    assert lip_width(smile, rig)[0] > 0.1 > 0 > lip_width(pucker, rig)[0]
    assert lip_protrusion(pucker, rig)[0] == pytest.approx(1.0)
    assert 0.3 < lip_protrusion(funnel, rig)[0] < 1.0
    assert lip_to_teeth(row(rig, jawOpen=0.2), rig)[0] == pytest.approx(0.2)
    assert lip_to_teeth(row(rig, jawOpen=0.2, mouthClose=0.2), rig)[0] < 0.1


def test_left_and_right_weigh_the_same() -> None:
    for measure, table in coefficients().items():
        for channel, value in table.items():
            twin = channel.replace("Left", "#").replace("Right", "Left").replace("#", "Right")
            assert table[twin] == value, f"{measure}: {channel}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {x: 1}\nc: {}", "t.yaml: expected the keys a, b, found ['a', 'c']"),
        ("a: {x: one}\nb: {}", "t.yaml: a: x: expected a finite number, found 'one'"),
        ("a: {x: .nan}\nb: {}", "t.yaml: a: x: expected a finite number, found nan"),
        ("a: 3\nb: {}", "t.yaml: a: expected names and numbers, found 3"),
    ],
)
def test_a_broken_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        load_numbers(text, "t.yaml", ("a", "b"))
    assert str(caught.value) == message
