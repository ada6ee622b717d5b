"""A voice that fails: live text goes on, or ends whole, and no thread outlives a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from facewire.clauses import Clause
from facewire.emotion import State
from facewire.session import Session
from facewire.sources import TextSource
from facewire.stages import Source
from facewire.testing import ListSink
from facewire.types import Audio, Text, Utterance
from facewire.voicing import Interrupted, QuotaExhausted, Retry, Unreachable, VoiceError
from facewire.voicing.contract import GivenUp
from facewire.voicing.retry import WAITING, Waiting
from test_voicing_talk import Slow, Written, session, starts

REFUSED = VoiceError("ada: the service refused the request")
DOWN = Unreachable("ada: it broke, 7 times in a row")
BILL = QuotaExhausted("ada: the account gives nothing more")


class Failing(Slow):
    """Fails for the texts that it is told to; with Interrupted it waits to try again."""

    wait = 0.0

    def __init__(self, **failures: Exception) -> None:
        super().__init__()
        self.failures = failures

    def _speak(self, utterance: Utterance) -> Iterator[Audio]:
        failure = self.failures.get(utterance.text)
        retry = Retry("ada")
        while isinstance(failure, Interrupted):
            retry.wait(failure)
        if failure:
            raise failure
        yield from super()._speak(utterance)


def run(
    voice: Failing, source: Source, *, live: bool = False
) -> tuple[Session, ListSink, list[str]]:
    """Return a session, its sink and what it tells."""
    sink, told = ListSink(live), list[str]()
    return session(voice, source, sink, tell=told.append), sink, told


@pytest.mark.parametrize("failure", [REFUSED, DOWN])
def test_live_text_goes_on_without_a_clause(failure: VoiceError) -> None:
    made, sink, told = run(Failing(bad=failure), Written(*map(Text, ["one", "bad", "two"])))
    report = made.run()
    assert set(starts(sink)) == {"one", "two"} and sink.ended == "closed"
    assert told == [f"'bad' is not said: {failure}"] and report.unsaid == [str(failure)]


def test_a_tag_of_a_clause_that_is_not_said_holds_for_what_follows() -> None:
    made, sink, _ = run(Failing(bad=REFUSED), Written(*map(Text, ["one", "[fear] bad", "two"])))
    made.run()
    vad = np.concatenate([block.emotion.vad for block in sink.blocks])
    assert np.allclose(vad[-1], State.named("fear").vad)


def test_text_that_is_known_ends_with_the_error() -> None:
    source = Written(*map(Text, ["one", "bad", "two"]), live=False)
    made, sink, told = run(Failing(bad=REFUSED), source)
    with pytest.raises(VoiceError, match="refused"):
        made.run()
    assert sink.ended == "aborted" and told == []


@pytest.mark.parametrize("live", [False, True])
def test_a_bill_ends_live_text_and_what_was_said_stays(live: bool) -> None:
    voice = Failing(bad=BILL)
    made, sink, told = run(voice, Written(*map(Text, ["one", "bad", "two", "3", "4"])), live=live)
    with pytest.raises(QuotaExhausted):
        made.run()
    assert set(starts(sink)) == {"one"} and sink.ended == "closed"
    kept = f"the run ended early: the outputs that stay hold {made.delivery.frames} frames"
    assert told == ([] if live else [kept])
    assert "4" not in voice.asked


@pytest.mark.parametrize("failure", [REFUSED, BILL])
def test_where_nothing_was_said_nothing_stays(failure: VoiceError) -> None:
    made, sink, _ = run(Failing(bad=failure), Written(Text("bad"), Text("bad")))
    with pytest.raises(type(failure)):
        made.run()
    assert sink.ended == "aborted"


class Asking(TextSource):
    """One clause whose voice will wait, and another one when ``more`` is set."""

    live = several = True

    def __init__(self) -> None:
        self.more = threading.Event()

    def blocks(self) -> Iterator[Text]:
        yield Text("slow")
        self.more.wait(20)
        yield Clause("two")

    def close(self) -> None:
        self.more.set()


@pytest.mark.parametrize("how", ["end", "abort", "interrupt"])
def test_a_wait_ends_with_what_it_is_for(how: str) -> None:
    source = Asking()
    made, sink, told = run(Failing(slow=Interrupted("busy", 120)), source)
    before, begun = threading.active_count(), time.monotonic()

    def stop() -> None:
        getattr(made, how)()
        source.more.set()

    threading.Timer(0.5, stop).start()
    if how == "abort":
        with pytest.raises(KeyboardInterrupt):
            made.run()
    else:
        made.run()
    assert time.monotonic() - begun < 5 and threading.active_count() <= before
    assert told == ["ada: busy; asking again in 120 s"]
    assert set(starts(sink)) == ({"two"} if how == "interrupt" else set())


def test_no_thread_is_left_after_an_error() -> None:
    """Not even for a moment: the interpreter may end here, beside native code that runs."""
    before = threading.active_count()
    for _ in range(5):
        texts = [Clause(f"{word}. ") for word in ("bad", "two", "three", "four")]
        made, _, _ = run(Failing(**{"bad.": BILL}), Written(*texts, last=0.3))
        with pytest.raises(QuotaExhausted):
            made.run()
        assert threading.active_count() == before and made.leaving


def assert_waits(waiting: Waiting | None, waits: Callable[[Retry], None]) -> None:
    """Let a retry wait on a thread of its own, on which ``waiting`` is set."""
    failed: list[BaseException] = []

    def work() -> None:
        if waiting:
            WAITING.set(waiting)
        try:
            waits(Retry("ada"))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(5)
    assert not thread.is_alive() and not failed, failed


def test_a_retry_tells_why_it_waits_and_ends_when_nobody_does() -> None:
    told: list[str] = []
    stop = threading.Event()

    def waits(retry: Retry) -> None:
        retry.wait(Interrupted("busy", 0.0))  # nothing to speak of
        threading.Timer(0.1, stop.set).start()
        with pytest.raises(GivenUp, match="ada: busy"):
            retry.wait(Interrupted("busy", 60.0))
        with pytest.raises(GivenUp):
            retry.wait(Interrupted("busy", 60.0))

    assert_waits(Waiting(told.append, stop), waits)
    assert told == ["ada: busy; asking again in 60 s"]


def test_a_retry_for_nobody_in_particular_waits() -> None:
    assert_waits(None, lambda retry: retry.wait(Interrupted("busy", 0.01)))
