"""Utterances that are spoken ahead of their turn, so that none waits for the one before it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from facewire.feed import Feed
from facewire.speech import Spoken
from facewire.stages import Voice
from facewire.types import Audio
from facewire.voicing.retry import WAITING, Waiting

AHEAD = 2
"""Utterances that are spoken, or asked of a service, while another one plays."""
ENOUGH = 2.0
"""Seconds of queued sound from which on a clause waits for the rest of its sentence."""
LEAD_IN = 0.01
"""Seconds of silence that an utterance begins with where it breaks a silence."""
SILENT = 1e-3  # of full scale, -60 dBFS
PACE = 15.0  # characters a second: how long a text will be, until its sound is there


def parallel(voice: Voice) -> bool:
    """Whether a voice says (``parallel = True``) that several threads may speak with it."""
    return bool(getattr(voice, "parallel", False))


class Saying:
    """One utterance, spoken on a thread of its own; ``take`` gives its pieces.

    It begins when ``after`` has been spoken, which is None for a voice that speaks several at once.
    ``tell(line)`` gets what a person should know while a service is waited for.
    """

    def __init__(
        self,
        pieces: Iterator[Spoken],
        said: int,
        text: str,
        after: Saying | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.said, self.text = said, text
        self._guess, self._made, self._taken = len(text) / PACE, 0.0, 0.0
        self._after, self._whole = after, threading.Event()
        self._tell, self._dropped = tell, threading.Event()
        self._feed = Feed(lambda: self._speak(pieces))

    @property
    def left(self) -> float:
        """Seconds of it that were not taken yet, by a guess while it is not whole."""
        whole = self._made if self._whole.is_set() else max(self._made, self._guess)
        return max(0.0, whole - self._taken)

    @property
    def speaking(self) -> bool:
        """Whether its thread is at work."""
        return not self._whole.is_set()

    def take(self, wait: float) -> Any:
        """Return its next piece, None after ``wait`` seconds without one, Feed.END at the end."""
        piece = self._feed.take(wait)
        if isinstance(piece, Spoken):
            self._taken += len(piece.audio) / piece.audio.rate
        return piece

    def drop(self) -> None:
        """Give up what was not taken yet."""
        self._feed.close()
        self._feed.drop()
        self._dropped.set()
        self._guess = self._made = 0.0

    def join(self, until: float) -> None:
        """Wait for its thread's end, to ``until`` (``time.monotonic()``) at most."""
        self._feed.join(until)

    def _speak(self, pieces: Iterator[Spoken]) -> Iterator[Spoken]:
        WAITING.set(Waiting(self._tell, self._dropped))
        try:
            if self._after:
                self._after._whole.wait()
                self._after = None
            for piece in pieces:
                self._made += len(piece.audio) / piece.audio.rate
                yield piece
        finally:
            self._whole.set()


def lead_in(audio: Audio) -> int:
    """Return how many samples of silence before the first sound are one pause with that before."""
    loud = np.abs(audio.samples) > SILENT
    return max(0, int(loud.argmax()) - int(LEAD_IN * audio.rate)) if loud.any() else 0


def earlier(spoken: Spoken, by: int) -> Spoken:
    """Return a piece of an utterance whose first samples are left out; what was in them is at 0."""
    if not by:
        return spoken
    audio = spoken.audio
    marks = tuple(
        replace(mark, start=max(0, mark.start - by), end=max(0, mark.end - by))
        for mark in audio.marks
    )
    cut = max(0, by - audio.start)
    sound = Audio(audio.samples[cut:], audio.rate, max(0, audio.start - by), marks)
    cues = tuple(replace(cue, at=max(0, cue.at - by)) for cue in spoken.cues)
    return replace(spoken, audio=sound, cues=cues)
