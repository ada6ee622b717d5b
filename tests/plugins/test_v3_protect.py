from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from facewire.articulation import closures, lip_gap
from facewire.emotion import LABELS
from facewire_v3.config import V3Config
from facewire_v3.groups import LIPSYNC, SHARED
from v3_parts import REAL, TEXTS, Protection, Run, Speech, key, speeches

MOUTH = [name for name in (*LIPSYNC, *SHARED) if not name.startswith("noseSneer")]
STRONGEST = V3Config(strength=2.0)


@pytest.fixture(scope="module")
def spoken() -> list[Speech]:
    """Return two minutes of synthetic and, where the test data is, real speech, with phones."""
    import os

    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("FACEWIRE_DATA") or root.parent / "shared" / "data") / "speech"
    made = speeches(TEXTS, [folder / name for name in REAL if (folder / name).exists()])
    assert sum(speech.seconds for speech in made) > 120
    assert sum(len(speech.times("closure")) for speech in made) > 180
    return made


@pytest.mark.parametrize("emotion", LABELS)
def test_speech_is_protected_from_the_strongest_emotion(spoken: list[Speech], emotion: str) -> None:
    found = Protection()
    for speech in spoken:
        after = Run([key(0, f"{emotion}:140")], STRONGEST)(speech)
        found.judge(speech, after)
        faces = after[:, :52]
        assert faces.min() >= 0.0 and faces.max() <= 1.0
    assert found.kept == found.closed >= 180
    assert found.teeth < 0.02
    assert found.rounding <= 0.20
    assert found.open <= 1.0


@pytest.mark.parametrize("emotion", ["joy", "anger", "disgust", "fear", "sadness", "sulk"])
@pytest.mark.parametrize("causal, marked", [(True, True), (False, False)])
def test_and_so_it_is_live_and_without_phone_times(
    spoken: list[Speech], emotion: str, causal: bool, marked: bool
) -> None:
    found = Protection()
    for speech in spoken[:8]:
        run = Run([key(0, f"{emotion}:140")], STRONGEST, causal=causal, marked=marked)
        found.judge(speech, run(speech))
    assert found.kept == found.closed > 90
    assert found.teeth < 0.03 and found.rounding <= 0.20 and found.open <= 1.0


def test_it_is_the_protection_that_does_it(spoken: list[Speech]) -> None:
    """Without gate and protection closures are lost."""
    found = Protection()
    for speech in spoken[:4]:
        run = Run([key(0, "disgust:140")], V3Config(strength=2.0, speech="none"))
        found.judge(speech, run(speech))
    assert found.kept < 0.5 * found.closed and found.open > 1.0


def test_only_mouth_close_is_added_to_and_only_in_closing_phones(spoken: list[Speech]) -> None:
    for speech in spoken[:4]:
        after = Run([key(0, "disgust:140")], STRONGEST)(speech)
        lips = speech.rig.indices(*LIPSYNC)
        talk = np.zeros(len(after), bool)
        near = np.zeros(len(after), bool)
        for a, z in speech.times("closure", "open", "vowel", "other", "narrow"):
            talk[int(a * 60) : int(z * 60) + 1] = True
        for a, z in speech.times("closure"):
            near[max(0, int((a - 0.15) * 60)) : int((z + 0.1) * 60) + 1] = True
        changed = (after != speech.values)[:, lips]
        names = [speech.rig.channels[i] for i in lips[changed[talk].any(axis=0)]]
        assert names == ["mouthClose"]
        assert not changed[talk & ~near].any()
        gap = lip_gap(after, speech.rig)
        before = lip_gap(speech.values, speech.rig)
        assert len(closures(gap[talk], 60)) >= len(closures(before[talk], 60)) - 1


@pytest.mark.parametrize("emotion", ["joy", "anger", "fear", "sulk"])
def test_the_overlay_leaves_the_mouth_bit_for_bit(spoken: list[Speech], emotion: str) -> None:
    speech = spoken[0]
    for carries, config in (("mead5", V3Config()), ("none", V3Config(overlay="only"))):
        after = Run([key(0, f"{emotion}:140")], config, emotion=carries)(speech)
        columns = speech.rig.indices(*MOUTH)
        assert np.array_equal(after[:, columns], speech.values[:, columns])
        tongue = [i for i, name in enumerate(speech.rig.channels) if name.startswith("tongue")]
        assert np.array_equal(after[:, tongue], speech.values[:, tongue])
        assert after[:, :52].min() >= 0.0 and after[:, :52].max() <= 1.0
    assert not np.array_equal(after, speech.values)
