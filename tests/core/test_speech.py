"""Speech: emotion from tags and from the clause so far, and what a voice is told came before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from facewire.assemble import Assembly
from facewire.clauses import Clause, ClauseStream
from facewire.emotion import LABELS, Key, State
from facewire.errors import InputError
from facewire.pipeline import Built
from facewire.profile import ComponentSpec, Profile, component
from facewire.registry import Registry
from facewire.speech import Speech, Spoken, trust_marks
from facewire.stages import FeatureExtractor, TextEmotion
from facewire.types import Component, Context, Emotion, Reading, Text
from parts import Beep, Jaw, Loudness, built, pipeline


class Reader(TextEmotion):
    """Finds joy from the word "glad" on, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, tuple[str, ...]]] = []

    def read(self, text: str, history: Sequence[str]) -> list[Reading]:
        self.given.append((text, tuple(history)))
        at = text.find("glad")
        joy = State.named("joy")
        span = (at, len(text))
        return [Reading(span, np.array(joy.weights), np.array(joy.vad), 1.0)] if at >= 0 else []


def speech(
    reader: Reader | None = None,
    tags: str = "strict",
    causal: bool = False,
    keys: Sequence[Key] = (),
) -> Speech:
    parts = {"beep": Beep(), "reader": reader}

    class Parts(Registry):
        def find(self, kind: str, name: str, where: str = "") -> tuple[Component, object]:
            return Component(name, lambda config, context: parts[name]), self.plugins[0]

    emotion = ComponentSpec("reader") if reader else None
    profile = Profile(
        name="test", voice=(ComponentSpec("beep"),), sinks=(), text_emotion=emotion, tags=tags
    )
    return Speech(Assembly(profile, Parts(), Context(causal=causal)), lambda line: None, keys)


def cues(spoken: Sequence[Spoken]) -> list[tuple[int, str, str]]:
    found = [cue for piece in spoken for cue in piece.cues]
    return [(cue.at, LABELS[int(np.argmax(cue.state.weights))], cue.source) for cue in found]


def test_a_reader_gets_the_sentence_so_far_and_the_sentences_before() -> None:
    reader = Reader()
    one = speech(reader)
    said = [
        cues(list(one.speak(text)))
        for text in map(Clause, ["I was sad, ", "but now ", "I am glad, ", "really. ", "Yes. "])
    ]
    assert [text for text, _ in reader.given] == [
        "I was sad, ",
        "I was sad, but now ",
        "I was sad, but now I am glad, ",
        "I was sad, but now I am glad, really. ",
        "Yes. ",
    ]
    assert reader.given[3][1] == ()
    assert reader.given[4][1] == ("I was sad, but now I am glad, really. ",)
    assert said == [[], [], [(8000, "joy", "text")], [(0, "joy", "text")], []]


def test_texts_that_are_no_clauses_stand_alone() -> None:
    reader = Reader()
    one = speech(reader)
    for text in ("I was sad,", "now glad"):
        list(one.speak(Text(text)))
    assert reader.given == [("I was sad,", ()), ("now glad", ("I was sad,",))]


def test_the_reader_is_told_who_said_what() -> None:
    reader = Reader()
    one = speech(reader)
    for who, text in (("ada", "You lied."), ("bob", "I did not."), ("ada", "You did!")):
        list(one.speak(Text(text, speaker=who)))
    assert [history for _, history in reader.given] == [
        (),
        ("[OTHER] You lied.",),
        ("You lied.", "[OTHER] I did not."),
    ]


@pytest.mark.parametrize("size", [1, 3, 7, 200])
def test_tags_of_a_stream_land_on_their_words_and_persist(size: int) -> None:
    text = (
        "one [joy]two three four five, six [sadness:40]seven. Eight [neutral]nine.\nten \\[eleven]"
    )
    one, stream, at = speech(), ClauseStream(), 0
    clauses = [c for i in range(0, len(text), size) for c in stream.push(text[i : i + size])]
    found: list[tuple[int, str, str]] = []
    words: list[str] = []
    for clause in clauses + stream.flush():
        pieces = list(one.speak(Clause(clause)))
        found += [(at + when, label, source) for when, label, source in cues(pieces)]
        words += [mark.text for piece in pieces for mark in piece.audio.marks]
        at += sum(len(piece.audio) for piece in pieces)
    assert [word.strip(".,") for word in words] == [
        *["one", "two", "three", "four", "five", "six", "seven", "Eight", "nine", "ten"], "[eleven]"
    ]  # fmt: skip
    assert found == [
        (4000, "joy", "tags"), (6 * 4000, "sadness", "tags"), (8 * 4000, "neutral", "tags")
    ]  # fmt: skip


def test_a_tag_alone_holds_for_what_follows() -> None:
    one = speech()
    first = list(one.speak(Clause("[joy]\n")))
    assert cues(first) == [(0, "joy", "tags")] and not len(first[0].audio)
    assert one._wants and list(one.speak(Clause("one.")))
    utterance, _ = one._utterance(Clause("two."))
    assert utterance.emotion is not None and utterance.previous == ("one.",)
    assert LABELS[int(np.argmax(utterance.emotion.weights[0]))] == "joy"


def label(emotion: Emotion | None) -> str | None:
    return LABELS[int(np.argmax(emotion.weights[0]))] if emotion else None


