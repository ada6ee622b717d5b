"""What gaze and head share: they hear ahead where the future is known, and hold rows for it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from facewire.stages import Layer
from facewire.types import MAX_BLOCK_ROWS, Block, Context, Frames
from numpy.typing import NDArray

from facewire_idle.motion import Doubles, times_of
from facewire_idle.plugin import State
from facewire_idle.speech import HOPS, Change, Ear, Hop, Turns


class Living(Layer):
    """A layer whose movement depends on what the character does and is about to say.

    Not causal, it hears 0.3 s ahead, so that a nod can lead its accent by 0.2 s and the gaze comes
    back as a turn ends; causal, it holds no row back and moves as soon as it knows.
    """

    LOOK: ClassVar[int] = 15  # hops

    def __init__(self, state: State, context: Context) -> None:
        self._state, self._context = state, context
        self._look = 0 if context.causal else self.LOOK
        self.lookahead = -int(-self._look * context.fps // HOPS)
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._ear, self._turns = Ear(), Turns(self._state, self._look)
        self._held: Frames | None = None
        self._arousal: NDArray[np.float32] = np.zeros(0, np.float32)

    def set_state(self, state: State) -> None:
        """Say what the character does from the next row on."""
        self._turns.tell(state)

    def push(self, block: Block) -> Frames:
        """Return the frames that are ready, moved."""
        hops = self._ear.push(block.audio)
        self._turns.hear(hops)
        self._hear(hops)
        frames, arousal = block.frames, block.emotion.vad[:, 1]
        if not self.lookahead:
            return self._move(frames, arousal)
        if self._held is not None:
            frames = _joined(self._held, frames)
            arousal = np.concatenate([self._arousal, arousal])
        ready = max(0, len(frames) - self.lookahead)
        self._held, self._arousal = _cut(frames, ready, len(frames)), arousal[ready:]
        return self._move(_cut(frames, 0, ready), arousal[:ready])

    def flush(self) -> Iterator[Frames]:
        """Yield the frames that are still held, moved."""
        held, arousal = self._held, self._arousal
        self._held = None
        for row in range(0, len(held) if held else 0, MAX_BLOCK_ROWS):
            assert held is not None
            end = row + MAX_BLOCK_ROWS
            yield self._move(_cut(held, row, end), arousal[row:end])

    def _move(self, frames: Frames, arousal: NDArray[np.float32]) -> Frames:
        if not len(frames):
            return frames
        times = times_of(frames)
        for change in self._turns.until(float(times[-1])):
            self._draw(change.time)
            self._change(change)
        self._draw(float(times[-1]))
        return self._render(frames, times, arousal)

    def _hear(self, hops: list[Hop]) -> None:
        """Take hops of sound, up to ``lookahead`` rows ahead of the frames."""

    @abstractmethod
    def _draw(self, until: float) -> None:
        """Draw what happens up to a second, which never falls."""

    @abstractmethod
    def _change(self, change: Change) -> None:
        """Act on a change of what the character does; ``_draw`` has been called up to it."""

    @abstractmethod
    def _render(self, frames: Frames, times: Doubles, arousal: NDArray[np.float32]) -> Frames:
        """Return the frames, at least one, moved; ``arousal`` (n,) is the emotion's."""


def _cut(frames: Frames, begin: int, end: int) -> Frames:
    return Frames(frames.values[begin:end], frames.rig, frames.fps, frames.start + begin)


def _joined(held: Frames, new: Frames) -> Frames:
    if not len(held):
        return new
    values = np.concatenate([held.values, new.values])
    return Frames(values, new.rig, new.fps, held.start)
