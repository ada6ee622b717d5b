"""What the voice asks of the service, and what it makes of the answer."""

from __future__ import annotations

import gc
import re
import time
from fractions import Fraction

import numpy as np
import pytest
from elevenlabs_parts import CHAR, KEY, Fault, Service, first, serving
from facewire.emotion import State, constant
from facewire.errors import PluginError, ProfileError
from facewire.types import Audio, Context, Emotion, Utterance
from facewire_elevenlabs.plugin import ElevenLabsConfig
from facewire_elevenlabs.tables import tables
from facewire_elevenlabs.voice import ElevenLabs

TEXT = "I can't wait, really."


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def voice(service: Service, context: Context | None = None, **options: object) -> ElevenLabs:
    config = ElevenLabsConfig(url=service.url, **options)  # type: ignore[arg-type]
    return ElevenLabs(config, context or Context(), sleep=lambda seconds: None)


def said(text: str, emotion: str | None = None, **more: object) -> Utterance:
    felt = constant(State.named(emotion), 1, 0, Fraction(60)) if emotion else None
    return Utterance(text, emotion=felt, **more)  # type: ignore[arg-type]


def joined(pieces: list[Audio]) -> Audio:
    at = 0
    for piece in pieces:
        assert piece.start == at
        at = piece.end
        assert all(piece.start <= mark.start <= mark.end for mark in piece.marks)
    marks = tuple(mark for piece in pieces for mark in piece.marks)
    return Audio(np.concatenate([piece.samples for piece in pieces]), pieces[0].rate, 0, marks)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("emotion", [None, "joy"])
@pytest.mark.parametrize("with_tags", [False, True])
def test_words_have_their_spans_and_times(causal: bool, emotion: str, with_tags: bool) -> None:
    with serving() as service:
        service.with_tags = with_tags
        spoken = list(voice(service, Context(causal=causal)).speak(said(TEXT, emotion)))
    audio = joined(spoken)
    assert [TEXT[slice(*mark.chars)] for mark in audio.marks] == ["I", "can't", "wait", "really"]
    tag = "[happily] " if emotion and with_tags and not causal else ""
    for mark in audio.marks:
        first_char, last_char = (len(tag) + at for at in mark.chars)
        assert mark.start == pytest.approx(first_char * CHAR * 24000, abs=1)
        assert mark.end == pytest.approx(last_char * CHAR * 24000, abs=1)
        assert mark.kind == "word"
    assert len(audio) == round(len(tag + TEXT) * CHAR * 24000)
    assert 0.29 < np.abs(audio.samples).max() < 0.31


def test_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as service:
        batch = voice(service, Context(seed=7))
        list(batch.speak(said(TEXT, "joy", lang="en-us", previous=("Hm.",))))
        live = voice(service, Context(causal=True))
        known = said(TEXT, "joy", lang="de", previous=("So?", "Hm."))
        live.plan([known])
        list(live.speak(known))
    one, two = service.asked
    voices = tables().voices
    assert one.key == two.key == KEY
    path = f"/v1/text-to-speech/{voices['joy']}/stream/with-timestamps?output_format=pcm_24000"
    assert one.path == two.path == path
    activation = (0.72 - 0.30) / 0.70
    style = pytest.approx(0.20 + 0.25 * activation, abs=1e-4)
    assert one.body == {
        "text": f"[happily] {TEXT}",
        "model_id": "eleven_v3",
        "seed": 7,
        "language_code": "en",
        "voice_settings": {"style": style, "stability": 0.5},  # v3 takes 0, 0.5 and 1 alone
    }
    assert two.body == {
        "text": TEXT,
        "model_id": "eleven_flash_v2_5",
        "seed": 0,
        "language_code": "de",
        "previous_text": "So? Hm.",
        "voice_settings": {
            "style": style,
            "stability": pytest.approx(0.50 - 0.10 * activation, abs=1e-4),
        },
    }


MIXED = "I found it! But, alas, it is broken. And now?"
CHANGES = (("But", "sad"), ("And", "fear"))


