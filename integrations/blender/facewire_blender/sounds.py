"""The sound of a take in the sequencer, in sync with its first row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import takes
from .errors import AddonError

KEY = "facewire_take"


def strips(scene: Any) -> Any:
    """Return the sequencer's strips (sequences before 4.4)."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def check(path: str) -> None:
    """Raise AddonError if a sound file is not there."""
    if path and not Path(path).is_file():
        raise AddonError(f"{path}: there is no such sound file")


def place(scene: Any, path: str, take: str, start: int) -> None:
    """Put a sound at a frame, in place of the take's own one; scrubbing and playing follow it.

    Sounds of takes that are on nothing any more are muted: they would play along.
    """
    held = strips(scene)
    for strip in held:
        if KEY in strip and not takes.used(strip[KEY]):
            strip.mute = True
    channel = 0
    for strip in [strip for strip in held if strip.get(KEY) == take]:
        channel = strip.channel
        held.remove(strip)
    if not channel:
        channel = 1 + max((strip.channel for strip in held), default=0)
    strip = held.new_sound(take, path, min(channel, 32), start)
    strip[KEY] = take
    scene.use_audio_scrub = True
    if scene.sync_mode == "NONE":
        scene.sync_mode = "AUDIO_SYNC"
