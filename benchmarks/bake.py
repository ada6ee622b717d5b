"""``facewire bake`` on many lines: speed, memory, and whether planted faults are found.

    python benchmarks/bake.py [speed] [memory] [faults] [--lines N]

``speed``: lines a second with 1 and 2 workers. ``memory``: a worker's resident size over the lines.
``faults``: of recordings with transcripts (made by espeak, four voices, three speeds) one in forty
has a planted fault; prints how many of them are among the worst 5 % of all. 2,000 lines by default.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import soundfile
from facewire.baking import Local, plan_script
from facewire.baking.record import read_record
from facewire.baking.script import load_script
from facewire.types import Utterance
from facewire_espeak.plugin import EspeakConfig
from facewire_espeak.voice import Espeak

PROFILE = 'model: phonemes\nlayers: [clamp]\nsinks: [{use: files.npz, path: "{out}/{name}.npz"}]\n'
WHO = ("The captain", "My brother", "Nobody here", "That old man", "Every one of them", "Maria")
DID = ("built", "sold", "wanted to buy", "never found", "carried", "asked me about", "painted")
WHAT = ("a boat", "the bridge", "my map", "five swords", "that empty box", "a bit of bread")
WHERE = ("by the river", "before the storm", "on Monday", "in the village", "without me",
         "for a hundred coins", "behind the wall", "last summer")  # fmt: skip
VOICES, SPEEDS = ("en-us", "en-gb", "en-gb-scotland", "en-us+m3"), (145, 165, 185)
GERMAN = "Wir müssen gehen, bevor der Sturm zurückkommt, mein alter Freund."
Sound = np.ndarray


def sentences(count: int) -> list[str]:
    """Return so many sentences, in an order without pattern."""
    found = [f"{a} {b} {c} {d}." for a, b, c, d in product(WHO, DID, WHAT, WHERE)]
    order = np.random.default_rng(7).permutation(len(found))
    return [found[i] for i in order[:count]]


def say(text: str, voice: str = "en-us", speed: int = 165) -> tuple[Sound, int]:
    """Return a text as espeak speaks it."""
    pieces = list(Espeak(EspeakConfig(voice=voice, rate=speed)).speak(Utterance(text)))
    return np.concatenate([piece.samples for piece in pieces]), pieces[0].rate


def music(sound: Sound, rate: int, rng: np.random.Generator) -> Sound:
    """Return plucked notes as long as a sound."""
    at = np.arange(len(sound)) / rate
    notes = 220 * 2 ** (rng.integers(0, 13, 400) / 12)
    phase = 2 * np.pi * np.cumsum(notes[(at * 4).astype(int) % 400]) / rate
    return 0.2 * sum(np.sin(phase * k) / k for k in (1, 2, 3)) * np.exp(-3 * (at * 4 % 1))


Fault = Callable[[Sound, int, np.random.Generator], Sound]
FAULTS: dict[str, Fault] = {
    "music": music,
    "german": lambda x, rate, rng: say(GERMAN, "de")[0],
    "squeezed": lambda x, rate, rng: x[::3],
    "half": lambda x, rate, rng: x,  # the file is cut afterwards, header and all
    "words": lambda x, rate, rng: x,  # another transcript
    "cut": lambda x, rate, rng: x[: int(len(x) * 0.55)],
    "clipped": lambda x, rate, rng: np.clip(x * 8, -1, 1),
    "silent": lambda x, rate, rng: rng.normal(0, 1e-4, len(x)),
    "noise": lambda x, rate, rng: rng.normal(0, 0.1, len(x)),
}


def recordings(folder: Path, count: int) -> None:
    """Write recordings and their script; one in forty has a fault, and is called after it."""
    rng, texts, rows = np.random.default_rng(1), sentences(count), []
    kinds = [*FAULTS]
    for i, text in enumerate(texts):
        sound, rate = say(text, VOICES[i % 4], SPEEDS[i % 3])
        fault = kinds[i // 40 % len(kinds)] if i % 40 == 20 else ""
        path = folder / f"{i}.wav"
        made = FAULTS[fault](sound, rate, rng) if fault else sound
        soundfile.write(path, made.astype(np.float32), rate)
        if fault == "half":
            whole = path.read_bytes()
            path.write_bytes(whole[: int(len(whole) * 0.6)])
        told = texts[(i + 9) % count] if fault == "words" else text
        rows.append({"id": f"{fault or 'good'}-{i}", "audio": path.name, "transcript": told})
    write(folder, rows)


def write(folder: Path, rows: list[dict[str, str]]) -> None:
    """Write a script and its profile."""
    (folder / "p.yaml").write_text(PROFILE, "utf-8")
    (folder / "s.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def bake(folder: Path, workers: int, out: str = "out") -> Iterator[int]:
    """Bake the folder's script; yield how many lines are done after each."""
    script = folder / "s.jsonl"
    plan = plan_script(load_script(script)[0], script, folder / out, str(folder / "p.yaml"))
    for done, (job, outcome) in enumerate(Local(workers).results(plan.todo), 1):
        assert outcome.error is None, f"{job.name}: {outcome.error}"
        yield done


def spoken(folder: Path, count: int) -> None:
    """Write a script of text."""
    write(folder, [{"id": str(i), "text": text} for i, text in enumerate(sentences(count))])


def speed(folder: Path, lines: int) -> None:
    """Print lines a second, after the first line of each worker (it imports and loads)."""
    spoken(folder, lines)
    for workers in (1, 2):
        begun, last = 0.0, 0
        for last in bake(folder, workers, f"out{workers}"):
            begun = time.perf_counter() if last == workers else begun
        each = (last - workers) / (time.perf_counter() - begun)
        print(f"{workers} workers: {each:.2f} lines a second", flush=True)


def memory(folder: Path, lines: int) -> None:
    """Print a worker's resident size at every tenth of the lines."""
    spoken(folder, lines)
    sizes = []
    for done in bake(folder, 1):
        if done % max(1, lines // 10) == 0:
            sizes += [resident(child.pid or 0) for child in multiprocessing.active_children()]
    print("worker, MB:", *(f"{size:.0f}" for size in sizes))
    print(f"growth after the first tenth: {sizes[-1] - sizes[0]:+.1f} MB in {lines} lines")


def resident(pid: int) -> float:
    """Return a process's resident size in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1]) * 4096 / 1e6


def faults(folder: Path, lines: int) -> None:
    """Print where the planted faults stand among all lines."""
    recordings(folder, lines)
    for done in bake(folder, 2):
        if done % 100 == 0:
            print(f"{done} lines", flush=True)
    names = [line.turn.id for line in load_script(folder / "s.jsonl")[0]]
    records = [read_record(folder / "out", name) for name in names]
    records.sort(key=lambda record: -record["scores"]["suspicion"])
    ranks = [i for i, r in enumerate(records, 1) if not r["name"].startswith("good")]
    worst = lines // 20
    found = sum(rank <= worst for rank in ranks)
    print(f"{found} of {len(ranks)} faults in the worst {worst} of {lines}; last at {ranks[-1]}")
    for record in records[: max(worst, ranks[-1])]:
        scores = record["scores"]
        print(f"  {scores['suspicion']:.4f} {record['name']}: {', '.join(scores['causes'])}")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["speed", "memory", "faults"])
    parser.add_argument("--lines", type=int, default=2000)
    args = parser.parse_args()
    for what in args.what:
        with tempfile.TemporaryDirectory() as folder:
            {"speed": speed, "memory": memory, "faults": faults}[what](Path(folder), args.lines)


if __name__ == "__main__":
    main()
