"""When phones and words are: against the signal, and against the text."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from facewire.types import Mark, Utterance
from facewire_espeak.library import Event, Library
from facewire_espeak.marks import ipa, marks_of
from facewire_espeak.plugin import EspeakConfig
from facewire_espeak.text import harmless, parts, word_spans
from facewire_espeak.timing import Phone, correct, without_echo
from facewire_espeak.voice import Espeak
from facewire_espeak.voices import choose

MS = 22.05  # samples
TEXT = (
    "Peter took a black cat back to the doctor, and not the map."
    " A pot of tea helps to pass the evening. The boy kept a big dog at the top of the park."
)


def spoken(text: str, name: str = "en-us", lang: str = "en") -> tuple[np.ndarray, list[Mark]]:
    pieces = list(Espeak(EspeakConfig(name)).speak(Utterance(text, lang)))
    samples = np.concatenate([piece.samples for piece in pieces])
    return samples, [mark for piece in pieces for mark in piece.marks]


def phones(marks: list[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.kind == "phone"]


def words(marks: list[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.kind == "word"]


@pytest.mark.parametrize("name", ["en-us", "en-us+f3", "de", "en-gb+whisper"])
def test_stops_begin_with_their_closure(name: str) -> None:
    samples, marks = spoken(TEXT, name, name[:2])
    delay, gain = choose(name).echo
    dry = without_echo(np.round(samples * 32768).astype(np.int16), delay, gain) / 32768
    stops = [mark for mark in phones(marks) if mark.text in ("p", "t", "k")]
    assert len(stops) >= 15
    closed = [dry[stop.start : stop.start + round(15 * MS)] for stop in stops]
    levels = np.array([np.sqrt(np.mean(silence**2)) for silence in closed])
    assert (levels < 0.003 * np.abs(dry).max()).mean() >= 0.95
    # and the sound before ends where the closure begins: something is heard just before it
    inside = [stop.start for stop in stops if any(m.end == stop.start for m in phones(marks))]
    loud = [np.abs(dry[start - round(4 * MS) : start]).max() for start in inside]
    assert (np.array(loud) > 0.005 * np.abs(dry).max()).mean() >= 0.95


def test_espeak_books_stops_at_their_release() -> None:
    """What the correction is for: should espeak-ng change, this tells."""
    with Library(choose("en-us").identifier) as library:
        samples, events = library.speak(TEXT)
    booked = [e.at for e in events if e.kind == "phone" and e.text in ("p", "t", "k")]
    starts = [m.start for m in marks_of(TEXT, without_echo(samples, 0, 0.0), events)
              if m.text in ("p", "t", "k")]  # fmt: skip
    moved = (np.array(booked) - np.array(starts)) / MS
    assert 35 < np.median(moved) < 55
    assert moved.min() >= 0


def test_a_vowel_begins_where_a_nasal_ends() -> None:
    """The signal's rise, found by the share of power above 2 kHz, within 12 ms."""
    samples, marks = spoken("My map, my name, no more money, nice new men, many maps now.")
    row = phones(marks)
    errors = []
    for nasal, vowel in itertools.pairwise(row):
        if nasal.text not in ("m", "n") or nasal.end != vowel.start or vowel.text[0] not in "ˈaɛ":
            continue
        at = np.arange(vowel.start - round(40 * MS), vowel.start + round(30 * MS), 22)
        high = [high_power(samples, int(a)) for a in at]
        half = (np.log(high[0]) + np.log(high[-1])) / 2
        errors.append((at[np.flatnonzero(np.log(high) < half)[-1]] - vowel.start) / MS)
    assert len(errors) >= 6
    assert abs(np.median(errors)) < 8
    assert np.percentile(np.abs(errors), 80) < 14


def high_power(samples: np.ndarray, at: int) -> float:
    windows = [samples[at + shift - 128 : at + shift + 128] for shift in range(-88, 89, 22)]
    spectra = [np.abs(np.fft.rfft(window * np.hanning(256))) ** 2 for window in windows]
    return float(np.sum(spectra, axis=0)[24:].sum()) + 1e-9


def test_phones_touch_and_pauses_are_gaps() -> None:
    _, marks = spoken("Rice is often served, in round bowls.")
    row = phones(marks)
    gaps = [round((b.start - a.end) / MS) for a, b in itertools.pairwise(row)]
    assert sorted(set(gaps))[0] == 0
    assert [gap for gap in gaps if gap > 0] == [max(gaps)]
    assert max(gaps) > 60


