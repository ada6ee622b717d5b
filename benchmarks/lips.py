"""What the lips do on recordings, against the phones of a second alignment.

    python benchmarks/lips.py [--sentences 120]

The whole chain runs as in ``facewire run FILE --transcript FILE`` (default profile, without idle
layers): the recording is aligned, the articulation solved, the frames decoded. The judge is another
alignment of the same words with other noise and padding; the lips are measured on the frames. The
same is printed without a transcript, where phones are decoded from sound.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import facewire
import numpy as np
from alignment import RATE, Recording, asterisk, judged, pocketsphinx_testdata, speech
from facewire.articulation import ClosureReport, PhoneTime, lip_gap, measure
from facewire.profile import load_profile

PROFILE = replace(load_profile("default"), layers=())
PAUSE = 1.0  # seconds between recordings when they are measured as one


def gaps(samples: np.ndarray, text: str | None) -> np.ndarray:
    """Return the lip gap (n,) of a recording."""
    clip = facewire.animate(samples, rate=RATE, transcript=text, profile=PROFILE)
    return lip_gap(clip.frames.values, clip.frames.rig)


def together(known: list[tuple[np.ndarray, list[PhoneTime]]]) -> ClosureReport:
    """Measure several recordings as one, with a pause between them."""
    rest = np.zeros(int(PAUSE * 60))
    gap, phones, at = [rest], [], PAUSE
    for one, times in known:
        gap += [one, rest]
        phones += [PhoneTime(p.text, p.start + at, p.end + at) for p in times]
        at += len(one) / 60 + PAUSE
    return measure(np.concatenate(gap), 60, phones)


def run(recordings: list[Recording]) -> tuple[ClosureReport, ClosureReport]:
    """Return the reports with and without a transcript."""
    told, heard = [], []
    for recording in recordings:
        _, judge, samples = judged(recording)
        times = [PhoneTime(m.text, m.start / RATE, m.end / RATE) for m in judge]
        told.append((gaps(samples, recording.text), times))
        heard.append((gaps(samples, None), times))
    return together(told), together(heard)


def show(name: str, count: int, report: ClosureReport) -> None:
    print(
        f"{name:36}{count:5}{report.recall:8.1%}{report.precision:11.1%}"
        f"{report.rate:7.2f} /{report.phone_rate:5.2f}{1000 * report.timing:9.0f} ms"
        f"{report.release:9.1%}{report.leak:7.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sentences", type=int, default=120)
    count = parser.parse_args().sentences
    heads = ("", "n", "recall", "precision", "closures/phones", "timing", "release", "leak")
    print(("{:36}{:>5}{:>8}{:>11}{:>15}{:>11}{:>9}{:>7}").format(*heads))
    sets = {
        "asterisk, one woman": asterisk(count),
        "pocketsphinx test data": pocketsphinx_testdata(),
        "FACEWIRE_DATA/speech": speech(),
    }
    for name, recordings in sets.items():
        told, heard = run(recordings)
        show(f"{name}, transcript", len(recordings), told)
        show(f"{name}, sound alone", len(recordings), heard)


if __name__ == "__main__":
    main()
