"""Text as it is written, with the service's delays: no gaps, tags on words, nothing asked too far.

The server takes a while to answer and then streams faster than real time, as the service does.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elevenlabs_parts import CHAR, KEY, Fault, Service, first, serving
from facewire.cli import main
from facewire.emotion import LABELS
from facewire.pipeline import Built
from facewire.profile import load_profile
from facewire.session import Session
from facewire.sources import StreamedText
from facewire.stages import Source
from facewire.testing import ListSink
from facewire.turns import Script
from facewire_elevenlabs.tables import tables

RATE = 24000
PROFILE = "extends: elevenlabs\nlayers: [clamp]\nsinks: []\n"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    Path("bare.yaml").write_text(PROFILE)


def session(service: Service, source: Source, sink: ListSink, *options: str) -> Session:
    profile = load_profile("bare.yaml", [f"voice.url={service.url}", *options])
    return Session(profile, source, sinks=[Built(sink, "list", "sink")])


def written(*tokens: str, pause: float = 0.0, last: float = 0.0) -> Source:
    """Return the source of a stream that is being written."""
    end, write = os.pipe()

    def run() -> None:
        for token in tokens:
            os.write(write, token.encode())
            time.sleep(pause)
        time.sleep(last)
        os.close(write)

    threading.Thread(target=run, daemon=True).start()
    return StreamedText(end)


def heard(sink: ListSink, word: str) -> int:
    return next(mark.start for mark in sink.marks if mark.text == word)


WORDS = ["Alpha", "Bravo", "Charlie", "Delta", "Echo"]


def test_no_gap_that_the_voice_did_not_have() -> None:
    sentences = [f"{word} has come." for word in WORDS]
    sink = ListSink(live=True)
    with serving(lambda number, body: Fault(wait=0.6, pause=0.02)) as service:
        session(service, written(" ".join(sentences)), sink).run()
    assert sorted(service.texts) == sorted(sentences)
    for (word, text), (after, _) in itertools.pairwise(zip(WORDS, sentences, strict=True)):
        gap = heard(sink, after) - heard(sink, word) - len(text) * CHAR * RATE
        assert abs(gap) <= 1, f"{gap / RATE * 1000:.0f} ms of silence before {after}"
    # Asked one after the other they had come 0.6 s and more apart, and each is 0.8 s long: the
    # requests overlapped.
    begun = sorted(one.at for one in service.asked)
    assert begun[1] - begun[0] < 0.5 and begun[2] - begun[0] < 0.8


def test_a_gap_of_the_voice_is_a_pause_and_what_follows_moves_with_its_sound() -> None:
    sink = ListSink(live=True)
    with serving(lambda number, body: Fault(pause=0.8)) as service:
        session(service, written("Alpha has come to us."), sink).run()
    loud = np.abs(sink.samples) > 0.01
    for word in ("Alpha", "has", "come"):
        at = heard(sink, word)
        assert loud[at + 20 : at + 1000].mean() > 0.9


def test_nothing_is_asked_more_than_two_ahead_or_after_an_interruption() -> None:
    sentences = [f"{word} is a word of the alphabet that pilots use." for word in WORDS]
    sink = ListSink(live=True)
    with serving() as service:
        run = session(service, written(" ".join(sentences), last=2.5), sink)
        asked: list[int] = []

        def interrupt() -> None:
            asked.append(len(service.asked))
            run.interrupt()

        threading.Timer(1.5, interrupt).start()
        report = run.run()
    assert asked == [3] and len(service.asked) == 3
    assert report.seconds < 2 * len(sentences[0]) * CHAR


@pytest.mark.parametrize("size", [1, 5])
def test_tags_of_a_stream_are_on_their_words(size: int) -> None:
    text = "[joy] This is so very good, I see. [sadness:80] But it has to end. [neutral]Bye now."
    tokens = [text[i : i + size] for i in range(0, len(text), size)]
    sink = ListSink(live=True)
    with serving() as service:
        session(service, written(*tokens, pause=0.001), sink).run()
    assert not any("[" in one for one in service.texts)
    # by their index: a busy machine drops frames
    felt = [(LABELS[int(b.emotion.weights.argmax())], b.frames.start) for b in sink.blocks]
    rows = [row for _, row in felt]
    for name, word in (("joy", "This"), ("sadness", "But"), ("neutral", "Bye")):
        at = heard(sink, word) / RATE
        begin = next(row for label, row in felt if label == name and row / 60 > at - 0.5)
        missing = (begin - rows[rows.index(begin) - 1] - 1) / 60 if begin in rows[1:] else 0.0
        off = begin / 60 - at
        assert -0.020 <= off <= 0.020 + missing, f"{name} is {1000 * off:.0f} ms off '{word}'"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, {"detail": {"status": "system_busy"}}, (("Retry-After", "0"),)),
        Fault(500),
        Fault(cut=1),
        Fault(pause=0.05),
    ],
    ids=["429", "500", "cut", "slow"],
)
def test_a_service_that_stumbles_in_a_live_run(fault: Fault) -> None:
    sink = ListSink(live=True)
    with serving(first(2, fault)) as service:
        session(service, written("Alpha has come. Bravo has come too."), sink).run()
    words = [mark.text for mark in sorted(sink.marks, key=lambda m: m.start) if mark.kind == "word"]
    assert words == ["Alpha", "has", "come", "Bravo", "has", "come", "too"]
    assert len(service.asked) >= 2


def test_a_script_keeps_the_voice_of_its_most_frequent_emotion() -> None:
    rows = [{"text": f"[{name}] This is turn {i}."} for i, name in enumerate(["sad", "joy", "joy"])]
    Path("script.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def voices(*options: str) -> set[str]:
        with serving() as service:
            session(service, Script(Path("script.jsonl")), ListSink(), *options).run()
        return {one.path.split("/")[3] for one in service.asked}

    table = tables().voices
    assert voices() == {table["joy"]}
    assert voices("turns=dialogue") == {table["sadness"], table["joy"]}


def test_run_and_batch_ask_for_the_same() -> None:
    rows = [
        {"id": "a", "text": "[sad] I have lost my dog, it ran away.", "emotion": "joy"},
        {"id": "b", "text": "The chair is made of wood."},
        {"id": "c", "text": "[happy] [angry] What a day this [fear] has been."},
    ]
    Path("script.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def asked(service: Service) -> list[tuple[str, str, dict[str, float]]]:
        found = [(one.path, one.body["text"], one.body["voice_settings"]) for one in service.asked]
        service.asked.clear()
        return sorted(found, key=str)

    with serving() as service:
        url = ("--set", f"voice.url={service.url}", "--set", "turns=dialogue")
        session(service, Script(Path("script.jsonl")), ListSink(), "turns=dialogue").run()
        run = asked(service)
        with pytest.raises(SystemExit):
            main(["voice", "batch", "script.jsonl", "--out", "a", "--profile", "bare.yaml", *url])
        assert asked(service) == run
    assert sorted(text for _, text, _ in run) == [
        "The chair is made of wood.",
        "[angrily] What a day this [fearfully] has been.",
        "[sadly] I have lost my dog, it ran away.",
    ]


def test_in_a_stream_a_tag_beats_the_words_and_the_voice_stays() -> None:
    text = "[joy] This is the first one, my friend. The chair is made of wood. I am so sad! "
    tail = "[sad] Now it is over."
    sink = ListSink(live=True)
    with serving() as service:
        session(service, written(text + tail), sink, "text_emotion=textmood").run()
    styles = {one.body["text"]: one.body["voice_settings"]["style"] for one in service.asked}
    assert styles.pop("Now it is over.") == 0.20  # sadness is as calm as neutral
    assert set(styles.values()) == {0.35} and len(styles) >= 3
    assert {one.path.split("/")[3] for one in service.asked} == {tables().voices["neutral"]}


def test_a_script_has_no_gaps_in_a_paced_run_either() -> None:
    rows: list[dict[str, Any]] = [{"text": f"{word} has come to us."} for word in WORDS]
    Path("script.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sink = ListSink(live=True)
    with serving(lambda number, body: Fault(wait=0.7)) as service:
        session(service, Script(Path("script.jsonl")), sink).run()
    begun = sorted(one.at for one in service.asked)
    # three are asked at once, and each of the others when a turn (1.05 s) has been played
    assert begun[2] - begun[0] < 0.5 < begun[3] - begun[0] and len(begun) == len(WORDS)
    assert begun[4] - begun[3] > 0.5
