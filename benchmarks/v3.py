"""What the layer v3 costs, and what becomes of speech under the strongest emotions.

    python benchmarks/v3.py              microseconds a frame, and times real time
    python benchmarks/v3.py protection   a table for docs/quality.md, gate on and gate off

The speech is espeak's, and recordings aligned with their transcripts where FACEWIRE_DATA has them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "plugins"))

import numpy as np  # noqa: E402
from facewire.emotion import LABELS, EmotionCurve, Key  # noqa: E402
from facewire.types import FloatArray  # noqa: E402
from facewire_v3.config import V3Config  # noqa: E402
from facewire_v3.groups import LIPSYNC  # noqa: E402
from facewire_v3.layer import V3  # noqa: E402
from facewire_v3.listener import Heard  # noqa: E402
from facewire_v3.tables import RIG  # noqa: E402
from facewire_v3.wearer import Wearer  # noqa: E402
from v3_parts import REAL, TEXTS, Protection, Run, Speech, key, speeches  # noqa: E402


class _Open(Wearer):
    """Adds the shared channels as they are; jaw, lips and tongue stay speech's."""

    def _added(
        self, model: FloatArray, faces: FloatArray, heard: Sequence[Heard] | None
    ) -> FloatArray:
        shown = faces.copy()
        shown[:, RIG.indices(*LIPSYNC)] = 0.0
        return super()._added(model, shown, None)


class Ungated(V3):
    """The layer with the gate and the protection switched off."""

    def reset(self) -> None:
        super().reset()
        self._wearer.__class__ = _Open


WAYS = ((V3, "auto"), (Ungated, "auto"), (V3, "none"))


def spoken() -> list[Speech]:
    """Return all speech there is."""
    data = Path(os.environ.get("FACEWIRE_DATA") or ROOT.parent / "shared" / "data") / "speech"
    return speeches(TEXTS, [data / name for name in REAL if (data / name).exists()])


def keys(seconds: float, apart: float, source: str) -> list[Key]:
    """Return a change of emotion every ``apart`` seconds."""
    names = [LABELS[1 + i % 15] for i in range(int(seconds / apart))]
    return [key(f"{i * apart:.3f}", name, source) for i, name in enumerate(names)]


def cost(speech: Speech, run: Run) -> float:
    """Return microseconds a frame of ``condition`` and ``push``: the least of five passes."""
    best = np.inf
    for _ in range(5):
        curve = EmotionCurve(run.keys)
        layer = run.build(speech.rig, curve)
        blocks, size = [], run.sizes[0]
        rows = len(speech.values) // size * size
        for begin in range(0, rows + layer.condition_lookahead, size):
            wanted = curve.sample(begin, size, run.fps)
            rest = curve.sample(begin, max(0, min(size, rows - begin)), run.fps)
            blocks.append((wanted, run.block(speech, rest, begin, begin + len(rest))))
        before = time.process_time()
        for wanted, block in blocks:
            layer.condition(wanted)
            if len(block.frames):
                layer.push(block)
        best = min(best, time.process_time() - before)
    return best / rows * 1e6


def costs(speech: Speech) -> None:
    """Print what a frame costs."""
    seconds, every = speech.seconds, 10.0
    print(f"{seconds:.0f} s of speech with phone times, microseconds a frame")
    for name, causal, size in (("live, one row a push", True, 1), ("offline, 64 rows", False, 64)):
        for title, apart in (("a change every 10 s", every), ("a change every 1 s", 1.0)):
            changes = keys(seconds, apart, "live" if causal else "track")
            run = Run(changes, causal=causal, sizes=[size])
            micro = cost(speech, run)
            print(f"{name:22s} {title:20s} {micro:6.1f} us, {1e6 / 60 / micro:6.0f} x real time")


def table(every: list[Speech]) -> None:
    """Print the protection of section 7 for each emotion at L5, strength 2."""
    seconds = sum(speech.seconds for speech in every)
    count = sum(len(speech.times("closure")) for speech in every)
    print(f"{seconds:.0f} s of speech, {count} p b m; every emotion at L5, strength 2\n")
    print("Each cell: gate on / gate off / the whole preset added to the frames.\n")
    print("| emotion | closures kept | lower lip off teeth at f v | open vowels | rounding lost |")
    print("|---|---|---|---|---|")
    for label in LABELS[1:]:
        found = [_judged(every, label, layer, how) for layer, how in WAYS]
        cells = [
            " / ".join(f"{100 * r.kept / r.closed:.1f} %" for r in found),
            " / ".join(f"{r.teeth:+.3f}" for r in found),
            " / ".join(f"{100 * r.open:.0f} %" for r in found),
            " / ".join(f"{100 * r.rounding:.0f} %" for r in found),
        ]
        print(f"| {label} | {' | '.join(cells)} |")


def _judged(every: list[Speech], label: str, layer: type[V3], how: str) -> Protection:
    result = Protection()
    config = V3Config(strength=2.0, speech=how)  # type: ignore[arg-type]
    for speech in every:
        run = Run([key(0, f"{label}:140")], config, layer=layer)
        result.judge(speech, run(speech))
    return result


def main() -> None:
    every = spoken()
    if sys.argv[1:] == ["protection"]:
        table(every)
        return
    values = np.concatenate([speech.values for speech in every[:14]])
    marks, at = [], 0
    for speech in every[:14]:
        marks += [mark.moved(at) for mark in speech.marks]
        at += len(speech.values) * speech.rate * Fraction(1, 60)
        at = int(at)
    costs(Speech("all", values, every[0].rig, every[0].rate, tuple(marks)))


if __name__ == "__main__":
    main()
