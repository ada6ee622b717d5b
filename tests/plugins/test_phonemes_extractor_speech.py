"""The extractor on recorded speech; benchmarks/alignment.py measures more of it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from facewire.types import FloatArray, Mark
from facewire_phonemes.lexicon import plain
from test_phonemes_extractor import RATE, extract

LABELLED = ("61-70968-0000.flac", "LJ002-0020.wav", "acoustic_corpus.wav", "jfk.wav")
BILABIAL = {"P", "B", "M"}


def load(data: Path, name: str) -> FloatArray:
    samples, rate = soundfile.read(data / "speech" / name, dtype="float32")
    return soxr.resample(samples, rate, RATE).astype(np.float32)


def text_of(data: Path, name: str) -> str:
    return (data / "speech" / name).with_suffix(".lab").read_text()


def phones(marks: list[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.kind == "phone"]


def second(samples: FloatArray, text: str) -> list[Mark]:
    """Return a second alignment, with other noise and padding."""
    noise = np.random.default_rng(7).normal(0, 3e-4, len(samples) + 9000).astype(np.float32)
    noise[5500 : 5500 + len(samples)] += samples
    return [m.moved(-5500) for m in phones(extract(noise, transcript=text, name="b", seed=7)[1])]


@pytest.mark.slow
def test_bilabials_are_found_where_a_second_alignment_has_them(data: Path) -> None:
    wanted = missed = 0
    differences = []
    for name in LABELLED:
        samples, text = load(data, name), text_of(data, name)
        found = phones(extract(samples, transcript=text)[1])
        for mark in second(samples, text):
            if plain(mark.text) not in BILABIAL:
                continue
            wanted += 1
            near = min(
                (abs(m.start - mark.start) for m in found if plain(m.text) == plain(mark.text)),
                default=RATE,
            )
            missed += near > RATE // 20
            differences.append(near / 16)
    assert wanted >= 15
    assert missed <= 1
    assert np.median(differences) <= 17


def test_every_word_of_the_text_has_a_mark_in_its_place(data: Path) -> None:
    text = text_of(data, "jfk.wav")
    rows, marks, stage = extract(load(data, "jfk.wav"), transcript=text)
    words = [mark for mark in marks if mark.kind == "word"]
    assert [word.text for word in words] == text.split()
    assert all(word.chars and text[slice(*word.chars)] == word.text for word in words)
    assert all(a.end <= b.start for a, b in pairwise(words))
    assert len(rows) == 660
    assert stage.report() == ["phones (en): transcript aligned 11.0 s"]


def test_another_text_falls_back_to_decoding_and_says_so(data: Path) -> None:
    samples, wrong = load(data, "61-70968-0000.flac"), text_of(data, "jfk.wav")
    _, marks, stage = extract(samples, transcript=wrong)
    assert len(phones(marks)) > 40
    assert any("does not match 4.9 s of the recording" in line for line in stage.report())
    assert any("not heard: 'and', 'so'" in line for line in stage.report())


def test_words_alone_give_the_phones_of_the_transcript(data: Path) -> None:
    samples, text = load(data, "61-70968-0000.flac"), text_of(data, "61-70968-0000.flac")
    _, marks, _ = extract(samples, transcript=text)
    words = [mark for mark in marks if mark.kind == "word"]
    for causal, limit in ((False, 0.9), (True, 0.85)):
        found = phones(extract(samples, words, causal=causal)[1])
        wanted = phones(marks)
        near = [
            any(plain(m.text) == plain(w.text) and abs(m.start - w.start) < 800 for m in found)
            for w in wanted
        ]
        assert np.mean(near) >= limit


@pytest.mark.parametrize("context", [{}, {"causal": True}], ids=str)
def test_quiet_recordings_give_the_same_phones(data: Path, context: dict[str, Any]) -> None:
    samples = load(data, "61-70968-0000.flac")
    loud, quiet = (phones(extract(samples * g, **context)[1]) for g in (1.0, 0.05))
    equal = sum(a.text == b.text for a, b in zip(loud, quiet, strict=False))
    assert equal >= 0.9 * max(len(loud), len(quiet))


@pytest.mark.slow
def test_hearing_finds_most_bilabials_of_clear_speech(data: Path) -> None:
    samples, text = load(data, "61-70968-0000.flac"), text_of(data, "61-70968-0000.flac")
    wanted = [m for m in second(samples, text) if plain(m.text) in BILABIAL]
    for context, least in (({}, 0.8), ({"causal": True}, 0.4)):
        found = [m for m in phones(extract(samples, **context)[1]) if plain(m.text) in BILABIAL]
        hits = [any(m.start - 800 < w.end and w.start < m.end + 800 for m in found) for w in wanted]
        assert np.mean(hits) >= least


@pytest.mark.slow
def test_a_long_recording_is_aligned_in_pieces(data: Path) -> None:
    names = ("61-70968-0000.flac", "LJ002-0020.wav", "61-70968-0000.flac", "LJ002-0020.wav") * 4
    pause = np.zeros(RATE // 2, np.float32)
    samples = np.concatenate([part for name in names for part in (load(data, name), pause)])
    text = " ".join(text_of(data, name).strip() for name in names)
    _, marks, stage = extract(samples, transcript=text)
    words = [mark for mark in marks if mark.kind == "word"]
    assert [word.text for word in words] == text.split()
    at, index = 0, 0
    for name in names:
        count, length = len(text_of(data, name).split()), len(load(data, name))
        inside = words[index : index + count]
        assert all(at - 1600 <= word.start and word.end <= at + length + 1600 for word in inside)
        at, index = at + length + RATE // 2, index + count
    assert len(samples) > 30 * RATE and "transcript aligned" in stage.report()[0]
