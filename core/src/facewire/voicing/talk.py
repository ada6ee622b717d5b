"""What is said in a session: texts from a source become sayings, ahead of their turn.

Text that is written while it is spoken comes in clauses. The first one is said at once, so that the
face answers soon; as soon as two seconds of sound are queued, a clause waits for the rest of its
sentence, which then has one melody. No voice waits for the one before it to end: two utterances
beyond the one that plays are spoken, or asked of a service, already.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from facewire.clauses import MOST, Clause, ends_sentence
from facewire.feed import Feed
from facewire.pipeline import DEFAULT_RATE, silence
from facewire.speech import Cue, Speech, Spoken
from facewire.types import Audio, Frames, Text
from facewire.voicing.ahead import AHEAD, ENOUGH, Saying, parallel

_WAITING = 64  # pieces of sound between texts that are read ahead
_POLL = 0.02  # seconds between two looks at what is queued

Item = Saying | Spoken | Frames


class Talk:
    """Says texts with ``speech()``; ``lead()`` is how many seconds the sound is ahead of time.

    ``generation`` is raised to give up what is being said. ``tell(line)`` gets what a person should
    know while a service is waited for.
    """

    def __init__(
        self, speech: Callable[[], Speech], lead: Callable[[], float], tell: Callable[[str], None]
    ) -> None:
        self._speech, self._lead, self._tell = speech, lead, tell
        self.generation = 0
        self._sayings: list[Saying] = []
        self._threads: list[Saying] = []  # also of those that were dropped
        self._lock = threading.Lock()
        self._last: dict[int, Saying] = {}
        self._reader: Feed | None = None

    @property
    def queued(self) -> float:
        """Seconds of sound that were asked for and have not played."""
        return max(0.0, self._lead()) + sum(saying.left for saying in self._current())

    def drop(self) -> None:
        """Give up what is being said and what waits to be said. Called from other threads."""
        self.generation += 1
        if self._reader:
            self._reader.drop()
        for saying in self._current():
            if saying.said != self.generation:
                saying.drop()
                self.ended(saying)

    def close(self) -> None:
        """Let go of the source's thread."""
        if self._reader:
            self._reader.close()

    def join(self, until: float) -> None:
        """Give up all there is, and wait for the threads, to ``until`` (``time.monotonic()``)."""
        if self._reader:
            self._reader.join(until)
        self.drop()
        for saying in self._threads:
            saying.join(until)

    def ended(self, saying: Saying) -> None:
        """Forget a saying that was taken to its end."""
        with self._lock, suppress(ValueError):
            self._sayings.remove(saying)

    def _current(self) -> list[Saying]:
        with self._lock:
            return list(self._sayings)

    def ahead(self, items: Iterator[Any]) -> Iterator[Item]:
        """Yield what a source brings, its texts said ahead."""
        waiting: deque[Item] = deque()
        for item in items:
            waiting.append(self._item(item))
            begun = sum(isinstance(one, Saying) for one in waiting)
            while begun > AHEAD or len(waiting) > _WAITING:
                one = waiting.popleft()
                begun -= isinstance(one, Saying)
                yield one
        yield from waiting

    def live(self, items: Callable[[], Iterator[Any]]) -> Iterator[Item]:
        """Yield what a live source brings; its clauses alone, or as sentences."""
        reader = self._reader = Feed(lambda: ((self.generation, item) for item in items()))
        try:
            yield from self._clauses(reader)
        finally:
            reader.close()

    def _clauses(self, reader: Feed) -> Iterator[Item]:
        held: Clause | None = None
        since = self.generation
        while True:
            taken = reader.take(_POLL)
            if since != self.generation:
                held, since = None, self.generation
            if taken is not None and taken is not Feed.END and taken[0] == since:
                if isinstance(taken[1], Clause):
                    held = joined(held, taken[1])
                else:
                    yield from (self._item(one) for one in (held, taken[1]) if one is not None)
                    held = None
            if held and (taken is Feed.END or self._now(held)):
                yield self._item(held)
                held = None
            if taken is Feed.END:
                return

    def _now(self, clause: Clause) -> bool:
        """Whether a clause is to be said, or waits for the rest of its sentence."""
        long = len(clause.text) > MOST
        return long or ends_sentence(clause.text) or self.queued < ENOUGH

    def _item(self, item: Any) -> Item:
        if isinstance(item, Text) and not item.text.strip():
            cues = (Cue(0, item.state, "tags"),) if item.state else ()
            return Spoken(silence(0, DEFAULT_RATE), cues, item)
        if isinstance(item, Text):
            return self._say(item)
        return Spoken(item) if isinstance(item, Audio) else item

    def _say(self, text: Text) -> Saying:
        said, speech = self.generation, self._speech()
        pieces, voice = speech.speak(text), speech.voice_of(text)
        after = None if parallel(voice) else self._last.get(id(voice))
        saying = Saying(pieces, said, text.text, after, self._tell)
        with self._lock:
            self._sayings.append(saying)
            self._threads = [one for one in self._threads if one.speaking] + [saying]
        self._last[id(voice)] = saying
        return saying


def joined(first: Clause | None, second: Clause) -> Clause:
    """Return two clauses as one."""
    if first is None:
        return second
    gap = "" if first.text[-1:].isspace() else " "
    return replace(first, text=first.text + gap + second.text)
