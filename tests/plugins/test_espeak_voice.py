"""The voice as sessions use it: the same bytes every time, pieces, hostile text, languages."""

from __future__ import annotations

import hashlib
import itertools
import random
import subprocess
import sys
import threading

import numpy as np
import pytest
from facewire.errors import InputError, ProfileError
from facewire.types import Audio, Mark, Utterance
from facewire_espeak.plugin import EspeakConfig
from facewire_espeak.voice import Espeak

SENTENCE = "Peter thought she was seventy, and this is the zoo of fish and thieves!"


@pytest.fixture(scope="module")
def voice() -> Espeak:
    return Espeak(EspeakConfig())


def speak(voice: Espeak, text: str, lang: str = "en") -> tuple[np.ndarray, list[Mark]]:
    """Speak, and hold what every utterance must hold."""
    pieces = list(voice.speak(Utterance(text, lang)))
    end = 0
    for piece in pieces:
        assert piece.start == end
        assert piece.rate == 22050
        assert piece.samples.dtype == np.float32
        assert 0 < len(piece) <= 11025
        assert all(piece.start <= mark.start < piece.end for mark in piece.marks)
        end = piece.end
    marks = [mark for piece in pieces for mark in piece.marks]
    check_marks(text, marks, end)
    samples = np.concatenate([np.zeros(0, np.float32), *(piece.samples for piece in pieces)])
    assert np.isfinite(samples).all()
    return samples, marks


def check_marks(text: str, marks: list[Mark], end: int) -> None:
    assert marks == sorted(marks, key=lambda mark: mark.start)
    assert all(0 <= mark.start < mark.end <= end and mark.text for mark in marks)
    for kind in ("word", "phone"):
        row = [mark for mark in marks if mark.kind == kind]
        assert all(a.end <= b.start for a, b in itertools.pairwise(row))
    words = [mark for mark in marks if mark.kind == "word"]
    spans = [mark.chars for mark in words if mark.chars]
    assert len(spans) == len(words)
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


def digest(pieces: list[Audio]) -> str:
    parts = [(p.samples.tobytes(), p.start, p.marks) for p in pieces]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def test_a_sentence_gives_the_same_bytes_each_time(voice: Espeak) -> None:
    first = digest(list(voice.speak(Utterance(SENTENCE))))
    list(voice.speak(Utterance("Something else altogether.")))
    voice.pronounce("otherwise")
    again = digest(list(voice.speak(Utterance(SENTENCE))))
    assert first == again == digest(list(Espeak(EspeakConfig()).speak(Utterance(SENTENCE))))


def test_threads_do_not_disturb_each_other(voice: Espeak) -> None:
    expected = digest(list(voice.speak(Utterance(SENTENCE))))
    found: list[str] = []

    def session() -> None:
        own = Espeak(EspeakConfig())
        for _ in range(3):
            found.append(digest(list(own.speak(Utterance(SENTENCE)))))
            own.pronounce("disturb")

    threads = [threading.Thread(target=session) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 12


def test_two_utterances_can_be_spoken_in_turns(voice: Espeak) -> None:
    a, b = (list(voice.speak(Utterance(text))) for text in (SENTENCE, SENTENCE[::-1]))
    first, second = voice.speak(Utterance(SENTENCE)), voice.speak(Utterance(SENTENCE[::-1]))
    mixed: tuple[list[Audio], list[Audio]] = ([], [])
    for _ in range(max(len(a), len(b))):
        mixed[0].extend(piece for piece in [next(first, None)] if piece)
        mixed[1].extend(piece for piece in [next(second, None)] if piece)
    assert (digest(mixed[0]), digest(mixed[1])) == (digest(a), digest(b))


def test_an_utterance_ends_in_a_short_silence(voice: Espeak) -> None:
    samples, marks = speak(voice, SENTENCE)
    rest = samples[marks[-1].end :]
    assert 0.25 < len(rest) / 22050 < 0.35
    assert np.abs(rest).max() < 1e-3
    assert np.abs(samples).max() > 0.3


@pytest.mark.parametrize("text", ["", " ", "\n\t \r", "\x00\x01"])
def test_blank_text_has_no_sound(voice: Espeak, text: str) -> None:
    assert list(voice.speak(Utterance(text))) == []


@pytest.mark.parametrize("text", ["...", "?!", "---", "\u200d", "[[]]"])
def test_text_without_a_sound_is_silent(voice: Espeak, text: str) -> None:
    samples, marks = speak(voice, text)
    assert marks == []
    assert np.abs(samples).max(initial=0) < 1e-3


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "7" * 5_000,
        "\x0150S slow \x01+99P",
        "half a \ud800 pair \udfff and a zero \x00 in it",
        "<speak><b>bold</b><break time='9s'/></speak> &lt; &amp;",
        "👩‍👩‍👧🇩🇪❤️ é́ü̈ ﬁ ½²",
        "你好 привет שלום مرحبا नमस्ते ไทย",
        "(((((((((([[[[[[[[[[{{{{{{{{{{",
        'He said: "so\n\n\n\r\n\twhat"…',
    ],
)
def test_hostile_text_is_spoken(voice: Espeak, text: str) -> None:
    samples, _ = speak(voice, text)
    assert len(samples)


