"""The tables and formulas of how an emotion is said."""

from __future__ import annotations

import re
from fractions import Fraction
from importlib.resources import files

import pytest
import yaml
from facewire.emotion import LABELS, LEVELS, NAMES, State, constant
from facewire_elevenlabs.manner import label_of, most_frequent, parts, sent, settings, since
from facewire_elevenlabs.tables import read_tables, tables
from facewire_elevenlabs.words import Aligner, word_spans
from hypothesis import given
from hypothesis import strategies as st

V3, FLASH = (tables().models[name] for name in ("eleven_v3", "eleven_flash_v2_5"))


def felt(name: str, strength: float = 1.0):
    return constant(State.named(name, strength), 1, 0, Fraction(60))


def tree() -> dict:
    return yaml.safe_load(files("facewire_elevenlabs").joinpath("data/tables.yaml").read_text())


def test_the_tables_are_whole() -> None:
    table = tables()
    assert table.batch == "eleven_v3" and table.live == "eleven_flash_v2_5"
    assert len(set(table.voices.values())) == len(table.voices) == 7
    assert table.labels["joy"].tag == "[happily]"
    assert len({label.tag for label in table.labels.values()}) == 16


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.update(live="eleven_none"),
        lambda t: t["labels"].pop("joy"),
        lambda t: t["labels"]["love"].update(base="love"),
        lambda t: t["labels"]["joy"].update(tag="happily"),
        lambda t: t["labels"]["neutral"].update(tag="[calmly]"),
        lambda t: t["models"]["eleven_v3"].update(least=9999),
        lambda t: t["models"]["eleven_v3"].update(tags="yes"),
    ],
)
def test_damaged_tables_are_refused(change) -> None:
    damaged = tree()
    assert read_tables(damaged) == tables()
    change(damaged)
    with pytest.raises(ValueError):
        read_tables(damaged)


def test_style_and_stability_follow_the_activation() -> None:
    assert settings(None, FLASH) == {"style": 0.20, "stability": 0.50}
    assert settings(felt("neutral"), FLASH) == {"style": 0.20, "stability": 0.50}
    assert settings(felt("joy"), FLASH) == {"style": 0.35, "stability": 0.44}
    assert settings(felt("joy", 2.0), FLASH) == {"style": 0.45, "stability": 0.40}
    assert settings(felt("boredom"), FLASH)["style"] > 0.20  # calmer than neutral is also away
    assert settings(felt("joy"), V3) == {"style": 0.35, "stability": 0.5}


@pytest.mark.parametrize("name", NAMES)
def test_every_emotion_has_a_tag_but_neutral(name: str) -> None:
    label, said = label_of(felt(name)), "Some words to say."
    assert label.base in tables().voices
    tag = "" if name == "neutral" else f"{label.tag} "
    told = ((0, felt(name)),)
    assert sent(said, told, V3) == (tag + said, [*[-1] * len(tag), *range(len(said))])
    assert sent(said, told, FLASH) == (said, list(range(len(said))))


@pytest.mark.parametrize("name", NAMES)
def test_level_1_is_said_as_that_emotion_and_a_trace_of_it_as_neutral(name: str) -> None:
    neutral = tables().labels["neutral"]
    assert label_of(felt(name, LEVELS[0])) == label_of(felt(name))
    assert label_of(felt(name, 0.05)) == label_of(felt(name, 0.0)) == label_of(None) == neutral


PLACED = {
    "I found it! |But no.": "[happily] I found it! [sadly] But no.",
    "un|believable it is": "[sadly] unbelievable it is",
    "I did it| and left": "[happily] I did it [sadly] and left",
    'I said: |"But no."': '[happily] I said: [sadly] "But no."',
    "今日は。|でも": "[happily] 今日は。[sadly] でも",
    "I found it!|": "[happily] I found it!",
    "...| but no, never": "[sadly] ... but no, never",
}


@pytest.mark.parametrize("text", PLACED)
def test_an_audio_tag_stands_where_its_emotion_begins(text: str) -> None:
    at, plain = text.index("|"), text.replace("|", "")
    if text.startswith("..."):  # no word before it
        at = 0
    told = ((0, felt("joy")), (at, felt("sad")))
    made, places = sent(plain, told, V3)
    assert made.removeprefix(PLACED[text]).strip(".") == "" and len(places) == len(made)
    kept = [(place, char) for place, char in zip(places, made, strict=True) if place >= 0]
    assert kept[: len(plain)] == list(enumerate(plain))


