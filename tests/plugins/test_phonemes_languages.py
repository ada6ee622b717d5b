"""Transcripts in other languages: laid over a recording by a voice's recital of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from facewire.assemble import assemble
from facewire.cli import main
from facewire.errors import InputError
from facewire.profile import ComponentSpec, Profile
from facewire.resample import AudioResampler
from facewire.types import Audio, Context, FloatArray, Mark
from facewire.voicing.disk import write_wav
from facewire_phonemes import languages
from facewire_phonemes.config import ExtractorConfig
from facewire_phonemes.extractor import FPS, PhoneExtractor
from facewire_phonemes.recital import Recital
from facewire_phonemes.warp import Score, warped

pytest.importorskip("facewire_espeak", reason="the espeak plugin is not installed")

RATE = 16000
GERMAN = "Am Abend bummeln Bernd und Paula mit dem Paket am Bahnhof vorbei."
BLUE = "Blaukraut bleibt Blaukraut, und Brautkleid bleibt Brautkleid."
OTHER = "Fischers Fritze fischt frische Fische, frische Fische fischt er."


@cache
def context(lang: str = "de", voice: str = "", rate: int = 175) -> Context:
    """Return what a run is told whose profile pronounces with espeak."""
    options: dict[str, Any] = {"voice": voice, "rate": rate} if voice else {}
    profile = Profile(name="test", sinks=(), lang=lang, pronounce=ComponentSpec("espeak", options))
    return assemble(profile, "test", Path()).context


@cache
def speak(text: str = GERMAN, lang: str = "de", rate: int = 140) -> Audio:
    """Say a text as another of espeak's voices does, slower than the recital."""
    pieces = list(context(lang, f"{lang}+f3", rate).recite(text) or ())
    resampler = AudioResampler(pieces[0].rate, RATE, FPS)
    parts = [*map(resampler.push, pieces), resampler.flush()]
    marks = tuple(mark for part in parts for mark in part.marks)
    rng = np.random.default_rng(1)
    samples = np.concatenate([part.samples for part in parts])
    samples = samples + 3e-4 * rng.standard_normal(len(samples)).astype(np.float32)
    return Audio(samples, RATE, 0, marks)


def extract(
    samples: FloatArray, text: str, told: Context | None = None, cut: int = 1 << 30
) -> tuple[FloatArray, list[Mark], PhoneExtractor]:
    stage = PhoneExtractor(ExtractorConfig(), replace(told or context(), transcript=text))
    starts = range(0, len(samples), cut)
    parts = [stage.push(Audio(samples[at : at + cut], RATE, at)) for at in starts]
    parts += stage.flush()
    marks = [mark for part in parts for mark in part.marks]
    return np.concatenate([part.values for part in parts]), marks, stage


def of(marks: Any, kind: str) -> list[Mark]:
    return [mark for mark in marks if mark.kind == kind]


def errors(found: list[Mark], wanted: list[Mark]) -> np.ndarray:
    """Return how far the same phones, in order, begin apart, in ms."""
    assert [mark.text for mark in found] == [mark.text for mark in wanted]
    return np.array([abs(a.start - b.start) / 16 for a, b in zip(found, wanted, strict=True)])