def told(one: Speech, *texts: str | Text) -> list[list[tuple[str, str | None]]]:
    """Return how the voice is asked to say each text: from which words on in which emotion."""
    found = []
    for text in texts:
        asked, _ = one._utterance(Text(text) if isinstance(text, str) else text)
        changes = [(asked.text[at:], label(emotion)) for at, emotion in asked.changes]
        found.append([(asked.text, label(asked.emotion)), *changes])
    return found


def key(name: str, at: int = 0, source: str = "option") -> Key:
    return Key(Fraction(at), State.named(name), source)


def test_a_tag_beats_what_is_read_in_the_voice_too() -> None:
    said = told(speech(Reader()), "[sad] Hello.", "I am glad.", "[neutral] So glad.")
    assert said == [[("Hello.", "sadness")], [("I am glad.", "sadness")], [("So glad.", "neutral")]]
    assert told(speech(Reader()), "I am glad. [sad] Hm.", "Ah.") == [
        [("I am glad. Hm.", None), ("glad. Hm.", "joy"), ("Hm.", "sadness")],
        [("Ah.", "sadness")],
    ]


def test_the_last_tag_before_the_first_word_counts() -> None:
    turn = Text("[sad] Gone.", state=State.named("joy"))
    assert told(speech(), turn) == [[("Gone.", "sadness")]]
    assert told(speech(), " [joy] [anger] What a day.") == [[(" What a day.", "anger")]]
    assert told(speech(), "One [joy] two [sad]") == [[("One two ", None), ("two ", "joy")]]


@pytest.mark.parametrize(
    ("keys", "emotion"),
    [
        ([key("anger")], "anger"),
        ([key("anger"), key("fear", source="track"), key("joy", 2, "track")], "fear"),
        ([key("fear"), key("anger")], "anger"),
        ([key("joy", 2, "track")], None),
    ],
)
def test_the_session_s_emotion_is_the_voice_s(keys: list[Key], emotion: str | None) -> None:
    said = told(speech(keys=keys), "One.", "[sad] two.", "Three.")
    assert said == [[("One.", emotion)], [("two.", "sadness")], [("Three.", "sadness")]]
    read = told(speech(Reader(), keys=keys), "I am glad.")
    assert read == [
        [("I am glad.", emotion)] if emotion else [("I am glad.", None), ("glad.", "joy")]
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hapy] one", "did you mean 'happy'"),
        ("one [joy two", "is never closed"),
        ("one] two", "found ']' without '['"),
        ("[] one", "text, character 1"),
    ],
)
def test_wrong_tags_are_one_line_or_are_spoken(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        speech().speak(Text(text))
    assert message in str(error.value) and "\n" not in str(error.value)
    for one in (speech(tags="lenient"), speech(causal=True)):
        pieces = list(one.speak(Text(text)))
        assert [m.text for p in pieces for m in p.audio.marks] == text.split()
        assert cues(pieces) == []


@pytest.mark.parametrize("text", ["", " ", "[joy]", "\n", "[joy] [neutral]"])
def test_text_without_words_asks_no_voice(text: str) -> None:
    assert sum(len(piece.audio) for piece in speech().speak(Text(text))) == 0


@pytest.mark.parametrize("text", ["😀 👍🏽!", "word " * 2000, "你好。これはペンです", "x" * 10_000])
def test_any_text_is_spoken(text: str) -> None:
    assert sum(len(piece.audio) for piece in speech().speak(Text(text))) > 0


@dataclass(frozen=True, slots=True)
class Modes:
    mode: str = "auto"


class Phones(Beep):
    marks = "phone"


def trusted(voice: Beep, config: type = Modes, **keys: object) -> FeatureExtractor:
    """Return the extractor of a pipeline after ``trust_marks``; one of mode ``marks`` looks 1."""

    class Parts(Registry):
        def find(self, kind: str, name: str, where: str = "") -> tuple[Component, object]:
            def make(config: object, context: Context) -> object:
                stage = voice if kind == "voice" else Loudness(fps=context.fps)
                if getattr(config, "mode", "") == "marks":
                    stage.lookahead = 1  # type: ignore[union-attr]
                return stage

            kinds = {"features": config} if kind == "features" else {}
            return Component(name, make, **({"config": kinds[kind]} if kinds else {})), (
                self.plugins[0]
            )

    profile = Profile(name="test", voice=(ComponentSpec("voice"),), sinks=(), **keys)
    assembly = Assembly(profile, Parts(), Context())
    line = pipeline()
    trust_marks(assembly, line)
    assert line.extractor is not None
    return line.extractor.stage


def test_phones_of_a_voice_are_not_waited_for() -> None:
    assert trusted(Phones()).lookahead == 1
    assert trusted(Beep()).lookahead != 1  # words alone must be listened to
    named = component({"use": "loudness"}, "features")
    assert trusted(Phones(), features=named).lookahead != 1


def test_no_extractor_nothing_to_trust() -> None:
    line = pipeline()
    line.extractor = None
    trust_marks(Assembly(Profile(name="x", sinks=()), Registry(), Context()), line)
    assert line.extractor is None
    assert isinstance(built(Jaw(5, Fraction(60)), "jaw", "model"), Built)
