"""The baselines: the linear map's reference figures on captured faces, loudness, phones."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire.articulation import lip_gap
from facewire.rig import Rig
from facewire.testing import voiced
from facewire_eval.baselines import Linear, LinearMap, Loudness, log_mel, phones
from facewire_eval.items import Motion, Sound, Take, load_takes
from facewire_eval.metrics import Pair, agreement, sampled

RIG = Rig.named("arkit52")
# r of the gap over 2 to 8 Hz on takes 2_01 to 2_04, fitted on the other three
REFERENCE = (0.67, 0.75, 0.71, 0.74)


def sound(seconds: float = 6.0, seed: int = 0) -> Sound:
    return Sound(f"made-{seed}", voiced(seconds, 16000, seed).samples, 16000)


def take(seed: int) -> Take:
    """Return a take whose jaw is a linear function of what is heard."""
    heard = sound(6.0, seed)
    values = np.zeros((180, len(RIG)), np.float32)
    values[:, RIG.index("jawOpen")] = 0.1 * log_mel(heard, 180, 30.0)[:, 5:12].mean(axis=1)
    return Take(heard, Motion(values, RIG, Fraction(30)))


def test_linear_map_finds_a_linear_face() -> None:
    engine = Linear([take(1), take(2), take(3)])
    left = take(1)
    motion = engine.without(engine._takes[0]).animate(left.sound)
    assert motion is not None and motion.values.shape == (180, 52)
    pair = Pair(motion.values[:, 17 * 0 + RIG.index("jawOpen")],
                left.motion.values[:, RIG.index("jawOpen")], 30.0)  # fmt: skip
    assert agreement([pair]).band.value > 0.95


def test_the_take_that_is_measured_is_left_out() -> None:
    engine = Linear([take(1), take(2)])
    left = engine.without(engine._takes[0])
    assert isinstance(left, Linear) and left._takes == engine._takes[1:]
    alone = Linear(engine._takes[:1])
    assert alone.without(engine._takes[0]).animate(sound()) is None
    assert Linear.fits(engine._takes) and not Linear.fits(engine._takes[:1])


def test_linear_map_is_deterministic_and_cares_for_no_level() -> None:
    curves = np.random.default_rng(0).standard_normal((180, 2))
    made = LinearMap().fit([sound()], [curves], 30.0).predict(sound(), 180)
    again = LinearMap().fit([sound()], [curves], 30.0).predict(sound(), 180)
    assert np.array_equal(made, again)


def test_loudness_opens_with_the_level() -> None:
    motion = Loudness().animate(sound())
    jaw = motion.values[:, RIG.index("jawOpen")]
    assert jaw.max() == pytest.approx(0.35) and jaw.min() == 0.0
    silent = Loudness().animate(Sound("silence", np.zeros(8000, np.float32), 16000))
    assert not silent.values.any() and len(silent.values) == 30


def test_phones_is_the_default_profiles_mouth_alone() -> None:
    engine = phones()
    assert engine.name == "phones" and engine.profile.layers == ()
    motion = engine.animate(sound(2.0))
    assert motion is not None and len(motion.values) == 120 and motion.fps == 60


def test_reference_figures_of_the_linear_map(data: Path) -> None:
    """Published with the takes' spec: .67 .75 .71 .74, and they are of the gap."""
    takes = load_takes(data / "motion/facegood")
    engine = Linear(takes)
    found = []
    for one in takes:
        motion = engine.without(one).animate(one.sound)
        assert motion is not None
        gap = sampled(lip_gap(motion.values, RIG), motion.rate, len(one.motion.values), 30.0)
        found.append(agreement([Pair(gap, lip_gap(one.motion.values, RIG), 30.0)]).band.value)
    np.testing.assert_allclose(found, REFERENCE, atol=0.01)