@pytest.mark.parametrize("text", [GERMAN, BLUE])
def test_phones_are_where_another_voice_says_them(text: str) -> None:
    sound = speak(text)
    rows, marks, stage = extract(sound.samples, text)
    found, wanted = of(marks, "phone"), of(sound.marks, "phone")
    off = errors(found, wanted)
    assert np.median(off) < 12 and np.percentile(off, 90) < 35
    lips = [e for e, m in zip(off, wanted, strict=True) if m.text in ("p", "b", "m")]
    assert len(lips) >= 8 and max(lips) < 50
    assert all(a.end <= b.start and a.end - a.start >= 240 for a, b in pairwise(found))
    assert all(0 < mark.confidence < 1 for mark in found)
    assert len(rows) == -(-len(sound.samples) * 60 // RATE)
    assert stage.report()[0].startswith("phones (de): transcript aligned")


def test_every_word_has_a_mark_in_its_place() -> None:
    text = "[leise]  Peter kommt um 14 Uhr (oder nie) aus Bremen!"
    sound = speak("Peter kommt um 14 Uhr aus Bremen!")
    _, marks, stage = extract(sound.samples, text)
    words = of(marks, "word")
    assert [word.text for word in words] == ["Peter", "kommt", "um", "14", "Uhr", "aus", "Bremen"]
    assert all(word.chars and text[slice(*word.chars)] == word.text for word in words)
    assert all(a.end <= b.start for a, b in pairwise(words))
    assert "skipped in the transcript, not speech: '[leise]', '(oder nie)'" in stage.report()
    told = {word.text: word.start for word in of(sound.marks, "word")}
    assert all(abs(word.start - told[word.text]) < 800 for word in words)


def test_silence_before_and_pauses_within_move_the_phones() -> None:
    sound = speak()
    plain = of(extract(sound.samples, GERMAN)[1], "phone")
    words = of(sound.marks, "word")
    cut, quiet = words[5].start, np.zeros(2 * RATE, np.float32)
    halves = sound.samples[:cut], sound.samples[cut:]
    later = of(extract(np.concatenate([quiet, halves[0], quiet, halves[1]]), GERMAN)[1], "phone")
    assert [mark.text for mark in later] == [mark.text for mark in plain]
    moved = np.array([b.start - a.start for a, b in zip(plain, later, strict=True)]) / RATE
    step = np.array([2.0 if mark.start < cut - 400 else 4.0 for mark in plain])
    assert np.percentile(np.abs(moved - step), 90) < 0.03
    silence = (cut + 2 * RATE + 800, cut + 4 * RATE - 800)
    assert not [m for m in later if m.start < silence[1] and m.end > silence[0]]


def test_a_wrong_transcript_is_noticed_and_phones_are_heard_without_it() -> None:
    sound = speak()
    _, marks, stage = extract(sound.samples, OTHER)
    report = "\n".join(stage.report())
    assert "warning: the transcript does not match" in report
    assert "in the transcript but not heard: 'Fischers', 'Fritze'" in report
    assert "decoded with an English model, but the language is 'de'" in report
    assert len(of(marks, "phone")) > 20 and not of(marks, "word")


def test_what_is_said_beside_the_transcript_is_heard_without_it() -> None:
    first, second = speak(GERMAN).samples, speak(OTHER).samples
    _, marks, stage = extract(np.concatenate([first, second, speak(BLUE).samples]), GERMAN + BLUE)
    words = of(marks, "word")
    assert [word.text for word in words][:12] == GERMAN.rstrip(".").split() and len(words) == 19
    between = len(first), len(first) + len(second)
    assert not [word for word in words if between[0] < word.start < between[1] - 4000]
    assert sum(between[0] < mark.start < between[1] for mark in of(marks, "phone")) > 10
    assert any("does not match" in line for line in stage.report())


def test_what_is_left_out_of_the_transcript_is_named() -> None:
    both = np.concatenate([speak(GERMAN).samples, speak(BLUE).samples])
    _, marks, stage = extract(both, f"{GERMAN} {OTHER} {BLUE}")
    said = f"{GERMAN} {BLUE}".replace(".", "").replace(",", "").split()
    assert [word.text for word in of(marks, "word")] == said
    assert any("in the transcript but not heard: 'Fischers'" in line for line in stage.report())


@pytest.mark.parametrize("cut", [1, 999, 16000])
def test_any_cut_of_the_input_gives_the_same(cut: int) -> None:
    samples = speak(BLUE).samples[: 2 * RATE if cut == 1 else None]
    whole, cuts = (extract(samples, BLUE, cut=size) for size in (1 << 30, max(cut, 17)))
    assert np.allclose(whole[0], cuts[0], atol=1e-5) and whole[1] == cuts[1]
    stage = whole[2]
    stage.reset()
    again = [stage.push(Audio(samples, RATE)), *stage.flush()]
    assert [mark for part in again for mark in part.marks] == whole[1]


def test_two_minutes_are_aligned_to_the_end() -> None:
    parts, text = (speak(GERMAN), speak(BLUE)), f"{GERMAN} {BLUE}"
    pause = np.zeros(RATE // 2, np.float32)
    one = np.concatenate([parts[0].samples, pause, parts[1].samples, pause])
    _, marks, _ = extract(np.concatenate([one] * 12), " ".join([text] * 12))
    assert 12 * len(one) > 100 * RATE
    words = of(marks, "word")
    assert [word.text.strip(".,") for word in words] == text.replace(".", "").replace(
        ",", ""
    ).split() * 12
    for number, word in enumerate(words):
        at = number // (len(words) // 12) * len(one)
        assert at - 800 <= word.start and word.end <= at + len(one) + 800


@pytest.mark.parametrize("size", [0, 1, 100, 1600, 8000])
def test_a_recording_too_short_for_its_text_is_no_error(size: int) -> None:
    rows, marks, _ = extract(speak().samples[:size], GERMAN)
    assert len(rows) == -(-size * 60 // RATE)
    assert all(0 <= mark.start < mark.end <= max(size, 1) + 800 for mark in marks)


@pytest.mark.parametrize("level", [0.0, 1e30])
def test_silence_and_what_is_louder_than_sound_are_no_error(level: float) -> None:
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    rows, marks, _ = extract(np.float32(level) * noise, GERMAN)
    assert len(rows) == 60 and np.isfinite(rows).all()
    assert level or not marks


def test_a_text_without_a_word_is_heard() -> None:
    _, marks, stage = extract(speak().samples, "... !")
    assert len(of(marks, "phone")) > 20 and stage.report()


def test_an_unmeasured_language_is_warned_of_by_name_and_a_measured_one_is_not() -> None:
    assert languages.measured("it") and languages.measured("it_IT") and languages.measured("de-AT")
    assert languages.measured("eo") is None
    _, _, stage = extract(speak("Mia patro havas belan blankan domon.", "eo").samples,
                          "Mia patro havas belan blankan domon.", context("eo"))  # fmt: skip
    assert any(
        line.startswith("warning:") and "'eo' is unmeasured" in line for line in stage.report()
    )
    _, _, stage = extract(speak().samples, GERMAN)
    assert not any("unmeasured" in line for line in stage.report())


def test_without_a_voice_that_marks_phones_the_line_says_what_to_do() -> None:
    mute = replace(context(), recite=lambda text: None)
    with pytest.raises(InputError) as caught:
        extract(speak().samples, GERMAN, mute)
    line = str(caught.value)
    assert line.startswith("transcript in 'de': ") and "pronounce: espeak" in line
    assert "\n" not in line


def test_a_language_that_the_voice_does_not_speak_is_named() -> None:
    with pytest.raises(InputError, match=r"^transcript in 'xx': .*no language 'xx'"):
        extract(speak().samples, "qq", context("xx"))


@pytest.mark.parametrize(
    "entry",
    [
        ("De", {"boundary_ms": 5, "closures": 1, "on": "x"}),
        ("de", {"boundary_ms": -5, "closures": 1, "on": "x"}),
        ("de", {"boundary_ms": 5, "closures": 2, "on": "x"}),
        ("de", {"boundary_ms": 5, "closures": 1, "on": ""}),
        ("de", {"boundary_ms": 5, "closures": 1}),
        (False, 5),
    ],
)
def test_a_damaged_table_of_languages_is_refused(entry: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"^languages\.yaml: "):
        languages.checked(*entry)


def test_the_warp_finds_a_path_that_is_known() -> None:
    rng = np.random.default_rng(0)
    states = np.cumsum(rng.standard_normal((60, 6)), axis=0)
    last = np.zeros(60, bool)
    last[[19, 39, 59]] = True
    # every state twice, a pause of 30 frames after the second word, the third word quick
    order = [*np.repeat(np.arange(40), 2), *range(40, 60, 2)]
    frames = np.concatenate([states[order[:80]], np.full((30, 6), 50.0), states[order[80:]]])
    pause = np.where(np.arange(120) // 10 % 12 >= 8, 0.1, 3.0)
    pause[110:] = 3.0
    path = warped(Score(frames, states, pause, last, pause > 1))
    assert path is not None
    assert path.paused[80:110].all() and not path.paused[:80].any()
    assert np.abs(path.states[~path.paused] - order).max() <= 1
    none = np.full(3, 1.0)
    assert warped(Score(frames[:3], states, none, last, none > 0)) is None


def test_a_recital_has_no_states_in_its_pauses() -> None:
    recital = Recital(context().recite(BLUE) or ())
    states = recital.states(160.0)
    inside = [any(p.start <= at < p.end for p in recital.phones) for at in states.centres]
    assert np.mean(inside) > 0.97 and (np.diff(states.centres) > 0).all()
    assert states.last.sum() == len(recital.words) and states.last[-1]


def test_a_run_in_german_takes_its_phones_from_the_transcript(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "abend.wav", speak().samples, RATE)
    (tmp_path / "abend.txt").write_text(GERMAN, "utf-8")
    run = ["run", str(tmp_path / "abend.wav"), "--transcript", str(tmp_path / "abend.txt")]
    with pytest.raises(SystemExit) as done:
        main([*run, "--lang", "de", "--set", "model=phonemes", "--out", str(tmp_path / "out")])
    told = capsys.readouterr()
    assert not done.value.code, told.err
    assert "phones (de): transcript aligned" in told.out + told.err
