"""The tables and formulas of how an emotion is said."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files

import pytest
import yaml
from facewire.emotion import LABELS, NAMES, State, constant
from facewire_elevenlabs.manner import label_of, most_frequent, parts, sent, settings
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
    label = label_of(felt(name))
    assert label.base in tables().voices
    text, begin = sent("Some words to say.", felt(name), V3)
    assert text[begin:] == "Some words to say." and (begin > 0) == (name != "neutral")
    assert sent("Some words to say.", felt(name), FLASH) == ("Some words to say.", 0)


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
    aligner = Aligner(text, 0, text)
    heard = [c for i, c in enumerate(text) if (i * 31 + seed) % 7]  # some are left out
    times = [i / 10 for i in range(len(heard) + 1)]
    words = aligner.push(heard, times, times[1:]) + aligner.finish()
    starts = [word.start for word in words]
    assert starts == sorted(starts) and all(word.end >= word.start for word in words)
    assert len({word.span for word in words}) == len(words)


def test_a_text_that_begins_like_its_tag() -> None:
    text, begin = sent("happily they lived.", felt("joy"), V3)
    for chars in (text, text[begin:]):  # with the tag's characters, and without
        aligner = Aligner(text, begin, text[begin:])
        times = [i / 10 for i in range(len(chars) + 1)]
        words = aligner.push(list(chars), times, times[1:])
        assert [word.span for word in words] == [(0, 7), (8, 12), (13, 18)]
        assert words[0].start == chars.index("happily t") / 10