def mixed() -> Utterance:
    def felt(name: str) -> Emotion:
        return constant(State.named(name), 1, 0, Fraction(60))

    changes = tuple((MIXED.index(word), felt(name)) for word, name in CHANGES)
    return Utterance(MIXED, emotion=felt("joy"), changes=changes)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("with_tags", [False, True])
def test_audio_tags_inside_a_text_move_no_word(causal: bool, with_tags: bool) -> None:
    tagged = "[happily] I found it! [sadly] But, alas, it is broken. [fearfully] And now?"
    with serving() as service:
        service.with_tags = with_tags
        speaker = voice(service, Context(causal=causal), model="eleven_v3")
        [price] = speaker.plan([mixed()])
        audio = joined(list(speaker.speak(mixed())))
    assert service.texts == [tagged] and price.characters == len(tagged)
    assert service.asked[0].body["voice_settings"]["style"] == 0.35  # joy's, as at the beginning
    words = [MIXED[slice(*mark.chars)] for mark in audio.marks]
    assert words == re.findall(r"\w+", MIXED)
    heard, at = tagged if with_tags else MIXED, 0
    for mark, word in zip(audio.marks, words, strict=True):
        at = heard.index(word, at)
        assert mark.start == pytest.approx(at * CHAR * 24000, abs=1), word
        assert mark.end == pytest.approx((at + len(word)) * CHAR * 24000, abs=1), word


def test_a_text_in_parts_has_the_audio_tag_that_holds_in_each() -> None:
    long = "One sentence is here. " * 200
    sad, at = constant(State.named("sad"), 1, 0, Fraction(60)), long.index("One", 3500)
    with serving() as service:
        list(voice(service).speak(Utterance(long, changes=((at, sad),))))
        list(voice(service).speak(Utterance(long, changes=((22, sad),))))
    assert [text.count("[sadly]") for text in service.texts] == [0, 1, 1, 1]
    assert service.texts[2].startswith("One sentence is here. [sadly] One")
    assert service.texts[3].startswith("[sadly] One")
    assert service.texts[1].index("[") == at - len(service.texts[0])


def test_a_stream_that_breaks_off_goes_on_with_the_audio_tags_of_the_rest() -> None:
    with serving(first(1, Fault(cut=5))) as service:
        live = voice(service, Context(causal=True), model="eleven_v3")
        audio = joined(list(live.speak(mixed())))
    assert [MIXED[slice(*mark.chars)] for mark in audio.marks] == re.findall(r"\w+", MIXED)
    assert service.texts[1] == "[sadly] alas, it is broken. [fearfully] And now?"


def test_short_text_is_padded_for_v3_alone() -> None:
    with serving() as service:
        audio = joined(list(voice(service).speak(said("ok"))))
        list(voice(service, Context(causal=True)).speak(said("ok")))
    assert service.texts[1] == "ok" and len(service.texts[0]) >= 12
    assert service.texts[0].replace("...", "") == "ok"
    assert [mark.chars for mark in audio.marks] == [(0, 2)]


def test_text_without_words_costs_nothing() -> None:
    with serving() as service:
        speaker = voice(service)
        assert [len(a) for a in speaker.speak(said("... 🙂"))] == [7200]
        assert list(speaker.speak(said("  "))) == []
        assert [price.characters for price in speaker.plan([said("..."), said("")])] == [0, 0]
    assert service.asked == []


def test_long_text_other_scripts_and_odd_characters() -> None:
    long = "One sentence is here. " * 300
    with serving() as service:
        speaker = voice(service)
        audio = joined(list(speaker.speak(said(long))))
        assert len(audio.marks) == 1200 and audio.marks[-1].text == "here"
        assert max(map(len, service.texts)) <= 2800
        assert "".join(service.texts).rstrip() == long.rstrip()
        for text, words in {
            "안녕하세요 여러분, 반가워요": ["안녕하세요", "여러분", "반가워요"],
            "今日は晴れ。3.5度です": ["今", "日", "は", "晴", "れ", "3.5", "度", "で", "す"],
            "naïve \ud800\x00 cafe\u0301 \u2028 end-to-end 🙂": ["naïve", "café", "end-to-end"],
        }.items():
            audio = joined(list(speaker.speak(said(text))))
            found = [text[slice(*mark.chars)] for mark in audio.marks]
            assert found == [w.replace("é", "e\u0301") if w == "café" else w for w in words]


