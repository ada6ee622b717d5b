from __future__ import annotations

import pytest
from facewire_phonemes import numbers, tables
from facewire_phonemes.lexicon import Dictionary, Lexicon, arpabet, guess, plain
from facewire_phonemes.text import read


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return Dictionary()


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("0", "zero"),
        ("13", "thirteen"),
        ("342", "three hundred forty two"),
        ("1999", "nineteen ninety nine"),
        ("1906", "nineteen oh six"),
        ("2005", "two thousand five"),
        ("2024", "twenty twenty four"),
        ("1,999", "one thousand nine hundred ninety nine"),
        ("1000000", "one million"),
        ("$5", "five dollars"),
        ("$1.50", "one dollar and fifty cents"),
        ("28.8", "twenty eight point eight"),
        ("3rd", "third"),
        ("20th", "twentieth"),
        ("1980s", "nineteen eighties"),
        ("50%", "fifty percent"),
        ("10:30", "ten thirty"),
        ("9:05", "nine oh five"),
        ("007", "zero zero seven"),
        ("1" * 30, " ".join(["one"] * 30)),
    ],
)
def test_a_number_is_spoken(token: str, words: str) -> None:
    assert numbers.spoken(token) == words.split()


@pytest.mark.parametrize("token", ["", "word", "$", "1.2.3", "-"])
def test_what_is_no_number_is_none(token: str) -> None:
    assert numbers.spoken(token) is None


def test_tokens_keep_their_place_and_asides_are_skipped() -> None:
    text = 'He [laughs] said, "Mr. O\u2019Neil owes $5!" — at 9 A.M.'
    script = read(text)
    assert [text[a:b] for _, (a, b), _ in script.tokens] == [
        "He", "said,", '"Mr.', "O\u2019Neil", "owes", '$5!"', "at", "9", "A.M."
    ]  # fmt: skip
    assert [" ".join(token.spoken) for token in script.tokens] == [
        "he", "said", "mister", "o'neil", "owes", "five dollars", "at", "nine", "a. m."
    ]  # fmt: skip
    assert script.skipped == ("[laughs]",)


def test_capitals_are_spelled_unless_they_are_a_word() -> None:
    assert read("IVR").tokens[0].spoken == ("i.", "v.", "r.")
    assert read("NASA", lambda word: word == "nasa").tokens[0].spoken == ("nasa",)


def test_text_without_speech_has_no_tokens() -> None:
    assert read(" … -- [beep] ").tokens == ()


def test_the_dictionary_gives_stress(dictionary: Dictionary) -> None:
    assert dictionary.find("about") == [("AH0", "B", "AW1", "T")]
    assert dictionary.find("photograph")[0][1] == "OW1"
    assert ("R", "EH1", "K", "ER0", "D") in dictionary.find("record")
    assert dictionary.find("xyzzyplugh") == []
    assert dictionary.find("") == dictionary.find("a b") == []


def test_every_vowel_has_one_stress_digit(dictionary: Dictionary) -> None:
    lexicon = Lexicon(dictionary, lambda word: None)
    for word in ("the", "people", "zürich", "blorptious", "mbps", "waldo's", "x.", "漢", "smiths'"):
        for way in lexicon.say(word):
            assert way
            for phone in way:
                assert plain(phone) in tables.PHONES
                assert (phone[-1] in "012") == (plain(phone) in tables.VOWELS)


def test_an_unknown_word_is_asked_of_the_voice_and_then_guessed(dictionary: Dictionary) -> None:
    asked = []

    def pronounce(word: str) -> list[str] | None:
        asked.append(word)
        return ["f", "ˈeɪ", "s", "w", "ˌaɪ", "ɚ"] if word == "facewire" else None

    lexicon = Lexicon(dictionary, pronounce)
    assert lexicon.say("facewire") == [("F", "EY1", "S", "W", "AY2", "ER0")]
    assert lexicon.say("blorp") == [("B", "L", "AO1", "R", "P")]
    assert lexicon.say("hello") and asked == ["facewire", "blorp"]
    assert lexicon.guessed == ["blorp"]


def test_a_compound_is_put_together_from_its_parts(dictionary: Dictionary) -> None:
    lexicon = Lexicon(dictionary, lambda word: None)
    assert ("AH1", "N", "M", "Y", "UW1", "T") in lexicon.say("unmute")
    assert lexicon.say("facewire")[0] == ("F", "EY1", "S", "W", "AY1", "ER0")


def test_ipa_and_arpabet_become_the_models_phones() -> None:
    assert arpabet(["h", "ə", "l", "ˈoʊ"]) == ("HH", "AH0", "L", "OW1")
    assert arpabet(["HH", "AH0", "L", "OW1"]) == ("HH", "AH0", "L", "OW1")
    assert arpabet(["ˈtʃ", "iː"]) == ("CH", "IY1")
    assert arpabet(["ʔ", "_:"]) == ()


def test_a_guess_is_never_empty() -> None:
    assert guess("") == guess("漢") == ("AH1",)
    assert guess("ship")[0] == "SH"


def test_each_phone_has_a_duration() -> None:
    assert set(tables.durations()) == tables.PHONES
