"""Facewire from Python: a clip from sound or text, and a pipeline to push audio through."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facewire.assemble import assemble, shared
from facewire.delivery import Delivery
from facewire.emotion import EmotionCurve, wanted
from facewire.errors import InputError, ProfileError
from facewire.inputs import Input, open_input, own, text_name
from facewire.pipeline import Built, Pipeline
from facewire.profile import Profile, component, load_profile
from facewire.registry import Registry
from facewire.report import Report
from facewire.session import Session
from facewire.sources import GivenAudio, GivenText
from facewire.stages import Sink
from facewire.types import Audio, Block, Emotion, FloatArray, Frames, Mark, RunInfo


class Collect(Sink):
    """A sink that keeps a run's blocks in memory."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.info: RunInfo | None = None

    def open(self, info: RunInfo) -> None:
        """Note what will come."""
        self.info = info

    def push(self, block: Block) -> None:
        """Keep a block."""
        self.blocks.append(block)

    def close(self) -> None:
        """Do nothing: the blocks stay."""


@dataclass(frozen=True, eq=False)
class Clip:
    """An animated piece of speech, in memory.

    ``frames``: values (n, channels) float32 with rig and fps. ``emotion``: the same rows.
    ``audio``: the sound (samples,) with the marks of words and phones. ``report``: what ran.
    """

    name: str
    frames: Frames
    emotion: Emotion
    audio: Audio
    report: Report
    blocks: tuple[Block, ...]
    info: RunInfo

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The words and phones, in samples of ``audio``."""
        return self.audio.marks

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the clip through the file sink for the path's suffix; return the path.

        InputError if no installed sink writes such files.
        """
        target = Path(path)
        registry: Registry = shared("facewire.registry", Registry)
        part = registry.by_suffix("sink", target.suffix)
        if part is None:
            known = [suffix for sink in registry.catalogue()["sink"] for suffix in sink.suffixes]
            raise InputError(
                f"{target}: no sink writes '{target.suffix}' files (known: {', '.join(known)})"
            )
        profile = Profile(name="save", sinks=(), fps=self.frames.fps, rig=self.frames.rig.name)
        context = assemble(profile, self.name, target.parent, registry=registry).context
        spec = component({"use": part.name, "path": _literal(target)}, "save")
        _write(registry.build("sink", spec, context), self)
        return target


def _literal(path: Path) -> str:
    """Return a path as a template that stands for itself."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _write(built: Built[Sink], clip: Clip) -> None:
    delivery = Delivery([built], (clip.frames.rig, clip.frames.fps))
    delivery.start(clip.info)
    try:
        for block in clip.blocks:
            delivery.push(block)
        delivery.finish()
    except BaseException:
        delivery.abort()
        raise


def animate(
    audio: str | os.PathLike[str] | FloatArray | None = None,
    *,
    text: str | None = None,
    rate: int | None = None,
    profile: str | os.PathLike[str] | Profile = "default",
    emotion: str | None = None,
    transcript: str | None = None,
    overrides: Sequence[str] = (),
) -> Clip:
    """Animate a sound file, samples (n,) at ``rate``, or text, and return the clip.

    The profile's own sinks do not run; ``Clip.save`` writes files. ``emotion`` is ``joy:80`` or a
    track's path; ``overrides`` are ``KEY=VALUE`` as for ``--set``. FacewireError if it cannot.
    """
    chosen = _profile(profile, overrides)
    registry: Registry = shared("facewire.registry", Registry)
    given = _input(audio, text, rate, chosen, registry)
    collect = Collect()
    built: Built[Sink] = Built(collect, "memory", "sink")
    session = Session(
        without_sinks(chosen),
        given.built,
        given.name,
        transcript=transcript,
        emotion=emotion,
        sinks=[built],
        registry=registry,
    )
    return clip_of(given.name, session.run(), collect)


def _profile(profile: str | os.PathLike[str] | Profile, overrides: Sequence[str]) -> Profile:
    if isinstance(profile, Profile):
        if overrides:
            raise ProfileError("overrides go with a profile's name; change the Profile itself")
        return profile
    return load_profile(os.fspath(profile), overrides)


def without_sinks(profile: Profile) -> Profile:
    """Return the profile with no outputs."""
    return replace(profile, sinks=())


def _input(
    audio: str | os.PathLike[str] | FloatArray | None,
    text: str | None,
    rate: int | None,
    profile: Profile,
    registry: Registry,
) -> Input:
    if (audio is None) == (text is None):
        raise InputError("give either audio or text=…")
    if text is not None:
        return own(GivenText(text), text_name(text))
    if isinstance(audio, np.ndarray):
        if rate is None:
            raise InputError("samples need rate=…, their number a second")
        return own(GivenAudio(audio, rate), "clip")
    path = Path(os.fspath(audio))  # type: ignore[arg-type]
    if not path.exists():
        raise InputError(f"{path}: no such file")
    return open_input(str(path), profile, registry)


def clip_of(name: str, report: Report, collect: Collect) -> Clip:
    """Return what a run's ``Collect`` kept as a clip."""
    blocks, info = tuple(collect.blocks), collect.info
    assert info is not None
    first = blocks[0]
    frames = Frames(
        np.concatenate([block.frames.values for block in blocks]),
        info.rig,
        info.fps,
        first.frames.start,
    )
    emotion = Emotion(
        np.concatenate([block.emotion.vad for block in blocks]),
        np.concatenate([block.emotion.weights for block in blocks]),
        info.fps,
        first.emotion.start,
    )
    audio = Audio(
        np.concatenate([block.audio.samples for block in blocks]),
        info.rate,
        first.audio.start,
        tuple(mark for block in blocks for mark in block.audio.marks),
    )
    return Clip(name, frames, emotion, audio, report, blocks, info)


def open_pipeline(
    profile: str | os.PathLike[str] | Profile = "default",
    *,
    name: str = "clip",
    live: bool = True,
    emotion: str | None = None,
    transcript: str | None = None,
    overrides: Sequence[str] = (),
) -> Pipeline:
    """Build the pipeline of a profile, to push audio through and take blocks.

    It has no clock and no sinks. ``live`` is what stages know as causal: nothing after now is
    known. ``p.curve.set(None, state)`` changes the emotion while it runs.
    """
    chosen = _profile(profile, overrides)
    if not chosen.model:
        raise ProfileError(
            f"profile '{chosen.name}' has no model, and a pipeline for audio needs one"
        )
    assembly = assemble(chosen, name, Path("out"), live, transcript)
    keys = [*wanted(chosen.emotion, "emotion:"), *wanted(emotion, "emotion")]
    return assembly.pipeline(EmotionCurve(keys))
