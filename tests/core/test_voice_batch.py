"""The commands ``voice say``, ``voice list`` and ``voice batch``, with the offline voice."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from facewire.assemble import Assembly, assemble
from facewire.cli import main
from facewire.emotion import LABELS, State
from facewire.errors import InputError
from facewire.pipeline import Built
from facewire.profile import ComponentSpec, Profile, Speaker
from facewire.turns import load_turns
from facewire.types import Audio, Utterance
from facewire.voicing import Planning, Price, QuotaExhausted
from facewire.voicing.batch import Batch
from facewire.voicing.disk import known, sweep, whole, write_manifest, write_wav
from facewire.voicing.script import file_name, jobs_of, plan
from parts import Beep

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: Any) -> Run:
    monkeypatch.chdir(tmp_path)

    def _run(*args: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(args))
        told = capfd.readouterr()
        return int(ended.value.code or 0), " ".join((told.out + told.err).split())

    return _run


def script(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "scene.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


ROWS = (
    {"text": "Hello there.", "emotion": "joy", "level": 4},
    {"text": "[sad:40] I must go.", "id": "bye now/2", "speaker": "ada"},
    {"audio": "x.wav", "id": "given"},
    {"text": "[joy]", "id": "mute"},
    {"text": "Third turn."},
)


def test_a_batch_from_plan_to_manifest(tmp_path: Path, run: Run) -> None:
    path = str(script(tmp_path, *ROWS))
    code, told = run("voice", "batch", path, "--out", "a", "--dry-run")
    assert code == 0 and not (tmp_path / "a").exists()
    counted = "5 turns: 0 on disk, 2 without words to speak, 3 to make: 33 characters"
    assert told == counted
    code, told = run("voice", "batch", path, "--out", "a", "--workers", "3")
    assert code == 0 and told.startswith(counted) and "a/manifest.jsonl: 3 sounds" in told
    rows = [json.loads(line) for line in Path("a/manifest.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["001", "bye now/2", "005"]
    assert [row["text"] for row in rows] == ["Hello there.", "I must go.", "Third turn."]
    assert rows[0]["emotion"] == "joy" and rows[0]["level"] == 4
    assert rows[1]["speaker"] == "ada"
    assert rows[1]["vad"] == pytest.approx(State.named("sad", 0.4).vad, abs=1e-4)
    for row in rows:
        sound = soundfile.info(Path("a", row["file"]))
        assert (sound.samplerate, sound.subtype) == (22050, "PCM_16")
        marks = known(Path("a"), row["file"][:-4])["marks"]
        spoken = [row["text"][slice(*m["chars"])] for m in marks if m["kind"] == "word"]
        assert spoken == row["text"].rstrip(".").split()
        assert all(0 <= m["start"] <= m["end"] <= sound.frames for m in marks)
    before = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir("a")}
    code, told = run("voice", "batch", path, "--out", "a", "-q")
    assert (code, told) == (0, "")
    after = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir("a")}
    before.pop("manifest.jsonl"), after.pop("manifest.jsonl")
    assert before == after


def felt(folder: Path, rows: Sequence[dict[str, Any]], **options: Any) -> list[tuple[str, ...]]:
    """Return with which emotions each turn begins and goes on, as a voice is asked."""
    profile = Profile(name="p", sinks=(), **options)
    jobs = jobs_of(load_turns(script(folder, *rows)), profile)
    rows_of = [[job.utterance.emotion, *(e for _, e in job.utterance.changes)] for job in jobs]
    return [
        tuple(LABELS[int(one.weights[0].argmax())] if one else "none" for one in told)
        for told in rows_of
    ]


def test_what_a_turn_is_said_with(tmp_path: Path) -> None:
    rows = [
        {"text": "[sad] Gone.", "emotion": "joy"},
        {"text": "[joy] [anger] What [fear] now?"},
        {"text": "A chair."},
    ]
    found = [("sadness",), ("anger", "fear"), ("none",)]
    assert felt(tmp_path, rows) == felt(tmp_path, rows, emotion="disgust") == found
    assert felt(tmp_path, rows[1:]) == found[1:]
    assert felt(tmp_path, rows[1:], emotion="disgust") == [*found[1:2], ("disgust",)]


def test_a_turn_whose_emotion_changes_inside_is_another_turn(tmp_path: Path) -> None:
    texts = ["One two.", "One [joy] two.", "One [joy:50] two.", "[joy] One two.", "One two.[joy]"]
    path = script(tmp_path, *({"text": text} for text in texts))
    jobs = jobs_of(load_turns(path), Profile(name="p", sinks=()))
    assert len({job.digest for job in jobs}) == 4 and jobs[0].digest == jobs[4].digest


def test_workers_change_nothing(tmp_path: Path, run: Run) -> None:
    path = str(script(tmp_path, *({"text": f"This is turn {i}."} for i in range(6))))
    for out, workers in (("one", "1"), ("four", "4")):
        assert run("voice", "batch", path, "--out", out, "--workers", workers)[0] == 0
    one, four = ({p.name: p.read_bytes() for p in Path(out).iterdir()} for out in ("one", "four"))
    assert one == four and len(one) == 13


def test_the_manifest_is_made_from_what_is_there(tmp_path: Path) -> None:
    tone = np.full(1600, 0.5, np.float32)
    for name in ("a", "b", "foreign", "other"):
        write_wav(tmp_path / f"{name}.wav", tone, 16000)
    (tmp_path / "b.json").write_text('{"id": "b", "file": "b.wav", "text": "Hi", "seconds": 99}')
    (tmp_path / "gone.json").write_text('{"id": "gone", "file": "gone.wav"}')
    (tmp_path / "other.json").write_text('{"id": "of another script", "file": "other.wav"}')
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    names = [("b", "b"), ("a", "a"), ("gone", "gone"), ("broken", "broken")]
    assert write_manifest(tmp_path, names) == 3
    rows = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["b", "a", "of another script"]
    assert all((row["seconds"], row["rate"]) == (0.1, 16000) for row in rows)


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError), whole(path) as part:
        part.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]
    (tmp_path / ".facewire-1234.part").write_bytes(b"")
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


NAMES = {
    "001": "001",
    "scene-1.take_2": "scene-1.take_2",
    "시작": "시작",
    "a b": "a-b-c8687a",
    "../../etc": None,
    ".hidden": None,
    "-q": None,
    "CON": None,
    "nul.wav": None,
    "manifest": None,
    "x" * 200: None,
    "💥": None,
    "\U00020000" * 60: None,
}


def test_file_names_are_safe() -> None:
    for turn, name in NAMES.items():
        made = file_name(turn)
        assert name in (None, made) and len(made.encode()) <= 120
        assert (made == turn) == (name == turn)
        assert not set(made) & set('/\\:*?"<>|') and made[0] not in ".-"
    assert len({file_name(turn) for turn in NAMES}) == len(NAMES)


def test_ids_that_would_share_a_file(tmp_path: Path) -> None:
    path = script(tmp_path, {"id": "Ada", "text": "a"}, {"id": "ada", "text": "b"})
    with pytest.raises(InputError, match=r"turns 'Ada' and 'ada' would share the file ada\.wav"):
        jobs_of(load_turns(path), Profile(name="p", sinks=()))


WRONG = {
    ("voice", "batch", "none.jsonl", "--out", "a"): (2, "none.jsonl: no such file"),
    ("voice", "batch", "s.jsonl", "--out", "s.jsonl"): (2, "--out s.jsonl: is a file"),
    ("voice", "batch", "s.jsonl"): (2, "Missing option '--out'"),
    ("voice", "batch", "s.jsonl", "--out", "a", "--workers", "0"): (2, "'--workers'"),
    ("voice", "batch", "t.jsonl", "--out", "a"): (2, "turn '001', character 1: "),
    ("voice", "say", " "): (2, "the text is empty"),
    ("voice", "say", "[joy]", "--out", "x.wav"): (2, "nothing was said"),
    ("voice", "say", "Hi", "--out", "x.mp3"): (2, "expected a name that ends in .wav"),
    ("voice", "say", "[joi] Hi"): (2, "did you mean 'joy'"),
    ("voice", "list", "espaek"): (2, "did you mean 'espeak'"),
    ("voice", "sing"): (2, "No such command 'sing'"),
}


@pytest.mark.parametrize("args", WRONG, ids=" ".join)
def test_wrong_calls(args: tuple[str, ...], run: Run) -> None:
    Path("s.jsonl").write_text('{"text": "Hi"}')
    Path("t.jsonl").write_text('{"text": "[joi] Hi"}')
    code, said = run(*args)
    assert (code, WRONG[args][1] in said) == (WRONG[args][0], True), said
    assert {path.name for path in Path().iterdir()} == {"s.jsonl", "t.jsonl"}


def test_say_and_list(run: Run) -> None:
    code, told = run("voice", "say", "[joy] One two.", "--out", "new/x.wav")
    assert code == 0 and told.startswith("new/x.wav: ") and "2 words with times" in told
    assert soundfile.info("new/x.wav").duration > 0.3
    code, told = run("voice", "say", "Nothing but that", "--set", "voice.voice=de")
    assert code == 0 and list(Path().glob("nothing-but-that-*.wav"))
    code, told = run("voice", "list")
    assert code == 0 and "espeak" in told


class Costly(Beep, Planning):
    """Beeps, knows its price, and gives no more than ``quota`` utterances."""

    def __init__(self, quota: int) -> None:
        super().__init__()
        self.quota, self.told, self.asked = quota, [], []

    def plan(self, utterances: list[Utterance]) -> list[Price]:
        self.told = [one.text for one in utterances]
        return [Price(len(one.text), 0.5) for one in utterances]

    def speak(self, utterance: Utterance) -> Iterator[Audio]:
        self.asked.append(utterance)
        if len(self.asked) > self.quota:
            raise QuotaExhausted("nothing more")
        yield from super().speak(utterance)


def assembly(voice: Costly, path: Path, profile: Profile | None = None) -> Assembly:
    made = assemble(profile or Profile(name="p", sinks=()), "scene", path, several=True)
    made._voice = Built(voice, "costly", "voice")
    return made


def test_a_voice_that_plans_is_told_of_the_whole_script(tmp_path: Path) -> None:
    lines = load_turns(script(tmp_path, *({"text": f"{i} {i}"} for i in range(12))))
    first = Costly(5)
    todo = plan(lines, assembly(first, tmp_path), tmp_path / "a")
    assert [job.price for job in todo.todo][:2] == [Price(3, 0.5)] * 2
    outcome = Batch(todo.todo, todo.everything, [assembly(first, tmp_path)], tmp_path / "a").run()
    assert len(outcome.made) == 5 and len(outcome.left) == 7 and not outcome.failed
    assert isinstance(outcome.stopped, QuotaExhausted)
    again = plan(lines, assembly(second := Costly(99), tmp_path), tmp_path / "a")
    assert len(again.present) == 5 and second.told == [f"{i} {i}" for i in range(12)]
    batch = Batch(again.todo, again.everything, [assembly(second, tmp_path)], tmp_path / "a")
    assert len(batch.run().made) == 7
    assert [one.text for one in second.asked] == [f"{i} {i}" for i in range(5, 12)]
    assert second.asked[-1].previous == tuple(f"{i} {i}" for i in range(3, 11))


def test_speakers_have_their_own_voices(tmp_path: Path) -> None:
    rows = ({"text": "one", "speaker": "ada"}, {"text": "two", "speaker": "ben"}, {"text": "three"})
    lines = load_turns(script(tmp_path, *rows))
    speakers = {"ada": Speaker((ComponentSpec("espeak", {}, "x"),)), "ben": Speaker()}
    profile = Profile(name="p", sinks=(), speakers=speakers)
    todo = plan(lines, assembly(beep := Costly(9), tmp_path, profile), tmp_path / "a")
    assert beep.told == ["two", "three"]
    made = assembly(beep, tmp_path, profile)
    assert len(Batch(todo.todo, todo.everything, [made], tmp_path / "a").run().made) == 3
    voices = [known(tmp_path / "a", job.name)["voice"] for job in todo.everything]
    assert voices == ["espeak", "costly", "costly"]


def test_a_disk_that_refuses_stops_before_more_is_paid(tmp_path: Path) -> None:
    lines = load_turns(script(tmp_path, *({"text": f"{i}"} for i in range(9))))
    (tmp_path / "a/003.wav").mkdir(parents=True)
    voice = Costly(99)
    todo = plan(lines, assembly(voice, tmp_path), tmp_path / "a")
    outcome = Batch(todo.todo, todo.everything, [assembly(voice, tmp_path)], tmp_path / "a").run()
    assert (len(outcome.made), len(outcome.left), len(voice.asked)) == (2, 7, 3)
    assert "003.wav: cannot be written: is a directory" in str(outcome.stopped)
    assert not list((tmp_path / "a").glob(".facewire*"))
