"""Engines that take emotion: presets, how far emotions differ, and lips that still close."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from facewire.articulation import lip_gap
from facewire.emotion import LABELS, LEVELS, State, weights_of
from facewire.errors import InputError, PluginError
from facewire.rig import Rig, remap
from facewire.types import FloatArray

from facewire_eval.engines import Engine, ProfileEngine
from facewire_eval.faces import Tick
from facewire_eval.items import Line
from facewire_eval.metrics import (
    NOTHING,
    Figure,
    distinctness,
    preset_errors,
    protection,
    ratio,
    reproducibility,
)
from facewire_eval.speech import bilabials
from facewire_eval.synthesis import silence
from facewire_eval.table import Column, Table

RIG = Rig.named("arkit52")
SETTLED = 2.0
"""Seconds after which a face in silence is looked at."""
LISTENED = 20.0
"""Seconds of speech that is run under every emotion."""
STRONG = LEVELS[4]
"""Strength of the emotions in speech: level 5."""
COLUMNS = (
    Column("presets", "authored faces that come out within .05 in silence, all but jawOpen",
           "high", "%"),
    Column("worst preset", "largest error of a channel", "low"),
    Column("least apart", "mean displacement between the two nearest of 16 emotions", "high", "mm"),
    Column("closures kept", "p b m closed without emotion that are closed with it, all emotions",
           "high", "%"),
    Column("worst kept", "the same under the emotion that keeps fewest", "high", "%"),
)  # fmt: skip


def measure_emotions(
    engines: Sequence[Engine], lines: Sequence[Line], tick: Tick
) -> tuple[Table, list[str]]:
    """Return the table of emotions, and notes: which are nearest, what was not measured."""
    table = Table(
        "emotions",
        "Emotions",
        "Presets in silence; distinctness on the head's skin; closures under strong emotions.",
        COLUMNS,
    )
    notes: list[str] = []
    for engine in engines:
        if isinstance(engine, ProfileEngine) and engine.can_feel:
            still = engine.still()
            row = [*_presets(still, notes, tick), _apart(still, notes, tick)]
            table.add(engine.name, [*row, *_kept(still, shortest(lines), notes, tick)])
    return table, notes


def _face(engine: Engine, state: State, tick: Tick) -> FloatArray:
    """Return the face (52,) of an emotion in silence, settled."""
    sound = silence()
    motion = engine.animate(sound, None, state)
    tick(f"{engine.name}: {state.name or 'emotion'}", sound.seconds)
    assert motion is not None
    rows = remap(motion.values, motion.rig, RIG)[int(SETTLED * motion.rate) :]
    return np.asarray(np.median(rows, axis=0), np.float32)


def authored(notes: list[str]) -> Sequence[Any]:
    """Return facewire-v3's 47 presets; none, and a note, where it is not installed."""
    try:
        from facewire_v3.presets import presets
    except ImportError:
        notes.append("presets are facewire-v3's, which is not installed; pip install facewire-v3")
        return ()
    return presets()


def _presets(engine: Engine, notes: list[str], tick: Tick) -> list[Figure]:
    made = authored(notes)
    if not made:
        return [NOTHING, NOTHING]
    found = [_face(engine, State.of(p.vad, weights_of(p.family)), tick) for p in made]
    errors = preset_errors(np.stack(found), np.stack([p.face for p in made]), RIG.channels)
    return [reproducibility(errors), Figure(float(errors.max()), count=len(errors))]


def _apart(engine: Engine, notes: list[str], tick: Tick) -> Figure:
    faces = {label: _face(engine, State.named(label), tick) for label in LABELS}
    try:
        apart = distinctness(faces, RIG)
    except PluginError as error:
        notes.append(str(error))
        return NOTHING
    nearest = min(apart, key=lambda pair: apart[pair])
    notes.append(f"{engine.name}: nearest emotions {' and '.join(nearest)}")
    return Figure(apart[nearest], count=len(apart))


def shortest(lines: Sequence[Line]) -> list[Line]:
    """Return recordings of about 20 s in all, those with most p b m a second first."""
    ordered = sorted(lines, key=lambda line: -len(bilabials(line)) / line.sound.seconds)
    total = np.cumsum([0.0, *(line.sound.seconds for line in ordered)])
    return [line for line, (before, _) in zip(ordered, pairwise(total), strict=True)
            if before < LISTENED]  # fmt: skip


def _kept(
    engine: ProfileEngine, lines: Sequence[Line], notes: list[str], tick: Tick
) -> list[Figure]:
    """Return how many closures are kept under all emotions, and under the worst."""
    lines = [line for line in lines if bilabials(line)]
    calm = [_gap(engine, line, None, tick) for line in lines]
    rows = []  # (emotions, 2): closures without emotion, those of them that are kept
    for label in LABELS[1:]:
        row = np.zeros(2)
        for line, (gap, rate) in zip(lines, calm, strict=True):
            felt, _ = _gap(engine, line, State.named(label, STRONG), tick)
            found = protection(gap, felt, rate, line.phones)
            row += [found.count, found.value * found.count] if found.count else [0, 0]
        rows.append(row)
    table = np.array(rows)
    if not table.any():
        return [NOTHING, NOTHING]
    shares = table[:, 1] / table[:, 0]
    worst = int(shares.argmin())
    if shares[worst] < 1:
        notes.append(f"{engine.name}: fewest closures kept under {LABELS[1 + worst]}")
    return [ratio(table[:, 1], table[:, 0]), Figure(float(shares[worst]), count=int(table[0, 0]))]


def _gap(
    engine: ProfileEngine, line: Line, state: State | None, tick: Tick
) -> tuple[FloatArray, float]:
    words = line.text if engine.can_hear_words else None
    try:
        motion = engine.animate(line.sound, words, state)
    except InputError:  # words in a language that it cannot align
        motion = engine.animate(line.sound, None, state)
    tick(f"{engine.name}: {state.name if state else 'calm'}", line.sound.seconds)
    assert motion is not None
    return lip_gap(motion.values, motion.rig), motion.rate
