"""The score of baked lines: each measure on sound and lips made for it, and planted faults."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from facewire.baking.record import MANIFEST
from facewire.baking.score import Judge, limits, read_notes
from facewire.baking.sound import listen
from facewire.cli.bake import command
from facewire.emotion import EmotionCurve
from facewire.rig import Rig
from facewire.types import Audio, Block, Frames, Mark, Reading, RunInfo, Utterance

RATE, FPS, RIG = 16000, Fraction(60), Rig.named("arkit61")
SECONDS = 3
SYLLABLE = 0.4  # seconds of "ba": 0.1 of B, 0.3 of AA


def babble() -> np.ndarray:
    """Return "ba ba ba …" with pause around it: loud at the vowels, nearly silent at each b."""
    at = np.arange(SECONDS * RATE) / RATE
    within = at % SYLLABLE
    loud = (within > 0.1) * np.sin(np.clip((within - 0.1) / 0.3, 0, 1) * np.pi)
    loud *= (at > 0.4) & (at < 2.4)
    sound = loud * sum(np.sin(2 * np.pi * 120 * k * at) / k for k in range(1, 9)) * 0.2
    return sound.astype(np.float32)


def lips(late: float = 0.0, deep: float = 0.3) -> np.ndarray:
    """Return the jaw (frames,) that goes with it: shut at each b, open at each vowel."""
    at = np.arange(SECONDS * 60) / 60 - late
    within = at % SYLLABLE
    jaw = (within > 0.1) * np.sin(np.clip((within - 0.1) / 0.3, 0, 1) * np.pi)
    return (deep * jaw * ((at > 0.4) & (at < 2.4))).astype(np.float32)


def told(confidence: float = 0.7) -> list[Mark]:
    marks = []
    for i in range(1, 6):
        a = round(i * SYLLABLE * RATE)
        b, z = a + RATE // 10, a + round(SYLLABLE * RATE)
        marks.append(Mark("word", "ba", a, z))
        marks.append(Mark("phone", "B", a, b, confidence=confidence))
        marks.append(Mark("phone", "AA1", b, z, confidence=confidence))
    return marks


def judged(
    sound: np.ndarray | None = None,
    jaw: np.ndarray | None = None,
    marks: list[Mark] | None = None,
    words: str = "ba ba ba ba ba",
    notes: tuple[str, ...] = (),
    readings: tuple[Reading, ...] = (),
    size: int = 60,
) -> dict:
    sound = babble() if sound is None else sound
    jaw = lips() if jaw is None else jaw
    marks = told() if marks is None else marks
    judge = Judge(words)
    judge.readings = readings
    judge.open(RunInfo("x", RIG, FPS, RATE))
    values = np.zeros((len(jaw), len(RIG)), np.float32)
    values[:, RIG.index("jawOpen")] = jaw
    for at in range(0, len(jaw), size):
        end = min(at + size, len(jaw))
        first, last = at * RATE // 60, end * RATE // 60
        said = tuple(mark for mark in marks if first <= mark.start < last)
        frames = Frames(values[at:end], RIG, FPS, at)
        audio = Audio(sound[first:last], RATE, first, said)
        judge.push(Block(frames, EmotionCurve().sample(at, end - at, FPS), audio))
    judge.close()
    return judge.scores(notes)


def test_a_good_line_is_not_suspected_however_it_is_cut() -> None:
    good = judged()
    assert good["suspicion"] < 0.05 and good["causes"] == []
    assert good["measures"]["missed_closures"] == 0 and good["measures"]["lag"] == 0
    assert judged(size=7) == good
    assert json.loads(json.dumps(good)) == good


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"sound": babble() * 0.002}, "silent, or nearly so"),
        ({"sound": np.clip(babble() * 6, -1, 1)}, "clipped"),
        ({"sound": np.where(np.arange(SECONDS * RATE) < RATE, babble(), 0)},
         "words where there is no sound"),
        ({"sound": np.random.default_rng(0).normal(0, 0.1, SECONDS * RATE).astype(np.float32),
          "marks": []}, "sound without words: no speech?"),
        ({"marks": told(0.15)}, "the words fit the sound badly"),
        ({"words": "ba " * 40}, "more words a second than anybody speaks"),
        ({"jaw": lips() + 0.2}, "lips stay open at p, b or m"),
        ({"jaw": lips(late=0.15)}, "lips and sound are shifted"),
        ({"jaw": lips(deep=0.0)}, "the mouth does not move"),
        ({"jaw": lips(deep=1.8)}, "out of range: jawOpen"),
        ({"notes": ("x.wav: the file is cut off; read 9 samples, what is there",)},
         "the file is cut off"),
        ({"notes": ("x.wav: damaged; read up to the damage",)}, "the file is damaged"),
        ({"notes": ("warning: the transcript does not match 2.9 s of the recording; phones",)},
         "the words do not match the sound"),
        ({"notes": ("in the transcript but not heard: 'ba', 'ba', 'ba'",)}, "words are not heard"),
        ({"readings": (Reading((0, 2), np.zeros(16, np.float32), np.zeros(3, np.float32), 0.1),)},
         "emotion is unsure"),
    ],
)  # fmt: skip
def test_each_fault_is_named(change: dict, cause: str) -> None:
    good, found = judged(), judged(**change)
    assert cause in found["causes"], found
    assert 1 >= found["suspicion"] > good["suspicion"] + 0.1


def test_a_cut_is_heard_at_the_last_sample() -> None:
    sound = babble()
    assert listen(sound, RATE).ends > 60
    cut = sound[: round(1.45 * RATE)]
    assert listen(cut, RATE).ends < 8
    found = judged(sound=cut, jaw=lips()[:87])
    assert "ends in the middle of a sound" in found["causes"]


def test_a_loud_line_is_not_taken_for_a_clipped_one() -> None:
    sound = babble()
    assert listen(sound / np.abs(sound).max(), RATE).clipped < 0.005
    assert listen(np.clip(sound * 4, -0.5, 0.5), RATE).clipped > 0.03  # brought down afterwards


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(5), np.full(RATE, 1e30)])
def test_any_finite_sound_is_scored(sound: np.ndarray) -> None:
    frames = len(sound) * 60 // RATE
    found = judged(sound.astype(np.float32), np.zeros(frames, np.float32), [], "")
    assert all(math.isfinite(value) for value in found["measures"].values())
    assert 0 <= found["suspicion"] <= 1


def test_notes_are_read_as_shares() -> None:
    note = "in the transcript but not heard: 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' and 2 more"
    assert read_notes([note], 1.0, 20)["unheard"] == 0.5
    found = read_notes(["warning: the transcript does not match 1.2 s of the recording; x"], 4, 9)
    assert found["mismatch"] == pytest.approx(0.3) and found["unheard"] == 0


def test_every_measure_has_a_limit_and_every_limit_a_measure() -> None:
    judge = Judge("ba")
    judge.open(RunInfo("x", RIG, FPS, RATE))
    assert set(judge.measured(())) == set(limits())
    docs = Path(__file__).parents[2].joinpath("docs/bake.md").read_text("utf-8")
    assert [measure for measure in limits() if f"`{measure}`" not in docs] == []


# -- planted faults ------------------------------------------------------------------------------

SAID = (
    "Put the map on the table.", "My brother built this boat.", "Open the gate and let them in.",
    "Please help me move the box.", "Keep your voice down.", "We found nothing but bones.",
    "They paid a hundred coins.", "Be careful, the floor is wet.", "I am afraid of the dark.",
    "The captain wants to speak.", "Nobody told me about it.", "Maybe we can try again.",
)  # fmt: skip
PROFILE = 'model: phonemes\nsinks: [{use: files.npz, path: "{out}/{name}.npz"}]\n'


@pytest.fixture
def voice():
    plugin = pytest.importorskip("facewire_espeak.plugin")
    spoken = pytest.importorskip("facewire_espeak.voice").Espeak(plugin.EspeakConfig())

    def say(text: str) -> tuple[np.ndarray, int]:
        pieces = list(spoken.speak(Utterance(text)))
        return np.concatenate([piece.samples for piece in pieces]), pieces[0].rate

    return say


def _planted(name: str, sound: np.ndarray, rate: int) -> np.ndarray:
    noise = np.random.default_rng(5).normal(0, 1, len(sound))
    return {
        "clipped": lambda: np.clip(sound * 9, -1, 1),
        "silent": lambda: noise * 1e-4,
        "noise": lambda: noise * 0.1,
        "cut": lambda: sound[: int(len(sound) * 0.55)],
    }[name]()


def test_five_faults_in_a_hundred_lines_are_the_worst_five(voice, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(PROFILE, "utf-8")
    sounds = {text: voice(text) for text in SAID}
    rows = [{"id": f"text{i}", "text": SAID[i % 12]} for i in range(77)]
    for i, (text, (sound, rate)) in enumerate(sounds.items()):
        for k, gain in enumerate((1.0, 0.4)):
            if len(rows) < 95:
                path = f"good{i}{k}.wav"
                soundfile.write(path, sound * gain, rate)
                rows.append({"id": f"good{i}{k}", "audio": path, "transcript": text})
    for i, name in enumerate(("clipped", "silent", "noise", "cut")):
        sound, rate = sounds[SAID[i]]
        soundfile.write(f"{name}.wav", _planted(name, sound, rate), rate)
        rows.append({"id": f"fault_{name}", "audio": f"{name}.wav", "transcript": SAID[i]})
    rows.append({"id": "fault_words", "audio": "good40.wav", "transcript": SAID[9]})
    assert len(rows) == 100
    Path("s.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = CliRunner().invoke(
        command, ["s.jsonl", "--profile", "p.yaml", "--quiet"], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in Path("out", MANIFEST).read_text("utf-8").splitlines()]
    lines.sort(key=lambda line: -line["scores"]["suspicion"])
    worst = {line["name"]: line["scores"] for line in lines[:5]}
    others = [(line["name"], line["scores"]) for line in lines[5:12]]
    assert all(name.startswith("fault_") for name in worst), (worst, others)
