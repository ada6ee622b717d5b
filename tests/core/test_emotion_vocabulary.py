"""The 16 labels, 22 archetypes and 27 names: what the specification fixes about their numbers."""

from __future__ import annotations

import itertools
import math
import re
from importlib.resources import files

import numpy as np
import pytest
import yaml
from facewire import emotion
from facewire.emotion import LABELS, LEVELS, NAMES, NEUTRAL_VAD, lookup, resolve, weights_of
from facewire.errors import InputError

BASE = "neutral joy anger sadness surprise"
EXTENDED = (
    "fear disgust contempt gratitude apology sulk embarrassment pride love excitement anxiety"
)
OTHERS = "amusement relief curiosity confusion boredom frustration"
LEXICON = "disappointment hope contentment guilt awe"
GIVEN = {
    "joy": (0.87, 0.72, 0.72),
    "anger": (0.17, 0.82, 0.80),
    "sadness": (0.17, 0.30, 0.28),
    "surprise": (0.55, 0.82, 0.42),
    "neutral": (0.50, 0.30, 0.50),
    "gratitude": (0.85, 0.45, 0.52),
    "fear": (0.18, 0.80, 0.29),
    "disgust": (0.20, 0.68, 0.56),
}
DATA = yaml.safe_load(
    files("facewire").joinpath("data/emotion/vocabulary.yaml").read_text(encoding="utf-8")
)
ROWS = {**DATA["labels"], **DATA["archetypes"], **DATA["lexicon"]}


def test_order_of_labels_and_names() -> None:
    assert tuple(f"{BASE} {EXTENDED}".split()) == LABELS
    assert tuple(f"{BASE} {EXTENDED} {OTHERS}".split()) == emotion.ARCHETYPES
    assert tuple(f"{BASE} {EXTENDED} {OTHERS} {LEXICON}".split()) == NAMES == emotion.names()
    assert GIVEN["neutral"] == NEUTRAL_VAD


@pytest.mark.parametrize(("name", "vad"), GIVEN.items())
def test_given_anchors(name: str, vad: tuple[float, ...]) -> None:
    assert lookup(name).vad == vad


def test_labels_lie_apart() -> None:
    pairs = {
        (one, other): math.dist(lookup(one).vad, lookup(other).vad)
        for one, other in itertools.combinations(LABELS, 2)
    }
    assert min(pairs.values()) >= 0.08
    assert pairs["joy", "gratitude"] >= 0.30
    assert all(0.0 <= value <= 1.0 for name in NAMES for value in lookup(name).vad)


def _expected(row: dict) -> list[float]:
    terms = np.array(list(row["terms"].values()), float)
    if row["source"] == "glasgow":
        line = DATA["glasgow_to_pad"]
        terms = terms * line["slope"] + line["base"]
    return list(((terms + 1) / 2).mean(axis=0) + row.get("nudge", [0, 0, 0]))


@pytest.mark.parametrize("name", [name for name in NAMES if ROWS[name]["source"] != "given"])
def test_numbers_follow_from_their_source(name: str) -> None:
    row = ROWS[name]
    rounded = [math.floor(value * 100 + 0.5 + 1e-9) / 100 for value in _expected(row)]
    assert row["vad"] == pytest.approx(rounded, abs=1e-9)
    assert ("nudge" in row) == ("why" in row)


def test_only_what_the_specification_gives_has_no_other_source() -> None:
    given = {name for name in NAMES if ROWS[name]["source"] == "given"}
    assert given == set(GIVEN) - {"fear", "disgust"}
    assert lookup("fear").source.startswith("Russell and Mehrabian")


def test_weights_say_which_family() -> None:
    for name in NAMES:
        entry, weights = lookup(name), weights_of(name)
        assert weights.shape == (16,) and weights.dtype == np.float32
        assert weights.sum() == pytest.approx(1.0)
        assert LABELS[int(weights.argmax())] == entry.family
    for label in LABELS:
        assert weights_of(label).max() == 1.0 and lookup(label).family == label


def test_a_family_draws_its_members() -> None:
    """A name's VAD reaches at least half of level 3 on its family's ray: no face stays neutral."""
    rest = np.array(NEUTRAL_VAD)
    for name in NAMES[16:]:
        ray = np.array(lookup(lookup(name).family).vad) - rest
        reach = (np.array(lookup(name).vad) - rest) @ ray / (ray @ ray)
        assert reach >= 0.5, name


def test_levels() -> None:
    assert len(LEVELS) == 5
    assert (LEVELS[0], LEVELS[2], LEVELS[4]) == (0.45, 1.0, 1.40)
    assert list(LEVELS) == sorted(set(LEVELS))


def test_aliases_in_two_languages() -> None:
    table = emotion.aliases()
    korean = [alias for alias in table if re.search("[가-힣]", alias)]
    assert len(table) - len(korean) >= 60 and len(korean) >= 27
    assert {table[alias] for alias in korean} == set(NAMES)
    wanted = {"happy": "joy", "scared": "fear", "thankful": "gratitude", "sorry": "apology"}
    for alias, name in {**wanted, "pouting": "sulk", "기쁨": "joy", "죄책감": "guilt"}.items():
        assert resolve(alias) == name


@pytest.mark.parametrize("word", ["joy", " Joy ", "JOY", "\uff4a\uff4f\uff59"])
def test_case_and_form_do_not_matter(word: str) -> None:
    assert resolve(word) == "joy"


def test_blanks_hyphens_and_decomposed_hangul() -> None:
    import unicodedata

    assert resolve("let_down") == resolve("Let-Down") == resolve("let  down") == "disappointment"
    assert resolve(unicodedata.normalize("NFD", "행복")) == "joy"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("hapy", "emotion: emotion 'hapy' is unknown; did you mean 'happy'?"),
        ("Gratitud", "emotion: emotion 'Gratitud' is unknown; did you mean 'gratitude'?"),
        ("embarassed", "emotion: emotion 'embarassed' is unknown; did you mean 'embarrassed'?"),
    ],
)
def test_unknown_name_suggests_the_nearest(word: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        lookup(word)
    assert str(error.value) == message


@pytest.mark.parametrize("word", ["", "xyzzy", "joy\nsad", "😀" * 10_000, "\0"])
def test_unknown_name_is_one_short_line(word: str) -> None:
    with pytest.raises(InputError) as error:
        lookup(word, "turn 3")
    text = str(error.value)
    assert text.startswith("turn 3: ") and "\n" not in text and "\0" not in text
    assert len(text) < 500


def test_weights_are_the_callers_own() -> None:
    weights_of("joy")[:] = 0
    assert weights_of("joy").sum() == 1.0
