"""Streams where things happen at once: slow voices, interruptions and emotion in odd moments."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from facewire.emotion import LABELS
from facewire.types import Audio, Utterance
from facewire_espeak.voice import Espeak
from facewire_server.turn import Actor
from server_parts import Served, Talk, play, serving, speech, talking


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as running:
        yield running


def slowed(monkeypatch: pytest.MonkeyPatch, name: str, seconds: float) -> None:
    """Let the actor's own work take longer, as on a busy machine or with a far service."""
    quick = getattr(Actor, name)

    def slow(self: Actor, *given: Any) -> Any:
        time.sleep(seconds)
        return quick(self, *given)

    monkeypatch.setattr(Actor, name, slow)


def words(talk: Talk) -> list[str]:
    return [m["text"] for b in talk.of("marks") for m in b["marks"] if m["kind"] == "word"]


def test_a_slow_voice_says_clauses_in_their_order(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits may be whole, but what came before it is spoken first."""
    slowed(monkeypatch, "speak", 0.9)

    async def scene() -> None:
        talk = await talking(served, "text")
        await talk.tell("text", text="First we go home. Then we sleep?")
        while len(words(talk)) < 7:
            await talk.next()
        assert words(talk) == ["First", "we", "go", "home", "Then", "we", "sleep"]

    play(scene)


def test_an_interrupt_while_a_turn_begins_ends_that_turn(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowed(monkeypatch, "turn", 0.4)

    async def scene() -> None:
        talk = await talking(served)
        await talk.hear(speech(0.5))
        await talk.until("state", state="thinking")
        await talk.tell("interrupt")
        await talk.until("state", state="listening")
        count = len(talk.got)
        with pytest.raises(TimeoutError):
            await talk.next(0.8)
        await talk.hear(speech(1.0))
        await talk.tell("end")
        end = await talk.until("end")
        assert (end["turn"], end["frames"], end["samples"]) == (1, 60, 16000)
        assert {m["turn"] for m in talk.got[count:]} == {1}

    play(scene)


def test_an_emotion_while_a_turn_begins_counts(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowed(monkeypatch, "turn", 0.4)

    async def scene() -> None:
        talk = await talking(served)
        await talk.hear(speech(0.5))
        await talk.until("state", state="thinking")
        await talk.tell("emotion", emotion="joy")
        await talk.hear(speech(0.5))
        await talk.tell("end")
        await talk.until("end")
        vad = np.concatenate([np.array(m["vad"]) for m in talk.of("frames")])
        assert vad[:, 0].max() > 0.8

    play(scene)


@pytest.mark.parametrize("kind", ["audio", "text"])
def test_every_message_says_where_it_belongs(served: Served, kind: str) -> None:
    async def scene() -> None:
        talk = await talking(served, kind)
        for turn in range(2):
            if kind == "audio":
                await talk.hear(speech(0.4))
            else:
                await talk.tell("text", text="[hapy] Mama.")
            await talk.tell("position", turn="x")
            await talk.tell("end")
            await talk.until("end", turn=turn)
        await talk.tell("interrupt")
        await talk.until("frames", closing=True)
        assert [m["seq"] for m in talk.got] == list(range(len(talk.got)))
        where = [(m["turn"], m["sample"]) for m in talk.got]
        assert where[0] == (0, 0) and min(where) == (0, 0)
        assert [m["turn"] for m in talk.of("state", state="thinking")] == [0, 1]
        for end in talk.of("end"):
            assert end["sample"] == end["samples"]
        for marks in talk.of("marks"):
            assert marks["sample"] == marks["marks"][0]["start"]

    play(scene)


def test_a_storm_of_interrupts_is_survived(served: Served) -> None:
    """Of what was queued for an interruption that another one follows, nothing is left to send."""

    async def scene() -> None:
        talk = await talking(served)
        for _ in range(3000):
            await talk.tell("interrupt")
        await talk.hear(speech(0.5))
        await talk.tell("end")
        end = await talk.until("end")
        assert end["frames"] == 30 == len(talk.values(end["turn"]))

    play(scene)


def test_the_emotion_that_a_client_asks_for_reaches_the_voice(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    quick = Espeak.speak

    def noted(self: Espeak, utterance: Utterance) -> Iterator[Audio]:
        felt = utterance.emotion
        told.append(LABELS[int(felt.weights[0].argmax())] if felt else "none")
        return quick(self, utterance)

    monkeypatch.setattr(Espeak, "speak", noted)
    with served.client() as client:
        client.post("/v1/animate", json={"text": "One two.", "emotion": "anger"}).raise_for_status()

    async def scene() -> None:
        talk = await talking(served, "text", emotion="fear")
        await talk.tell("text", text="One two. [joy] Three.")
        await talk.tell("end")
        await talk.until("end")

    play(scene)
    assert told == ["anger", "fear", "joy"]
