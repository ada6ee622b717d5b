"""What the trajectory model costs: size, load, a live core's share, and speed offline.

    python benchmarks/trajectory.py [--seconds N] [SOUND]

From features to channels, without and with marked phones, in processor time; beside it the plugin
``phonemes`` on the same phones. The sound is a recording's (its phones are those of espeak's text,
laid anywhere: they cost the same), by default espeak's own.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
import soxr
from facewire.emotion.state import neutral
from facewire.stages import FeatureExtractor, Model
from facewire.types import Audio, Context, Emotion, Features, FloatArray, Mark, Utterance
from facewire_espeak.plugin import EspeakConfig
from facewire_espeak.voice import Espeak
from facewire_phonemes.config import ExtractorConfig
from facewire_phonemes.extractor import PhoneExtractor
from facewire_phonemes.model import PhoneModel
from facewire_phonemes.plugin import ModelConfig as PhoneConfig
from facewire_trajectory.config import ModelConfig
from facewire_trajectory.extractor import MelExtractor
from facewire_trajectory.model import DATA, Trajectory
from facewire_trajectory.runtime import Weights

TEXT = "Many people hope that the mayor will keep his promise before the summer comes. "
FPS = 60


def spoken(seconds: int) -> tuple[FloatArray, int, tuple[Mark, ...]]:
    """Return espeak's sound (n,), its rate, and its marks."""
    voice = Espeak(EspeakConfig())
    pieces = list(voice.speak(Utterance(TEXT * (seconds // 4 + 1))))
    sound = np.concatenate([piece.samples for piece in pieces])[: seconds * pieces[0].rate]
    marks = tuple(m for piece in pieces for m in piece.marks if m.end <= len(sound))
    return sound, pieces[0].rate, marks


def extracted(extractor: FeatureExtractor, sound: FloatArray, marks: Iterable[Mark]) -> Features:
    """Return all rows of a sound at the extractor's rate."""
    rate, parts = extractor.rate, []
    left = sorted(marks, key=lambda mark: mark.start)
    for at in range(0, len(sound), rate):
        piece = sound[at : at + rate]
        due = tuple(mark for mark in left if at <= mark.start < at + rate)
        parts.append(extractor.push(Audio(piece, rate, at, due)))
    parts += extractor.flush()
    values = np.concatenate([part.values for part in parts])
    return Features(values, Fraction(FPS), 0, rate, tuple(m for p in parts for m in p.marks))


def cut(features: Features, rows: int) -> Iterator[tuple[Features, Emotion]]:
    """Yield features and a neutral emotion, so many rows at a time."""
    for at in range(0, len(features), rows):
        end = min(at + rows, len(features))
        first, last = (k * features.rate // FPS for k in (at, end))
        marks = tuple(m for m in features.marks if first <= m.start < last)
        part = Features(features.values[at:end], features.fps, at, features.rate, marks)
        yield part, neutral(end - at, at, features.fps)


def run(model: Model, features: Features, rows: int) -> float:
    """Return the processor seconds of one run."""
    parts = list(cut(features, rows))
    model.reset()
    began = time.process_time()
    for part, emotion in parts:
        model.push(part, emotion)
    for _ in model.flush():
        pass
    return time.process_time() - began


def timed(model: Model, features: Features, rows: int) -> float:
    """Return the median of five runs after one to warm up."""
    run(model, features, rows)
    return float(np.median([run(model, features, rows) for _ in range(5)]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sound", nargs="?", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_args()
    sound, rate, marks = spoken(args.seconds)
    if args.sound:
        read, at = soundfile.read(args.sound, dtype="float32", always_2d=True)
        sound = soxr.resample(read[:, 0], at, rate)[: len(sound)]
    seconds = len(sound) / rate
    for variant in ("live", "file"):
        path = DATA / f"{variant}.onnx"
        began = time.perf_counter()
        Weights(path, variant)
        took = time.perf_counter() - began
        print(f"{variant}: {path.stat().st_size / 1e6:.1f} MB, loads in {took:.3f} s")
    mel, heard = (
        (extractor, soxr.resample(sound, rate, extractor.rate))
        for extractor in (MelExtractor(), PhoneExtractor(ExtractorConfig("marks"), Context()))
    )
    began = time.process_time()
    rows = extracted(*mel, [])
    print(f"features: {seconds / (time.process_time() - began):.0f} times real time")
    moved = [mark.rescaled(rate, mel[0].rate) for mark in marks]
    marked = Features(rows.values, rows.fps, 0, rows.rate, tuple(moved))
    phones = extracted(*heard, [mark.rescaled(rate, heard[0].rate) for mark in marks])
    live, file = (Trajectory(ModelConfig(variant), Context()) for variant in ("live", "file"))
    beside = PhoneModel(PhoneConfig(), Context())
    cost = timed(live, rows, 1) / seconds
    print(f"live, one row a push: {cost:.2%} of a core")
    for name, model, given in (
        ("file, sound alone", file, rows),
        ("file, with phones", file, marked),
        ("phonemes, with phones", beside, phones),
    ):
        print(f"{name}: {seconds / timed(model, given, 600):.0f} times real time")


if __name__ == "__main__":
    main()