def test_only_another_emotion_gets_another_audio_tag() -> None:
    told = ((0, felt("joy")), (4, felt("joy", 0.5)), (8, felt("neutral")), (12, felt("joy")))
    assert sent("one two and the end", told, V3)[0] == "[happily] one two and [happily] the end"
    assert sent("one two and the end", ((0, None), (4, felt("joy", 0.1))), V3)[0][0] == "o"


def test_what_is_felt_from_a_character_on() -> None:
    told = ((0, None), (4, felt("joy")), (8, felt("sad")))
    assert since(told, 0) == told and since(told, 3)[1][0] == 1
    assert [at for at, _ in since(told, 4)] == [0, 4]
    assert since(told, 99) == ((0, told[2][1]),)


def test_the_most_frequent_base_emotion() -> None:
    script = [felt("sad"), felt("love"), felt("pride"), None, None, felt("grief")]
    assert most_frequent(script) == "sadness"  # two each: the first
    assert most_frequent([*script, felt("joy")]) == "joy"
    assert {tables().labels[name].base for name in LABELS} == set(tables().voices)


@given(text=st.text(max_size=300), most=st.integers(1, 40))
def test_parts_cover_the_text(text: str, most: int) -> None:
    spans = list(parts(text, most))
    assert "".join(text[a:b] for a, b in spans) == text
    assert all(0 < b - a <= most for a, b in spans)


@given(text=st.text(max_size=80), seed=st.integers(0, 1000))
def test_words_of_any_text_end_in_order(text: str, seed: int) -> None:
    spans = word_spans(text)
    assert all(a < b for a, b in spans) and spans == sorted(spans)
    aligner = Aligner(text, range(len(text)), text)
    heard = [c for i, c in enumerate(text) if (i * 31 + seed) % 7]  # some are left out
    times = [i / 10 for i in range(len(heard) + 1)]
    words = aligner.push(heard, times, times[1:]) + aligner.finish()
    starts = [word.start for word in words]
    assert starts == sorted(starts) and all(word.end >= word.start for word in words)
    assert len({word.span for word in words}) == len(words)


def test_a_text_that_begins_like_its_tag() -> None:
    text, places = sent("happily they lived.", ((0, felt("joy")),), V3)
    begin = places.index(0)
    for chars in (text, text[begin:]):  # with the tag's characters, and without
        aligner = Aligner(text, places, text[begin:])
        times = [i / 10 for i in range(len(chars) + 1)]
        words = aligner.push(list(chars), times, times[1:])
        assert [word.span for word in words] == [(0, 7), (8, 12), (13, 18)]
        assert words[0].start == chars.index("happily t") / 10


LEFT_OUT = {
    "nothing": lambda text: text,
    "the tags": lambda text: re.sub(r"\[[a-z]{2,}\] ", "", text),
    "the tags, not the blanks after them": lambda text: re.sub(r"\[[a-z]{2,}\]", "", text),
    "the blanks": lambda text: text.replace(" ", ""),
    "the points": lambda text: re.sub(r"[!.]", "", text),
}


@pytest.mark.parametrize("left_out", LEFT_OUT)
def test_words_around_audio_tags_have_their_times(left_out: str) -> None:
    said = "Happily sad, [a] I lay! A day, sadly. and"
    told = ((0, felt("joy")), (said.index("I"), felt("sad")), (said.index("and"), felt("fear")))
    text, places = sent(said, told, V3)
    assert text.count("[") == 4
    chars = LEFT_OUT[left_out](text)
    aligner = Aligner(text, places, said)
    words = aligner.push(list(chars), range(len(chars)), range(1, len(chars) + 1))
    assert [said[slice(*word.span)] for word in words] == [
        "Happily", "sad", "a", "I", "lay", "A", "day", "sadly", "and"
    ]  # fmt: skip
    for word in words:
        assert chars[int(word.start) : int(word.end)] == said[slice(*word.span)]
