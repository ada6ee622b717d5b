"""Queues that keep what belongs to frames which are not out yet."""

from __future__ import annotations

import tempfile
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np

from facewire.errors import FacewireError
from facewire.types import Audio, Block, Emotion, FloatArray, Frames, Mark, first_sample

IN_MEMORY = 1 << 22  # samples, 16 MB: 87 s at 48 kHz
PIECE = 1 << 16  # samples read from the file at once


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


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise FacewireError(
            f"{tempfile.tempdir or 'temporary folder'}: long sound cannot wait there: {cause}; "
            "make room, or name another folder in TMPDIR"
        ) from error


class SampleFile:
    """Samples in a nameless temporary file, bit for bit; FacewireError where there is no room."""

    def __init__(self) -> None:
        # Unbuffered: what a full disk refuses would come up again when the file is closed.
        with _told():
            self._file = tempfile.TemporaryFile(prefix="facewire-", buffering=0)  # noqa: SIM115
        self.close = weakref.finalize(self, self._file.close)
        self._samples = 0

    def __len__(self) -> int:
        return self._samples

    def append(self, samples: FloatArray) -> None:
        """Write samples (n,) behind those that are there."""
        data = np.ascontiguousarray(samples, np.float32).view(np.uint8).data
        with _told():
            self._file.seek(4 * self._samples)
            while len(data):
                data = data[self._file.write(data) :]
        self._samples += len(samples)

    def read(self, start: int, end: int) -> FloatArray:
        """Return samples ``start`` to ``end``, which must exist."""
        found = np.empty(end - start, np.float32)
        with _told():
            self._file.seek(4 * start)
            self._file.readinto(found.view(np.uint8).data)
        return found


class Sound(Queue):
    """A queue of samples (n,), those beyond ``IN_MEMORY`` in a temporary file.

    A model that needs the whole input lets ten minutes wait: 115 MB at 48 kHz.
    """

    def __init__(self) -> None:
        super().__init__()
        self._file: SampleFile | None = None  # its samples are newer than those in memory
        self._read = 0  # how many of them were

    def put(self, rows: FloatArray) -> None:
        """Append samples; FacewireError if the temporary folder is full."""
        if self._rows + len(rows) <= IN_MEMORY and self._file is None:
            super().put(rows)
            return
        self._file = self._file or SampleFile()
        self._file.append(rows)
        self._rows += len(rows)

    def take(self, count: int) -> FloatArray:
        """Remove and return the oldest ``count`` samples."""
        if self._file is not None:
            filed = len(self._file) - self._read
            short = count - (self._rows - filed)
            if short > 0:
                end = self._read + min(filed, max(short, PIECE))
                self._pieces.append(self._file.read(self._read, end))
                self._read = end
            if self._read == len(self._file):
                self._file.close()
                self._file, self._read = None, 0
        return super().take(count)


def parted(block: Block, count: int) -> tuple[Block, Block]:
    """Return a block's first ``count`` rows, with their emotion, sound and marks, and the rest."""
    frames, emotion, audio = block.frames, block.emotion, block.audio
    at = first_sample(frames.start + count, audio.rate, frames.fps)
    cut = max(0, min(at - audio.start, len(audio)))
    first = tuple(mark for mark in audio.marks if mark.start < at)
    rest = tuple(mark for mark in audio.marks if mark.start >= at)
    vad, weights, fps = emotion.vad, emotion.weights, emotion.fps
    return (
        Block(
            Frames(frames.values[:count], frames.rig, fps, frames.start),
            Emotion(vad[:count], weights[:count], fps, emotion.start),
            Audio(audio.samples[:cut], audio.rate, audio.start, first),
        ),
        Block(
            Frames(frames.values[count:], frames.rig, fps, frames.start + count),
            Emotion(vad[count:], weights[count:], fps, emotion.start + count),
            Audio(audio.samples[cut:], audio.rate, audio.start + cut, rest),
        ),
    )


class Companion:
    """Keeps emotion, sound and marks beside a stage that hands frames on later, and re-joins them.

    Emotion rows, sound and marks go in as they come; ``cut`` takes out what belongs to frames.
    """

    def __init__(self, rate: int, fps: Fraction) -> None:
        self._rate, self._fps = rate, fps
        self._vad, self._weights, self._sound = Queue(), Queue(), Sound()
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
