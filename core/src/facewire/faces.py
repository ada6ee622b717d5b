"""The faces of a run: one, or one for each subject of the profile's speakers.

Each face has a pipeline of its own and hears its own speakers' turns; during the others' it hears
silence, and goes on living. All have one clock: what comes out is cut at the same frames.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from facewire.assemble import Assembly
from facewire.buffers import Companion, parted
from facewire.emotion import EmotionCurve, Key, State
from facewire.errors import InputError, ProfileError, StageError, nearest
from facewire.pipeline import Built
from facewire.profile import ComponentSpec
from facewire.stages import Sink, Source
from facewire.turns import Script
from facewire.types import Audio, Block, Frames
from facewire.voicing.script import file_name

Take = tuple[Block, dict[str, Block]]
"""A span of time: the block of the one face, or, of several, the whole sound and each face's own
block by subject."""


class Face:
    """One face: its emotion, its pipeline, and what it has made that another has not yet."""

    def __init__(
        self,
        assembly: Assembly,
        keys: Iterable[Key] = (),
        rate: int | None = None,
        frames: bool = False,
        subject: str | None = None,
    ) -> None:
        self.subject, self.assembly = subject, assembly
        self.curve = EmotionCurve()
        for key in keys:
            self.curve.put(key)
        self.pipeline = assembly.pipeline(self.curve, rate, frames)
        self.waiting: deque[Block] = deque()

    def take(self, count: int) -> Block:
        """Return the next ``count`` rows; the block that waits has as many at least."""
        block = self.waiting.popleft()
        if len(block.frames) == count:
            return block
        block, rest = parted(block, count)
        self.waiting.appendleft(rest)
        return block

    def notes(self) -> list[str]:
        """Return what its stages have to say, with its name where there are several."""
        line = self.pipeline
        parts = [part for part in (line.extractor, line.model, *line.layers) if part]
        said = [note for part in parts for note in part.stage.report()]
        return [f"{self.subject}: {note}" for note in said] if self.subject else said


class Faces:
    """All faces of a run, in step."""

    def __init__(self, faces: Sequence[Face], assembly: Assembly) -> None:
        self.all, self.first, self._assembly = tuple(faces), faces[0], assembly
        self.several = self.first.subject is not None
        self.speaking: Face | None = None if self.several else self.first
        self._named = not self.several
        self._sound: Companion | None = None

    @property
    def subjects(self) -> tuple[str, ...]:
        """Whose faces they are; none where there is one face, of nobody in particular."""
        return tuple(face.subject for face in self.all if face.subject)

    def feel(self, state: State | None) -> None:
        """Take over every face's emotion from now on; None gives it back."""
        for face in self.all:
            face.curve.release() if state is None else face.curve.set(None, state)

    def turn_to(self, speaker: str | None) -> None:
        """Say whose the sound is that comes next; a speaker without a face is heard alone."""
        if not self.several:
            return
        if speaker is None:
            raise InputError(self._nobody())
        subject = self._assembly.speaker(speaker).subject
        self.speaking = next((face for face in self.all if face.subject == subject), None)
        self._named = True

    def _nobody(self) -> str:
        return (
            f"it is not said who speaks, and the run has the faces of {', '.join(self.subjects)}; "
            "give a script of turns (.jsonl), each with its 'speaker'"
        )

    def push(self, audio: Audio) -> Iterator[Take]:
        """Take the next sound, the speaker's own; yield what all faces have made."""
        if not self.several:
            yield from ((block, {}) for block in self.first.pipeline.push(audio))
            return
        if not self._named and audio.samples.any():
            raise InputError(self._nobody())
        self._sound = self._sound or Companion(audio.rate, self.first.pipeline.fps)
        self._sound.put_sound(audio.samples)
        if self.speaking is None:
            self._sound.mark(audio.marks)
        silence = replace(audio, samples=np.zeros_like(audio.samples), marks=())
        for face in self.all:
            face.waiting += face.pipeline.push(audio if face is self.speaking else silence)
        yield from self._together()

    def push_frames(self, frames: Frames) -> Iterator[Take]:
        """Take frames that came in; yield what has become of them."""
        yield from ((block, {}) for block in self.first.pipeline.push_frames(frames))

    def flush(self) -> Iterator[Take]:
        """Yield the rest."""
        if not self.several:
            yield from ((block, {}) for block in self.first.pipeline.flush())
            return
        for face in self.all:
            face.waiting += face.pipeline.flush()
        yield from self._together(ending=True)
        for face in self.all:
            if face.waiting:
                raise StageError(f"the face of '{face.subject}' has more frames than the others")

    def _together(self, ending: bool = False) -> Iterator[Take]:
        assert self._sound is not None or not any(face.waiting for face in self.all)
        while self._sound and all(face.waiting for face in self.all):
            count = min(len(face.waiting[0].frames) for face in self.all)
            blocks = {face.subject or "": face.take(count) for face in self.all}
            last = ending and not any(face.waiting for face in self.all)
            yield self._whole(list(blocks.values()), self._sound, last), blocks

    def _whole(self, blocks: list[Block], sound: Companion, last: bool) -> Block:
        """Return the run's sound and marks over the span of its faces' blocks."""
        marks = (mark for block in blocks for mark in block.audio.marks)
        sound.mark(tuple(sorted(marks, key=lambda mark: mark.start)))
        sound.feel(blocks[0].emotion)
        return sound.cut(blocks[0].frames, rest=last)


