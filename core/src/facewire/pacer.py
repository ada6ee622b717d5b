"""A thread that hands frames to one live sink when they are due."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from facewire.articulation.closures import CLOSED as CLOSED_GAP
from facewire.articulation.lips import lip_gap
from facewire.pipeline import Built
from facewire.stages import Clock, Sink
from facewire.types import Audio, Block, Emotion, FloatArray, Frames, first_sample

LEAD = 0.5  # seconds that frames may wait in a ring
SLICE = 0.05  # seconds that is slept at a time, so that a stop is noticed
PATIENCE = 2.0  # seconds that a hanging sink is waited for at the end
RETRY = 1.0  # seconds until a sink that failed is tried again


def rows(block: Block) -> Iterator[Block]:
    """Yield a block's frames one by one, each with its emotion row, sound and marks."""
    frames, emotion, audio = block.frames, block.emotion, block.audio
    fps, marks = frames.fps, list(audio.marks)
    for i in range(len(frames)):
        index = frames.start + i
        last = i == len(frames) - 1
        begin = first_sample(index, audio.rate, fps) - audio.start if i else 0
        end = len(audio) if last else first_sample(index + 1, audio.rate, fps) - audio.start
        due = tuple(mark for mark in marks if last or mark.start < audio.start + end)
        marks = [mark for mark in marks if mark not in due] if due else marks
        begin, end = max(0, min(begin, len(audio))), max(0, min(end, len(audio)))
        yield Block(
            Frames(frames.values[i : i + 1], frames.rig, fps, index),
            Emotion(emotion.vad[i : i + 1], emotion.weights[i : i + 1], fps, index),
            Audio(audio.samples[begin:end], audio.rate, audio.start + begin, due),
        )


LATE_STEP = 1e-4  # seconds a bin of the lateness histogram is wide
LATE_BINS = 2001  # the last holds everything from 0.2 s on


@dataclass
class Tally:
    """What became of a live sink's frames; ``late`` counts those sent by lateness, 0.1 ms a bin.

    ``offset`` is by how many seconds they were to go out later than due (negative: earlier).
    """

    sent: int = 0
    dropped: int = 0
    resent: int = 0
    errors: int = 0
    last_error: str = ""
    late: list[int] = field(default_factory=lambda: [0] * LATE_BINS)
    offset: float = 0.0
    lag: float = 0.0  # all frames' lateness together

    def count(self, lateness: float) -> None:
        """Count a frame that was sent ``lateness`` seconds after it was due."""
        self.sent += 1
        self.lag += lateness
        self.late[min(LATE_BINS - 1, max(0, int(lateness / LATE_STEP)))] += 1

    @property
    def measured(self) -> float:
        """The offset as it was measured: what was set, and the mean lateness."""
        return self.offset + (self.lag / self.sent if self.sent else 0.0)

    def lateness(self, share: float) -> float:
        """Return the seconds within which that share of the frames was sent."""
        wanted, seen = share * sum(self.late), 0
        for i, count in enumerate(self.late):
            seen += count
            if seen >= wanted:
                return (i + 1) * LATE_STEP
        return 0.0


