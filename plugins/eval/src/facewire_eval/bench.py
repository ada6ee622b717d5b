"""The whole benchmark: what is asked for is measured, one table after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facewire_eval import __version__, baselines, faces, feelings, speech
from facewire_eval.engines import Engine
from facewire_eval.items import Line, Sound, Take, load_lines, load_takes, load_untold
from facewire_eval.speech import bilabials
from facewire_eval.table import Report

PARTS = ("faces", "speech", "sounds", "robustness", "languages", "emotions")
VOCAL = "laugh|sob|cry|scream|breath|hum|cough|sigh|moan"
"""What recordings without transcript are called that are vocal sounds, not speech."""
Tick = Callable[[str, float], None]


@dataclass(slots=True)
class Task:
    """What to measure: engines on takes, recordings and sounds; ``parts`` of ``PARTS``."""

    engines: Sequence[Engine]
    takes: Sequence[Take] = ()
    lines: Sequence[Line] = ()
    sounds: Sequence[Sound] = ()
    parts: Sequence[str] = PARTS
    about: dict[str, object] = field(default_factory=dict)

    @staticmethod
    def read(
        engines: Sequence[Engine],
        faces: Path | None,
        speech: Path | None,
        parts: Sequence[str] = PARTS,
        lang: str | None = None,
    ) -> Task:
        """Read the folders; the baselines join the engines. InputError if one has nothing."""
        takes = load_takes(faces, lang) if faces else []
        lines = load_lines(speech, lang) if speech else []
        sounds = load_untold(speech, VOCAL) if speech else []
        about = {
            "facewire-eval": __version__,
            "takes": {take.sound.name: round(take.sound.seconds, 2) for take in takes},
            "recordings": {line.sound.name: round(line.sound.seconds, 2) for line in lines},
            "bilabials": sum(len(bilabials(line)) for line in lines),
        }
        named = {engine.name for engine in engines}
        own: list[Engine] = [baselines.phones(), baselines.Loudness()]
        if baselines.Linear.fits(takes):
            own.insert(1, baselines.Linear(takes))
        everyone = [*engines, *(engine for engine in own if engine.name not in named)]
        return Task(everyone, takes, lines, sounds, parts, about)

    def seconds(self) -> float:
        """Return about how many seconds of sound all engines go through, for a progress bar."""
        takes = sum(take.sound.seconds for take in self.takes) if "faces" in self.parts else 0
        lines = sum(line.sound.seconds for line in self.lines)
        told = sum(engine.can_hear_words for engine in self.engines)
        total = len(self.engines) * takes
        if "speech" in self.parts:
            total += (len(self.engines) + told) * lines
        if "robustness" in self.parts:
            total += len(self.engines) * lines * 8
        if "sounds" in self.parts:
            total += len(self.engines) * (47 + sum(s.seconds for s in self.sounds))
        if "languages" in self.parts:
            total += len(self.engines) * 31
        if "emotions" in self.parts:
            heard = sum(line.sound.seconds for line in feelings.shortest(self.lines))
            total += sum(engine.can_feel for engine in self.engines) * (63 * 4 + 16 * heard)
        return total


def run(task: Task, tick: Tick = lambda what, seconds: None) -> Report:
    """Measure everything; ``tick(what, seconds of sound)`` is called after each run."""
    report = Report(about=dict(task.about))
    engines = list(task.engines)
    if task.takes and "faces" in task.parts:
        seen = {e.name: faces.animated(e, task.takes, tick) for e in engines}
        seen = {name: made for name, made in seen.items() if made}
        report.tables += faces.measure_faces(seen, task.takes)
        report.curves += faces.curves_of_faces(seen, task.takes)
    if task.lines and "speech" in task.parts:
        heard = speech.hear_all(engines, task.lines, tick)
        report.tables.append(speech.measure_speech(heard, task.lines))
        report.curves += speech.curves_of_speech(heard, task.lines)
    if "sounds" in task.parts:
        report.tables.append(speech.measure_sounds(engines, task.sounds, tick))
    if task.lines and "robustness" in task.parts:
        report.tables += speech.measure_robustness(engines, task.lines, tick)
    if "languages" in task.parts:
        report.tables += speech.measure_languages(engines, tick)
    if "emotions" in task.parts:
        _emotions(report, task, tick)
    for engine in engines:
        report.notes += [f"{note}" for note in engine.notes()]
    return report


def _emotions(report: Report, task: Task, tick: Tick) -> None:
    mouth = baselines.phones().name  # it has no layers, so no emotion
    feeling = [engine for engine in task.engines if engine.can_feel and engine.name != mouth]
    table, notes = feelings.measure_emotions(feeling, task.lines, tick)
    report.tables.append(table)
    report.notes += notes
