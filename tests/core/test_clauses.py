"""Clauses of text that is still being written: where they end, and that no cut changes them."""

from __future__ import annotations

import pytest
from facewire.clauses import MOST, ClauseStream, ends_sentence
from facewire.emotion import parse_tags
from hypothesis import given
from hypothesis import strategies as st

CUT = "|"
TEXTS = [
    "Hello there, |my friend. |How are you? |Fine!",
    "Yes. |No! |Well, yes indeed: |I think so; |you do not.",  # "Well," is no clause of its own
    "So pi is 3.14, |a dozen costs 1,200.50, |and it is 12:30 now. |Good.",
    "Dr. Smith met Prof. Jones, |Mr. J. R. Smith etc. and others. |Then they left.",
    "It is e.g. z.B. the U.S. army. |He sang.",
    "See https://a.example/x?q=1,2:3, |or write to me@a.example. |Thanks.",
    "But wait a bit—|what then? |Well... |maybe. |What?! |Really…? |Yes.",
    "1. Mix the flour. |2. Add 3 eggs. |In 2024. |Done.",
    '"Stop!" |she said. |(He did not.) |Then',
    "word—word and then more—|then",
    "no mark at all\n|next line\n|[joy]\n|last",
    "[happy:80] Great to see you. |[sad:40] But I must go.|[joy]Yes",
    "so [fear: 80% ] it is, they say, |my friend",
    r"\[whatever: this is, my friend] it goes on. |Then",
    "你好，我是小明。|今天天气很好！|「真的？」|他说……对。|好",
    "これはペンです。|あれは、|本です。",
    "كيف حالك اليوم؟ |أنا بخير، شكرا جزيلا لك",
    "नमस्ते दुनिया। |यह ठीक है।",
    "😀! 🎉 hi. |👍🏽 yes",
    "one [not closed, and, so on, it is far too long for a tag, is it not, |dear reader? |Yes",
    "a] stray, bracket here, |and more",
]


def clauses(text: str, *sizes: int) -> list[str]:
    stream, out, at = ClauseStream(), [], 0
    for size in sizes:
        out += stream.push(text[at : at + size])
        at += size
    return out + stream.push(text[at:]) + stream.flush()


@pytest.mark.parametrize("marked", TEXTS)
def test_where_clauses_end(marked: str) -> None:
    expected = marked.split(CUT)
    text = "".join(expected)
    assert clauses(text) == expected
    assert clauses(text, *[1] * len(text)) == expected


@given(
    st.text(alphabet="ab1 .,:;!?—…[]\\\n\"'。，好é😀", max_size=120),
    st.lists(st.integers(1, 9), max_size=40),
)
def test_no_cut_changes_clauses_and_nothing_is_lost(text: str, sizes: list[int]) -> None:
    whole = clauses(text)
    assert clauses(text, *sizes) == whole
    assert "".join(whole).split() == text.split()
    assert all(clause.strip() and not clause[0].isspace() for clause in whole)


@given(st.lists(st.sampled_from(["[joy:80]", "[neutral]", "one", ", two three", ". ", " "])))
def test_tags_are_whole_in_their_clauses(parts: list[str]) -> None:
    text = "".join(parts)
    apart = [parse_tags(clause) for clause in clauses(text)]
    assert sum(len(one.tags) for one in apart) == len(parse_tags(text).tags)


def test_a_tag_in_pieces_is_waited_for() -> None:
    stream = ClauseStream()
    assert stream.push("[hap") == [] and stream.in_tag
    assert stream.words() == []
    assert stream.push("py:80] Yes! ") == ["[happy:80] Yes! "]


def test_text_without_marks_ends_with_a_word() -> None:
    found = clauses("abcd " * 2000)
    assert "".join(found).split() == ["abcd"] * 2000
    assert all(len(clause) <= MOST + 1 and clause.endswith("abcd ") for clause in found)
    assert "".join(clauses("x" * 10_000)) == "x" * 10_000


@pytest.mark.parametrize(
    ("waiting", "ready"),
    [("Hello.", True), ("It is 3.", False), ("Dr.", False), ("Hello", False), ("Hi,", False),
     ("Yes!", True), ("Hello [joy].", True), ("Hello. [jo", False), ("", False)],
)  # fmt: skip
def test_what_seems_whole(waiting: str, ready: bool) -> None:
    stream = ClauseStream()
    stream.push(waiting)
    assert stream.ready is ready


def test_what_is_spoken_where_a_stream_stalls() -> None:
    stream = ClauseStream()
    stream.push("Hello wor")
    assert stream.words() == ["Hello "]
    assert stream.words() == ["wor"] and stream.words() == []
    stream.push("It is mine. ")
    stream.push("Is it?")
    assert stream.words() == ["Is it?"]
    stream.push("before [jo")
    assert stream.words() == ["before "]
    assert stream.push("y] after. ") == ["[joy] after. "]


def test_sentences() -> None:
    assert ends_sentence("Yes. ") and ends_sentence('"No!" ') and ends_sentence("line\n")
    assert ends_sentence("好。") and ends_sentence("Well... ")
    assert not ends_sentence("Yes, ") and not ends_sentence("and so") and not ends_sentence("")