class Pacer:
    """Sends one row at its due time, t0 + k / fps + latency, on a thread of its own.

    The ring holds at most ``LEAD`` seconds and the latency, and ``early`` seconds where another
    sink wants its frames earlier: a sink that blocks loses the oldest frames of its own ring. When
    several frames are due one goes out: the newest, or the one with the lips closed if they met
    among them. A starved ring resends the last frame.
    """

    def __init__(
        self,
        built: Built[Sink],
        clock: Clock,
        fps: Fraction,
        latency: float,
        tell: Callable[[str], None],
        early: float = 0.0,
    ) -> None:
        self.built, self.sink = built, built.stage
        self.tally = Tally(offset=built.stage.latency)
        self._clock, self.fps, self._tell = clock, fps, tell
        self._latency = latency + built.stage.latency
        size = max(2, int((LEAD + early + max(0.0, self._latency)) * fps) + 4)
        self._ring: deque[Block] = deque(maxlen=size)
        self._change = threading.Condition()
        self._t0 = 0.0
        self._ended = False
        self._retry_at: float | None = None
        self._last: Block | None = None
        self._late: list[Block] = []  # due, and not sent yet
        self._stop = threading.Event()
        self.filter: Callable[[Block], Block] = lambda block: block
        self._thread = threading.Thread(target=self._run, name=f"pacer {built.name}", daemon=True)

    def begin(self, t0: float, threaded: bool = True) -> None:
        """Begin; ``t0`` is the clock's time at sample 0. Without a thread, call ``step``."""
        self._t0 = t0
        if threaded:
            self._thread.start()

    def put(self, row: Block) -> None:
        """Add the next row (never waits); the oldest is lost when the ring is full."""
        with self._change:
            if len(self._ring) == self._ring.maxlen:
                self.tally.dropped += 1
            self._ring.append(row)
            self._change.notify()

    def close_with(self, tail: Callable[[Block], Iterable[Block]]) -> None:
        """Append the rows that ``tail`` makes of the last one; nothing is sent again after them."""
        with self._change:
            last = self._ring[-1] if self._ring else self._last
            self._ended = True
            if last is not None:
                added = list(tail(last))
                self._ring = deque([*self._ring, *added])
            self._change.notify()

    def end(self) -> bool:
        """Send what is in the ring, each row when it is due, and stop; False if the sink hangs.

        A sink that does not come back within two seconds is left to its thread.
        """
        with self._change:
            self._ended = True
            left = self.due(self._ring[-1].frames.start) - self._clock.now() if self._ring else 0.0
            self._change.notify()
        patience = time.monotonic() + max(0.0, left) + PATIENCE
        # In short waits: a bare join cannot be interrupted on Windows.
        while self._thread.is_alive() and time.monotonic() < patience:
            self._thread.join(SLICE)
            if self._stop.is_set():
                patience = min(patience, time.monotonic() + PATIENCE)
        if self._thread.is_alive():
            self._tell(f"{self.built} does not answer; it is left behind")
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Forget what is in the ring and send nothing more."""
        self._stop.set()
        with self._change:
            self._ring.clear()
            self._late.clear()
            self._ended = True
            self._change.notify()

    def due(self, frame: int) -> float:
        """Return the clock's time at which frame ``frame`` goes out."""
        return self._t0 + float(frame / self.fps) + self._latency

    def next_due(self) -> float | None:
        """Return when ``step`` has something to do, or None until another row is put."""
        with self._change:
            if self._ring:
                return self.due(self._ring[0].frames.start)
            if self._last is None or (self._ended and not self._late):
                return None
            return self.due(self._last.frames.start + 1)

    def step(self) -> None:
        """Send one row if one is due.

        What is late takes the next slot, so that a lag delays the face and does not freeze it;
        where nothing came at all, the last row goes out again.
        """
        with self._change:
            now = self._clock.now()
            while self._ring and self.due(self._ring[0].frames.start) <= now:
                self._late.append(self._ring.popleft())
            late, last = self._late, self._last
            if last is not None and (not late or late[-1].frames.start <= last.frames.start):
                slot = last.frames.start + 1
                starved = not self._ring and not (self._ended and not late)
                if not starved or self.due(slot) > now:
                    return
                row = _at(_choose(late), slot) if late else _again(last)
                self.tally.resent += not late
            elif late:
                row = _choose(late)
            else:
                return
            self.tally.dropped += max(0, len(late) - 1)
            self._late = []
        self._send(row)

    def _run(self) -> None:
        while not self._stop.is_set():
            due = self.next_due()
            with self._change:
                if due is None and self._ended:
                    return
                wait = None if due is None else due - self._clock.now()
                if not self._ring and (wait is None or wait > 0):
                    self._change.wait(wait)
                    continue
            if due is not None:
                self._sleep(due)
                self.step()

    def _sleep(self, until: float) -> None:
        """Sleep in slices, so that a stop is noticed."""
        while not self._stop.is_set() and (left := until - self._clock.now()) > 0:
            self._clock.sleep_until(until if left <= SLICE else until - left + SLICE)

    def _send(self, row: Block) -> None:
        self._last = row
        now = self._clock.now()
        if self._retry_at is not None and now < self._retry_at:
            self.tally.dropped += 1
            return
        try:
            self.sink.push(self.filter(row))
        except Exception as error:
            self._failed(error, now)
            return
        self._retry_at = None
        self.tally.count(now - self.due(row.frames.start))

    def _failed(self, error: Exception, now: float) -> None:
        text = f"{self.built}: {error or type(error).__name__}"
        self.tally.errors += 1
        self._retry_at = now + RETRY
        if text != self.tally.last_error:
            self.tally.last_error = text
            self._tell(f"{text}; trying again every second")


def _choose(waiting: list[Block]) -> Block:
    """Return the newest row, or the newest with closed lips; with the sound and marks of all."""
    if len(waiting) == 1:
        return waiting[0]
    closed = [row for row in waiting if lip_gap(row.frames.values, row.frames.rig)[0] < CLOSED_GAP]
    chosen, newest = (closed or waiting)[-1], waiting[-1]
    sound: FloatArray = np.concatenate([row.audio.samples for row in waiting])
    marks = tuple(mark for row in waiting for mark in row.audio.marks)
    audio = Audio(sound, newest.audio.rate, waiting[0].audio.start, marks)
    # It goes out in the newest one's place, so that indices never run backwards.
    frames = replace(chosen.frames, start=newest.frames.start)
    return Block(frames, replace(chosen.emotion, start=newest.frames.start), audio)


def _at(row: Block, index: int) -> Block:
    frames, emotion = replace(row.frames, start=index), replace(row.emotion, start=index)
    return Block(frames, emotion, row.audio)


def _again(row: Block) -> Block:
    index = row.frames.start + 1
    silence = Audio(np.zeros(0, np.float32), row.audio.rate, row.audio.end)
    return Block(replace(row.frames, start=index), replace(row.emotion, start=index), silence)
