from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from facewire.assemble import Assembly
from facewire.emotion import State
from facewire.errors import InputError, StageError
from facewire.pipeline import Built
from facewire.profile import ComponentSpec, Profile
from facewire.registry import Registry
from facewire.session import Session
from facewire.stages import Layer, Source
from facewire.testing import FakeClock, ListSink, voiced
from facewire.types import Audio, Component, Context, Frames, Text, frames_within
from parts import RIG, Beep, Jaw, Loudness, NoOp, Script

PARTS = {
    "jaw": lambda config, context: Jaw(),
    "loudness": lambda config, context: Loudness(),
    "beep": lambda config, context: Beep(),
    "noop": lambda config, context: NoOp(),
}


class Parts(Registry):
    """A registry of the test's own parts, which needs nothing installed."""

    def find(self, kind: str, name: str, where: str = "") -> tuple[Component, object]:
        return Component(name, PARTS[name]), self.plugins[0]


REGISTRY = Parts()


def profile(**keys: object) -> Profile:
    base = {"voice": (ComponentSpec("beep"),), "model": (ComponentSpec("jaw"),), "sinks": ()}
    return Profile(name="test", **{**base, **keys})


def session(source: Source, *sinks: ListSink, live: bool = False, **options: object) -> Session:
    built = [Built(sink, f"list{i}", "sink") for i, sink in enumerate(sinks)]
    chosen = options.pop("profile", None) or profile()
    return Session(chosen, source, sinks=built, live=live, registry=REGISTRY, **options)


def test_a_sound_becomes_frames_and_a_report() -> None:
    sound, sink = voiced(2.0, 22050), ListSink()
    report = session(Script(sound), sink).run()
    assert len(sink.values) == report.frames == 120
    assert np.array_equal(sink.samples, sound.samples)
    assert report.seconds == pytest.approx(2.0)
    assert ("model", "jaw", "facewire 0.1.0") in report.stages
    assert sink.ended == "closed"


def test_text_is_spoken_and_tags_land_on_their_words() -> None:
    sink = ListSink()
    session(Script(Text("one two [fear:50]three [neutral]four")), sink).run()
    vad = np.concatenate([b.emotion.vad for b in sink.blocks])
    words = {m.text: m.start for m in sink.marks}
    first, last = (frames_within(words[w], 16000, Fraction(60)) for w in ("three", "four"))
    afraid = np.array(State.named("fear", 0.5).vad, np.float32)
    neutral = np.array(State.named("neutral").vad, np.float32)
    assert np.allclose(vad[:first], neutral)
    assert np.allclose(vad[first:last], afraid)
    assert np.allclose(vad[last:], neutral)


def test_a_voice_without_marks_places_tags_by_share() -> None:
    class Mute(Beep):
        marks = "none"

        def speak(self, utterance: object) -> Iterator[Audio]:
            for piece in super().speak(utterance):
                yield Audio(piece.samples, piece.rate, piece.start)

    PARTS["mute"] = lambda config, context: Mute()
    sink = ListSink()
    session(
        Script(Text("abcd [fear]efgh")), sink, profile=profile(voice=(ComponentSpec("mute"),))
    ).run()
    arousal = np.concatenate([b.emotion.vad for b in sink.blocks])[:, 1]
    change = int(np.argmax(arousal > 0.5))
    assert change == pytest.approx(len(arousal) * 5 / 9, abs=2)


def test_precedence_option_track_tag() -> None:
    sink = ListSink()
    session(Script(Text("one [fear]two")), sink, emotion="joy").run()
    arousal = np.concatenate([b.emotion.vad for b in sink.blocks])[:, 1]
    assert arousal[0] == np.float32(State.named("joy").vad[1])
    assert arousal[-1] == np.float32(State.named("fear").vad[1])


def test_two_utterances_follow_each_other_on_one_time_line() -> None:
    sink = ListSink()
    session(Script(Text("one two"), Text("three")), sink).run()
    assert [m.text for m in sink.marks] == ["one", "two", "three"]
    assert [m.start for m in sink.marks] == [0, 4000, 8000]
    assert len(sink.samples) == 12000


def test_sound_of_another_rate_is_brought_to_the_sessions() -> None:
    first, second, sink = voiced(1.0, 16000), voiced(1.0, 22050), ListSink()
    session(Script(first, second), sink).run()
    assert len(sink.samples) == pytest.approx(32000, abs=1)
    assert len(sink.values) == 120


def test_samples_of_a_live_source_that_are_not_finite_are_zero_with_one_warning() -> None:
    sound = voiced(1.0, 16000).samples.copy()
    sound[[5, 500]] = np.nan, np.inf
    sink, told = ListSink(), []
    pieces = [Audio(sound[i : i + 1000], 16000, i) for i in range(0, 16000, 1000)]
    session(Script(*pieces), sink, tell=told.append).run()
    assert np.isfinite(sink.samples).all() and np.isfinite(sink.values).all()
    assert told == ["the sound has samples that are not finite numbers; they are taken as 0"]


