"""From blocks to sinks: files at once, live sinks on the clock, and how a face comes to rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from facewire.clock import MonotonicClock
from facewire.errors import ProfileError
from facewire.pacer import LEAD, Pacer, rows
from facewire.pipeline import Built, call
from facewire.resample import Converter, mouth_columns
from facewire.rig import Rig
from facewire.stages import Clock, Sink
from facewire.types import Audio, Block, Emotion, FloatArray, Frames, RunInfo

FACE_EASE = 0.2  # seconds to neutral when a run stops
MOUTH_EASE = 0.1
NEUTRAL_FRAMES = 3
MARGIN = 0.05  # seconds between the first frame's making and its due time
SLICE = 0.05  # seconds that the producer sleeps at a time, so that it notices an abort


MAX_OFFSET = 10.0  # seconds


def ease(x: FloatArray | float) -> FloatArray:
    """Return smoothstep 3x² - 2x³ of x clamped to [0, 1]."""
    x = np.clip(np.asarray(x, np.float32), 0, 1)
    return x * x * (3 - 2 * x)


def check_offset(built: Built[Sink]) -> None:
    """Raise ProfileError where a sink's frames would go out more than 10 s from when they are due.

    More is a slip, milliseconds mostly: a run would wait for it without a word.
    """
    seconds = built.stage.latency
    if not -MAX_OFFSET <= seconds <= MAX_OFFSET:  # nor is NaN
        raise ProfileError(
            f"{built}: offset is {seconds:g} s, "
            f"expected {-MAX_OFFSET:g} to {MAX_OFFSET:g} (seconds)"
        )


@dataclass
class Outlet:
    """One sink with its converter, and a pacer if it is live."""

    built: Built[Sink]
    converter: Converter
    pacer: Pacer | None = None
    alive: bool = True

    def of(self, block: Block, faces: Mapping[str, Block]) -> Block:
        """Return the block that is this sink's."""
        return faces.get(self.built.subject, block) if self.built.subject else block


