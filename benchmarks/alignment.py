"""Measure facewire-phonemes' extractor on real speech: alignment, decoding, speed, memory.

    python benchmarks/alignment.py [--sentences 120] [--durations]

Needs Debian's asterisk-core-sounds-en, asterisk-core-sounds-en-g722, pocketsphinx-testdata and
ffmpeg; FACEWIRE_DATA for the recordings in speech/. Nothing is downloaded.

An alignment is judged by a second one with other noise and other padding. A phone is found if the
second has the same phone within 50 ms; boundaries are compared where it is.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import re
import resource
import statistics
import subprocess
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import soxr
from facewire.types import Audio, Context, FloatArray, Mark
from facewire_phonemes import tables
from facewire_phonemes.config import ExtractorConfig
from facewire_phonemes.extractor import PhoneExtractor
from facewire_phonemes.lexicon import plain

RATE = 16000
BILABIAL = {"P", "B", "M"}
NEAR = RATE // 20
SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
POCKET = Path("/usr/share/pocketsphinx/test/data")
_shared: dict[str, Any] = {}


class Recording(NamedTuple):
    name: str
    path: Path
    text: str


def share(key: str, make: Any) -> Any:
    if key not in _shared:
        _shared[key] = make()
    return _shared[key]


def asterisk(count: int) -> list[Recording]:
    """Return sentences of at least five words whose text is all speech."""
    found = []
    for line in gzip.decompress(TEXTS.read_bytes()).decode(errors="replace").splitlines():
        match = re.match(r"([\w/+-]+):\s*([^\[<(]*)$", line.strip())
        path = SOUNDS / f"{match[1]}.g722" if match else None
        if match and path and path.exists() and len(match[2].split()) >= 5:
            found.append(Recording(match[1], path, match[2]))
    random.Random(1).shuffle(found)
    return found[:count]


def pocketsphinx_testdata() -> list[Recording]:
    found = []
    for folder, name in (("librivox", "transcription"), ("cards", "cards.transcription")):
        for line in (POCKET / folder / name).read_text().splitlines():
            if match := re.match(r"(.*)\((\S+)\)", line):
                text = re.sub(r"</?s>", "", match[1])
                found.append(Recording(match[2], POCKET / folder / f"{match[2]}.wav", text))
    return found


def speech() -> list[Recording]:
    root = Path(os.environ.get("FACEWIRE_DATA", Path(__file__).parents[2] / "shared/data"))
    return [
        Recording(lab.stem, path, lab.read_text())
        for lab in sorted((root / "speech").glob("*.lab"))
        for path in lab.parent.glob(f"{lab.stem}.[wf]*")
    ]


def load(path: Path) -> FloatArray:
    """Return mono samples (n,) at 16 kHz."""
    if path.suffix == ".g722":
        command = ["ffmpeg", "-v", "error", "-f", "g722", "-i", str(path), "-f", "s16le"]
        raw = subprocess.run([*command, "-ac", "1", "-ar", str(RATE), "-"], capture_output=True)
        return (np.frombuffer(raw.stdout, np.int16) / 32768).astype(np.float32)
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    resampled: FloatArray = soxr.resample(samples.mean(axis=1), rate, RATE)
    return resampled


def extract(samples: FloatArray, **context: Any) -> tuple[list[Mark], PhoneExtractor]:
    """Return the phones of a whole recording."""
    stage = PhoneExtractor(ExtractorConfig(), Context(shared=share, **context))
    parts = [stage.push(Audio(samples, RATE)), *stage.flush()]
    return [m for part in parts for m in part.marks if m.kind == "phone"], stage


def judged(recording: Recording) -> tuple[list[Mark], list[Mark], FloatArray]:
    """Return the phones, and those of a second alignment with other noise and padding."""
    samples = load(recording.path)
    first, _ = extract(samples, transcript=recording.text, name=recording.name)
    noise = np.random.default_rng(7).normal(0, 3e-4, len(samples) + 9000).astype(np.float32)
    noise[5500 : 5500 + len(samples)] += samples
    second, _ = extract(noise, transcript=recording.text, name="judge", seed=7)
    return first, [mark.moved(-5500) for mark in second], samples


def compare(found: list[Mark], judge: list[Mark], phones: set[str]) -> tuple[int, int, list[float]]:
    """Return how many phones of the judge were found, of how many, and differences in ms."""
    wanted = [mark for mark in judge if plain(mark.text) in phones]
    differences: list[float] = []
    hits = 0
    for mark in wanted:
        same = [m for m in found if plain(m.text) == plain(mark.text)]
        near = min(same, key=lambda m: abs(m.start - mark.start), default=None)
        if near is None or min(abs(near.start - mark.start), abs(near.end - mark.end)) > NEAR:
            continue
        hits += 1
        differences += [abs(near.start - mark.start) / 16, abs(near.end - mark.end) / 16]
    return hits, len(wanted), differences


def overlapping(found: list[Mark], judge: list[Mark], phones: set[str]) -> tuple[int, int]:
    """Return how many phones of a class in ``found`` touch (within 50 ms) one in ``judge``."""
    a = [m for m in found if plain(m.text) in phones]
    b = [m for m in judge if plain(m.text) in phones]
    hits = sum(any(x.start - NEAR < y.end and y.start < x.end + NEAR for y in b) for x in a)
    return hits, len(a)


def errors(found: list[Mark], judge: list[Mark]) -> int:
    """Return the edit distance between two strings of phones."""
    names = [plain(m.text) for m in found]
    row = list(range(len(names) + 1))
    for i, mark in enumerate(judge, 1):
        before, row[0] = row[0], i
        for j, name in enumerate(names, 1):
            step = min(before + (name != plain(mark.text)), row[j] + 1, row[j - 1] + 1)
            before, row[j] = row[j], step
    return row[-1]


def measure_alignment(
    title: str, recordings: list[Recording]
) -> list[tuple[FloatArray, list[Mark]]]:
    out = []
    hits = total = 0
    all_ms: list[float] = []
    lip_ms: list[float] = []
    seconds, began = 0.0, time.process_time()
    for recording in recordings:
        first, second, samples = judged(recording)
        seconds += 2 * len(samples) / RATE
        h, n, ms = compare(first, second, BILABIAL)
        hits, total, lip_ms = hits + h, total + n, lip_ms + ms
        all_ms += compare(first, second, set(tables.PHONES))[2]
        if h < n:
            print(f"  {recording.name}: {n - h} of {n} bilabials missed")
        out.append((samples, second))
    speed = (time.process_time() - began) / seconds
    print(
        f"{title}: {len(recordings)} recordings, /p b m/ {hits} of {total} ({hits / total:.1%}), "
        f"boundaries of /p b m/ {spread(lip_ms)}, of all {spread(all_ms)}, {speed:.3f} of real time"
    )
    return out


def spread(ms: list[float]) -> str:
    return f"median {statistics.median(ms):.0f} ms, 90 % {np.percentile(ms, 90):.0f} ms"


def measure_decoding(known: list[tuple[FloatArray, list[Mark]]], **context: Any) -> None:
    counts: defaultdict[str, int] = defaultdict(int)
    seconds, began = 0.0, time.process_time()
    for samples, judge in known:
        found, _ = extract(samples, **context)
        seconds += len(samples) / RATE
        recall, precision = overlapping(judge, found, BILABIAL), overlapping(found, judge, BILABIAL)
        for key, value in zip(("rh", "rn", "ph", "pn"), recall + precision, strict=True):
            counts[key] += value
        counts["errors"] += errors(found, judge)
        counts["phones"] += len(judge)
    print(
        f"decoded {context}: /p b m/ recall {counts['rh'] / counts['rn']:.3f}, precision "
        f"{counts['ph'] / counts['pn']:.3f}, "
        f"phone errors {counts['errors'] / counts['phones']:.3f}, "
        f"{(time.process_time() - began) / seconds:.3f} of real time"
    )


def measure_costs() -> None:
    _shared.clear()
    began = time.perf_counter()
    short = np.random.default_rng(0).normal(0, 0.05, RATE).astype(np.float32)
    short[: RATE // 2] *= 0.01
    for context in ({"causal": True}, {"transcript": "a word"}, {}):
        extract(short, **context)
        print(f"first second, {context}: {time.perf_counter() - began:.2f} s with loading")
        began = time.perf_counter()
    for causal in (True, False):
        stage = PhoneExtractor(ExtractorConfig(), Context(shared=share, causal=causal))
        rows, began = 0, time.process_time()
        for minute in range(180):
            rows += len(
                stage.push(Audio(np.zeros(60 * RATE, np.float32), RATE, minute * 60 * RATE))
            )
        print(f"3 h of silence, causal {causal}: {time.process_time() - began:.1f} s, {rows} rows")
    print(f"longest stall of another thread while decoding: {stall() * 1000:.0f} ms")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def stall() -> float:
    """Return the longest time that another Python thread could not run during live decoding."""
    sound = np.random.default_rng(0).normal(0, 0.1, 5 * RATE).astype(np.float32)
    sound *= np.repeat(np.random.default_rng(1).random(50), RATE // 10).astype(np.float32)
    work = threading.Thread(target=extract, args=(sound,), kwargs={"causal": True})
    work.start()
    longest, last = 0.0, time.perf_counter()
    while work.is_alive():
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        time.sleep(0.0005)
    return longest


def print_durations(known: list[tuple[FloatArray, list[Mark]]]) -> None:
    """Print lexdata/durations.yaml: each phone's median length in ms, to 5 ms."""
    lengths: defaultdict[str, list[float]] = defaultdict(list)
    for _, marks in known:
        for mark in marks:
            lengths[plain(mark.text)].append((mark.end - mark.start) / 16)
    for phone in sorted(tables.PHONES):
        print(f"{phone}: {round(statistics.median(lengths.get(phone, [80])) / 5) * 5}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=120)
    parser.add_argument("--durations", action="store_true", help="print durations.yaml")
    options = parser.parse_args()
    known = measure_alignment("asterisk", asterisk(options.sentences))
    if options.durations:
        print_durations(known)
        return
    known = known[:60] + measure_alignment("pocketsphinx-testdata", pocketsphinx_testdata())
    known += measure_alignment("data/speech", speech())
    measure_decoding(known)
    measure_decoding(known, lang="xx")
    measure_decoding(known, causal=True)
    measure_costs()


if __name__ == "__main__":
    main()
