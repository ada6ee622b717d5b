"""Speak sentences, solve their articulation, print the figures and draw the curves.

    python benchmarks/plot_articulation.py OUT [--rate 175] [--live]

Draws gap, jaw, rounding, spreading and tongue under the waveform for the first sentences (PNG, by
matplotlib) and prints, over all of them: recall, precision, timing, release and leak of closures,
how the motion compares in amplitude and speed, and what a frame costs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from facewire.articulation import PhoneTime, lip_gap, lip_protrusion, lip_to_teeth, measure
from facewire.articulation.phones import read_phone
from facewire.emotion.curve import EmotionCurve
from facewire.rig import Rig, remap
from facewire.types import Audio, Context, Features, FloatArray, Mark, Utterance, first_sample
from facewire_espeak.plugin import EspeakConfig
from facewire_espeak.voice import Espeak
from facewire_phonemes.model import PhoneModel
from facewire_phonemes.plugin import ModelConfig

FPS = Fraction(60)
QUIET = 0.8  # seconds of silence before and after each sentence
SENTENCES = """\
The boy put a big map of Bombay on the table.
Peter Piper picked a peck of pickled peppers.
My mother made warm bread for the whole family.
Who would choose to move the blue shoes?
Five very fine vases fell off the wagon.
She sells seashells by the sea shore.
I think that this thing is worth three thousand.
We were away a year ago, you know.
Bob and Mom jumped over the happy puppy.
Please close the window before you leave the room.
Father bought a large armchair at the market.
The quick brown fox jumps over the lazy dog.
How now, brown cow, what about our house?
A simple example may help people remember it.
Maybe we should probably stop and buy some apples.
The committee members proposed a number of problems.
Pam, bring me my purple umbrella, please.
Every evening the old man walked along the beach.
Remember that beautiful summer when Bill came home?
Robots must obey the important commands of people.""".splitlines()


@dataclass(frozen=True)
class Take:
    """One sentence: its sound, phones in seconds, frames and the seconds of work for them."""

    audio: Audio
    phones: Sequence[PhoneTime]
    frames: FloatArray
    rig: Rig
    work: float


def speak(text: str, rate: int) -> Audio:
    """Return a sentence with its phone marks, silence around it."""
    pieces = list(Espeak(EspeakConfig(rate=rate)).speak(Utterance(text)))
    hz = pieces[0].rate
    quiet = np.zeros(int(QUIET * hz), np.float32)
    marks = tuple(m.moved(len(quiet)) for piece in pieces for m in piece.marks)
    samples = np.concatenate([quiet, *(piece.samples for piece in pieces), quiet])
    return Audio(samples, hz, 0, marks)


def loudness(audio: Audio) -> FloatArray:
    """Return the level of 33 ms around each frame, (n, 1): 0 at -60 dBFS, 1 at 0 dBFS."""
    count = len(audio) * FPS.numerator // (audio.rate * FPS.denominator)
    half = audio.rate // 60
    levels = []
    for k in range(count):
        at = first_sample(k, audio.rate, FPS)
        power = float(np.mean(np.square(audio.samples[max(0, at - half) : at + half])))
        levels.append(np.clip(1 + 10 * np.log10(power + 1e-12) / 60, 0, 1))
    return np.array(levels, np.float32)[:, None]


def animate(text: str, rate: int, causal: bool) -> Take:
    """Speak a sentence and move the mouth to it."""
    audio = speak(text, rate)
    phones: list[Mark] = [m for m in audio.marks if m.kind == "phone"]
    features = Features(loudness(audio), FPS, 0, audio.rate, tuple(phones))
    emotion = EmotionCurve().sample(0, len(features), FPS)
    model = PhoneModel(ModelConfig(), Context(causal=causal))
    begin = time.process_time()
    frames = [model.push(features, emotion), *model.flush()]
    work = time.process_time() - begin
    times = [PhoneTime(m.text, m.start / audio.rate, m.end / audio.rate) for m in phones]
    return Take(audio, times, np.concatenate([f.values for f in frames]), model.rig, work)


def figures(takes: Sequence[Take]) -> None:
    """Print the figures, pooled over all sentences: they are judged as one long take."""
    at, phones, gaps = 0.0, [], []
    for take in takes:
        phones += [PhoneTime(p.text, p.start + at, p.end + at) for p in take.phones]
        gaps.append(lip_gap(take.frames, take.rig))
        at += len(take.frames) / float(FPS)
    gap = np.concatenate(gaps)
    frames = np.concatenate([take.frames for take in takes])
    cost = sum(take.work for take in takes) / len(frames)
    print(measure(gap, float(FPS), phones))
    print(f"cost {cost * 1e6:.0f} us a frame, {cost * float(FPS):.2%} of a core")
    margin = int((QUIET - 0.2) * float(FPS))
    inner = np.concatenate([take.frames[margin:-margin] for take in takes])
    compare("solved", inner, takes[0].rig, float(FPS))
    captured()


FAMILY = ("mouthSmile", "mouthStretch", "mouthPress", "mouthLowerDown", "mouthUpperUp")


def syllabic(values: FloatArray, fps: float) -> FloatArray:
    """Return the power between 2 and 8 Hz of each column of (n, columns): (columns,)."""
    centred = (values - values.mean(axis=0)) * np.hanning(len(values))[:, None]
    power = 2 * np.abs(np.fft.rfft(centred, axis=0)) ** 2 / len(values) ** 2 / 0.375
    rate = np.fft.rfftfreq(len(values), 1 / fps)
    return np.asarray(power[(rate >= 2) & (rate < 8)].sum(axis=0), np.float32)


def compare(name: str, values: FloatArray, rig: Rig, fps: float) -> None:
    """Print how far and how fast a take's mouth moves."""
    gap = lip_gap(values, rig)
    jaw = values[:, rig.index("jawOpen")]
    mouth = [c for c in rig.channels if c.startswith(("mouth", "jaw"))]
    power = syllabic(values[:, rig.indices(*mouth)], fps)
    family = sum(p for c, p in zip(mouth, power, strict=True) if c.startswith(FAMILY)) / power.sum()
    swing = syllabic(gap[:, None], fps)[0] ** 0.5
    speed = np.percentile(np.abs(np.diff(gap)) * fps, 99)
    print(
        f"{name:12} gap p95 {np.percentile(gap, 95):.3f}, jawOpen p95 {np.percentile(jaw, 95):.3f},"
        f" gap at 2-8 Hz {swing:.3f} rms, speed p99 {speed:.1f}/s,"
        f" smile to upperUp's share of 2-8 Hz {family:.0%}"
    )


