"""Queues that keep what belongs to frames which are not out yet."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np

from facewire.types import Audio, Block, Emotion, FloatArray, Frames, Mark, first_sample


class Queue:
    """A first-in, first-out queue of rows (n, …): pieces go in, any number of rows comes out."""

    def __init__(self) -> None:
        self._pieces: deque[FloatArray] = deque()
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def put(self, rows: FloatArray) -> None:
        """Append rows; all pieces must agree in their further axes."""
        if len(rows):
            self._pieces.append(rows)
            self._rows += len(rows)

    def take(self, count: int) -> FloatArray:
        """Remove and return the oldest ``count`` rows; without copying where one piece has them."""
        first = self._pieces[0]
        if len(first) == count:
            self._rows -= count
            return self._pieces.popleft()
        if len(first) > count:
            self._pieces[0] = first[count:]
            self._rows -= count
            return first[:count]
        self._rows -= count
        taken = []
        while count:
            piece = self._pieces.popleft()
            if len(piece) > count:
                self._pieces.appendleft(piece[count:])
                piece = piece[:count]
            taken.append(piece)
            count -= len(piece)
        return np.concatenate(taken)


class Companion:
    """Keeps emotion, sound and marks beside a stage that hands frames on later, and re-joins them.

    Emotion rows, sound and marks go in as they come; ``cut`` takes out what belongs to frames.
    """

    def __init__(self, rate: int, fps: Fraction) -> None:
        self._rate, self._fps = rate, fps
        self._vad, self._weights, self._sound = Queue(), Queue(), Queue()
        self._sample = 0
        self._marks: list[Mark] = []

    @property
    def rows(self) -> int:
        """How many emotion rows wait for their frames."""
        return len(self._vad)

    def feel(self, emotion: Emotion) -> None:
        """Append emotion rows."""
        self._vad.put(emotion.vad)
        self._weights.put(emotion.weights)

    def hear(self, audio: Audio) -> None:
        """Append sound with its marks."""
        self._sound.put(audio.samples)
        self._marks.extend(audio.marks)

    def put_sound(self, samples: FloatArray) -> None:
        """Append sound whose marks come later."""
        self._sound.put(samples)

    def mark(self, marks: tuple[Mark, ...]) -> None:
        """Append marks, counted at the session's rate."""
        self._marks.extend(marks)

    def put(self, block: Block) -> None:
        """Append a block's emotion and sound."""
        self.feel(block.emotion)
        self.hear(block.audio)

    def cut(self, frames: Frames, rest: bool = False) -> Block:
        """Return the block of ``frames``, the next in order; with ``rest`` all sound left."""
        rows, end = len(frames), first_sample(frames.end, self._rate, self._fps)
        emotion = Emotion(self._vad.take(rows), self._weights.take(rows), self._fps, frames.start)
        held = len(self._sound)
        count = held if rest else min(held, max(0, end - self._sample))
        samples = self._sound.take(count) if count else np.zeros(0, np.float32)
        marks: tuple[Mark, ...] = ()
        if self._marks:
            marks = tuple(mark for mark in self._marks if rest or mark.start < end)
            self._marks = [] if rest else [mark for mark in self._marks if mark.start >= end]
        audio = Audio(samples, self._rate, self._sample, marks)
        self._sample += count
        return Block(frames, emotion, audio)