def open_faces(
    assembly: Assembly,
    keys: Iterable[Key] = (),
    rate: int | None = None,
    source: Source | None = None,
) -> Faces:
    """Build the faces of a profile; ProfileError where the source cannot move several."""
    speakers = assembly.profile.speakers
    subjects = dict.fromkeys(one.subject for one in speakers.values() if one.subject)
    frames = source is not None and source.brings == "frames"
    if not subjects:
        return Faces([Face(assembly, keys, rate, frames)], assembly)
    if frames:
        raise ProfileError("frames move one face, and the speakers have several; remove 'subject'")
    keys, faces = list(keys), []
    for subject in subjects:
        names = [name for name, one in speakers.items() if one.subject == subject]
        words = source.said_by(names) if isinstance(source, Script) else None
        name = f"{assembly.context.name}.{file_name(subject)}"
        faces.append(Face(assembly.beside(name, words), keys, rate, False, subject))
    return Faces(faces, assembly)


def build_sinks(assembly: Assembly, faces: Faces) -> list[Built[Sink]]:
    """Build the profile's sinks: for each face those that take one, once those of the sound.

    ProfileError for a live sink that shows one face, and does not say (``subject:``) whose.
    """
    if not faces.several:
        return assembly.sinks()
    return [built for spec in assembly.profile.sinks for built in _built(assembly, faces, spec)]


def _built(assembly: Assembly, faces: Faces, spec: ComponentSpec) -> Iterator[Built[Sink]]:
    """Yield the sinks of one entry. A component's own option ``subject`` gets the face's."""
    component, _ = assembly.registry.find("sink", spec.use, spec.where)
    own = {field.name: field.default for field in fields(component.config)}
    named = "subject" in own
    chosen = _chosen(faces, spec, own.get("subject"))
    bare = {key: value for key, value in spec.options.items() if key != "subject"}
    if chosen is None:
        chosen = faces.all
        one: Built[Sink] = assembly.registry.build(
            "sink", replace(spec, options=bare), assembly.context
        )
        if one.stage.faceless:
            yield one
            return
        if one.stage.live and not named and len(chosen) > 1:
            raise ProfileError(
                f"{spec.where}: {one} shows one face, and there are {len(chosen)}; "
                f"say whose, and name one for each: subject: {chosen[0].subject}"
            )
    for face in chosen:
        options = bare | ({"subject": face.subject} if named else {})
        one = face.assembly.registry.build(
            "sink", replace(spec, options=options), face.assembly.context
        )
        yield replace(one, subject=face.subject)


def _chosen(faces: Faces, spec: ComponentSpec, default: object) -> tuple[Face, ...] | None:
    """Return the face that a sink names; None where it names none, or its option's default."""
    subject = spec.options.get("subject")
    chosen = tuple(face for face in faces.all if face.subject == subject)
    if subject is None or (not chosen and subject == default):
        return None
    if not chosen:
        raise ProfileError(
            f"{spec.where}.subject: '{subject}' is no speaker's"
            f"{nearest(str(subject), faces.subjects)} "
            f"(known: {', '.join(faces.subjects)})"
        )
    return chosen


def _same(path: Path) -> str:
    """Return one name for all the ways to write a path."""
    return os.path.normcase(path.resolve())


def check_paths(read: Path | None, sinks: Iterable[Built[Sink]]) -> None:
    """Raise InputError if two sinks write one file, or one writes over the input."""
    taken = {_same(read): "the input"} if read else {}
    for sink in sinks:
        if sink.stage.path is None:
            continue
        path = _same(sink.stage.path)
        if path in taken:
            raise InputError(
                f"{sink.stage.path}: {sink} would write over {taken[path]}; "
                "choose another --out, or another path in the profile"
                + (" (with {name} in it)" if sink.subject else "")
            )
        taken[path] = f"what {sink} writes"


def refuse_others(sinks: Iterable[Built[Sink]], faces: Faces) -> None:
    """Refuse sinks of a program that show one face where there are several."""
    if faces.several and any(one.subject is None and not one.stage.faceless for one in sinks):
        raise ProfileError(
            "speakers: their subjects make several faces, and this takes one; remove 'subject', "
            "or use 'facewire run'"
        )
