"""Text as it is written, spoken by espeak: soon, without gaps, with tags on their words."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import facewire
import numpy as np
import pytest
from facewire.emotion import LABELS
from facewire.pipeline import Built
from facewire.profile import load_profile
from facewire.rig import Rig
from facewire.session import Session
from facewire.sources import StreamedText
from facewire.stages import Sink
from facewire.testing import ListSink
from facewire.types import Block, RunInfo, Utterance
from facewire_espeak.plugin import EspeakConfig
from facewire_espeak.voice import Espeak
from facewire_espeak.voices import choose

RATE = 22050
JAW = Rig.named("arkit61").index("jawOpen")
SOON = 1.0  # seconds; 0.3 on a machine that is not busy, as benchmarks/streams.py measures


class Probe(Sink):
    """Notes when sound, and a mouth that moves, are handed to a live sink."""

    live = True

    def open(self, info: RunInfo) -> None:
        self.jaw = info.rig.index("jawOpen")
        self.sound: list[float] = []
        self.mouth: list[float] = []

    def push(self, block: Block) -> None:
        if len(block.audio) and np.abs(block.audio.samples).max() > 0.003:
            self.sound.append(time.perf_counter())
        if block.frames.values[0, self.jaw] > 0.03:
            self.mouth.append(time.perf_counter())

    def close(self) -> None:
        pass


def run(
    sink: Sink, tokens: list[str], pauses: list[float], profile: str = "bare.yaml"
) -> tuple[Session, list[float]]:
    end, write = os.pipe()
    at: list[float] = []

    def writes() -> None:
        for token, pause in zip(tokens, pauses, strict=True):
            os.write(write, token.encode())
            at.append(time.perf_counter())
            time.sleep(pause)
        os.close(write)

    session = Session(
        load_profile(profile), StreamedText(end), sinks=[Built(sink, "probe", "sink")]
    )
    threading.Timer(0.3, writes).start()
    session.run()
    return session, at


def dropped(sink: ListSink, at: float) -> float:
    """Return the seconds of frames that are missing just before a time."""
    before = [b.frames.start / 60 for b in sink.blocks if b.frames.start / 60 < at - 1e-6]
    return at - before[-1] - 1 / 60


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bare.yaml").write_text("extends: default\nlayers: [clamp]\nsinks: []\n")


@pytest.mark.parametrize("profile", ["bare.yaml", "default", "metahuman-live"])
def test_a_clause_is_heard_and_seen_soon_and_not_when_the_text_ends(profile: str) -> None:
    probe = Probe()
    tokens = ["Ever", "yone", " is", " here", ",", " and", " nobody left."]
    session, at = run(probe, tokens, [0.02] * 4 + [0.02, 1.5, 0.0], profile)
    comma = at[4]
    assert probe.sound[0] - comma < SOON and probe.mouth[0] - comma < SOON
    assert probe.sound[0] < at[-1] and probe.mouth[0] < at[-1]
    assert session.latency < 0.28


def test_phones_are_taken_as_the_voice_says_them_and_gaps_are_the_voices() -> None:
    sink = ListSink(live=True)
    clauses = ["Everyone is here, ", "and nobody left. ", "Are you ready? ", "So am I."]
    run(sink, clauses, [0.05] * 4)
    words = [m for m in sorted(sink.marks, key=lambda m: m.start) if m.kind == "word"]
    begin = {mark.text: mark.start for mark in words}
    voice = Espeak(EspeakConfig())
    apart = [list(voice.speak(Utterance(text.strip()))) for text in clauses]
    long = [sum(map(len, pieces)) for pieces in apart]
    first = [next(m.start for p in pieces for m in p.marks) for pieces in apart]
    assert begin["and"] - begin["Everyone"] == pytest.approx(long[0] + first[1] - first[0], abs=1)
    assert begin["Are"] - begin["and"] == pytest.approx(long[1] + first[2] - first[1], abs=1)
    assert max(np.diff([mark.start for mark in words])) < RATE
    assert sum(mark.kind == "phone" for mark in sink.marks) > 25


@pytest.mark.parametrize("size", [2, 11])
def test_tags_of_a_stream_are_on_their_words(size: int) -> None:
    text = "So here [joy:80] you are at last, my friend. [sad]But now \\[sic] I [neutral]must go."
    tokens = [text[i : i + size] for i in range(0, len(text), size)]
    sink = ListSink(live=True)
    run(sink, tokens, [0.005] * len(tokens))
    words = {m.text: m.start / RATE for m in sink.marks if m.kind == "word"}
    # by their index: a busy machine drops frames
    felt = [(LABELS[int(b.emotion.weights.argmax())], b.frames.start / 60) for b in sink.blocks]
    for name, word in (("joy", "you"), ("sadness", "But"), ("neutral", "must")):
        near = [at for label, at in felt if label == name and at > words[word] - 0.5]
        assert near[0] - words[word] <= 0.020 + dropped(sink, near[0]), (name, near[0], words)
        assert near[0] - words[word] >= -0.020
    assert "sic" in " ".join(words)


@pytest.mark.parametrize(
    "text", ["", "[joy]", "😀 🎉", "[hapy] one] [two", "word " * 300, "Привет, как дела?", "你好。"]
)
def test_any_stream_ends_well_or_in_one_line(text: str) -> None:
    sink = ListSink()
    session, _ = run(sink, [text or " "], [0.1])
    assert sink.ended == "closed"
    assert session.delivery.frames > 0


def test_every_voice_that_is_listed_can_be_chosen() -> None:
    entries = Espeak(EspeakConfig()).voices()
    assert len(entries) > 100 and len({entry.id for entry in entries}) == len(entries)
    for entry in entries:
        assert choose(entry.id).listed.name == entry.name, entry.id
    assert "de" in {entry.id for entry in entries} and "en-us" in {entry.id for entry in entries}


def test_the_command_line_moves_a_metahuman_before_its_input_ends() -> None:
    wire = pytest.importorskip("facewire_livelink.wire")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unreal:
        unreal.bind(("127.0.0.1", 0))
        unreal.settimeout(20)
        command = [sys.executable, "-m", "facewire", "run", "-", "--profile", "metahuman-live"]
        command += ["--set", f"sinks[0].port={unreal.getsockname()[1]}"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as running:
            assert running.stdin and running.stdout
            unreal.recv(4096)  # it lives before the first word
            running.stdin.write(b"Everyone is here, [joy:80] and")
            running.stdin.flush()
            written = time.perf_counter()
            jaw = 0.0
            while jaw < 0.05 and time.perf_counter() < written + 5:
                values = wire.unpack(unreal.recv(4096)).values
                jaw = 0.0 if values is None else float(values[JAW])
            answered = time.perf_counter() - written
            assert running.poll() is None
            told, _ = running.communicate(b" all is well.", timeout=30)
    assert answered < SOON, f"{answered:.2f} s"
    assert running.returncode == 0 and b"voice" in told


def test_tags_of_a_whole_text_are_on_their_words() -> None:
    text = "So here [joy:80] you are, at last, my friend. [sad]But now [fear:60]I must go."
    clip = facewire.animate(text=text, profile="bare.yaml")
    label = clip.emotion.weights.argmax(axis=1)
    words = {m.text: m.start / RATE for m in clip.marks if m.kind == "word"}
    for name, word in (("joy", "you"), ("sadness", "But"), ("fear", "I")):
        begins = np.flatnonzero(label == LABELS.index(name))[0] / 60
        assert abs(begins - words[word]) <= 0.020, f"{name} at {begins:.3f}, {words}"


def test_tags_of_a_stream_that_comes_late_show_as_in_a_text_given_whole() -> None:
    pytest.importorskip("facewire_v3")
    parts = ["[joy] How nice to see you again. ", "[anger] Now go away."]
    profile = "default"
    whole = facewire.animate(text="".join(parts), profile=profile)
    sink = ListSink()
    run(sink, ["", *parts], [1.0, 0.0, 0.0], profile)
    shown = np.concatenate([block.emotion.vad for block in sink.blocks])
    for label in ("joy", "anger"):
        wanted = whole.emotion.vad[whole.emotion.weights[:, LABELS.index(label)].argmax()]
        assert np.abs(shown - wanted).max(axis=1).min() < 0.05, label