class Delivery:
    """Takes blocks to all sinks.

    A run with a live sink is paced: due(k) = t0 + k / fps + ``latency`` + the sink's own latency.
    ``failure`` is the first error of a file sink; the other sinks may finish then. ``tell(line)``
    gets what goes wrong with a sink while the run goes on. ProfileError for an offset over 10 s.
    """

    def __init__(
        self,
        sinks: list[Built[Sink]],
        frames: tuple[Rig, Fraction],
        clock: Clock | None = None,
        latency: float = 0.0,
        tell: Callable[[str], None] = print,
    ) -> None:
        self._sinks, (self._rig, self._fps), self.tell = sinks, frames, tell
        for sink in sinks:
            check_offset(sink)
        device = next((sink.stage.clock for sink in sinks if sink.stage.clock), None)
        self.clock: Clock = device or clock or MonotonicClock()
        self._threaded = getattr(self.clock, "threaded", True)
        self.latency = latency
        self.paced = any(sink.stage.live for sink in sinks)
        self.outlets: list[Outlet] = []
        self.failure: BaseException | None = None
        self.aborted = False
        self.frames = 0
        # A sink that wants its frames early makes the run begin, and the producer work, earlier.
        self._lead = min(0.0, *(sink.stage.latency for sink in sinks)) if sinks else 0.0
        self._t0: float | None = None

    # -- begin -----------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """The length of what was delivered."""
        return float(self.frames / self._fps)

    @property
    def delay(self) -> float:
        """Seconds from a sound's coming in to its frame's going out, but for sinks' own."""
        return self.latency - self._lead

    @property
    def started(self) -> bool:
        """Whether the clock runs."""
        return self._t0 is not None

    def elapsed(self) -> float:
        """Return the session's time in seconds: 0 at sample 0."""
        return self.clock.now() - (self._t0 if self._t0 is not None else self.clock.now())

    def start(self, info: RunInfo, ago: float = 0.0) -> None:
        """Open the sinks and start the clock, with sample 0 ``ago`` seconds before now."""
        if self.started:
            return
        for built in self._sinks:
            if not built.stage.live:
                self._open(built, info)
        ago += self._lead
        begin, info = self.clock.now() - ago, replace(info, epoch=time.time() - ago)
        for built in self._sinks:
            if built.stage.live:
                self._open(built, info)
        self._t0 = begin
        for pacer in self._pacers():
            pacer.begin(begin, self._threaded)

    def _open(self, built: Built[Sink], info: RunInfo) -> None:
        sink = built.stage
        rig, fps = sink.rig or self._rig, sink.fps or self._fps
        call(built, sink.open, replace(info, rig=rig, fps=fps))
        outlet = Outlet(built, Converter(info.rate, (self._rig, self._fps), (rig, fps)))
        if sink.live:
            outlet.pacer = Pacer(built, self.clock, fps, self.latency, self.tell, -self._lead)
        self.outlets.append(outlet)

    def _pacers(self) -> Iterator[Pacer]:
        return (outlet.pacer for outlet in self.outlets if outlet.pacer)

    # -- blocks ----------------------------------------------------------------------------------

    def push(self, block: Block, faces: Mapping[str, Block] | None = None) -> None:
        """Give a block to the files, then its rows to the pacers, at most 0.5 s ahead of time.

        ``faces``: of several, the blocks by subject, of the same frames.
        """
        faces = faces or {}
        self.frames += len(block.frames)
        for outlet in self.outlets:
            if outlet.pacer is None:
                self._file(outlet, outlet.converter.push(outlet.of(block, faces)))
        if not self.paced:
            return
        for row, *others in zip(rows(block), *map(rows, faces.values()), strict=True):
            self._wait(self._due(row.frames.start) + self._lead - LEAD)
            if self.aborted:
                return
            beside = dict(zip(faces, others, strict=True))
            for outlet in self.outlets:
                if outlet.pacer:
                    self._put(outlet.pacer, outlet.converter.push(outlet.of(row, beside)))

    def _put(self, pacer: Pacer, blocks: Iterable[Block]) -> None:
        for block in blocks:
            for row in rows(block):
                pacer.put(row)

    def _due(self, frame: int) -> float:
        return (self._t0 or 0.0) + float(frame / self._fps) + self.latency

    def _file(self, outlet: Outlet, blocks: Iterable[Block]) -> None:
        if not outlet.alive:
            return
        try:
            for block in blocks:
                call(outlet.built, outlet.built.stage.push, block)
        except Exception as error:
            self._lose(outlet, error)

    def _lose(self, outlet: Outlet, error: BaseException) -> None:
        outlet.alive = False
        self.failure = self.failure or error
        self._discard(outlet.built)

    def _discard(self, built: Built[Sink]) -> None:
        try:
            call(built, built.stage.abort)
        except Exception as error:
            self.tell(str(error))

    def _wait(self, until: float) -> None:
        """Sleep to a time. On a clock without threads, do the pacers' work on the way."""
        if not self._threaded:
            self._step(until)
            return
        while not self.aborted and (left := until - self.clock.now()) > 0:
            self.clock.sleep_until(self.clock.now() + min(left, SLICE))

    def _step(self, until: float) -> None:
        while True:
            due = [
                (at, i) for i, p in enumerate(self._pacers()) if (at := p.next_due()) is not None
            ]
            if not due or min(due)[0] > until:
                break
            self.clock.sleep_until(min(due)[0])
            list(self._pacers())[min(due)[1]].step()
        if until != float("inf"):
            self.clock.sleep_until(until)

    def quit(self) -> None:
        """Make whoever waits here return, from another thread; ``abort`` is to follow."""
        self.aborted = True
        for pacer in self._pacers():
            pacer.stop()

    def hush(self, until: int) -> None:
        """Close the mouth of live frames within 0.1 s and mute them, up to frame ``until``."""
        for pacer in self._pacers():
            pacer.filter = Hush(int(until / self._fps * pacer.fps), pacer.fps)

    # -- end -------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Let live sinks play out and ease to neutral, and commit all. Raises ``failure``."""
        for outlet in self.outlets:
            if outlet.pacer:
                self._play_out(outlet, outlet.pacer)
            else:
                self._file(outlet, outlet.converter.flush())
        if not self._threaded:
            self._step(float("inf"))
        for outlet in self.outlets:
            if outlet.pacer and not outlet.pacer.end():
                outlet.alive = False
        if self.aborted:
            return
        kept = [self._commit(outlet) for outlet in self.outlets]
        if self.failure:
            if any(kept):
                self.tell(f"the run ended early: the outputs that stay hold {self.frames} frames")
            raise self.failure

    def _commit(self, outlet: Outlet) -> bool:
        """Close a sink; return whether that made a file whole."""
        if not outlet.alive:
            return False
        try:
            call(outlet.built, outlet.built.stage.close)
        except Exception as error:
            self._lose(outlet, error)
            return False
        outlet.alive = False
        return not outlet.built.stage.live

    def _play_out(self, outlet: Outlet, pacer: Pacer) -> None:
        self._put(pacer, outlet.converter.flush())
        pacer.close_with(rest)

    def abort(self) -> None:
        """Stop at once and discard what the sinks have."""
        self.aborted = True
        for pacer in self._pacers():
            pacer.stop()
        for outlet in self.outlets:
            if outlet.pacer and not outlet.pacer.end():
                outlet.alive = False
        opened = {id(outlet.built): outlet for outlet in self.outlets}
        for built in self._sinks:
            if id(built) not in opened or opened[id(built)].alive:
                self._discard(built)


