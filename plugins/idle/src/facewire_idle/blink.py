"""Blinks: the smallest whole plugin, and the one the tutorial reads."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

from facewire.stages import Layer
from facewire.types import Block, Context, Frames

from facewire_idle.eyes import GazeShifts, Lids
from facewire_idle.motion import Renewal, Steps, times_of
from facewire_idle.numbers import Range, load
from facewire_idle.plugin import BlinkConfig, State
from facewire_idle.speech import Doing, Ear, Turns


@dataclass(frozen=True, slots=True)
class Numbers:
    """See data/blink.yaml."""

    talking: float
    spread: float
    double: float
    closing: Range
    hold: Range
    opening: Range
    pause: Range
    apart: float
    forward: float
    shift: float


class Blink(Layer):
    """Closes both lids now and then: more often while talking, at phrase ends and gaze shifts."""

    def __init__(self, config: BlinkConfig, context: Context) -> None:
        self._config, self._context = config, context
        self._numbers = load("blink", Numbers)
        self._lids = Lids(context.rig)
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._random = self._context.random("blink")
        self._ear, self._turns = Ear(), Turns(self._config.state)
        self._shifts = GazeShifts(self._context, self._numbers.shift)
        self._due = Renewal(self._context.random("blink intervals"), self._numbers.spread)
        self._closure, self._free = Steps(axes=1), 0.0
        self._set_rate(0.0, self._turns.doing)

    def set_state(self, state: State) -> None:
        """Say what the character does from the next row on."""
        self._turns.tell(state)

    def push(self, block: Block) -> Frames:
        """Return the frames, with the lids closed where there is a blink."""
        if not len(block.frames):
            return block.frames
        times = times_of(block.frames)
        self._turns.hear(self._ear.push(block.audio))
        shifts = [(time, None) for time in self._shifts.push(block.frames)]
        turns = [(change.time, change) for change in self._turns.until(float(times[-1]))]
        for time, change in sorted([*turns, *shifts], key=itemgetter(0)):
            self._blink_until(time)
            if change:
                self._set_rate(time, change.doing)
            ended = not change or change.before == "speaking"  # else a phrase began
            if ended and self._due.bring_forward(time, self._numbers.forward):
                self._blink(time)
        self._blink_until(float(times[-1]))
        return self._lids.close(block.frames, self._closure.at(times)[:, 0])

    def _set_rate(self, time: float, doing: Doing) -> None:
        faster = self._numbers.talking if doing == "speaking" else 1.0
        self._due.set_rate(time, self._config.rate / 60.0 * faster / (1.0 + self._numbers.double))

    def _blink_until(self, time: float) -> None:
        for due in self._due.until(time):
            self._blink(due)

    def _blink(self, time: float) -> None:
        numbers, random = self._numbers, self._random
        start = max(time, self._free)
        for _ in range(2 if random.random() < numbers.double else 1):
            closing, hold = random.uniform(*numbers.closing), random.uniform(*numbers.hold)
            opening, pause = random.uniform(*numbers.opening), random.uniform(*numbers.pause)
            self._closure.add(start, closing, [1.0])
            self._closure.add(start + closing + hold, opening, [-1.0])
            self._free = start + closing + hold + opening + numbers.apart
            start = self._free - numbers.apart + pause
