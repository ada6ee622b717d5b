"""What the trajectory model's tests share: spoken sentences, and how to drive the model."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from facewire.articulation import PhoneTime
from facewire.emotion import EmotionCurve, Key, State
from facewire.resample import AudioResampler
from facewire.testing import cuts
from facewire.types import Audio, Context, Features, FloatArray, Utterance
from facewire_trajectory.config import ModelConfig
from facewire_trajectory.extractor import MelExtractor
from facewire_trajectory.mel import RATE
from facewire_trajectory.model import Trajectory

FPS = Fraction(60)
SENTENCES = (
    "The boy put a big map of Bombay on the table.",
    "My mother made warm bread for the whole family.",
    "Bob and Mom jumped over the happy puppy.",
    "A simple example may help people remember it.",
    "Robots must obey the important commands of people.",
    "Who would choose to move the blue shoes?",
)


def speak(text: str, voice: str = "en-us", rate: int = 165) -> Audio:
    """A sentence by espeak at 24 kHz, with 0.8 s of silence around it."""
    plugin = pytest.importorskip("facewire_espeak.plugin")
    espeak = pytest.importorskip("facewire_espeak.voice").Espeak
    spoken = list(espeak(plugin.EspeakConfig(voice=voice, rate=rate)).speak(Utterance(text)))
    quiet = np.zeros(int(0.8 * spoken[0].rate), np.float32)
    marks = tuple(m.moved(len(quiet)) for piece in spoken for m in piece.marks)
    samples = np.concatenate([quiet, *(piece.samples for piece in spoken), quiet])
    resampler = AudioResampler(spoken[0].rate, RATE, FPS)
    parts = [resampler.push(Audio(samples, spoken[0].rate, 0, marks)), resampler.flush()]
    together = tuple(mark for part in parts for mark in part.marks)
    return Audio(np.concatenate([part.samples for part in parts]), RATE, 0, together)


def phones_of(audio: Audio) -> list[PhoneTime]:
    """The phones of a sentence, in seconds."""
    found = [mark for mark in audio.marks if mark.kind == "phone"]
    return [PhoneTime(m.text, m.start / audio.rate, m.end / audio.rate) for m in found]


def felt(emotion: str = "neutral") -> EmotionCurve:
    """An emotion that is there from the first frame on."""
    return EmotionCurve([Key(Fraction(0), State.named(*emotion.split(":")[:1]), "tags")])


def features_of(audio: Audio) -> Features:
    """All features of a recording at 24 kHz."""
    extractor = MelExtractor()
    pieces = [extractor.push(audio), *extractor.flush()]
    marks = tuple(mark for piece in pieces for mark in piece.marks)
    return Features(np.concatenate([p.values for p in pieces]), FPS, 0, RATE, marks)


def animate(
    audio: Audio,
    config: ModelConfig | None = None,
    causal: bool = False,
    sizes: Sequence[int] = (64,),
    emotion: EmotionCurve | None = None,
) -> FloatArray:
    """The model's frames (n, channels) of a recording, its features cut into ``sizes``."""
    return driven(
        Trajectory(config or ModelConfig(), Context(causal=causal)), audio, sizes, emotion
    )


def driven(
    model: Trajectory,
    audio: Audio,
    sizes: Sequence[int] = (64,),
    emotion: EmotionCurve | None = None,
) -> FloatArray:
    """The frames of a model that is given a recording's features in pieces."""
    given, curve = features_of(audio), emotion or EmotionCurve()
    out = []
    for a, z in cuts(len(given), sizes):
        first, last = a * RATE // 60, z * RATE // 60
        due = tuple(m for m in given.marks if first <= m.start < last)
        part = Features(given.values[a:z], FPS, a, RATE, due)
        out.append(model.push(part, curve.sample(a, z - a, FPS)).values)
    out += [frames.values for frames in model.flush()]
    return np.concatenate(out)
