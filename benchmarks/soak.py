"""Long runs: three hours of silence, an hour of sound, an hour of streaming; time and memory.

    python benchmarks/soak.py [silence] [sound] [stream] [--minutes N]

Memory is the process's resident size, read every tenth of the run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import facewire
import numpy as np
from facewire.profile import load_profile
from facewire.session import Session
from facewire.stages import Source
from facewire.types import Audio

RATE = 16000


def resident() -> float:
    """Return the resident size in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


class Long(Source):
    """``seconds`` of silence, or of a sound over and over; notes the memory as it goes."""

    rate = RATE

    def __init__(self, seconds: int, sound: np.ndarray | None = None) -> None:
        self.seconds, self.sound, self.sizes = seconds, sound, [resident()]

    def blocks(self) -> Iterator[Audio]:
        for second in range(self.seconds):
            piece = np.zeros(RATE, np.float32)
            if self.sound is not None:
                piece = np.take(self.sound, range(second * RATE, (second + 1) * RATE), mode="wrap")
            yield Audio(piece, RATE, second * RATE)
            if second % max(1, self.seconds // 10) == 0:
                self.sizes.append(resident())


def speech(seconds: int = 60) -> np.ndarray:
    """Return that much of spoken English."""
    text = (
        "The quick brown fox jumps over the lazy dog, and nobody in the park is surprised at all. "
    )
    clip = facewire.animate(text=text * 12)
    step = clip.audio.rate / RATE
    at = (np.arange(int(len(clip.audio) / step)) * step).astype(int)
    return clip.audio.samples[at][: seconds * RATE]


def run(name: str, source: Long, profile: str = "default") -> None:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        report = Session(load_profile(profile), source, name, Path(folder)).run()
        taken = time.perf_counter() - begun
    sizes = " ".join(f"{size:.0f}" for size in source.sizes)
    print(f"{name}: {source.seconds} s in {taken:.1f} s, {source.seconds / taken:.0f} x real time")
    print(f"  {report.frames} frames; memory, MB: {sizes}")


def stream(seconds: int) -> None:
    """Push pieces of 20 ms through a live pipeline, as a microphone brings them."""
    sound, sizes, begun = speech(30), [], time.perf_counter()
    with facewire.open_pipeline() as pipeline:
        step = RATE // 50
        for i in range(seconds * 50):
            piece = np.take(sound, range(i * step, (i + 1) * step), mode="wrap")
            pipeline.push(Audio(piece, RATE, i * step))
            if i % max(1, seconds * 5) == 0:
                sizes.append(resident())
    taken = time.perf_counter() - begun
    print(f"stream: {seconds} s in {taken:.1f} s, {seconds / taken:.0f} x real time")
    print(f"  memory, MB: {' '.join(f'{size:.0f}' for size in sizes)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("which", nargs="*", default=["silence", "sound", "stream"])
    parser.add_argument(
        "--minutes", type=int, help="instead of 180 of silence and 60 of the others"
    )
    args = parser.parse_args()
    if "silence" in args.which:
        run("silence", Long(60 * (args.minutes or 180)))
    if "sound" in args.which:
        run("sound", Long(60 * (args.minutes or 60), speech()))
    if "stream" in args.which:
        stream(60 * (args.minutes or 60))


if __name__ == "__main__":
    main()
