"""What is measured: a profile, the motion another engine wrote, or a baseline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from facewire.assemble import assemble
from facewire.emotion import EmotionCurve, Key, State
from facewire.errors import InputError
from facewire.profile import Profile
from facewire.types import Audio

from facewire_eval.items import Motion, Sound, Take, read_motion


class Engine(ABC):
    """Something that makes a face from sound."""

    name: str
    live = False
    can_hear_words = False
    """Whether a transcript makes a difference."""
    can_feel = False
    """Whether it takes emotion."""

    @abstractmethod
    def animate(
        self, sound: Sound, transcript: str | None = None, emotion: State | None = None
    ) -> Motion | None:
        """Return the face of a recording, at the engine's own rate; None where it has none."""

    def without(self, take: Take) -> Engine:
        """Return the engine as it is when a take is left out of what it was fitted on."""
        return self

    def notes(self) -> Sequence[str]:
        """Return what there is to say of its runs."""
        return ()


class ProfileEngine(Engine):
    """A profile, with its layers, without its outputs."""

    can_feel = True

    def __init__(self, profile: Profile, live: bool = False, name: str | None = None) -> None:
        self.profile, self.live = profile, live
        self.can_hear_words = not live
        self.name = (name or profile.name) + (", live" if live else "")
        self._notes: dict[str, None] = {}

    def animate(
        self, sound: Sound, transcript: str | None = None, emotion: State | None = None
    ) -> Motion | None:
        """Run the profile."""
        profile = replace(self.profile, sinks=(), lang=sound.lang or self.profile.lang)
        assembly = assemble(profile, sound.name, Path("out"), self.live, transcript)
        keys = [Key(Fraction(0), emotion, "option")] if emotion else []
        pipeline = assembly.pipeline(EmotionCurve(keys))
        blocks = []
        size = sound.rate // 2
        for start in range(0, len(sound.samples), size):
            piece = sound.samples[start : start + size]
            marks = tuple(m for m in sound.marks if start <= m.start < start + size)
            blocks += pipeline.push(Audio(piece, sound.rate, start, marks))
        blocks += pipeline.flush()
        self._notes.update(dict.fromkeys(assembly.fallbacks))
        if not blocks:
            return None
        frames = blocks[0].frames
        return Motion(np.concatenate([b.frames.values for b in blocks]), frames.rig, frames.fps)

    def still(self) -> ProfileEngine:
        """Return the profile without idle life, whose blinks and glances are no emotion."""
        layers = tuple(s for s in self.profile.layers if not s.use.startswith("idle"))
        return ProfileEngine(replace(self.profile, layers=layers), self.live)

    def notes(self) -> Sequence[str]:
        """Say which alternatives ran."""
        return list(self._notes)


class FolderEngine(Engine):
    """Another engine's files: for each recording one of its name (csv, npz or json)."""

    def __init__(self, name: str, folder: Path) -> None:
        if not folder.is_dir():
            raise InputError(f"{name}={folder}: is no folder; expected one with a csv a recording")
        self.name, self.folder = name, folder
        self._missing: list[str] = []

    def animate(
        self, sound: Sound, transcript: str | None = None, emotion: State | None = None
    ) -> Motion | None:
        """Read the file of the recording's name; there is none for degraded sound."""
        for suffix in (".csv", ".npz", ".json"):
            path = self.folder / (sound.name + suffix)
            if path.is_file():
                return read_motion(path)
        if "/" not in sound.name:
            self._missing.append(sound.name)
        return None

    def notes(self) -> Sequence[str]:
        """Say which recordings it has no file for."""
        missing = ", ".join(dict.fromkeys(self._missing))
        return [f"{self.name}: no file for {missing}"] if missing else []