def test_an_error_leaves_nothing_and_is_the_one_raised() -> None:
    class Torn(Source):
        def blocks(self) -> Iterator[Audio]:
            yield voiced(0.5, 16000)
            raise InputError("sample 8000 is torn")

    file, live = ListSink(), ListSink(live=True)
    with pytest.raises(InputError, match="sample 8000 is torn"):
        session(Torn(), file, live, clock=FakeClock()).run()
    assert file.ended == live.ended == "aborted"


def test_nothing_to_animate_is_said() -> None:
    with pytest.raises(InputError, match="nothing came in"):
        session(Script(), ListSink()).run()


def test_end_keeps_what_came_in_and_abort_discards() -> None:
    for stop, ended in (("end", "closed"), ("abort", "aborted")):
        sink = ListSink()
        run = session(
            Script(*[Audio(voiced(0.5, 16000).samples, 16000, 8000 * i) for i in range(20)]), sink
        )
        run._progress = lambda seconds, run=run, stop=stop: (
            getattr(run, stop)() if seconds > 2 else None
        )
        if stop == "end":
            report = run.run()
            assert 2 < report.seconds < 4 and len(sink.values) == report.frames
        else:
            with pytest.raises(KeyboardInterrupt):
                run.run()
        assert sink.ended == ended


def test_a_paced_file_keeps_real_time_and_every_frame() -> None:
    live, file = ListSink(live=True), ListSink()
    begun = time.perf_counter()
    report = session(Script(voiced(1.5, 16000)), live, file).run()
    assert 1.4 < time.perf_counter() - begun < 4.0
    assert len(file.values) == 90
    assert report.latency == 0 and report.paced
    sent = [b.frames.start for b in live.blocks]
    assert sent == sorted(set(sent)) and sent[-1] == 90 + 14
    assert not live.values[-3:].any()


class Trickle(Source):
    """Live text: a word, a second of nothing, a word."""

    live = True
    brings = "text"

    def __init__(self) -> None:
        self.closed = threading.Event()

    def blocks(self) -> Iterator[Text]:
        yield Text("one")
        self.closed.wait(1.0)
        yield Text("two")

    def close(self) -> None:
        self.closed.set()


def test_a_silent_live_source_is_fed_silence_so_that_the_face_lives_on() -> None:
    class Alive(Layer):
        def __init__(self) -> None:
            self.rows = 0

        def push(self, block):  # type: ignore[no-untyped-def]
            self.rows += len(block.frames)
            return block.frames

    alive = Alive()
    PARTS["alive"] = lambda config, context: alive
    sink = ListSink(live=True)
    report = session(Trickle(), sink, profile=profile(layers=(ComponentSpec("alive"),))).run()
    marks = {m.text: m.start for m in sink.marks}
    assert 0.8 < (marks["two"] - marks["one"]) / 16000 < 1.6
    assert report.latency > 0
    assert alive.rows == report.frames


def test_a_live_run_refuses_a_stage_that_needs_the_whole() -> None:
    class Whole(Jaw):
        def __init__(self) -> None:
            super().__init__()
            self.lookahead = None

    PARTS["whole"] = lambda config, context: Whole()
    with pytest.raises(Exception, match="needs the whole input before its first frame"):
        session(Trickle(), ListSink(), profile=profile(model=(ComponentSpec("whole"),)))


def test_frames_as_a_source() -> None:
    values = np.random.default_rng(0).uniform(0, 1, (45, len(RIG))).astype(np.float32)
    sink = ListSink()
    session(Script(Frames(values, RIG, Fraction(30), 0)), sink).run()
    assert len(sink.values) == 90
    np.testing.assert_allclose(sink.values[::2], values, atol=1e-6)


def test_a_run_does_not_write_over_its_input_or_one_file_twice(tmp_path: Path) -> None:
    one, two, source = ListSink(), ListSink(), Script(voiced(0.2, 16000))
    one.path = two.path = tmp_path / "a.csv"
    with pytest.raises(InputError, match="would write over what sink 'list0'"):
        session(source, one, two)
    source.path = tmp_path / "a.csv"
    with pytest.raises(InputError, match="would write over the input"):
        session(source, one)


def test_a_run_repeated_is_identical() -> None:
    runs = []
    for _ in range(2):
        sink = ListSink()
        session(Script(Text("one [joy]two three")), sink).run()
        runs.append((sink.values.tobytes(), sink.samples.tobytes(), sink.marks))
    assert runs[0] == runs[1]


