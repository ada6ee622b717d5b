r"""Tags in text: the grammar, strict and lenient, whole and in pieces; where words begin."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from facewire.emotion import Tag, TagParser, parse, parse_tags
from facewire.errors import InputError
from facewire.types import Mark
from hypothesis import example, given, settings
from hypothesis import strategies as st


def found(text: str, lenient: bool = False) -> tuple[str, list[tuple[int, str | None, float]]]:
    plain, tags = parse_tags(text, lenient)
    return plain, [(tag.at, tag.state.name, tag.state.strength) for tag in tags]


def test_the_example() -> None:
    plain, tags = found("[happy:80] Great to see you. [sad:40] But I must go.")
    assert plain == "Great to see you. But I must go."
    assert tags == [(0, "joy", 0.8), (plain.index("But"), "sadness", 0.4)]


@pytest.mark.parametrize(
    ("text", "plain", "tags"),
    [
        ("", "", []),
        ("No tags.", "No tags.", []),
        ("[joy]", "", [(0, "joy", 1.0)]),
        ("[joy]Hi", "Hi", [(0, "joy", 1.0)]),
        ("I am [ Very-Not ]".replace("Very-Not", "In-Love"), "I am ", [(5, "love", 1.0)]),
        ("won[awe]derful", "wonderful", [(3, "awe", 1.0)]),
        ("Well[joy], yes", "Well, yes", [(4, "joy", 1.0)]),
        ("a [joy] [sad:5%] b", "a b", [(2, "joy", 1.0), (2, "sadness", 0.05)]),
        ("one.\n[fear:L1] two", "one.\ntwo", [(5, "fear", 0.45)]),
        ("[joy:200]a [neutral] b", "a b", [(0, "joy", 2.0), (2, "neutral", 1.0)]),
        (
            "[기쁨:30] 안녕 [sorry]👋🏽 você",
            "안녕 👋🏽 você",
            [(0, "joy", 0.3), (3, "apology", 1.0)],
        ),
        (r"\[joy] a \[b\] c\d \\", r"[joy] a [b] c\d \\", []),
        (r"[joy] \[stage [sad] whisper]", "[stage whisper]", [(0, "joy", 1), (7, "sadness", 1)]),
        ("a\\", "a\\", []),
    ],
)
def test_grammar(text: str, plain: str, tags: list) -> None:
    assert found(text) == (plain, tags)
    assert found(text, lenient=True) == (plain, tags)


HINT = r"; write \[ for a bracket that is spoken, or set tags: lenient"


@pytest.mark.parametrize(
    ("text", "message", "spoken"),
    [
        (
            "Hi [hapy] you",
            "text, character 4: emotion 'hapy' is unknown; did you mean 'happy'?" + HINT,
            "Hi [hapy] you",
        ),
        (
            "[] x",
            "text, character 1: found no emotion, expected a name such as joy or joy:80" + HINT,
            "[] x",
        ),
        (
            "[joy:300]",
            "text, character 1: found strength '300', expected 0 to 200 percent or L1 to L5" + HINT,
            "[joy:300]",
        ),
        ("so [joy", "text, character 4: '[' is never closed" + HINT, "so [joy"),
        ("a [b [c", "text, character 3: '[' is not closed before '['" + HINT, "a [b [c"),
        ("[joy\n]", r"text, character 1: '[' is not closed before '\n'" + HINT, "[joy\n]"),
        (
            "x[" + "y" * 100 + "]",
            "text, character 2: '[' is not closed within 64 characters" + HINT,
            "x[" + "y" * 100 + "]",
        ),
        (
            "[joy] b]",
            "text, character 8: found ']' without '[', expected a tag such as [joy:80]; "
            r"write \] for a bracket that is spoken",
            "b]",
        ),
    ],
)
def test_mistakes(text: str, message: str, spoken: str) -> None:
    with pytest.raises(InputError) as error:
        parse_tags(text)
    assert str(error.value) == message
    assert parse_tags(text, lenient=True).text == spoken


@pytest.mark.parametrize(
    "text",
    ["[0.1,0.2,0.3]", "[joy:nan]", "[joy:-5]", "[joy:1e1]", "[😀]", "[\0]", "[:]", "[ ]", "[" * 99],
)
def test_more_mistakes_are_one_line_or_spoken(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_tags(text, where="line 7")
    assert str(error.value).startswith("line 7, character 1: ")
    assert len(str(error.value).splitlines()) == 1
    assert parse_tags(text, lenient=True) == (text, ())


def test_good_tags_between_bad_ones() -> None:
    assert found("[wave] [joy:50] hi [[sad] x ] y", lenient=True) == (
        "[wave] hi [ x ] y",
        [(7, "joy", 0.5), (11, "sadness", 1.0)],
    )


def test_long_text_is_quick() -> None:
    began = time.perf_counter()
    text = "[joy:50] Ten characters or more of text. " * 2500  # 100,000 characters
    plain, tags = parse_tags(text)
    assert len(tags) == 2500 and "[" not in plain
    assert parse_tags("[" * 10_000, lenient=True).text == "[" * 10_000
    assert parse_tags("\\[" * 10_000).text == "[" * 10_000
    assert time.perf_counter() - began < 5


ALPHABET = st.one_of(
    st.sampled_from(
        ["[", "]", "\\", "\\[", "[joy]", "[hapy]", "[sad:40]", "[neutral] ", " ", "\n", "😀", "말"]
    ),
    st.text(max_size=4),
)


def run(pieces: list[str], lenient: bool) -> tuple[str, tuple[Tag, ...]] | str:
    parser, text, tags = TagParser(lenient), "", ()
    try:
        for out in [*map(parser.push, pieces), parser.flush()]:
            assert all(tag.at >= len(text) for tag in out.tags)
            text, tags = text + out.text, tags + out.tags
    except InputError as error:
        return str(error)
    return text, tags


@settings(deadline=None)
@given(st.lists(ALPHABET, max_size=12).map("".join), st.data(), st.booleans())
@example("[happy:80] Hi", None, False)
def test_pieces_give_what_the_whole_gives(text: str, data: st.DataObject, lenient: bool) -> None:
    cuts = (
        list(range(len(text)))
        if data is None
        else sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    )
    edges = [0, *cuts, len(text)]
    pieces = [text[a:b] for a, b in pairwise(edges)]
    whole = run([text], lenient)
    assert run(pieces, lenient) == whole == run(list(text), lenient)
    if lenient:
        assert not isinstance(whole, str)
        plain, tags = whole
        assert all(0 <= tag.at <= len(plain) for tag in tags)
        assert [tag.at for tag in tags] == sorted(tag.at for tag in tags)


def test_a_stream_holds_back_no_more_than_a_tag() -> None:
    parser = TagParser(lenient=True)
    assert parser.push("Hello [ha") == ("Hello ", ())
    assert parser.push("ppy:80] you")[0] == "you"
    said = parser.push("[" + "x" * 64).text
    assert said == "" and parser.push("x").text == "[" + "x" * 65


def test_reset_forgets() -> None:
    parser = TagParser()
    parser.push("abc [jo")
    parser.reset()
    assert parser.push("[joy] x") == ("x", (Tag(0, parse("joy")),))


def word(start: int, end: int, chars: tuple[int, int] | None) -> Mark:
    return Mark("word", "w", start, end, chars)
