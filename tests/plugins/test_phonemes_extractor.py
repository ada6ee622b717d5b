from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from facewire.errors import InputError
from facewire.types import Audio, Context, FloatArray, Mark, first_sample, frames_within
from facewire_phonemes.config import ExtractorConfig
from facewire_phonemes.extractor import PhoneExtractor

RATE = 16000
FPS = Fraction(60)
_shared: dict[str, Any] = {}


def share(key: str, make: Callable[[], Any]) -> Any:
    if key not in _shared:
        _shared[key] = make()
    return _shared[key]


def extract(
    samples: FloatArray,
    marks: Sequence[Mark] = (),
    cuts: int | None = None,
    mode: Any = "auto",
    **context: Any,
) -> tuple[FloatArray, list[Mark], PhoneExtractor]:
    """Run an extractor over samples in pieces of random length below ``cuts``."""
    stage = PhoneExtractor(ExtractorConfig(mode), Context(shared=share, **context))
    rng = np.random.default_rng(3)
    rows: list[FloatArray] = []
    found: list[Mark] = []
    at = 0
    while at < len(samples):
        piece = samples[at : at + (len(samples) if cuts is None else int(rng.integers(1, cuts)))]
        here = tuple(mark for mark in marks if at <= mark.start < at + len(piece))
        results = [stage.push(Audio(piece, RATE, at, here))]
        at += len(piece)
        if at >= len(samples):
            results += stage.flush()
        for features in results:
            assert features.start == sum(map(len, rows))
            # a mark comes with or before the row it begins in
            assert all(m.start >= first_sample(features.start, RATE, FPS) for m in features.marks)
            rows.append(features.values)
            found += features.marks
    return np.concatenate([np.zeros((0, 1), np.float32), *rows]), found, stage


