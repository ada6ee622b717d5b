from __future__ import annotations

import pytest
from facewire.articulation import read_phone
from facewire.articulation.phones import tables
from hypothesis import given
from hypothesis import strategies as st

ARPABET = """AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH
UH UW V W Y Z ZH"""
# What espeak-ng writes for English, German, French, Spanish, Italian, Japanese, Mandarin
ESPEAK = """ə ɐ ᵻ ɚ ɜː ˈɑː ˌɔː iː uː ʊ ɪ ɛ æ ʌ əʊ oʊ aɪ aʊ ɔɪ eɪ aɪɚ aɪə ɪɹ ɛɹ ʊɹ oːɹ
ɔːɹ ɑːɹ iə ɹ ɾ
ʔ ŋ θ ð ʃ ʒ tʃ dʒ əl n̩ ɡ x ç pf ts yː øː œ ʏ ɑ̃ ɔ̃ ɛ̃ œ̃ ɥ ɲ
ʁ β ɣ r ʎ ɟ bʲ t͡s kʰ ɕ ʑ ɯ ɸ ts. s. ai2 i.5"""


def names(text: str) -> list[str]:
    return [shape.name for shape in read_phone(text).shapes]


@pytest.mark.parametrize("text", [*ARPABET.split(), *ESPEAK.split()])
def test_every_phone_is_known(text: str) -> None:
    assert read_phone(text).known and read_phone(text).shapes


@pytest.mark.parametrize("phone", ["P", "B", "M", "p", "b", "m", "pʰ", "mː", "m̩", "ɓ", "p͡f", "bʲ"])
def test_bilabials_close(phone: str) -> None:
    assert read_phone(phone).kind == "closure"


def test_both_alphabets_say_the_same() -> None:
    pairs = [("AA1", "ˈɑː"), ("AY2", "ˌaɪ"), ("CH", "tʃ"), ("F", "f"), ("DH", "ð"), ("W", "w")]
    for arpabet, ipa in pairs[2:]:
        assert names(arpabet) == names(ipa)
    assert names("AA1") == names("ˈɑː") == ["a"]
    assert (read_phone("AY1").stress, read_phone("ˈaɪ").stress) == (1, 1)
    assert (read_phone("AY2").stress, read_phone("ˌaɪ").stress) == (2, 2)
    assert (read_phone("AH0").stress, read_phone("ə").stress) == (0, None)


def test_lower_case_is_ipa_and_upper_case_arpabet() -> None:
    assert names("Y") == ["j"]
    assert names("y") == ["y"]
    assert names("B") == names("b") == ["p"]


@pytest.mark.parametrize("text", ["", "SIL", "sil", "<sil>", "+SPN+", "+NSN+", "pau", "_:"])
def test_silence_moves_nothing(text: str) -> None:
    assert read_phone(text).shapes == () and read_phone(text).known


@pytest.mark.parametrize("text", ["?", "X9", "1", "日"])
def test_the_unknown_is_neutral_and_told(text: str) -> None:
    assert names(text) == ["neutral"]
    assert not read_phone(text).known


def test_every_letter_of_the_ipa_has_a_shape() -> None:
    consonants = "pbtdʈɖcɟkɡqɢʔmɱnɳɲŋɴʙrʀⱱɾɽɸβfvθðszʃʒʂʐçʝxɣχʁħʕhɦɬɮʋɹɻjɰlɭʎʟɓɗʄɠʛʍwɥʜʢʡɕʑɺɧʘǀǃǂǁ"
    vowels = "iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒ"
    assert not [letter for letter in consonants + vowels if letter not in tables().ipa]
    assert all(read_phone(letter).kind in ("vowel", "open") for letter in vowels)
    assert all(read_phone(letter).kind not in ("vowel", "open") for letter in consonants)


def test_vowels_open_in_their_order() -> None:
    gap = {name: dict(shape.targets)[0] for name, shape in tables().shapes.items()}
    assert gap["a"] > max(gap["e"], gap["o"]) and min(gap["e"], gap["o"]) > max(gap["i"], gap["u"])


@given(st.text(max_size=12))
def test_any_text_is_read(text: str) -> None:
    symbol = read_phone(text)
    assert symbol.shapes or symbol.kind == "silence"
