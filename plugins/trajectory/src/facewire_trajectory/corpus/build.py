"""From a job to an item: the sound, what is heard when, and the rows that a model learns from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from facewire.articulation import PhoneTime
from facewire.emotion import LEVELS, State
from facewire.errors import FacewireError
from facewire.types import Context, FloatArray
from numpy.typing import NDArray

from facewire_trajectory import noises, vocal
from facewire_trajectory.augment import augment
from facewire_trajectory.corpus.emotions import NEUTRAL, Label, anchors, condition
from facewire_trajectory.corpus.plan import Job
from facewire_trajectory.corpus.store import Arrays, Entry
from facewire_trajectory.corpus.texts import Line
from facewire_trajectory.corpus.voices import SPEAK, Manner, Speech
from facewire_trajectory.mel import HOP, RATE, log_mel
from facewire_trajectory.sound import at_level
from facewire_trajectory.targets import Targets, solve

AUGMENTED = 0.8
"""Share of the items that come a second time, as if recorded elsewhere."""
_FLOOR_DB = -80.0
_SPEECH_DB, _VARIED = -24.0, 4.0  # RMS of a synthesised voice, and its deviation
_AROUSED = {"pace": 0.25, "pitch": 0.35, "db": 8.0}  # of 1 of arousal above the usual
_USUAL_AROUSAL = 0.45
_CHANGE = (0.0, 0.4, 0.8, 1.5)  # seconds of a change of emotion; 0: the timeline's own
FILLERS = ("uh", "um", "er", "ah", "oh", "eh", "so", "well", "and", "aha", "no", "yeah")
_MOVED = {"joy": "laugh", "excitement": "laugh", "sadness": "sob", "anger": "effort"}


@dataclass(slots=True)
class Scene:
    """Sound that grows from left to right, with its phones, sounds, labels and text."""

    parts: list[FloatArray] = field(default_factory=list)
    phones: list[PhoneTime] = field(default_factory=list)
    sounds: list[PhoneTime] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    count: int = 0

    @property
    def seconds(self) -> float:
        """How long the scene is so far."""
        return self.count / RATE

    def add(self, samples: FloatArray) -> None:
        """Append samples."""
        self.parts.append(samples.astype(np.float32))
        self.count += len(samples)

    def pause(self, seconds: float) -> None:
        """Append silence."""
        self.add(np.zeros(int(RATE * seconds), np.float32))

    def speak(self, speech: Speech) -> None:
        """Append speech."""
        self.phones += _later(speech.phones, self.seconds)
        self.add(speech.samples)

    def sound(self, name: str, samples: FloatArray) -> None:
        """Append a vocal sound."""
        at = self.seconds
        self.add(samples)
        self.sounds.append(PhoneTime(name, at, self.seconds))

    def feel(self, line: Line) -> None:
        """Note that a line's emotion begins here."""
        if not self.labels or self.labels[-1][1:] != (line.emotion, line.level):
            at = self.seconds if self.labels else 0.0
            self.labels.append((round(at, 3), line.emotion, line.level))

    def samples(self, random: np.random.Generator) -> FloatArray:
        """Return the whole sound over the faint noise of a quiet recording."""
        whole = np.concatenate(self.parts) if self.parts else np.zeros(0, np.float32)
        floor = random.normal(0, 10 ** (_FLOOR_DB / 20), len(whole))
        return (whole + floor).astype(np.float32)


def _later(times: list[PhoneTime], seconds: float) -> list[PhoneTime]:
    return [PhoneTime(p.text, p.start + seconds, p.end + seconds) for p in times]


def _manner(random: np.random.Generator) -> Manner:
    return Manner(
        pace=float(np.clip(np.exp(random.normal(0.0, 0.16)), 0.65, 1.6)),
        pitch=float(np.exp(random.normal(0.0, 0.12))),
        size=float(np.clip(np.exp(random.normal(0.0, 0.09)), 0.8, 1.25)),
    )