def test_the_first_alternative_that_builds_is_taken_and_said(tmp_path: Path) -> None:
    def broken(config: object, context: Context) -> object:
        raise InputError("no weights at models/big.safetensors")

    PARTS["big"] = broken
    sink = ListSink()
    both = (ComponentSpec("big"), ComponentSpec("jaw"))
    report = session(Script(voiced(0.3, 16000)), sink, profile=profile(model=both)).run()
    assert report.notes[0] == "model: jaw instead of big: no weights at models/big.safetensors"


def test_interrupt_closes_the_mouth_and_the_run_goes_on() -> None:
    class Endless(Source):
        live = True

        def __init__(self) -> None:
            self.stop = threading.Event()
            self.rate = 16000

        def blocks(self) -> Iterator[Audio]:
            loud = 0.5 * np.ones(320, np.float32)
            for i in range(150):
                if self.stop.wait(0.02):
                    return
                yield Audio(loud, 16000, 320 * i)

        def close(self) -> None:
            self.stop.set()

    sink = ListSink(live=True)
    run = session(Endless(), sink)
    threading.Timer(1.0, run.interrupt).start()
    run.run()
    jaw = sink.values[:, RIG.index("jawOpen")]
    assert jaw[:30].max() > 0.4
    quiet = np.flatnonzero(jaw[40:] == 0)[0] + 40
    assert jaw[quiet - 8] > 0.4  # from open to shut in at most 0.12 s
    assert jaw[-30:].max() > 0.4 or jaw[quiet + 30 :].max() > 0.4


def test_assembly_pronounces_nothing_without_a_voice() -> None:
    assembly = Assembly(profile(voice=()), REGISTRY, Context())
    assert assembly.pronounce("word") is None
    assert "pronunciations: none from a voice" in assembly.fallbacks[0]


def test_interrupt_gives_up_what_is_being_said() -> None:
    class Long(Source):
        live = True
        brings = "text"

        def blocks(self) -> Iterator[Text]:
            yield Text("word " * 40)
            time.sleep(0.6)

    sink = ListSink(live=True)
    run = session(Long(), sink)
    threading.Timer(0.8, run.interrupt).start()
    report = run.run()
    assert report.seconds < 5  # of ten seconds of words


def test_silence_within_speech_moves_what_follows() -> None:
    class Halting(Source):
        live = True
        brings = "text"

        def blocks(self) -> Iterator[Text]:
            yield Text("one two three")

    class Slow(Beep):
        def speak(self, utterance: object) -> Iterator[Audio]:
            for piece in super().speak(utterance):
                yield piece
                time.sleep(0.6)

    PARTS["slow"] = lambda config, context: Slow()
    sink = ListSink(live=True)
    session(Halting(), sink, profile=profile(voice=(ComponentSpec("slow"),))).run()
    for mark in sink.marks:
        loud = np.flatnonzero(np.abs(sink.samples[: mark.start + 1000]) > 0.05)
        begin = loud[loud > mark.start - 400][0]
        assert abs(begin - mark.start) < 40


def test_live_text_idles_without_drops_before_the_first_word() -> None:
    class Quiet(Source):
        live = True
        brings = "text"

        def blocks(self) -> Iterator[Text]:
            time.sleep(1.5)
            yield Text("one")

    sink = ListSink(live=True)
    report = session(Quiet(), sink).run()
    (_, tally) = report.tallies[0]
    # of about 150 frames: a busy machine is late for some
    assert tally.dropped <= 15 and tally.resent <= 15
    assert report.seconds > 1.5


def test_a_source_that_fails_is_named() -> None:
    class Odd(Source):
        def blocks(self) -> Iterator[Audio]:
            raise ValueError("boom")
            yield

    with pytest.raises(StageError) as error:
        session(Built(Odd(), "odd", "source", "facewire-odd 2.0"), ListSink()).run()
    assert str(error.value) == "source 'odd' (facewire-odd 2.0) failed: ValueError: boom"


def test_a_wrong_tag_in_live_text_is_told_and_spoken() -> None:
    class Typed(Source):
        live = True
        brings = "text"

        def blocks(self) -> Iterator[Text]:
            yield Text("[hapy] one")

    told: list[str] = []
    sink = ListSink()
    session(Typed(), sink, tell=told.append).run()
    assert "did you mean 'happy'" in told[0]
    assert [mark.text for mark in sink.marks] == ["[hapy]", "one"]


def test_a_turn_ends_what_a_tag_in_an_earlier_turn_began() -> None:
    sink = ListSink()
    turns = (Text("[anger]one"), Text("two", state=State.named("joy")))
    session(Script(*turns), sink).run()
    vad = np.concatenate([b.emotion.vad for b in sink.blocks])
    assert np.allclose(vad[-1], State.named("joy").vad)
