"""Folders in, tables out: the readers, the degradations and the command, on small made data."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from facewire.articulation import PhoneTime
from facewire.errors import FacewireError, InputError
from facewire.rig import Rig
from facewire.testing import voiced
from facewire_eval.baselines import Loudness
from facewire_eval.bench import Task, run
from facewire_eval.command import command
from facewire_eval.degrade import DEGRADATIONS
from facewire_eval.engines import FolderEngine, ProfileEngine
from facewire_eval.items import Line, Sound, load_lines, load_takes, load_untold
from facewire_eval.languages import sentences, spoken
from facewire_eval.metrics import energy
from facewire_eval.page import page
from facewire_eval.synthesis import MOVES, RESTS
from facewire_eval.table import Column, Figure, Table
from facewire_eval.textgrid import read_textgrid

RIG = Rig.named("arkit52")
RATE = 16000
LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 2
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 2
            text = "ma ""pa"" 3"
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 2
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "M"
        intervals [2]:
            xmin = 0.5
            xmax = 2
            text = "AA1"
"""
SHORT = (
    '"ooTextFile"\n"TextGrid"\n0\n2\n<exists>\n1\n"IntervalTier"\n"Ann - phones"\n0\n2\n2\n'
    '0\n0.5\n"M"\n0.5\n2\n"AA1"\n'
)


def folder(path: Path, names: tuple[str, ...] = ("a", "b")) -> Path:
    """Write takes of speech-like sound and a jaw that follows it, and a TextGrid each."""
    path.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        sound = voiced(4.0, RATE, seed).samples
        soundfile.write(path / f"{name}.wav", sound, RATE)
        values = np.zeros((120, 52), np.float32)
        level = energy(sound, RATE, 120, 30.0)
        values[:, RIG.index("jawOpen")] = 0.3 * np.clip(1 + level / 30, 0, 1)
        np.savez(path / f"{name}.npz", values=values, channels=np.array(RIG.channels), fps=30.0)
        (path / f"{name}.TextGrid").write_text(LONG)
    return path