def test_random_text_is_spoken() -> None:
    draw = random.Random(0)
    pools = ["ab XY.,!'-", "019.,:%$", "你本。！", "привет ", "שם م", "😀❤️\u200d", "\x01\x1b\r\n\0",
             "<>&[]{}()|@", "é́ñß²", "अनु ไทย"]  # fmt: skip
    voices = [Espeak(EspeakConfig(name)) for name in ("en-us", "ja", "ar", "de+f3")]
    for turn in range(40):
        size = draw.choice([1, 5, 30, 300])
        speak(voices[turn % 4], "".join(draw.choice(draw.choice(pools)) for _ in range(size)))


def test_ctrl_a_commands_are_not_obeyed(voice: Espeak) -> None:
    plain, _ = speak(voice, "  Ten small dogs.")
    obeyed, _ = speak(voice, "\x01\x01Ten small dogs.")
    assert np.array_equal(plain, obeyed)
    slow, _ = speak(voice, "\x0180SSo ten small dogs ran home.")
    assert len(slow) < 1.5 * len(speak(voice, " 80SSo ten small dogs ran home.")[0])


def test_phoneme_input_is_not_interpreted(voice: Espeak) -> None:
    _, marks = speak(voice, "Say [[h@'loU]] now")
    assert [m.text for m in marks if m.kind == "word"] != ["Say", "now"]
    _, hello = speak(voice, "hello")
    phones = "".join(m.text for m in hello if m.kind == "phone")
    assert phones not in "".join(m.text for m in marks if m.kind == "phone")


def test_long_text_streams(voice: Espeak) -> None:
    text = "A pot of tea helps to pass the evening. Smoky fires lack flame and heat! " * 140
    samples, marks = speak(voice, text[:10_000])
    assert len(samples) / 22050 > 400
    words = [mark for mark in marks if mark.kind == "word"]
    assert words[-1].chars is not None
    assert words[-1].chars[1] > 9_990
    assert all(text[slice(*mark.chars)] == mark.text for mark in words if mark.chars)
    first = next(voice.speak(Utterance(text)))
    assert len(first) == 11025


def test_the_language_of_an_utterance_chooses_the_voice(voice: Espeak) -> None:
    german, marks = speak(voice, "Zwölf Boxkämpfer über den Deich.", "de")
    assert next(m.text for m in marks if m.kind == "word") == "Zwölf"
    assert "ts" in [m.text for m in marks if m.kind == "phone"]
    own, _ = speak(Espeak(EspeakConfig("de")), "Zwölf Boxkämpfer über den Deich.", "de-AT")
    assert np.array_equal(german, own)
    english, _ = speak(voice, "Rice and beans", "en")
    assert np.array_equal(english, speak(voice, "Rice and beans", "en-us")[0])
    assert np.array_equal(english, speak(voice, "Rice and beans", "en-AU")[0])
    assert not np.array_equal(english, speak(voice, "Rice and beans", "en-gb")[0])


def test_options_change_what_is_heard() -> None:
    plain, _ = speak(Espeak(EspeakConfig()), SENTENCE)
    slow, _ = speak(Espeak(EspeakConfig(rate=100)), SENTENCE)
    high, _ = speak(Espeak(EspeakConfig(pitch=90)), SENTENCE)
    woman, _ = speak(Espeak(EspeakConfig("en-us+f3")), SENTENCE)
    assert len(slow) > 1.4 * len(plain)
    assert abs(len(high) - len(plain)) < 0.1 * len(plain)
    assert not np.array_equal(plain[:20000], high[:20000])
    assert not np.array_equal(plain[:20000], woman[:20000])


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            EspeakConfig("en-uss"),
            "espeak: there is no voice 'en-uss'; the nearest are en-us, en-us-nyc, en-shaw, en-gb",
        ),
        (
            EspeakConfig("en-us+f33"),
            "espeak: there is no variant 'f33'; the nearest are f3, m3, f5, f4",
        ),
        (EspeakConfig(rate=500), "espeak: rate is 500, expected 80 to 450 words a minute"),
        (EspeakConfig(pitch=-1), "espeak: pitch is -1, expected 0 to 99"),
    ],
)
def test_what_a_profile_gets_wrong_is_said(config: EspeakConfig, text: str) -> None:
    with pytest.raises(ProfileError) as error:
        Espeak(config)
    assert str(error.value) == text


def test_an_unknown_language_is_refused_before_anything_is_spoken(voice: Espeak) -> None:
    with pytest.raises(InputError) as error:
        voice.speak(Utterance("hi", "deutsch"))
    assert str(error.value).startswith("espeak: there is no language 'deutsch'; the nearest are ")
    with pytest.raises(InputError):
        voice.speak(Utterance("hi", ""))


def test_the_same_in_another_process_and_locale() -> None:
    program = (
        "import hashlib\n"
        "from facewire_espeak.plugin import EspeakConfig\n"
        "from facewire_espeak.voice import Espeak\n"
        "from facewire.types import Utterance\n"
        "h = hashlib.sha256()\n"
        "for p in Espeak(EspeakConfig()).speak(Utterance('Na\\u00efve caf\\u00e9, \\u00fcber')):\n"
        "    h.update(p.samples.tobytes())\n"
        "print(h.hexdigest())\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={"LC_ALL": locale, "PATH": ""},
        ).stdout
        for locale in ("C", "C.UTF-8")
    }  # fmt: skip
    assert len(found) == 1
