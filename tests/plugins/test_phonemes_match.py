from __future__ import annotations

import numpy as np
from facewire_phonemes.match import Said, match, merge

WORDS = ["the", "quick", "brown", "fox", "jumped", "over", "those", "lazy", "dogs", "again"]


def spelled(text: str) -> list[tuple[str, ...]]:
    return [tuple(word) for word in text.split()]


def test_equal_strings_match_one_to_one() -> None:
    assert match("abcdef", "abcdef").tolist() == [0, 1, 2, 3, 4, 5]


def test_text_before_and_behind_is_left_over() -> None:
    assert match("fox", "thequickfoxjumped").tolist() == [8, 9, 10]


def test_nothing_matches_nothing() -> None:
    assert match("", "abc").tolist() == []
    assert match("abc", "").tolist() == [-1, -1, -1]


def test_the_same_words_are_the_texts() -> None:
    assert merge(spelled(" ".join(WORDS)), spelled(" ".join(WORDS))) == [
        Said(True, i) for i in range(len(WORDS))
    ]


def test_a_sentence_the_text_lacks_stays_as_heard() -> None:
    heard = [*WORDS, "completely", "unwritten", "paragraph", *WORDS]
    said = merge(spelled(" ".join(heard)), spelled(" ".join(WORDS + WORDS)))
    assert said == [
        *(Said(True, i) for i in range(10)),
        *(Said(False, i) for i in range(10, 13)),
        *(Said(True, i) for i in range(10, 20)),
    ]


def test_a_sentence_that_was_not_said_is_left_out() -> None:
    text = [*WORDS, "completely", "unwritten", "paragraph", *WORDS]
    said = merge(spelled(" ".join(WORDS + WORDS)), spelled(" ".join(text)))
    assert [item.place for item in said] == [*range(10), *range(13, 23)]
    assert all(item.written for item in said)


def test_a_misheard_word_is_the_texts() -> None:
    heard = " ".join(WORDS).replace("over", "ofer").replace("fox", "box")
    assert merge(spelled(heard), spelled(" ".join(WORDS))) == [Said(True, i) for i in range(10)]


def test_another_text_is_not_trusted() -> None:
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    heard, text = (["".join(rng.choice(letters, 5)) for _ in range(n)] for n in (40, 400))
    said = merge(spelled(" ".join(heard)), spelled(" ".join(text)))
    assert said == [Said(False, i) for i in range(40)]


def test_nothing_heard_says_nothing() -> None:
    assert merge([], spelled("some text")) == []
    assert merge(spelled("some text"), []) == [Said(False, 0), Said(False, 1)]