def captured() -> None:
    """Print the same of captured takes, where the test data is there."""
    data = os.environ.get("FACEWIRE_DATA", Path(__file__).parents[2] / "shared" / "data")
    rig = Rig.named("arkit52")
    for path in sorted(Path(data).glob("motion/facegood/*.npz")):
        with np.load(path) as take:
            source = Rig("take", tuple(str(c) for c in take["channels"]))
            values = remap(take["values"].astype(np.float32), source, rig)
            compare(path.stem, values, rig, float(take["fps"]))


PANELS = (
    ("jawOpen", "mouthClose"),
    ("mouthFunnel", "mouthPucker"),
    ("mouthSmileLeft", "mouthStretchLeft", "mouthLowerDownLeft", "mouthUpperUpLeft"),
    ("mouthPressLeft", "mouthRollLower", "tongueTipUp", "tongueUp", "tongueOut"),
)


def draw(take: Take, path: Path) -> None:
    """Draw a sentence's curves; closures' phones are red, other lip phones orange."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1 + len(PANELS), 1, figsize=(20, 14), sharex=True)
    rows = np.arange(len(take.frames)) / float(FPS)
    axes[0].plot(np.arange(len(take.audio)) / take.audio.rate, take.audio.samples, lw=0.4)
    measured = (lip_gap, lip_protrusion, None, lip_to_teeth)
    for axis, channels, function in zip(axes[1:], PANELS, measured, strict=True):
        if function is not None:
            name = function.__name__.removeprefix("lip_")
            axis.plot(rows, function(take.frames, take.rig), "k", label=name)
        for channel in channels:
            axis.plot(rows, take.frames[:, take.rig.index(channel)], label=channel)
        axis.legend(loc="upper right")
        axis.grid(alpha=0.3)
    axes[1].axhline(0.03, ls=":")
    for phone in take.phones:
        kind = read_phone(phone.text).kind
        axes[0].text(phone.start, 0.9, phone.text, fontsize=12)
        for axis in axes:
            axis.axvline(phone.start, lw=0.3, c="k")
            if kind in ("closure", "narrow"):
                colour = "red" if kind == "closure" else "orange"
                axis.axvspan(phone.start, phone.end, color=colour, alpha=0.15)
    figure.tight_layout()
    figure.savefig(path, dpi=60)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--rate", type=int, default=175, help="words a minute")
    parser.add_argument("--live", action="store_true", help="the causal window")
    parser.add_argument("--plots", type=int, default=3)
    options = parser.parse_args()
    takes = [animate(text, options.rate, options.live) for text in SENTENCES]
    figures(takes)
    options.out.mkdir(parents=True, exist_ok=True)
    for i, take in enumerate(takes[: options.plots]):
        draw(take, options.out / f"articulation_{i}.png")


if __name__ == "__main__":
    main()