def test_words_carry_their_span_and_end_with_their_last_phone() -> None:
    text = "Über Naïve cafés 😀 “quoted” don’t; self-confidence costs 1,998.5 and 𝒳 (or so)."
    _, marks = spoken(text)
    found = words(marks)
    assert all(text[slice(*mark.chars)] == mark.text for mark in found if mark.chars)
    texts = [mark.text for mark in found]
    for word in ("Über", "Naïve", "cafés", "😀", "quoted", "don’t", "self-confidence", "1,998.5"):
        assert word in texts, (word, texts)
    ends = {mark.end for mark in phones(marks)}
    starts = {mark.start for mark in phones(marks)}
    assert all(mark.end in ends and mark.start in starts for mark in found)


def test_words_said_as_one_are_one_mark() -> None:
    _, marks = spoken("She was the first")
    assert [mark.text for mark in words(marks)] == ["She", "was the", "first"]


def test_words_of_scripts_without_spaces() -> None:
    text = "你好世界,我们去北京。"
    _, marks = spoken(text, lang="zh")
    assert "".join(mark.text for mark in words(marks)) == "你好世界我们去北京"
    assert len(words(marks)) > 5


def test_words_in_a_corpus(data) -> None:
    rows = (data / "text/emobank/train_dev.csv").read_text("utf-8").splitlines()[1:200:4]
    voice = Espeak(EspeakConfig())
    for line in rows:
        marks = [m for piece in voice.speak(Utterance(line)) for m in piece.marks]
        for mark in words(marks):
            assert mark.chars is not None
            a, b = mark.chars
            assert line[a:b] == mark.text
            assert not line[max(0, a - 1) : a + 1].isalpha() or a == 0, (line, mark)


def test_stress_stays_on_the_vowel() -> None:
    _, marks = spoken("Independent")
    assert [mark.text for mark in phones(marks)] == [
        "ˌɪ", "n", "d", "ᵻ", "p", "ˈɛ", "n", "d", "ə", "n", "t",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("ˈɔːɹ", "ˈɔːɹ"),
        ("ts.h", "tsh"),
        ("ə-", "ə"),
        ("(en)", ""),
        ("ˈ", ""),
        ("n̩", "n̩"),
        ("a5", "a"),
    ],
)
def test_names_are_ipa(name: str, cleaned: str) -> None:
    assert ipa(name) == cleaned


def test_modifiers_join_the_phone_before() -> None:
    events = [Event("word", 0, 0, ""), Event("phone", 0, 0, "t"), Event("phone", 500, 0, "ʲ"),
              Event("phone", 900, 0, "ˈa"), Event("phone", 2000, 0, "")]  # fmt: skip
    marks = marks_of("тя", np.ones(3000, np.float32), events)
    assert [(m.text, m.start, m.end) for m in phones(marks)] == [("tʲ", 0, 900), ("ˈa", 900, 2000)]


def test_a_long_pause_is_not_all_closure() -> None:
    samples = np.zeros(22050, np.float32)
    samples[:2000] = samples[20000:] = 1000
    row = [Phone("a", 0, 2000, 0), Phone("p", 20000, 22050, 0, after_pause=True)]
    correct(row, samples)
    assert row[0].end == 2000
    assert round((20000 - row[1].start) / MS) == 50


def test_silence_alone_moves_nothing_out_of_order() -> None:
    row = [Phone("t", 0, 900, 0), Phone("k", 900, 1800, 0), Phone("m", 1800, 2700, 0),
           Phone("a", 2700, 3000, 0)]  # fmt: skip
    correct(row, np.zeros(3000, np.float32))
    assert all(phone.start < phone.end for phone in row)
    assert all(a.end == b.start for a, b in itertools.pairwise(row))


def test_parts_end_with_sentences_and_lose_nothing() -> None:
    text = "Prof. Smith of the U.S. met them at ten. " * 30
    found = list(parts(text))
    assert "".join(part for _, part in found) == text
    assert all(text[start : start + len(part)] == part for start, part in found)
    assert len(found) > 1
    blob = "x" * 3000
    assert "".join(part for _, part in parts(blob)) == blob
    assert max(len(part) for _, part in parts(blob)) <= 1000
    assert [part for _, part in parts("Short. Text.")] == ["Short. Text."]


def test_harmless_text_keeps_its_length() -> None:
    assert harmless("a\0\x01b\ud800\nc\x85") == "a  b \nc "


def test_positions_inside_a_number_are_the_number() -> None:
    assert word_spans("in 1998, yes", [0, 3, 4, 4, 9]) == {
        0: (0, 2),
        3: (3, 7),
        4: (3, 7),
        9: (9, 12),
    }
    assert word_spans("", []) == {}
    assert word_spans(" \t", [1]) == {1: (1, 1)}
