"""Loading profiles that must be refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from facewire.errors import FacewireError, ProfileError
from facewire.profile import load_profile

Write = Callable[..., Path]
RATE = "a frame rate such as 30, 29.97 or 30000/1001"
KNOWN = (
    "known: extends, requires, fps, rate, rig, lang, seed, voice, text_emotion, pronounce, "
    "features, model, layers, sinks, emotion, turns, tags, speakers"
)


def refusal(*args: object, kind: type[FacewireError] = ProfileError) -> str:
    with pytest.raises(kind) as caught:
        load_profile(*args)  # type: ignore[arg-type]
    assert type(caught.value) is kind and "\n" not in str(caught.value)
    return str(caught.value)