def rest(last: Block) -> Iterator[Block]:
    """Yield rows that ease from ``last`` to neutral, then three neutral ones."""
    frames, fps = last.frames, last.frames.fps
    count = int(FACE_EASE * fps) + NEUTRAL_FRAMES
    mouth = mouth_columns(frames.rig)
    for i in range(1, count + 1):
        seconds = float(i / fps)
        values = frames.values * (1 - ease(seconds / FACE_EASE))
        values[:, mouth] = frames.values[:, mouth] * (1 - ease(seconds / MOUTH_EASE))
        yield following(last, values, i)


def following(row: Block, values: FloatArray, by: int = 1) -> Block:
    """Return a silent row ``by`` frames after another."""
    index = row.frames.start + by
    frames = Frames(values, row.frames.rig, row.frames.fps, index)
    emotion = Emotion(row.emotion.vad, row.emotion.weights, row.frames.fps, index)
    return Block(frames, emotion, Audio(np.zeros(0, np.float32), row.audio.rate, row.audio.end))


class Hush:
    """A pacer's filter after an interruption: the mouth eases shut, the sound is muted."""

    def __init__(self, until: int, fps: Fraction) -> None:
        self._until, self._fps = until, fps
        self._from: FloatArray | None = None
        self._start = 0

    def __call__(self, row: Block) -> Block:
        """Return the row with its mouth on the way shut, or on its way back after ``until``."""
        index, frames = row.frames.start, row.frames
        if self._from is None:
            self._from, self._start = frames.values.copy(), index
        closing = ease(float((index - self._start + 1) / self._fps) / MOUTH_EASE)
        opening = ease(float((index - self._until) / self._fps) / MOUTH_EASE)
        if opening >= 1:
            return row
        mouth = mouth_columns(frames.rig)
        values = frames.values.copy()
        held = self._from[:, mouth] * (1 - closing)
        values[:, mouth] = held + (values[:, mouth] - held) * opening
        sound = (
            row.audio if index >= self._until else replace(row.audio, samples=row.audio.samples * 0)
        )
        return Block(replace(frames, values=values), row.emotion, sound)
