"""Engines against captured faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from facewire.articulation import lip_gap
from facewire.types import FloatArray

from facewire_eval.engines import Engine
from facewire_eval.items import Motion, Take
from facewire_eval.metrics import (
    NOTHING,
    Agreement,
    Figure,
    Pair,
    agreement,
    jitter,
    leak_pieces,
    moving,
    pooled_leak,
    quiet,
    sampled,
)
from facewire_eval.table import Column, Curve, Table

Tick = Callable[[str, float], None]
Made = list[tuple[Take, Motion]]
SHOWN = 6.0
"""Seconds of each plot."""
CAPTURED = "captured"

AGREEMENT = (
    Column("2-8 Hz r", "correlation over the rates of syllables, 2 to 8 Hz", "high"),
    Column("velocity r", "correlation of velocities", "high"),
    Column("plain r", "correlation at zero lag; it hides closures", "high"),
    Column("peak r", "correlation at the lag of its peak", "high"),
    Column("lag", "how late the engine is where r peaks (negative: early)", "", "ms"),
    Column("2-8 Hz r, no lag", "the same with that lag taken off", "high"),
    Column("liveliness", "standard deviation against the captured one", "one"),
)
MOTION = (
    Column("jitter", "root of the power above 12 Hz, at the native rate", "low", "‰"),
    Column("leak", "95th percentile of the gap in silences over .5 s", "low"),
)


def curve_of(name: str, motion: Motion) -> FloatArray:
    """Return ``gap`` or a channel (n,); of a channel with two sides the mean. Missing is 0."""
    if name == "gap":
        return lip_gap(motion.values, motion.rig)
    sides = motion.rig.indices(name, f"{name}Left", f"{name}Right")
    if not len(sides):
        return np.zeros(len(motion.values), np.float32)
    return np.asarray(motion.values[:, sides].mean(axis=1))


def both_sides(channels: Sequence[str]) -> list[str]:
    """Return channels with left and right as one, in order: ``mouthStretch``."""
    names = [
        c.removesuffix("Left").removesuffix("Right") if c not in ("jawLeft", "jawRight",
        "mouthLeft", "mouthRight") else c
        for c in channels
    ]  # fmt: skip
    return list(dict.fromkeys(names))


def pairs(made: Made, name: str) -> list[Pair]:
    """Return predicted and captured curves at the captured rates."""
    found = []
    for take, motion in made:
        true = curve_of(name, take.motion)
        predicted = sampled(curve_of(name, motion), motion.rate, len(true), take.motion.rate)
        found.append(Pair(predicted, true, take.motion.rate))
    return found


def animated(engine: Engine, takes: Sequence[Take], tick: Tick) -> Made:
    """Return what an engine makes of each take's sound, the take left out of what it knows."""
    made: Made = []
    for take in takes:
        motion = engine.without(take).animate(take.sound)
        tick(f"{engine.name}: {take.sound.name}", take.sound.seconds)
        if motion is not None:
            made.append((take, motion))
    return made


def measure_faces(known: dict[str, Made], takes: Sequence[Take]) -> list[Table]:
    """Return tables of gap and jawOpen by take and in full, and of all moving channels."""
    return [
        _by_take("gap", known, takes),
        _by_take("jawOpen", known, takes),
        _in_full("gap", known, takes),
        _in_full("jawOpen", known, takes),
        _channels(known, takes),
    ]


def curves_of_faces(known: dict[str, Made], takes: Sequence[Take]) -> list[Curve]:
    """Return a few seconds of the gap in the first take, captured and by each engine."""
    take = takes[0]
    fps = take.motion.rate
    first = int(min(5.0, take.sound.seconds / 4) * fps)
    rows = slice(first, first + int(SHOWN * fps))
    lines = {CAPTURED: curve_of("gap", take.motion)[rows].tolist()}
    for name, made in known.items():
        if made[0][0] is take:
            found = pairs(made[:1], "gap")[0].found
            lines[name] = [float(v) for v in found[rows]]
    return [Curve(f"The gap of the lips in {take.sound.name}", fps, lines)]


def _by_take(curve: str, known: dict[str, Made], takes: Sequence[Take]) -> Table:
    columns = [Column(t.sound.name, f"2-8 Hz r of {t.sound.name}", "high") for t in takes]
    table = Table(
        f"faces_{curve}_takes",
        f"{curve} on captured faces, 2-8 Hz r by take",
        "How the motion of syllables follows the captured one.",
        [*columns, Column("all", "all takes as one", "high")],
    )
    for name, made in known.items():
        both = zip(made, pairs(made, curve), strict=True)
        each = {take.sound.name: agreement([pair]).band for (take, _), pair in both}
        row = [each.get(take.sound.name, NOTHING) for take in takes]
        table.add(name, [*row, agreement(pairs(made, curve)).band])
    return table


def _in_full(curve: str, known: dict[str, Made], takes: Sequence[Take]) -> Table:
    table = Table(
        f"faces_{curve}",
        f"{curve} on captured faces, all takes",
        "Jitter at each one's own rate; leak where the sound is quiet.",
        [*AGREEMENT, *MOTION] if curve == "gap" else [*AGREEMENT, MOTION[0]],
    )
    own = [(take, take.motion) for take in takes]
    table.add(CAPTURED, [*[NOTHING] * len(AGREEMENT), *_motion(own, curve)])
    for name, made in known.items():
        found = agreement(pairs(made, curve))
        table.add(name, [*_figures(found), *_motion(made, curve)])
    return table


def _figures(found: Agreement) -> list[Figure]:
    return [
        found.band, found.velocity, found.plain, found.peak, found.lag, found.aligned,
        found.liveliness,
    ]  # fmt: skip


def _motion(made: Made, curve: str) -> list[Figure]:
    own = [curve_of(curve, motion) for _, motion in made]
    pieces = []
    for (take, motion), values in zip(made, own, strict=True):
        spans = quiet(take.sound.samples, take.sound.rate, take.sound.seconds)
        pieces += leak_pieces(values, motion.rate, spans)
    shaken = jitter(own, made[0][1].rate)
    return [shaken, pooled_leak(pieces)] if curve == "gap" else [shaken]


def _channels(known: dict[str, Made], takes: Sequence[Take]) -> Table:
    names = both_sides([c for t in takes for c in moving(t.motion.values, t.motion.rig.channels)])
    table = Table(
        "faces_channels",
        "Channels that move on captured faces, 2-8 Hz r",
        "Left and right are one. A channel that an engine leaves still has no figure.",
        [Column(name, f"2-8 Hz r of {name}", "high") for name in names],
    )
    for name, made in known.items():
        row = []
        for channel in names:
            moved = [p for p in pairs(made, channel) if p.true.std() > 0.005]
            row.append(agreement(moved).band)
        table.add(name, row)
    return table
