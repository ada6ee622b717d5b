"""A text as the voice that pronounces words would say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from facewire.assemble import Assembly
from facewire.pipeline import Built
from facewire.profile import Profile
from facewire.registry import Registry
from facewire.types import Audio, Context, Utterance
from facewire.voicing import Price
from parts import Beep

SPOKEN = Profile(name="test", voice=(), sinks=())


def test_a_voice_that_marks_phones_recites_in_the_language_of_the_run() -> None:
    said: list[Utterance] = []

    class Phones(Beep):
        marks = "phone"

        def speak(self, utterance: Utterance) -> Iterator[Audio]:
            said.append(utterance)
            return super().speak(utterance)

    assembly = Assembly(SPOKEN, Registry(), Context(lang="fi"))
    assembly._voice = Built(Phones(), "phones", "voice")
    pieces = assembly.recite("one two")
    assert pieces is not None and len(list(pieces)) == 2
    assert [(utterance.text, utterance.lang) for utterance in said] == [("one two", "fi")]


def test_a_voice_without_phones_or_that_is_paid_for_recites_nothing() -> None:
    class Paid(Beep):
        marks = "phone"

        def plan(self, utterances: Sequence[Utterance]) -> Sequence[Price]:
            return [Price(1) for _ in utterances]

        def speak(self, utterance: Utterance) -> Iterator[Audio]:
            raise AssertionError("nobody asked for it")

    words = Assembly(SPOKEN, Registry(), Context())
    words._voice = Built(Beep(), "beep", "voice")
    assert words.recite("one two") is None
    paid = Assembly(SPOKEN, Registry(), Context())
    paid._voice = Built(Paid(), "paid", "voice")
    assert paid.recite("one two") is None
    mute = Assembly(SPOKEN, Registry(), Context())
    assert mute.recite("one two") is None and "none from a voice" in mute.fallbacks[0]
    assert Context().recite("one two") is None