@pytest.mark.parametrize("text", [LONG, SHORT])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_textgrids_in_both_forms(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(text, encoding)
    assert read_textgrid(path) == [PhoneTime("M", 0.0, 0.5), PhoneTime("AA1", 0.5, 2.0)]


@pytest.mark.parametrize(("text", "says"), [
    ("hello", "no tier of intervals"),
    (SHORT.replace("phones", "tones"), "found Ann - tones"),
    (SHORT[:-20], "is no TextGrid that can be read"),
])  # fmt: skip
def test_what_is_no_textgrid_is_told(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_textgrid(path)


def test_folders_are_read_by_stem(tmp_path: Path) -> None:
    takes = load_takes(folder(tmp_path), "zh")
    assert [take.sound.name for take in takes] == ["a", "b"]
    assert takes[0].motion.values.shape == (120, 52) and takes[0].motion.fps == 30
    assert takes[0].sound.lang == "zh"
    lines = load_lines(tmp_path)
    assert lines[0].phones[0] == PhoneTime("M", 0.0, 0.5)
    soundfile.write(tmp_path / "one_Laugh.wav", np.zeros(RATE), RATE)
    assert [s.name for s in load_untold(tmp_path, "laugh")] == ["one_Laugh"]


def test_folders_with_nothing_are_told(tmp_path: Path) -> None:
    for load in (load_takes, load_lines):
        with pytest.raises(InputError, match="found no"):
            load(tmp_path)
        with pytest.raises(InputError, match="is no folder"):
            load(tmp_path / "none")


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_degradations_keep_length_and_repeat_themselves(name: str) -> None:
    sound = Sound("s", voiced(2.0, RATE).samples, RATE)
    made, again = (DEGRADATIONS[name](sound) for _ in range(2))
    assert made.samples.dtype == np.float32 and len(made.samples) == len(sound.samples)
    assert np.array_equal(made.samples, again.samples) and np.isfinite(made.samples).all()
    assert not np.array_equal(made.samples, sound.samples)


def test_degradations_do_what_they_say() -> None:
    sound = Sound("s", voiced(3.0, RATE).samples, RATE)

    def tonal(samples: np.ndarray) -> float:
        """Return how much the first harmonics stand out of their surroundings."""
        power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
        return float(np.percentile(power[300:3000], 99) / np.median(power[300:3000]))

    assert tonal(DEGRADATIONS["whisper"](sound).samples) < 0.1 * tonal(sound.samples)
    rates = np.fft.rfftfreq(len(sound.samples), 1 / RATE)
    power = np.abs(np.fft.rfft(DEGRADATIONS["telephone"](sound).samples)) ** 2
    assert power[rates > 4200].sum() < 1e-3 * power.sum()
    noise = DEGRADATIONS["noise 5 dB"](sound).samples - sound.samples
    snr = 10 * np.log10((sound.samples**2).mean() / (noise**2).mean())
    assert snr == pytest.approx(5.0, abs=0.1)
    assert (np.abs(DEGRADATIONS["clipping"](sound).samples) == 1.0).mean() > 0.01


def test_synthesised_sounds_are_the_same_each_time() -> None:
    for make in (*MOVES.values(), *RESTS.values()):
        one, other = make(), make()
        assert np.array_equal(one.samples, other.samples)
        assert one.samples.dtype == np.float32 and np.abs(one.samples).max() <= 1
    laugh = MOVES["laughter"]()
    level = energy(laugh.samples, laugh.rate, 600, 100.0)[100:260]
    power = np.abs(np.fft.rfft(level - level.mean()))
    assert np.fft.rfftfreq(160, 0.01)[power.argmax()] == pytest.approx(4.7, abs=0.4)


def test_other_languages_have_phones_with_bilabials() -> None:
    for lang in sentences():
        lines = spoken(lang)
        assert lines is not None and len(lines) == 3
        texts = [p.text for line in lines for p in line.phones]
        assert sum(text[:1] in "pbm" for text in texts) >= 6, lang


def test_benchmark_of_cheap_engines_is_whole_and_repeats(tmp_path: Path) -> None:
    takes, lines = load_takes(folder(tmp_path)), load_lines(tmp_path)
    parts = ("faces", "speech", "sounds", "robustness")
    ticks: list[float] = []
    task = Task([Loudness(), FolderEngine("own", tmp_path)], takes, lines, (), parts)
    report = run(task, lambda what, seconds: ticks.append(seconds))
    again = run(task)
    assert json.dumps(report.data()) == json.dumps(again.data())
    assert sum(ticks) > 60
    gap = next(t for t in report.tables if t.key == "faces_gap")
    assert gap.rows["own"][0].value == pytest.approx(1.0)
    assert gap.rows["loudness"][0].value > 0.9
    robust = next(t for t in report.tables if t.key == "robustness_recall")
    assert list(robust.rows) == ["loudness"]  # nobody's files are of degraded sound
    text = page(report)
    assert "<svg" in text and not re.search(r"(src|href)\s*=|url\(|@import", text)
    assert "loudness" in report.text()


def test_profile_engine_runs_live_and_with_emotion() -> None:
    from facewire.emotion import State
    from facewire.profile import load_profile

    profile = load_profile("default")
    sound = Sound("s", np.zeros(RATE, np.float32), RATE)
    live = ProfileEngine(profile, live=True)
    assert live.name == "default, live" and not live.can_hear_words
    calm, glad = (live.still().animate(sound, None, state) for state in (None, State.named("joy")))
    assert calm is not None and glad is not None
    smile = glad.rig.index("mouthSmileLeft")
    assert glad.values[-1, smile] > calm.values[-1, smile] + 0.1
    assert calm.fps == Fraction(60) and len(calm.values) == 60


def test_command_measures_anothers_files(tmp_path: Path) -> None:
    faces = folder(tmp_path / "faces")
    out = tmp_path / "out"
    options = ["--csv", f"own={faces}", "--faces", str(faces), "--only", "faces", "--json"]
    done = CliRunner().invoke(command, [*options, "--out", str(out)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    rows = told["tables"]["faces_gap"]["rows"]
    assert set(rows) == {"captured", "own", "phones", "linear map", "loudness"}
    assert rows["own"][0]["value"] == pytest.approx(1.0)
    assert json.loads((out / "eval.json").read_text()) == told
    assert (out / "eval.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(("options", "says"), [
    (["--csv", "theirs"], "expected NAME=FOLDER"),
    (["--csv", "theirs=nowhere"], "is no folder"),
    (["--profile", "default", "--profile", "default"], "two engines are called 'default'"),
    (["--faces", "nowhere"], "is no folder"),
])  # fmt: skip
def test_command_tells_mistakes_in_a_line(options: list[str], says: str) -> None:
    done = CliRunner().invoke(command, options)
    assert isinstance(done.exception, FacewireError) and says in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_table_is_as_wide_as_its_columns() -> None:
    table = Table("t", "T", "", [Column("r", better="high"), Column("t", unit="ms")])
    table.add("a", [Figure(0.5, 0.4, 0.6, 9), Figure(0.0123)])
    table.add("b", [Figure(float("nan")), Figure(-0.0001)])
    assert ".500 [.400, .600]" in table.text() and "12" in table.text()
    assert table.data()["rows"]["b"][0]["value"] is None
    with pytest.raises(ValueError, match="1 figures for 2 columns"):
        table.add("c", [Figure(1.0)])


def test_lines_of_one_recording(data: Path) -> None:
    """A transcript is aligned, and the whole chain closes the lips at its bilabials."""
    from facewire_eval.baselines import phones
    from facewire_eval.items import read_sound
    from facewire_eval.judge_phones import align
    from facewire_eval.speech import hear_all, measure_speech

    path = data / "speech/61-70968-0000.flac"
    sound, text = read_sound(path), path.with_suffix(".lab").read_text()
    line = Line(sound, text, tuple(align(sound, text)))
    known = hear_all([phones()], [line], lambda what, seconds: None)
    table = measure_speech(known, [line])
    assert list(table.rows) == ["phones", "phones, with words"]
    assert table.rows["phones, with words"][0].value == 1.0


def test_emotions_of_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three presets and two emotions of the default profile, and lips that close under them."""
    from facewire.profile import load_profile
    from facewire_eval import feelings
    from facewire_v3.presets import presets

    few = tuple(p for p in presets() if p.title in ("joy L3", "anger L5", "neutral"))
    monkeypatch.setattr(feelings, "authored", lambda notes: few)
    monkeypatch.setattr(feelings, "LABELS", ("neutral", "joy", "disgust"))
    lines = spoken("de")
    assert lines is not None
    line = Line(lines[0].sound, lines[0].text, lines[0].phones)
    engine = ProfileEngine(load_profile("default"))
    table, notes = feelings.measure_emotions([engine], [line], lambda what, seconds: None)
    right, worst, apart, kept, least = table.rows["default"]
    assert right.value == 1.0 and worst.value < 0.05
    assert apart.value > 0.3 and any("nearest emotions" in note for note in notes)
    assert kept.count == 2 and least.value <= kept.value <= 1.0
