"""Change of sample rate and of frame rate, both in a stream and independent of how it is cut."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from facewire.articulation.closures import CLOSED as CLOSED_GAP
from facewire.articulation.lips import lip_gap
from facewire.buffers import Companion
from facewire.rig import Rig, remap
from facewire.types import (
    MAX_BLOCK_ROWS,
    Audio,
    Block,
    Emotion,
    FloatArray,
    Frames,
    Mark,
    frames_within,
)


class AudioResampler:
    """Resamples audio to ``to`` samples a second (soxr, HQ) and rescales its marks.

    After ``flush`` as many samples are out as make the same number of frames at ``fps`` as the
    input makes, so that no row is won or lost by rounding.
    """

    def __init__(self, rate: int, to: int, fps: Fraction) -> None:
        self.rate, self.to, self.fps = rate, to, fps
        self._stream = soxr.ResampleStream(rate, to, 1, dtype="float32", quality="HQ")
        self._taken = self._given = 0
        self._marks: list[Mark] = []

    @property
    def delay(self) -> float:
        """Seconds by which the output is late (the filter's look-ahead, measured by soxr)."""
        probe = soxr.ResampleStream(self.rate, self.to, 1, dtype="float32", quality="HQ")
        probe.resample_chunk(np.zeros(self.rate // 2, np.float32))
        return float(probe.delay()) / self.to

    def push(self, audio: Audio) -> Audio:
        """Return the samples that are final, with the marks that begin in them."""
        self._taken += len(audio)
        self._marks.extend(mark.rescaled(self.rate, self.to) for mark in audio.marks)
        return self._give(self._stream.resample_chunk(audio.samples), rest=False)

    def flush(self) -> Audio:
        """Return the rest."""
        tail = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        want = self._length() - self._given
        tail = np.concatenate([tail[:want], np.zeros(max(0, want - len(tail)), np.float32)])
        return self._give(tail, rest=True)

    def _length(self) -> int:
        frames = frames_within(self._taken, self.rate, self.fps)
        ceiling = -(-self._taken * self.to // self.rate)  # as librosa rounds
        return ceiling if frames_within(ceiling, self.to, self.fps) == frames else ceiling - 1

    def _give(self, samples: FloatArray, rest: bool) -> Audio:
        start, end = self._given, self._given + len(samples)
        due = tuple(mark for mark in self._marks if rest or mark.start < end)
        if due:
            self._marks = [] if rest else [mark for mark in self._marks if mark.start >= end]
        self._given = end
        return Audio(samples, self.to, start, due)


@cache
def mouth_columns(rig: Rig) -> NDArray[np.intp]:
    """Return the columns of a rig's jaw, mouth and tongue."""
    names = [c for c in rig.channels if c.startswith(("jaw", "mouth", "tongue"))]
    return rig.indices(*names)


class FrameResampler:
    """Resamples rows of ``channels`` values linearly to another rate; with a rig, closures survive.

    Where a source frame within half an output period has its lips closed (gap under .03), that
    frame's mouth is taken whole: a closure survives 24 fps. n rows at ``source`` become
    ceil(n * target / source) rows at ``target``.
    """

    def __init__(self, source: Fraction, target: Fraction, channels: int, rig: Rig | None) -> None:
        self.source, self.target, self.channels, self.rig = source, target, channels, rig
        self._rows = np.zeros((0, channels), np.float32)
        self._gap = np.zeros(0)
        self._first = self._next = 0

    @property
    def delay(self) -> float:
        """Seconds that a row may come out later than the source row it begins with."""
        half = 1 / (2 * self.target) + 1 / self.source
        return float(max(1 / self.target, half))

    def push(self, values: FloatArray) -> FloatArray:
        """Take source rows (n, channels); return the output rows that are final."""
        self._rows = np.concatenate([self._rows, values])
        if self.rig:
            self._gap = np.concatenate([self._gap, lip_gap(values, self.rig)])
        return self._give(self._final())

    def flush(self) -> FloatArray:
        """Return the rest; the last source row is held."""
        total = self._first + len(self._rows)
        return self._give(-(-total * self.target // self.source)) if total else self._rows

    def _final(self) -> int:
        # Output j needs the source up to j/target plus half an output period, and the row after it.
        last = self._first + len(self._rows) - 1
        seen = math.floor(last / self.source * self.target - Fraction(1, 2)) + 1
        heard = math.floor((last + 1) / self.source * self.target)  # its sound is all there too
        return max(self._next, min(seen, heard))

    def _give(self, end: int | Fraction) -> FloatArray:
        rows = [self._row(j) for j in range(self._next, int(end))]
        self._next = max(self._next, int(end))
        keep = int((Fraction(self._next) - 1) * self.source / self.target) - 1 - self._first
        if keep > 0:
            self._rows, self._gap = self._rows[keep:], self._gap[keep:]
            self._first += keep
        return np.stack(rows) if rows else np.zeros((0, self.channels), np.float32)

    def _row(self, j: int) -> FloatArray:
        at = Fraction(j) * self.source / self.target  # in source rows
        low = int(at) - self._first
        last = len(self._rows) - 1
        low, high = min(low, last), min(low + 1, last)
        part = np.float32(at - int(at))
        row: FloatArray = self._rows[low] * (1 - part) + self._rows[high] * part
        return self._closed(row, at) if self.rig else row

    def _closed(self, row: FloatArray, at: Fraction) -> FloatArray:
        assert self.rig is not None
        half = self.source / (2 * self.target)
        begin, end = int(at - half) - self._first + 1, int(at + half) - self._first
        begin = max(0, begin if at >= half else 0)
        near = self._gap[begin : end + 1]
        if len(near) and near.min() < CLOSED_GAP:
            mouth = mouth_columns(self.rig)
            row[mouth] = self._rows[begin + int(near.argmin()), mouth]
        return row


class Converter:
    """Takes blocks at one rate and rig and gives them at another, sound and emotion with them."""

    def __init__(
        self, rate: int, source: tuple[Rig, Fraction], target: tuple[Rig, Fraction]
    ) -> None:
        (self._source, fps), (self._target, self._fps) = source, target
        self._same_fps = fps == self._fps
        self._frames = FrameResampler(fps, self._fps, len(self._source), self._source)
        self._emotion = FrameResampler(fps, self._fps, 3 + 16, None)
        self._companion = Companion(rate, self._fps)
        self._next = 0

    @property
    def delay(self) -> float:
        """Seconds that its blocks come later: 0 where only the rig changes."""
        return 0.0 if self._same_fps else self._frames.delay

    def push(self, block: Block) -> Iterable[Block]:
        """Return the converted blocks that are final."""
        if not self._same_fps:
            return self._resample(block)
        if self._source.channels == self._target.channels:
            return (block,)
        values = remap(block.frames.values, self._source, self._target)
        return (replace(block, frames=replace(block.frames, values=values, rig=self._target)),)

    def _resample(self, block: Block) -> Iterator[Block]:
        feelings = np.concatenate([block.emotion.vad, block.emotion.weights], axis=1)
        self._companion.hear(block.audio)
        yield from self._join(self._frames.push(block.frames.values), self._emotion.push(feelings))

    def flush(self) -> Iterator[Block]:
        """Yield the rest."""
        if not self._same_fps:
            yield from self._join(self._frames.flush(), self._emotion.flush(), rest=True)

    def _join(
        self, values: FloatArray, feelings: FloatArray, rest: bool = False
    ) -> Iterator[Block]:
        for i in range(0, len(values), MAX_BLOCK_ROWS):
            part, felt = values[i : i + MAX_BLOCK_ROWS], feelings[i : i + MAX_BLOCK_ROWS]
            mapped = remap(part, self._source, self._target)
            self._companion.feel(Emotion(felt[:, :3], felt[:, 3:], self._fps, self._next))
            frames = Frames(mapped, self._target, self._fps, self._next)
            self._next += len(part)
            yield self._companion.cut(frames, rest=rest and i + MAX_BLOCK_ROWS >= len(values))
