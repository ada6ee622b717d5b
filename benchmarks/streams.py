"""Measure how soon a face answers text that is written: first sound and first frame of a clause.

A stream of tokens (0.02 s apart, as a language model writes) goes into ``StreamedText`` through a
pipe, as with ``facewire run -``; a live sink beside the profile's own looks at what it is handed,
when. Counted from the writing of the token with the clause's last mark to the first row with sound,
and to the first row with an open or pressed mouth. A clause follows when the one before has played.

    python benchmarks/streams.py [--clauses 40] [--profile metahuman-live] [--stall]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from facewire.pipeline import Built
from facewire.profile import load_profile
from facewire.report import Report
from facewire.session import Session
from facewire.sources import StreamedText
from facewire.stages import Sink
from facewire.types import Block, RunInfo

CLAUSES = (
    "Good morning, everyone.",
    "What a day it was!",
    "Bring me the book,",
    "Do you remember me?",
    "Please wait outside.",
    "Almost nobody came,",
    "Time is running out.",
    "Every word counts!",
)
TOKEN = 0.02  # seconds between two tokens
PAUSE = 1.6  # seconds in which a clause has been spoken and the face is still again
AUDIBLE, MOVED = 0.003, 0.02


class Probe(Sink):
    """Notes when rows with sound, and with a mouth that moves, are handed to a live sink."""

    live = True

    def __init__(self) -> None:
        self.sound: list[float] = []
        self.mouth: list[float] = []

    def open(self, info: RunInfo) -> None:
        """Find the mouth's channels."""
        names = ("jawOpen", "mouthFunnel", "mouthPucker", "mouthPressLeft", "mouthRollLower")
        self._columns = [info.rig.index(name) for name in names]

    def push(self, block: Block) -> None:
        """Note the time."""
        now = time.perf_counter()
        if len(block.audio) and np.abs(block.audio.samples).max() > AUDIBLE:
            self.sound.append(now)
        if block.frames.values[:, self._columns].max() > MOVED:
            self.mouth.append(now)

    def close(self) -> None:
        """End."""


def write(end: int, clauses: int, stall: bool, written: list[float]) -> None:
    """Write clauses token by token; without ``stall`` the next word's token follows each."""
    time.sleep(1.0)
    for i in range(clauses):
        for token in CLAUSES[i % len(CLAUSES)].replace(" ", "\0 ").split("\0"):
            time.sleep(TOKEN)
            os.write(end, token.encode())
        written.append(time.perf_counter())
        time.sleep(TOKEN)
        os.write(end, b"" if stall else b" ")
        time.sleep(PAUSE)
    os.close(end)


def measure(profile: str, clauses: int, stall: bool = False) -> tuple[list[list[float]], Report]:
    """Return the seconds to sound and to the mouth of each clause, and the run's report."""
    read_end, write_end = os.pipe()
    probe, written = Probe(), list[float]()
    with tempfile.TemporaryDirectory() as out:
        session = Session(
            load_profile(profile),
            StreamedText(read_end),
            out=Path(out),
            sinks=[Built(probe, "probe", "sink")],
        )
        arguments = (write_end, clauses, stall, written)
        threading.Thread(target=write, args=arguments, daemon=True).start()
        report = session.run()
    os.close(read_end)
    return [[_first(seen, at) for at in written] for seen in (probe.sound, probe.mouth)], report


def _first(seen: list[float], after: float) -> float:
    return next((at - after for at in seen if at > after), float("inf"))


def main() -> None:
    """Print a row for each profile, and for a stream that goes on or stops at the mark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clauses", type=int, default=40)
    parser.add_argument("--profile", action="append")
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)  # as the command line does
    print("| profile | stream | first | median | 95 % | worst | frames dropped |")
    print("|---|---|---|---|---|---|---|")
    for profile in options.profile or ["default", "metahuman-live"]:
        for stall in (False, True):
            times, report = measure(profile, options.clauses, stall)
            dropped = sum(tally.dropped + tally.resent for _, tally in report.tallies)
            for name, seconds in zip(("sound", "mouth"), times, strict=True):
                ms = [1000 * float(np.percentile(seconds, share)) for share in (50, 95, 100)]
                row = " | ".join(f"{value:.0f} ms" for value in ms)
                stream = "stops at the mark" if stall else "goes on"
                print(f"| {profile} | {stream} | {name} | {row} | {dropped} of {report.frames} |")


if __name__ == "__main__":
    main()
