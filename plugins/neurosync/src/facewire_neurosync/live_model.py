"""The model of live sound: a window that slides, cross-fades, and steps wider when it must."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median_low

import numpy as np
from facewire.stages import Model
from facewire.types import Emotion, Features, FloatArray, Frames

from facewire_neurosync.architecture import INPUTS, WINDOW
from facewire_neurosync.features import DIM
from facewire_neurosync.finish import Finish, rig_of
from facewire_neurosync.model import FPS, Runs
from facewire_neurosync.plugin import ModelConfig
from facewire_neurosync.windows import filled

TIMINGS, WARM_UP = 5, 1.0  # windows, and seconds after which two of them will do
TICK = 0.016  # seconds by which a clock of a thread's work may step
BUSY = 0.9  # share of real time that windows may take; the rest works off what waits


class Pace:
    """Decides how many rows to go from one window to the next, by what windows cost.

    A window that takes longer than its rows last makes the next step longer at once, so that rows
    never queue up; when windows are cheap again the step halves its way back.
    """

    def __init__(self, hop: int, seconds: float) -> None:
        self._asked, self._first = hop, seconds
        self.reset()

    def reset(self) -> None:
        """Begin again with the first measurement."""
        self._cost = self._first
        self.widest, self.windows, self.wider = self.hop, 0, 0

    @property
    def hop(self) -> int:
        """Rows from the last window to the next."""
        return max(self._asked, math.ceil(self._cost * float(FPS) / BUSY))

    def took(self, seconds: float) -> None:
        """Learn what a window cost."""
        self._cost = max(seconds, (self._cost + seconds) / 2)
        self.windows += 1
        self.wider += self.hop > self._asked
        self.widest = max(self.widest, self.hop)


class LiveTransformer(Model):
    """Computes a window of the newest 128 rows every ``hop`` rows and gives its newest rows.

    A window's last ``lookahead`` rows are not given yet; the next window's are faded over them.
    Rows come out in order, each once, as many as went in.
    """

    fps, dim, emotion = FPS, DIM, "none"
    exact_streaming = False  # under load, windows are further apart

    def __init__(
        self,
        config: ModelConfig,
        network: Runs,
        notes: Sequence[str],
        clock: Callable[[], float] = time.perf_counter,
        work: Callable[[], float] = time.thread_time,
    ) -> None:
        self.features = {"use": "neurosync"}
        if config.calibration:
            self.features["calibration"] = str(config.calibration)
        self._config, self._network, self._clock = config, network, clock
        self._notes = tuple(notes)
        self.rig = rig_of(network.architecture.outputs, config.sides)
        cost = self._warm_up(work)
        self._pace = Pace(config.hop, cost)
        self.lookahead = self._pace.hop + config.lookahead - 1 + math.ceil(cost * float(FPS))
        self.reset()

    def _warm_up(self, work: Callable[[], float]) -> float:
        """Return what a window costs, in seconds; the very first costs more and does not count.

        The latency of the whole session rests on it, so a machine that happens to be busy now must
        not make it: the middle one of up to five times, at most twice the middle one by ``work``,
        the clock of the computing itself.
        """
        empty = np.zeros((1, WINDOW, INPUTS), np.float32)
        self._network(empty)
        times: list[float] = []
        works: list[float] = []
        while len(times) < 2 or (len(times) < TIMINGS and sum(times) < WARM_UP):
            begun, before = self._clock(), work()
            self._network(empty)
            works.append(work() - before)
            times.append(self._clock() - begun)
        return min(median_low(times), 2 * median_low(works) + TICK)

    def reset(self) -> None:
        """Forget all input, and what windows cost."""
        self._pace.reset()
        self._finish = Finish(self._config, self.rig)
        self._rows = np.zeros(
            (0, INPUTS), np.float32
        )  # the newest 128 before the last window's end
        self._known = self._end = 0  # rows that came in, and the last window's end
        self._given = self._held = 0  # rows that went out, and those of them that no window saw
        self._ahead = np.zeros((0, len(self.rig)), np.float32)  # the last window's, not given yet
        self._last = np.zeros((1, len(self.rig)), np.float32)

    def report(self) -> Sequence[str]:
        """Say which network ran, and whether it kept up."""
        pace, asked = self._pace, self._config.hop
        if not pace.wider:
            return (*self._notes, f"neurosync: {pace.windows} windows, each {asked} rows further")
        late = (
            f"neurosync: {pace.wider} of {pace.windows} windows took longer than {asked} rows; "
            f"the widest step was {pace.widest} rows; choose a larger hop, int8 or bf16"
        )
        return (*self._notes, late, *self._gap())

    def _gap(self) -> Sequence[str]:
        return (f"neurosync: the face was held for {self._held} rows",) if self._held else ()

    def push(self, features: Features, emotion: Emotion) -> Frames:
        """Return the frames of the windows that are due; emotion is not used."""
        self._rows = np.concatenate([self._rows, features.values])
        self._known += len(features)
        first, done = self._given, []
        while self._known - self._end >= self._pace.hop:
            done.append(self._step(self._end + self._pace.hop, self._config.lookahead))
        return self._frames(first, done)

    def flush(self) -> Iterator[Frames]:
        """Yield the rest."""
        first, done = self._given, [self._ahead]
        if self._known > self._end:
            done = [self._step(self._known, 0)]
        self._given = self._known
        yield self._frames(first, done)

    def _step(self, end: int, ahead: int) -> FloatArray:
        """Compute the window that ends before row ``end``; return the next rows, but ``ahead``."""
        before = self._known - len(self._rows)  # the number of the first row that is kept
        start = max(0, end - WINDOW)
        window = self._rows[start - before : end - before]
        begun = self._clock()
        new = self._network(filled(window)[None])[0][: len(window)]
        self._pace.took(self._clock() - begun)
        gap = max(0, start - self._given)
        held = np.repeat(self._last, gap, axis=0)
        rows = new[self._given + gap - start :].copy()
        if not gap:
            size = len(self._ahead)
            part = (np.arange(1, size + 1, dtype=np.float32) / (size + 1))[:, None]
            rows[:size] = self._ahead * (1 - part) + rows[:size] * part
        keep = min(ahead, len(rows))
        given, self._ahead = rows[: len(rows) - keep], rows[len(rows) - keep :]
        self._last = rows[-1:]
        self._held += gap
        self._given += gap + len(given)
        self._end = end
        self._rows = self._rows[max(0, end - WINDOW - before) :]
        return np.concatenate([held, given])

    def _frames(self, first: int, pieces: list[FloatArray]) -> Frames:
        values = np.concatenate([np.zeros((0, len(self.rig)), np.float32), *pieces])
        return Frames(self._finish(values, whole=False), self.rig, FPS, first)
