"""Text that is read moves the face in a real run; a tag is stronger."""

from __future__ import annotations

from itertools import pairwise

import facewire
import numpy as np
from facewire.api import Clip
from facewire.emotion import LABELS, State

READ, UNREAD = ("text_emotion=textmood",), ("text_emotion=null",)
HAPPY = "I am so happy to see you again, my friend!"


def spoken(text: str, read: bool = True, **options: str) -> Clip:
    return facewire.animate(text=text, overrides=READ if read else UNREAD, **options)  # type: ignore[arg-type]


def felt(clip: Clip) -> set[str]:
    return {LABELS[i] for i in clip.emotion.weights.argmax(axis=1)}


def smile(clip: Clip) -> float:
    return float(clip.frames.values[:, clip.frames.rig.index("mouthSmileLeft")].mean())


def test_untagged_text_moves_the_face() -> None:
    clip, without = spoken(HAPPY), spoken(HAPPY, read=False)
    assert "joy" in felt(clip) and felt(without) == {"neutral"}
    assert clip.emotion.vad[:, 0].max() > 0.6
    assert smile(clip) > smile(without) + 0.05


def test_a_tag_beats_the_words() -> None:
    clip = spoken(f"[sad] {HAPPY}")
    said = np.abs(clip.emotion.vad - State.named("sadness").vad).max(axis=1) < 1e-5
    assert said.mean() > 0.9  # from the first word on
    assert "joy" not in felt(clip)


def test_a_whole_runs_emotion_beats_the_words() -> None:
    assert felt(spoken(HAPPY, emotion="anger")) == {"anger"}


def test_each_sentence_has_its_own_emotion() -> None:
    clip = spoken("I am so happy to see you! The door is on the left. I am furious!")
    order = [LABELS[i] for i in clip.emotion.weights.argmax(axis=1)]
    changes = [after for before, after in pairwise(["neutral", *order]) if before != after]
    assert changes == ["joy", "neutral", "anger"]


def test_a_run_repeated_is_the_same() -> None:
    first, again = spoken(HAPPY), spoken(HAPPY)
    assert first.frames.values.tobytes() == again.frames.values.tobytes()
    assert first.emotion.vad.tobytes() == again.emotion.vad.tobytes()