def babble(seconds: float, seed: int = 0) -> FloatArray:
    """Return syllables: a buzz through three resonances in a row, hisses and closures in turn."""
    rng = np.random.default_rng(seed)
    vowels = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))
    time = np.arange(800) / RATE
    out = rng.normal(0, 1e-4, int(seconds * RATE) + 8000)
    at = 3200
    while at < seconds * RATE:
        length = int(rng.integers(1600, 3200))
        voiced = np.zeros(length)
        voiced[np.cumsum(rng.integers(125, 135, length // 140))] = 1.0
        for formant in (0, *vowels[rng.integers(len(vowels))]):  # 0: the fall of the voice itself
            ring = np.exp(-np.pi * (60 + formant / 30) * time)
            voiced = np.convolve(voiced, ring * np.cos(2 * np.pi * formant * time))[:length]
        out[at : at + length] += 0.2 * voiced / np.abs(voiced).max() * np.hanning(length) ** 0.3
        at += length
        hiss = np.diff(rng.normal(0, 0.02, 1300)) * np.hanning(1299)
        out[at : at + len(hiss)] += hiss * rng.integers(0, 2)
        at += len(hiss) + int(rng.integers(600, 1600))
    return out[: int(seconds * RATE)].astype(np.float32)


def voice(kind: Any) -> list[Mark]:
    if kind == "word":
        return [
            Mark("word", text, 3000 + 6000 * i, 8400 + 6000 * i, (4 * i, 4 * i + 3))
            for i, text in enumerate(("hello", "my", "1999", "blorp", "people"))
        ]
    return [
        Mark("phone", text, 3000 + 1200 * i, 4200 + 1200 * i) for i, text in enumerate("pæməbu")
    ]


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"causal": True},
        {"lang": "de"},
        {"transcript": "a map of my people"},
        {"transcript": "a map", "causal": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("kinds", [(), ("word",), ("phone",), ("word", "phone")], ids=str)
def test_any_cut_gives_the_same(context: dict[str, Any], kinds: tuple[str, ...]) -> None:
    samples = babble(2.3)
    marks = [mark for kind in kinds for mark in voice(kind)]
    whole, marks_whole, _ = extract(samples, marks, **context)
    rows, marks_cut, _ = extract(samples, marks, cuts=2500, **context)
    assert len(rows) == frames_within(len(samples), RATE, FPS)
    np.testing.assert_array_equal(whole, rows)
    assert marks_whole == marks_cut
    assert len(set(marks_whole)) == len(marks_whole)


@pytest.mark.parametrize("count", [0, 1, 266, 267, 268, 16000])
@pytest.mark.parametrize("context", [{}, {"causal": True}, {"transcript": "hello"}], ids=str)
def test_there_is_a_row_for_every_frame_that_begins(count: int, context: dict[str, Any]) -> None:
    rows, _, _ = extract(babble(1)[:count], **context)
    assert rows.shape == (frames_within(count, RATE, FPS), 1)


def test_loudness_is_decibels_between_minus_60_and_0() -> None:
    time = np.arange(RATE) / RATE
    for db, expected in ((0, 1.0), (-30, 0.5), (-60, 0.0), (-90, 0.0)):
        tone = np.sqrt(2) * 10 ** (db / 20) * np.sin(2 * np.pi * 400 * time)
        rows, _, _ = extract(tone.astype(np.float32), mode="marks")
        np.testing.assert_allclose(rows[2:-2], expected, atol=1e-4)


@pytest.mark.parametrize("context", [{}, {"causal": True}, {"transcript": "hello"}], ids=str)
def test_extreme_input_gives_finite_rows(context: dict[str, Any]) -> None:
    samples = babble(1)
    samples[4000:4100] = 1e30
    samples[8000:8100] = np.nan
    samples[9000:9100] = -np.inf
    rows, _, _ = extract(samples, **context)
    assert np.isfinite(rows).all() and rows.min() >= 0 and rows.max() <= 1


def test_a_voices_phones_are_passed_on_unchanged_and_at_once() -> None:
    samples, marks = babble(3), voice("phone")
    stage = PhoneExtractor(ExtractorConfig(), Context(causal=True, shared=share))
    # silence up to the first phone waits; from then on rows come as the sound does
    features = stage.push(Audio(samples[:6000], RATE, 0, tuple(marks[:3])))
    assert len(features) == (6000 - 200) * 60 // RATE + 1
    assert features.marks == tuple(marks[:3])
    _, found, stage = extract(samples, marks, lang="de")
    assert [mark for mark in found if mark.end <= 11000] == marks
    assert "the voice's phones 0.5 s" in stage.report()[0]


def test_a_live_voice_with_mode_marks_has_no_delay() -> None:
    _, found, stage = extract(babble(2), voice("phone"), cuts=500, causal=True, mode="marks")
    assert found == voice("phone")
    assert stage.lookahead == 200  # half the window of loudness


def test_mode_marks_says_when_none_came() -> None:
    _, found, stage = extract(babble(1), mode="marks")
    assert found == []
    assert any("no phones came with the audio" in line for line in stage.report())


@pytest.mark.parametrize("causal", [True, False])
def test_words_get_phones_that_fill_them(causal: bool) -> None:
    marks = voice("word")
    _, found, _ = extract(babble(3), marks, causal=causal)
    assert [mark for mark in found if mark.kind == "word"] == marks
    for word in marks:
        inside = [m for m in found if m.kind == "phone" and word.start <= m.start < word.end]
        assert inside[0].start == word.start and inside[-1].end == min(word.end, 48000)
        assert all(a.end <= b.start for a, b in pairwise(inside))
    hello = [m.text for m in found if m.kind == "phone" and m.start < 8400]
    assert hello in (["HH", "AH0", "L", "OW1"], ["HH", "EH0", "L", "OW1"])


def test_sound_marks_pass_and_do_not_count_as_speech() -> None:
    laugh = Mark("sound", "laugh", 2000, 9000)
    _, found, _ = extract(np.zeros(RATE, np.float32), [laugh], transcript="ha")
    assert found == [laugh]


def test_a_transcript_in_another_language_needs_a_voice() -> None:
    with pytest.raises(InputError) as caught:
        extract(babble(2), transcript="guten Tag", lang="de")
    assert str(caught.value).startswith("transcript in 'de': found no voice to recite it")
    assert "pronounce: espeak" in str(caught.value) and "\n" not in str(caught.value)
    # but a voice's phones are right in every language, with its text known or not
    _, found, _ = extract(babble(1), voice("phone"), transcript="guten Tag", lang="de")
    assert found[:6] == voice("phone")


def test_another_language_is_warned_of_by_name() -> None:
    _, _, stage = extract(babble(3), lang="fi", causal=True)
    assert any(line.startswith("warning:") and "'fi'" in line for line in stage.report())


@pytest.mark.parametrize("text", ["", "   ", "[beep] --", "...", "\0\x01", "漢字", "word " * 3000])
def test_strange_transcripts_end_well(text: str) -> None:
    rows, found, stage = extract(babble(2.5), transcript=text)
    assert len(rows) == 150
    assert stage.report()
    assert all(0 <= m.start < m.end <= 40000 for m in found)


@pytest.mark.parametrize("causal", [True, False])
def test_steady_noise_and_silence_have_no_phones(causal: bool) -> None:
    rng = np.random.default_rng(0)
    for samples in (np.zeros(5 * RATE), rng.normal(0, 0.05, 5 * RATE)):
        _, found, _ = extract(samples.astype(np.float32), causal=causal)
        assert found == []


@pytest.mark.parametrize("causal", [True, False])
def test_rows_keep_the_lookahead_that_is_declared(causal: bool) -> None:
    samples = babble(6)
    stage = PhoneExtractor(ExtractorConfig(), Context(causal=causal, shared=share))
    assert stage.lookahead == (11200 if causal else 38400)
    rows = 0
    for at in range(0, len(samples), 800):
        rows += len(stage.push(Audio(samples[at : at + 800], RATE, at)))
        assert first_sample(rows, RATE, FPS) + stage.lookahead + 800 >= at + 800 - 267


def test_reset_starts_over() -> None:
    samples = babble(2)
    stage = PhoneExtractor(ExtractorConfig(), Context(shared=share, causal=True))
    results = []
    for _ in range(2):
        parts = [stage.push(Audio(samples, RATE)), *stage.flush()]
        results.append([m for part in parts for m in part.marks])
        stage.reset()
    assert results[0] == results[1]


def test_a_run_repeated_is_identical_whatever_ran_before() -> None:
    samples = babble(3)
    _, first, _ = extract(samples, causal=True)
    extract(babble(4, seed=5), causal=True)
    _, again, _ = extract(samples, causal=True)
    assert first == again and first


def test_an_hour_of_silence_is_quick_and_small() -> None:
    stage = PhoneExtractor(ExtractorConfig(), Context(shared=share, causal=True))
    rows = sum(
        len(stage.push(Audio(np.zeros(RATE, np.float32), RATE, i * RATE))) for i in range(3600)
    )
    assert rows == (3600 * RATE - 11200 + 6400) // 4800 * 4800 * 60 // RATE or rows > 215_900
    assert len(stage._spans._held) < 8 * RATE


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    extract(babble(2), transcript="some words that are not there")
    extract(babble(2))
    extract(babble(2), causal=True)
    assert capfd.readouterr() == ("", "")
