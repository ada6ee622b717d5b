"""Engines on transcribed speech: what lips do at phones, and what degradations leave of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from facewire.articulation import (
    PhoneTime,
    lip_gap,
    lip_protrusion,
    lip_to_teeth,
    read_phone,
)
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import FloatArray

from facewire_eval.degrade import DEGRADATIONS
from facewire_eval.engines import Engine
from facewire_eval.faces import MOTION, SHOWN, Tick
from facewire_eval.items import Line, Motion, Sound
from facewire_eval.languages import sentences, spoken
from facewire_eval.metrics import (
    NOTHING,
    Figure,
    Spoken,
    closure_figures,
    follows,
    jitter,
    labiodental,
    leak_pieces,
    pooled_leak,
    resampled,
    rounding,
    silences,
    vowel_order,
)
from facewire_eval.synthesis import MOVES, RESTS
from facewire_eval.table import Column, Curve, Table

Made = list[tuple[Line, Motion]]
TOLD = ", with words"
PLOTTED = 60.0
LIPS = (
    Column("recall", "share of p b m with a closure", "high", "%"),
    Column("precision", "share of closures that are at p b m f v", "high", "%"),
    Column("rate", "closures for each p b m", "one"),
    Column("timing", "median error of the closures' middles", "low", "ms"),
    Column("release", "share of stressed open vowels with a gap of .12", "high", "%"),
)
PHONES = (
    Column("f v contact", "share of f v with the lower lip at the teeth", "high", "%"),
    Column("rounding", "protrusion of u o w above the speaker's mean (.15 wanted)", "high"),
    Column("round pairs", "pairs in which u o w protrude more than i e (90 % wanted)", "high", "%"),
    Column("vowel order", "pairs that open as a > e o > i u", "high", "%"),
)


def animated(engine: Engine, lines: Sequence[Line], tick: Tick, told: bool = False) -> Made:
    """Return what an engine makes of recordings, with or without their words."""
    made: Made = []
    for line in lines:
        if told and line.text is None:
            continue
        motion = engine.animate(line.sound, line.text if told else None)
        tick(f"{engine.name}: {line.sound.name}", line.sound.seconds)
        if motion is not None:
            made.append((line, motion))
    return made


def spoken_curves(
    made: Made, curve: Callable[[FloatArray, Rig], FloatArray] = lip_gap
) -> list[Spoken]:
    """Return a curve of each recording with its phones: the gap, unless another is named."""
    return [Spoken(curve(m.values, m.rig), m.rate, line.phones) for line, m in made]


def hear_all(engines: Sequence[Engine], lines: Sequence[Line], tick: Tick) -> dict[str, Made]:
    """Return what each engine makes of recordings; from sound alone, and with words if it can."""
    known = {}
    for engine in engines:
        for told in (False, True) if engine.can_hear_words else (False,):
            try:
                made = animated(engine, lines, tick, told)
            except InputError:
                if not told:
                    raise
                continue  # words in a language that the engine cannot align: as sound alone
            if made:
                known[engine.name + TOLD * told] = made
    return known


def measure_speech(known: dict[str, Made], lines: Sequence[Line]) -> Table:
    """Return the table of closures and of what other phones ask."""
    table = Table(
        "speech",
        f"Lips on transcribed speech, {len(lines)} recordings",
        "Closures against aligned phones; all figures together, one alone proves nothing.",
        [*LIPS, *PHONES, *MOTION],
    )
    for name, made in known.items():
        table.add(name, _figures(made))
    return table


def _figures(made: Made) -> list[Figure]:
    gaps = spoken_curves(made)
    found = closure_figures(gaps)
    size, sure = rounding(spoken_curves(made, lip_protrusion))
    pieces = []
    for one in gaps:
        spans = silences(one.phones, len(one.curve) / one.fps)
        pieces += leak_pieces(one.curve, one.fps, spans)
    return [
        found.recall, found.precision, found.rate, found.timing, found.release,
        labiodental(spoken_curves(made, lip_to_teeth)),
        size, sure, vowel_order(gaps),
        jitter([one.curve for one in gaps], gaps[0].fps), pooled_leak(pieces),
    ]  # fmt: skip


def curves_of_speech(known: dict[str, Made], lines: Sequence[Line]) -> list[Curve]:
    """Return a few seconds of the gap in the recording with most p b m a second."""
    line = max(lines, key=lambda line: len(bilabials(line)) / line.sound.seconds)
    start = min((phone.start for phone in bilabials(line)), default=0.0)
    first = max(0.0, min(start - 1.0, line.sound.seconds - SHOWN))
    at, shown = np.arange(0, min(SHOWN, line.sound.seconds), 1 / PLOTTED) + first, {}
    for name, made in known.items():
        motion = next((m for other, m in made if other is line), None)
        if motion is not None:
            gap = lip_gap(motion.values, motion.rig)
            shown[name] = [float(v) for v in np.interp(at * motion.rate, np.arange(len(gap)), gap)]
    marks = tuple(
        (p.text, p.start - first, p.end - first)
        for p in line.phones
        if first < p.end and p.start < first + SHOWN
    )
    return [Curve(f"The gap of the lips in {line.sound.name}", PLOTTED, shown, marks, closed=True)]


def bilabials(line: Line) -> list[PhoneTime]:
    """Return the /p b m/ of a recording."""
    return [p for p in line.phones if read_phone(p.text).kind == "closure"]


# -- sounds without words -------------------------------------------------------------------------


def measure_sounds(engines: Sequence[Engine], given: Sequence[Sound], tick: Tick) -> Table:
    """Return the table of sounds: those of mouths move the lips, others leave them shut."""
    moves = [make() for make in MOVES.values()] + list(given)
    rests = [make() for make in RESTS.values()]
    columns = []
    for sound in moves:
        columns.append(Column(f"{sound.name} range", "range of the gap (.15 wanted)", "high"))
        columns.append(Column(f"{sound.name} r", "r of gap and energy (.5 wanted)", "high"))
    columns += [Column(f"{s.name} gap", "95th percentile (.03 at most)", "low") for s in rests]
    table = Table(
        "sounds",
        "Sounds without words",
        "Laughter, breaths and held vowels move the mouth, other sounds leave it shut.",
        columns,
    )
    for engine in engines:
        row: list[Figure] = []
        for sound in moves:
            row += _follows(engine, sound)
            tick(f"{engine.name}: {sound.name}", sound.seconds)
        for sound in rests:
            row.append(_rests(engine, sound))
            tick(f"{engine.name}: {sound.name}", sound.seconds)
        if any(np.isfinite(figure.value) for figure in row):
            table.add(engine.name, row)
    return table


def _follows(engine: Engine, sound: Sound) -> tuple[Figure, Figure]:
    motion = engine.animate(sound)
    if motion is None:
        return NOTHING, NOTHING
    return follows(lip_gap(motion.values, motion.rig), motion.rate, sound.samples, sound.rate)


def _rests(engine: Engine, sound: Sound) -> Figure:
    motion = engine.animate(sound)
    if motion is None:
        return NOTHING
    gap = lip_gap(motion.values, motion.rig).astype(np.float64)
    size = round(motion.rate)
    pieces = [gap[a : a + size] for a in range(0, len(gap), size)]
    return resampled(
        np.arange(len(pieces), dtype=np.float64),
        lambda taken: float(np.percentile(np.concatenate([pieces[int(i)] for i in taken]), 95)),
    )


# -- robustness -----------------------------------------------------------------------------------


def measure_robustness(engines: Sequence[Engine], lines: Sequence[Line], tick: Tick) -> list[Table]:
    """Return recall and precision of closures on degraded speech, without its words."""
    heads = ("clean", *DEGRADATIONS)
    tables = [
        Table(f"robustness_{what}", f"Degraded speech: {what} of closures", says,
              [Column(name, _first_line(name), "high", "%") for name in heads])
        for what, says in (("recall", "Share of p b m with a closure."),
                           ("precision", "Share of closures that are at p b m f v."))
    ]  # fmt: skip
    for engine in engines:
        rows: tuple[list[Figure], list[Figure]] = ([], [])
        for name in heads:
            done = [replace(line, sound=_degraded(line.sound, name)) for line in lines]
            made = animated(engine, done, tick)
            found = closure_figures(spoken_curves(made)) if made else None
            rows[0].append(found.recall if found else NOTHING)
            rows[1].append(found.precision if found else NOTHING)
        for table, row in zip(tables, rows, strict=True):
            if any(np.isfinite(f.value) for f in row[1:]):
                table.add(engine.name, row)
    return tables


def _degraded(sound: Sound, name: str) -> Sound:
    if name == "clean":
        return sound
    return replace(DEGRADATIONS[name](sound), name=f"{sound.name}/{name.replace(' ', '-')}")


def _first_line(name: str) -> str:
    doc = DEGRADATIONS[name].__doc__ if name in DEGRADATIONS else "as given"
    return (doc or "").split("\n")[0].rstrip(".")


def measure_languages(engines: Sequence[Engine], tick: Tick) -> list[Table]:
    """Return recall and precision of closures in other languages, spoken by espeak."""
    said = {lang: lines for lang in sentences() if (lines := spoken(lang))}
    if not said:
        return []
    tables = [
        Table(f"languages_{what}", f"Other languages, synthetic voices: {what} of closures",
              "Sentences spoken by espeak, which tells its phones; the engine hears sound alone.",
              [Column(lang, f"{lang}, {len(said[lang])} sentences", "high", "%") for lang in said])
        for what in ("recall", "precision")
    ]  # fmt: skip
    for engine in engines:
        found = [_language(engine, lines, tick) for lines in said.values()]
        if any(f is not None for f in found):
            tables[0].add(engine.name, [f[0] if f else NOTHING for f in found])
            tables[1].add(engine.name, [f[1] if f else NOTHING for f in found])
    return tables


def _language(engine: Engine, lines: Sequence[Line], tick: Tick) -> tuple[Figure, Figure] | None:
    try:
        made = animated(engine, lines, tick)
    except InputError:
        return None  # an engine may refuse a language by name
    if not made:
        return None
    found = closure_figures(spoken_curves(made))
    return found.recall, found.precision
