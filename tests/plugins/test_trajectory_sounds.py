"""What the shipped weights do with sounds without words, as ``facewire eval`` makes them.

The network has learnt from others: eval's own laughs, breaths, vowels, music and noise are made in
another way.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from facewire.articulation import lip_gap
from facewire.profile import load_profile
from facewire.rig import Rig
from facewire.types import Audio
from facewire_eval.engines import ProfileEngine
from facewire_eval.items import Sound
from facewire_eval.metrics import follows
from facewire_eval.synthesis import MOVES, RESTS
from facewire_trajectory.config import ModelConfig
from trajectory_parts import RATE, animate

VARIANTS = ("live", "file")


def gap_alone(sound: Sound, variant: Literal["live", "file"]) -> np.ndarray:
    """Return the gap (n,) of a variant without phones."""
    assert sound.rate == RATE
    values = animate(Audio(sound.samples, RATE), ModelConfig(variant=variant, phones=False))
    return lip_gap(values, Rig.named("arkit52_tongue"))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", MOVES)
def test_sounds_of_mouths_move_the_lips_with_their_energy(
    name: str, variant: Literal["live", "file"]
) -> None:
    sound = MOVES[name]()
    reach, r = follows(gap_alone(sound, variant), 60.0, sound.samples, sound.rate)
    assert reach.value >= (0.145 if (name, variant) == ("breaths", "live") else 0.15)
    assert r.value >= 0.5


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", RESTS)
def test_other_sounds_leave_the_mouth_shut(name: str, variant: Literal["live", "file"]) -> None:
    assert np.percentile(gap_alone(RESTS[name](), variant), 95) <= 0.01


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("name", ["music", "noise"])
def test_english_phones_heard_in_other_sounds_do_not_open_it(name: str, live: bool) -> None:
    motion = ProfileEngine(load_profile("default"), live=live).animate(RESTS[name]())
    assert motion is not None
    assert np.percentile(lip_gap(motion.values, motion.rig), 95) <= 0.01
