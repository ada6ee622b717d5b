"""Speaking ahead: at most two utterances, in order, given up on interrupt; clauses as sentences."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from facewire.clauses import Clause
from facewire.emotion import State
from facewire.errors import InputError
from facewire.pipeline import Built
from facewire.profile import ComponentSpec, Profile
from facewire.registry import Registry
from facewire.session import Session
from facewire.sources import TextSource
from facewire.speech import Cue, Spoken
from facewire.stages import Source, Voice
from facewire.testing import ListSink
from facewire.types import Audio, Component, Mark, Text, Utterance
from facewire.voicing import Price
from facewire.voicing.ahead import LEAD_IN, earlier, lead_in
from parts import Beep, Jaw, Loudness, Script


class Slow(Beep):
    """A voice that needs ``wait`` before its first piece, as a service does."""

    parallel = True
    wait = 0.3

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.previous: list[tuple[str, ...]] = []
        self.at_once = self.most = 0

    def speak(self, utterance: Utterance) -> Iterator[Audio]:
        self.asked.append(utterance.text)
        self.previous.append(utterance.previous)
        return self._speak(utterance)

    def _speak(self, utterance: Utterance) -> Iterator[Audio]:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        time.sleep(self.wait)
        try:
            yield from super().speak(utterance)
        finally:
            self.at_once -= 1


class Written(TextSource):
    """Texts that are there at once, in a live run or not."""

    several = True

    def __init__(self, *texts: Text, live: bool = True, last: float = 0.0) -> None:
        self.live, self._texts, self._last = live, texts, last

    def blocks(self) -> Iterator[Text]:
        yield from self._texts
        time.sleep(self._last)


def session(voice: Voice, source: Source, sink: ListSink, **options: object) -> Session:
    parts = {"voice": voice, "jaw": Jaw(), "loudness": Loudness()}

    class Parts(Registry):
        def find(self, kind: str, name: str, where: str = "") -> tuple[Component, object]:
            return Component(name, lambda config, context: parts[name]), self.plugins[0]

    chosen = Profile(
        name="test", voice=(ComponentSpec("voice"),), model=(ComponentSpec("jaw"),), sinks=()
    )
    return Session(chosen, source, sinks=[Built(sink, "list", "sink")], registry=Parts(), **options)


def starts(sink: ListSink) -> dict[str, int]:
    return {mark.text: mark.start for mark in sink.marks}


@pytest.mark.parametrize("live", [True, False])
def test_no_gap_between_utterances_of_a_voice_that_takes_its_time(live: bool) -> None:
    voice, sink = Slow(), ListSink(live=True)
    # 0.25 s each and 0.3 s of waiting: asked one after another there would be gaps of 0.3 s
    words = ["one", "two", "three", "four", "five", "six"]
    voice.wait = 0.3
    session(voice, Written(*(Text(word) for word in words), live=live), sink).run()
    begin = starts(sink)
    gaps = [begin[b] - begin[a] - 4000 for a, b in itertools.pairwise(words)]
    waited = [gap / 16000 for gap in gaps]
    # three are asked at a time: 0.75 s of sound for 0.3 s of waiting
    assert max(waited) < 0.05, waited
    assert voice.asked == words


def test_at_most_two_are_asked_ahead() -> None:
    voice, sink = Slow(), ListSink(live=True)
    voice.wait = 0.0
    long = "word " * 12  # 3 s
    seen: list[int] = []
    run = session(voice, Written(*(Text(f"{long}{i}") for i in range(8))), sink)
    threading.Timer(1.5, lambda: seen.append(len(voice.asked))).start()
    threading.Timer(2.0, run.end).start()
    run.run()
    assert seen == [3]
    assert len(voice.asked) == 3


def test_an_interruption_drops_what_was_asked_and_what_was_written() -> None:
    voice, sink = Slow(), ListSink(live=True)
    voice.wait = 0.05

    class Talks(TextSource):
        live = several = True

        def blocks(self) -> Iterator[Text]:
            yield from (Clause(f"{'old ' * 20}number {i}. ") for i in range(6))
            said.wait(5)
            yield Clause("new. ")

    said = threading.Event()

    def interrupt() -> None:
        run.interrupt()
        said.set()

    run = session(voice, Talks(), sink)
    threading.Timer(1.0, interrupt).start()
    report = run.run()
    assert voice.asked[-1] == "new." and len(voice.asked) <= 4
    assert starts(sink)["new."] < 2.5 * 16000
    assert report.seconds < 4


def test_a_voice_that_does_not_say_so_speaks_one_at_a_time() -> None:
    voice, sink = Slow(), ListSink()
    voice.parallel, voice.wait = False, 0.02
    words = [f"w{i}" for i in range(6)]
    session(voice, Written(*map(Text, words), live=False), sink).run()
    assert voice.most == 1
    assert [mark.text for mark in sink.marks] == words


def test_an_error_comes_in_its_turn() -> None:
    class Breaks(Slow):
        def _speak(self, utterance: Utterance) -> Iterator[Audio]:
            if utterance.text == "bad":
                raise InputError("this cannot be said")
            yield from super()._speak(utterance)

    voice, sink = Breaks(), ListSink()
    with pytest.raises(InputError, match="this cannot be said"):
        session(voice, Written(Text("one"), Text("bad"), Text("two"), live=False), sink).run()
    assert sink.ended == "aborted"


def test_clauses_become_sentences_once_enough_is_queued() -> None:
    voice, sink = Slow(), ListSink(live=True)
    voice.wait = 0.0
    first = "To begin with there are ten words in this one, "
    rest = [
        "and there is more, ",
        "and more of it, ",
        "to the end. ",
        "Another one, ",
        "all whole.",
    ]
    session(voice, Written(*map(Clause, [first, *rest])), sink).run()
    assert voice.asked == [first.strip(), "".join(rest[:3]).strip(), "".join(rest[3:])]
    assert voice.previous[2] == (first + "".join(rest[:3]),)


def test_a_clause_does_not_wait_where_little_is_queued() -> None:
    voice, sink = Slow(), ListSink(live=True)
    voice.wait = 0.0

    class Halting(TextSource):
        live = several = True

        def blocks(self) -> Iterator[Text]:
            for clause in ("one two, ", "three four, ", "five."):
                yield Clause(clause)
                time.sleep(0.4)

    session(voice, Halting(), sink).run()
    assert voice.asked == ["one two,", "three four,", "five."]


def test_a_long_wait_for_a_sentence_ends_when_the_queue_does() -> None:
    voice, sink = Slow(), ListSink(live=True)
    voice.wait = 0.0
    first = "To begin with there are ten words in this one, "
    source = Written(Clause(first), Clause("and no end, "), last=2.5)
    session(voice, source, sink).run()
    begin = starts(sink)
    assert begin["and"] - begin["To"] == 10 * 4000  # said in time, without a gap


def audio(quiet: int, loud: int, start: int = 0) -> Audio:
    sound = np.concatenate([np.zeros(quiet), np.full(loud, 0.5)]).astype(np.float32)
    mark = Mark("phone", "p", start, start + quiet + loud)
    return Audio(sound, 16000, start, (mark,))


def test_silence_before_the_first_sound_is_one_with_the_silence_that_it_breaks() -> None:
    by = lead_in(audio(800, 100))
    assert by == 800 - int(LEAD_IN * 16000)
    assert lead_in(audio(100, 100)) == 0 and lead_in(audio(900, 0)) == 0
    cue = Cue(200, State.named("joy"), "tags")
    first = earlier(Spoken(audio(800, 100), (cue,)), by)
    assert len(first.audio) == 900 - by and first.audio.start == 0 and first.cues[0].at == 0
    assert (first.audio.marks[0].start, first.audio.marks[0].end) == (0, 900 - by)
    second = earlier(Spoken(audio(0, 100, 900)), by)
    assert second.audio.start == 900 - by and second.audio.marks[0].start == 900 - by
    assert len(second.audio) == 100


def test_a_monologue_is_planned_before_a_script_is_played() -> None:
    class Plans(Slow):
        planned: list[str]

        def plan(self, utterances: list[Utterance]) -> list[Price]:
            assert not self.asked
            self.planned = [utterance.text for utterance in utterances]
            return [Price(len(text)) for text in self.planned]

    voice, sink = Plans(), ListSink()
    voice.wait = 0.0
    texts = (Text("[joy] one"), Text(""), Text("two [fear]three"))
    source = Written(*texts, live=False)
    source.known = texts
    session(voice, source, sink).run()
    assert voice.planned == voice.asked == ["one", "two three"]
    assert voice.previous == [(), ("one",)]
    source.known = (*texts, Text("[nonsense] four"))
    with pytest.raises(InputError, match="nonsense"):
        session(voice, source, sink)


def test_the_same_run_twice_whatever_the_threads_do() -> None:
    def run() -> tuple[list[tuple[str, int]], bytes]:
        sink, voice = ListSink(), Slow()
        voice.wait = 0.01
        session(voice, Written(*map(Text, "abcdefgh"), live=False), sink).run()
        return [(mark.text, mark.start) for mark in sink.marks], sink.values.tobytes()

    assert run() == run()


def test_sound_alone_starts_no_utterance() -> None:
    voice, sink = Slow(), ListSink()
    sound = Audio(np.full(16000, 0.1, np.float32), 16000)
    assert session(voice, Script(sound), sink).run().seconds == 1.0
    assert not voice.asked


def test_no_thread_is_left_of_what_was_given_up() -> None:
    voice, sink = Slow(), ListSink()
    voice.wait = 0.0
    before = threading.active_count()
    texts = [Text(f"{'word ' * 200}{i}") for i in range(5)]
    run = session(voice, Written(*texts, live=False), sink, progress=lambda seconds: run.abort())
    with pytest.raises(KeyboardInterrupt):
        run.run()
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before and voice.at_once == 0