def test_no_alignment_still_speaks() -> None:
    with serving() as service:
        service.aligned = False
        audio = joined(list(voice(service, Context(causal=True)).speak(said(TEXT))))
    assert audio.marks == () and len(audio) == round(len(TEXT) * CHAR * 24000)


def test_live_sound_comes_before_the_stream_ends() -> None:
    text = "This is a sentence that takes a while to come."
    with serving(first(1, Fault(pause=0.05))) as service:
        begun = time.monotonic()
        pieces = voice(service, Context(causal=True)).speak(said(text))
        next(pieces)
        waited = time.monotonic() - begun
        list(pieces)
        whole = service.sent[-1] - begun
    assert waited < whole / 2, f"first sound after {waited:.2f} s of {whole:.2f} s"


def test_a_monologue_keeps_the_voice_of_its_most_frequent_emotion() -> None:
    table = tables().voices
    turns = [said("It is a day.", "joy"), said("It is a night.", "grief"), said("Well, no.", "sad")]
    with serving() as service:
        planned = voice(service, Context(turns="monologue"))
        planned.plan(turns)
        unplanned = voice(service, Context(turns="monologue"))
        streamed = voice(service, Context(causal=True))
        dialogue = voice(service, Context(turns="dialogue"))
        dialogue.plan(turns)
        chosen = voice(service, Context(turns="monologue"), voice="mine")
        other = voice(service, voices={"joy": "other"})
        for speaker in (planned, unplanned, streamed, dialogue, chosen, other):
            for turn in turns:
                list(speaker.speak(turn))
        used = [one.path.split("/")[3] for one in service.asked]
    joy, sadness = table["joy"], table["sadness"]
    assert used[:3] == [sadness] * 3
    assert used[3:9] == [table["neutral"]] * 6  # nobody knows which will be the most frequent
    assert used[9:12] == [joy, sadness, sadness]
    assert used[12:15] == ["mine"] * 3
    assert used[15:] == ["other", sadness, sadness]


def test_prices() -> None:
    turns = [said("Good morning to you.", "joy"), said("ok")]
    with serving() as service:
        dear, cheap = voice(service), voice(service, Context(causal=True))
        assert [p.characters for p in dear.plan(turns)] == [len("[happily] ") + 20, 14]
        assert [p.credits for p in dear.plan(turns)] == [30, 14]
        assert [(p.characters, p.credits) for p in cheap.plan(turns)] == [(20, 10), (2, 1)]
        for turn in turns:
            list(dear.speak(turn))
    assert [len(text) for text in service.texts] == [30, 14]


def test_voices_of_the_account() -> None:
    with serving() as service:
        [entry] = voice(service).voices()
    assert (entry.name, entry.about) == ("Sarah", "american, female")


WRONG = {
    "model": ({"model": "eleven_v4"}, "elevenlabs: model 'eleven_v4' is unknown; did you mean"),
    "voices": ({"voices": {"joi": "x"}}, "'joi' is no base emotion; did you mean 'joy'?"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_options(name: str) -> None:
    options, said = WRONG[name]
    with pytest.raises(ProfileError, match=said.replace("?", r"\?")):
        ElevenLabs(ElevenLabsConfig(**options), Context())
    for url in ("ftp://x", "http://", "https://x/?key=1", "https://a b"):
        with pytest.raises(ValueError, match="url: found"):
            ElevenLabsConfig(url=url)
    with pytest.raises(ValueError, match="timeout: found 0"):
        ElevenLabsConfig(timeout=0)


@pytest.mark.parametrize("wrong", ["", "  ", "sk_secret\nx", "sk_sécret", "sk secret"])
def test_no_key_or_one_that_is_none(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", wrong)
    with pytest.raises(PluginError, match="ELEVENLABS_API_KEY") as error:
        ElevenLabs(ElevenLabsConfig(), Context())
    assert "cret" not in str(error.value)


def test_connections_are_closed_with_the_voice() -> None:
    with serving() as service:
        speaker = voice(service)
        list(speaker.speak(said(TEXT)))
        client = speaker._api._client
        del speaker
        gc.collect()
        assert client.is_closed
