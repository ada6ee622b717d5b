"""A thread that hands frames to one live sink when they are due."""

from __future__ import annotations

import threading
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
RETRY = 1.0  # seconds until a sink that failed is tried again


def rows(block: Block) -> Iterator[Block]:
    """Yield a block's frames one by one, each with its emotion row, sound and marks."""
    frames, emotion, audio = block.frames, block.emotion, block.audio
    fps, marks = frames.fps, list(audio.marks)
    for i in range(len(frames)):
        index = frames.start + i
        last = i == len(frames) - 1
        begin = first_sample(index, audio.rate, fps) - audio.start
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
    """What became of a live sink's frames; ``late`` counts those sent by lateness, 0.1 ms a bin."""

    sent: int = 0
    dropped: int = 0
    resent: int = 0
    errors: int = 0
    last_error: str = ""
    late: list[int] = field(default_factory=lambda: [0] * LATE_BINS)

    def count(self, lateness: float) -> None:
        """Count a frame that was sent ``lateness`` seconds after it was due."""
        self.sent += 1
        self.late[min(LATE_BINS - 1, max(0, int(lateness / LATE_STEP)))] += 1

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

    The ring holds at most ``LEAD`` seconds and the latency: a sink that blocks loses the oldest
    frames of its own ring. When several frames are due one goes out: the newest, or the one with
    the lips closed if they met among them. A starved ring resends the last frame.
    """

    def __init__(
        self,
        built: Built[Sink],
        clock: Clock,
        fps: Fraction,
        latency: float,
        tell: Callable[[str], None],
    ) -> None:
        self.built, self.sink, self.tally = built, built.stage, Tally()
        self._clock, self.fps, self._tell = clock, fps, tell
        self._latency = latency + built.stage.latency
        size = max(2, int((LEAD + max(0.0, self._latency)) * fps) + 4)
        self._ring: deque[Block] = deque(maxlen=size)
        self._change = threading.Condition()
        self._t0 = 0.0
        self._ended = False
        self._retry_at: float | None = None
        self._last: Block | None = None
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

    def end(self) -> None:
        """Send what is in the ring, each row when it is due, and stop the thread."""
        with self._change:
            self._ended = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join()

    def drop(self) -> None:
        """Forget what is in the ring."""
        with self._change:
            self._ring.clear()

    def due(self, frame: int) -> float:
        """Return the clock's time at which frame ``frame`` goes out."""
        return self._t0 + float(frame / self.fps) + self._latency

    def next_due(self) -> float | None:
        """Return when ``step`` has something to do, or None until another row is put."""
        with self._change:
            if self._ring:
                return self.due(self._ring[0].frames.start)
            if self._last is None or self._ended:
                return None
            return self.due(self._last.frames.start + 1)

    def step(self) -> None:
        """Send one row if one is due; the last one again if the ring is starved."""
        with self._change:
            now, waiting = self._clock.now(), []
            while self._ring and self.due(self._ring[0].frames.start) <= now:
                row = self._ring.popleft()
                if self._last is None or row.frames.start > self._last.frames.start:
                    waiting.append(row)
                else:
                    self.tally.dropped += 1  # its turn was taken by a frame sent again
            if not waiting:
                if self._last is None or self._ring or self._ended:
                    return
                waiting = [_again(self._last)]
                if self.due(waiting[0].frames.start) > now:
                    return
                self.tally.resent += 1
        self.tally.dropped += len(waiting) - 1
        self._send(_choose(waiting))

    def _run(self) -> None:
        while True:
            due = self.next_due()
            with self._change:
                if not self._ring:
                    if self._ended:
                        return
                    wait = None if due is None else due - self._clock.now()
                    if wait is None or wait > 0:
                        self._change.wait(wait)
                        continue
            if due is not None:
                self._clock.sleep_until(due)
                self.step()

    def _send(self, row: Block) -> None:
        self._last = row
        now = self._clock.now()
        if self._retry_at is not None and now < self._retry_at:
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


def _again(row: Block) -> Block:
    index = row.frames.start + 1
    silence = Audio(np.zeros(0, np.float32), row.audio.rate, row.audio.end)
    return Block(replace(row.frames, start=index), replace(row.emotion, start=index), silence)
