"""Words, pieces, and where sentences are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from facewire_textmood.sentences import MAX_SENTENCE, spans
from facewire_textmood.wordpiece import (
    CLS,
    CONTEXT_TOKENS,
    OTHER,
    SELF,
    SENTENCE_TOKENS,
    SEP,
    SPECIAL,
    WordPiece,
    words,
)
from hypothesis import given
from hypothesis import strategies as st

PIECES = WordPiece([*SPECIAL, "sun", "##ny", "##s", "day", "'", "!", "s"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Café, NAÏVE!", ["cafe", ",", "naive", "!"]),
        ("don’t “go”…", ["don", "'", "t", '"', "go", '"', "."]),
        ("No!!!!!!", ["no", "!", "!"]),
        ("I saw [NAME] today", ["i", "saw", "[NAME]", "today"]),
        ("😂😂😂😂", ["face", "with", "tears", "of", "joy"] * 2),
        ("👍🏽 ❤️", ["thumbs", "up", "sign", "heavy", "black", "heart"]),
        ("高兴", ["高", "兴"]),
        ("a\u200bb\x07c\tD_E", ["ab", "c", "d", "_", "e"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_the_longest_piece_first() -> None:
    ids = PIECES.ids
    assert PIECES.encode("Sunny suns!") == [
        ids["sun"], ids["##ny"], ids["sun"], ids["##s"], ids["!"],
    ]  # fmt: skip
    assert PIECES.encode("sunday " + "s" * 41) == [ids["[UNK]"]] * 2


def test_layout_puts_the_sentence_before_its_context() -> None:
    ids = PIECES.ids
    day, sun = ids["day"], ids["sun"]
    tokens, first = PIECES.layout([day] * 99, [(OTHER, [sun] * 99), (SELF, [day])])
    assert first == SENTENCE_TOKENS + 2
    assert tokens[:first] == [ids[CLS], *[day] * SENTENCE_TOKENS, ids[SEP]]
    assert tokens[first:] == [ids[OTHER], *[sun] * CONTEXT_TOKENS, ids[SELF], day, ids[SEP]]
    assert PIECES.layout([day]) == ([ids[CLS], day, ids[SEP]], 3)


def test_a_vocabulary_is_checked() -> None:
    with pytest.raises(ValueError, match="expected \\[PAD\\]"):
        WordPiece(["sun"])
    with pytest.raises(ValueError, match="twice"):
        WordPiece([*SPECIAL, "sun", "sun"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I won. You lost!", ["I won.", "You lost!"]),
        ("Dr. Who met J. R. Smith. He left.", ["Dr. Who met J. R. Smith.", "He left."]),
        ("Well... maybe not. 3.5 is fine.", ["Well... maybe not.", "3.5 is fine."]),
        ('"Stop!" he said. "Why?"', ['"Stop!"', "he said.", '"Why?"']),
        ("one\n\ntwo\r\n three", ["one", "two", "three"]),
        ("嬉しい。悲しい！", ["嬉しい。", "悲しい！"]),
        ("  no end  ", ["no end"]),
        ("   \n ", []),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[begin:end] for begin, end in spans(text)] == expected


def test_a_long_sentence_is_cut_at_its_pauses() -> None:
    text = "and then we walked a little further, " * 40
    parts = [text[begin:end] for begin, end in spans(text)]
    assert all(part.endswith("further,") for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    assert max(map(len, parts)) <= MAX_SENTENCE


@given(st.text(max_size=2000))
def test_sentences_cover_what_is_not_blank(text: str) -> None:
    found = spans(text)
    assert "".join("".join(text[a:b].split()) for a, b in found) == "".join(text.split())
    assert all(0 < b - a <= MAX_SENTENCE for a, b in found)
    assert all(left[1] <= right[0] for left, right in pairwise(found))