def _felt(manner: Manner, line: Line) -> tuple[Manner, float]:
    """Return how an emotion changes a manner, and by how many dB its loudness."""
    aroused = State.named(line.emotion, LEVELS[line.level - 1]).vad[1] - _USUAL_AROUSAL
    felt = Manner(
        manner.pace * float(np.exp(_AROUSED["pace"] * aroused)),
        manner.pitch * float(np.exp(_AROUSED["pitch"] * aroused)),
        manner.size,
    )
    return felt, _AROUSED["db"] * aroused


def speech(job: Job, random: np.random.Generator) -> Scene:
    """Speak a turn: its lines with pauses, now and then a breath before or a laugh after one."""
    assert job.turn is not None
    scene, manner, person = Scene(), _manner(random), vocal.Person.drawn(random)
    db = _SPEECH_DB + _VARIED * random.normal()
    for line in job.turn.lines:
        scene.feel(line)
        long = random.random() < 0.08
        scene.pause(random.uniform(0.8, 2.5) if long else random.uniform(0.1, 0.7))
        if random.random() < 0.15:
            scene.sound("breath", vocal.make("breath", person, random))
            scene.pause(random.uniform(0.0, 0.15))
        felt, louder = _felt(manner, line)
        said = SPEAK[job.source](line.text, job.voice, felt)
        scene.speak(Speech(at_level(said.samples, db + louder), said.phones))
        moved = _MOVED.get(line.emotion)
        if moved and random.random() < 0.25:
            scene.pause(random.uniform(0.1, 0.5))
            scene.sound(moved, vocal.make(moved, person, random))
    scene.pause(random.uniform(0.2, 0.9))
    return scene


def sustained(job: Job, random: np.random.Generator) -> Scene:
    """Hesitate: short words drawn out by a voice, and vowels that are held."""
    program, voice = job.voice.split(" ")
    scene, manner, person = Scene(), _manner(random), vocal.Person.drawn(random)
    db = _SPEECH_DB + _VARIED * random.normal()
    for _ in range(int(random.integers(3, 7))):
        scene.pause(random.uniform(0.1, 0.9))
        if random.random() < 0.5:
            slow = Manner(random.uniform(0.28, 0.6), manner.pitch, manner.size)
            said = SPEAK[program](str(random.choice(FILLERS)), voice, slow)
        else:
            name = str(random.choice(list(vocal.VOWELS)))
            sung = vocal.sustained_vowel(name, person, random)
            said = Speech(sung, [PhoneTime(name, 0.0, len(sung) / RATE)])
        scene.speak(Speech(at_level(said.samples, db + 3.0 * random.normal()), said.phones))
    scene.pause(random.uniform(0.2, 0.9))
    return scene


def noise(job: Job, random: np.random.Generator) -> Scene:
    """Make noise or music of 3 to 8 s with pauses, or silence."""
    scene = Scene()
    scene.pause(random.uniform(0.1, 1.0))
    for _ in range(int(random.integers(1, 4))):
        count = int(RATE * random.uniform(1.0, 3.5))
        _, made = noises.drawn(count, random)
        scene.add(at_level(made, random.uniform(-55.0, -14.0)))
        scene.pause(random.choice([0.0, 0.5, 1.5]))
    return scene


def vocal_scene(job: Job, random: np.random.Generator) -> Scene:
    """Make some vocal sounds."""
    samples, times = vocal.scene(random)
    scene = Scene()
    scene.add(samples)
    scene.sounds = times
    return scene


MAKERS = {"speech": speech, "vocal": vocal_scene, "other": noise, "sustained": sustained}
"""What makes a job of a kind, or of a source that is made in its own way."""


def drawn_labels(seconds: float, random: np.random.Generator) -> list[Label]:
    """Return one or two emotions for a sound that nobody speaks; half of them neutral."""
    from facewire.emotion import LABELS

    labels: list[Label] = [NEUTRAL]
    if random.random() < 0.5:
        labels = [(0.0, str(random.choice(LABELS)), int(random.integers(1, 6)))]
    return _changed(labels, seconds, random, 0.4)


