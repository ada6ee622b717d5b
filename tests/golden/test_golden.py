"""What the default profile makes of two inputs, held against files; ``--regen`` writes them."""

from __future__ import annotations

from pathlib import Path

import facewire
import numpy as np
import pytest
from facewire.testing import voiced

FOLDER = Path(__file__).parent
TOLERANCE = 2e-3  # of channels in 0..1: other builds of numpy and espeak differ in the last digits
INPUTS = {
    "text": lambda: facewire.animate(text="Hello! I can talk now."),
    "sound": lambda: facewire.animate(voiced(1.5, 16000).samples, rate=16000),
}


@pytest.mark.parametrize("name", INPUTS)
def test_the_face_is_the_one_that_was_looked_at(name: str, pytestconfig: pytest.Config) -> None:
    clip = INPUTS[name]()
    path = FOLDER / f"{name}.npz"
    if pytestconfig.getoption("--regen"):
        clip.save(path)
    with np.load(path) as golden:
        assert list(golden["channels"]) == list(clip.frames.rig.channels)
        assert golden["values"].shape == clip.frames.values.shape
        np.testing.assert_allclose(clip.frames.values, golden["values"], atol=TOLERANCE)
        assert sorted(golden["marks"]["text"].tolist()) == sorted(m.text for m in clip.marks)
