"""Items of captured takes: as they are, and as if another person had said the same elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from facewire.types import Context, FloatArray
from numpy.typing import NDArray

from facewire_trajectory.augment import augment
from facewire_trajectory.corpus.build import Scene, arrays_of, entry_of
from facewire_trajectory.corpus.emotions import NEUTRAL, condition
from facewire_trajectory.corpus.faces import LinearMap, Take, offset, read_takes, takes_in
from facewire_trajectory.corpus.plan import Job, table
from facewire_trajectory.corpus.store import Arrays, Entry
from facewire_trajectory.corpus.texts import Expander
from facewire_trajectory.corpus.voices import Manner, espeak
from facewire_trajectory.mel import HOP, log_mel
from facewire_trajectory.revoice import respoken
from facewire_trajectory.sound import at_level
from facewire_trajectory.targets import FPS, SPEECH, Targets, levels, solve

Make = Callable[[], list[tuple[Entry, Arrays]]]
COPIES = 10
"""How often a take comes again by another speaker in another room."""
LICENCE = "MIT (FACEGOOD takes)"
_TURNS = 80  # synthetic turns that the map for the offsets is fitted on
_SPEAKING = 0.35  # of the level's range (21 dB): what is so far below the loudest is no speech
_HANGOVER = 12  # rows before and after it that belong to it


def hearing(lang: str = "cmn", seed: int = 0) -> LinearMap:
    """Return a map from sound to the gap, fitted on synthetic speech of a language."""
    random = Context(name="hearing", seed=seed).random(lang)
    expander, variants = Expander(lang, random), table()["espeak"]["variants"]["train"]
    pairs = []
    for _ in range(_TURNS):
        manner = Manner(*np.exp(random.normal(0.0, (0.16, 0.12, 0.09))).tolist())
        voice = (
            f"{random.choice(table()['espeak']['voices'][lang]['names'])}+{random.choice(variants)}"
        )
        said = espeak(expander.single().lines[0].text, voice, manner)
        samples = at_level(said.samples, -24.0)
        gap = solve(samples, said.phones).artic[:, 0].astype(np.float64)
        pairs.append((log_mel(samples), gap))
    return LinearMap(pairs)


@cache
def _heard(folder: Path, lang: str, seed: int) -> dict[str, tuple[Take, float, float]]:
    """Return each take with its offset and how sure that is."""
    heard = hearing(lang, seed)
    return {take.name: (take, *offset(take, heard)) for take in read_takes(folder)}


def jobs(folder: Path, lang: str = "cmn", seed: int = 0) -> list[tuple[str, Make]]:
    """Return the ids of a folder's items and what makes each; takes are read when one is made."""
    found: list[tuple[str, Make]] = []
    for copy in range(-1, COPIES):
        for path in takes_in(folder):
            name = f"real-{path.stem}" + (f"-a{copy}" if copy >= 0 else "")
            found.append((name, partial(build, folder, path.stem, name, lang, seed)))
    return found


def build(folder: Path, name: str, item: str, lang: str, seed: int) -> list[tuple[Entry, Arrays]]:
    """Return the item of a take as captured, its own offset removed, or as if somebody else's."""
    take, late, sure = _heard(folder, lang, seed)[name]
    random = Context(name=item, seed=seed).random("item")
    if item == f"real-{name}":
        entry, arrays = _item(take, item, 1.0, 1.0, late, lang, random)
        entry = replace(entry, text=f"offset {1000 * late:.1f} ms, correlation {sure:.2f}")
        # The frames as captured too, at their own rate and with their own offset.
        return [(entry, {**arrays, "native": take.values, "native_fps": np.array(take.fps)})]
    size, pace = np.exp(random.normal(0.0, (0.11, 0.10))).clip(0.75, 1.33).tolist()
    return [_item(take, item, size, pace, late, lang, random)]


def _item(
    take: Take,
    name: str,
    size: float,
    pace: float,
    late: float,
    lang: str,
    random: np.random.Generator,
) -> tuple[Entry, Arrays]:
    """Return a take's item, ``late`` seconds earlier; augmented unless size and pace are 1."""
    clean = size == pace == 1.0
    samples = take.samples if clean else respoken(take.samples, size, pace)
    samples = at_level(samples, -24.0)
    pace = len(take.samples) / max(len(samples), 1)  # as it came out
    rows = -(-len(samples) // HOP)
    times = np.arange(rows) / FPS * pace
    mask = np.tile(take.captured, (rows, 1)).astype(np.uint8)
    inside = (times + late >= 0) & (times + late <= (len(take.values) - 1) / take.fps)
    mask[~inside] = 0
    targets = Targets(
        take.at(times + late).astype(np.float32), _speech(samples), np.zeros(rows, np.int8)
    )
    scene = Scene(labels=[NEUTRAL], count=len(samples))
    job = Job(name, "real", "faces", take.name, lang, f"faces-{take.name}", "train", LICENCE)
    entry = replace(entry_of(job, scene, rows), offset=round(late, 5))
    done = ""
    if not clean:
        samples, done = augment(samples, random)
        done = f"size {size:.2f} pace {pace:.2f} {done}".strip()
        entry = replace(entry, augmented=True, augmentation=done)
    arrays = arrays_of(samples, targets, condition(scene.labels, rows, 0.0))
    return entry, {**arrays, "mask": mask}


def _speech(samples: FloatArray) -> NDArray[np.uint8]:
    """Return the class of sound of rows: speech where it is loud, and shortly before and after."""
    loud = levels(samples)
    speaking = loud > np.percentile(loud, 95) - _SPEAKING
    near = np.convolve(speaking, np.ones(2 * _HANGOVER + 1), "same") > 0
    return np.where(near, SPEECH, 0).astype(np.uint8)