def _changed(
    labels: list[Label], seconds: float, random: np.random.Generator, chance: float
) -> list[Label]:
    """Return labels, with a change somewhere if there was none and chance has it."""
    from facewire.emotion import LABELS

    if len(labels) == 1 and random.random() < chance:
        at = round(float(random.uniform(0.2, 0.8)) * seconds, 3)
        return [*labels, (at, str(random.choice(LABELS)), int(random.integers(1, 6)))]
    return labels


def arrays_of(
    samples: FloatArray, targets: Targets, rows: FloatArray
) -> dict[str, NDArray[np.generic]]:
    """Return an item's arrays of its sound, targets and condition and expression rows (n, 71)."""
    return {
        "mel": log_mel(samples), "cond": rows[:, :19], "expr": rows[:, 19:],
        "artic": targets.artic, "mask": np.ones(targets.artic.shape, np.uint8),
        "sound": targets.sound, "phones": targets.phones,
    }  # fmt: skip


def entry_of(job: Job, scene: Scene, rows: int) -> Entry:
    """Return the manifest's line of a scene."""
    marks = [(p.text, round(p.start, 4), round(p.end, 4)) for p in (*scene.phones, *scene.sounds)]
    text = " ".join(line.text for line in job.turn.lines) if job.turn else ""
    return Entry(
        job.id, job.kind, job.source, job.voice, job.lang, job.group, job.split, text,
        scene.labels, job.licence, seconds=round(scene.seconds, 4), rows=rows,
        marks=sorted(marks, key=lambda mark: mark[1]),
        dialogue=job.turn.dialogue if job.turn else "",
    )  # fmt: skip


def build(job: Job, seed: int = 0) -> Iterator[tuple[Entry, Arrays]]:
    """Yield a job's item, and for most jobs the same once more as if recorded elsewhere."""
    random = Context(name=job.id, seed=seed).random("item")
    if job.kind == "anchor":
        yield _anchor(job, random)
        return
    try:
        scene = MAKERS[job.source if job.source in MAKERS else job.kind](job, random)
    except FacewireError as error:
        raise type(error)(f"{job.id}: {error}") from error
    if not scene.labels:
        scene.labels = drawn_labels(scene.seconds, random)
    scene.labels = _changed(scene.labels, scene.seconds, random, 0.2)
    samples = scene.samples(random)
    yield from both(entry_of(job, scene, -(-len(samples) // HOP)), samples, scene, random)


def both(
    entry: Entry, samples: FloatArray, scene: Scene, random: np.random.Generator
) -> Iterator[tuple[Entry, Arrays]]:
    """Yield an item as it is, and augmented."""
    from dataclasses import replace

    targets = solve(samples, scene.phones, scene.sounds)
    rows = condition(scene.labels, entry.rows, float(random.choice(_CHANGE)))
    arrays = arrays_of(samples, targets, rows)
    yield entry, arrays
    if random.random() < AUGMENTED:
        heard, done = augment(samples, random)
        other = replace(entry, id=f"{entry.id}-a", augmented=True, augmentation=done)
        yield other, {**arrays, "mel": log_mel(heard)}


def _anchor(job: Job, random: np.random.Generator) -> tuple[Entry, Arrays]:
    """Return a preset held for 1.5 s in silence."""
    preset, row = anchors()[job.detail]
    count = int(1.5 * RATE)
    samples = np.zeros(count, np.float32)
    if "quiet" in job.id:
        samples = random.normal(0, 10 ** (_FLOOR_DB / 20), count).astype(np.float32)
    elif "room" in job.id:
        made = noises.make("coloured", count, random)
        samples = made * np.float32(10 ** (random.uniform(-40.0, -20.0) / 20))
    rows = np.repeat(row[None], -(-count // HOP), axis=0)
    scene = Scene(labels=[(0.0, preset.family, preset.level)], count=count)
    return entry_of(job, scene, len(rows)), arrays_of(samples, solve(samples), rows)
