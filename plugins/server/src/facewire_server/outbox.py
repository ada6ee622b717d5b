"""What waits to be sent to one client, and what was sent: bounded, whoever reads slowly."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from facewire.delivery import rest
from facewire.emotion import NEUTRAL, constant
from facewire.pipeline import Pipeline
from facewire.types import Audio, Block, FloatArray, Frames

from facewire_server.messages import AudioOut, FramesOut, MarksOut, Outgoing, State

MOST = 300  # frames that wait; older ones are lost
MOST_ELSE = 1000  # other messages that wait
KEPT = 600  # rows that are remembered after they were sent


@dataclass(slots=True, eq=False)
class Entry:
    """A message, and the block that its frames came from."""

    message: Outgoing
    block: Block | None = None

    @property
    def loose(self) -> bool:
        """Whether it may be lost."""
        return isinstance(self.message, FramesOut | AudioOut | MarksOut)


class Overflow(Exception):
    """The client reads nothing, and what must not be lost has become too much."""


class Outbox:
    """A queue that loses its oldest frames, with the sound and marks before them."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._filled = asyncio.Event()
        self.frames = 0
        self.dropped = 0
        """Frames lost since somebody last set it to 0."""

    def put(self, message: Outgoing, block: Block | None = None) -> None:
        """Add a message. Overflow if too much waits that must not be lost."""
        self._entries.append(Entry(message, block))
        if isinstance(message, FramesOut):
            self.frames += message.count
        while self.frames > MOST:
            self._lose()
        if len(self._entries) > MOST_ELSE:
            raise Overflow
        self._filled.set()

    def _lose(self) -> None:
        kept: deque[Entry] = deque()
        while True:
            entry = self._entries.popleft()
            if isinstance(entry.message, FramesOut):
                self.frames -= entry.message.count
                self.dropped += entry.message.count
                break
            if not entry.loose:
                kept.append(entry)
        self._entries.extendleft(reversed(kept))

    def clear(self) -> None:
        """Drop frames, sound and marks, and states that are over: an interruption."""
        kept = (e for e in self._entries if not (e.loose or isinstance(e.message, State)))
        self._entries = deque(kept)
        self.frames = 0

    async def take(self) -> Entry:
        """Wait for the next."""
        while not self._entries:
            self._filled.clear()
            await self._filled.wait()
        entry = self._entries.popleft()
        if isinstance(entry.message, FramesOut):
            self.frames -= entry.message.count
        return entry


class Drawn:
    """What was sent lately, and what of it the client has drawn."""

    def __init__(self, pipeline: Pipeline, rate: int) -> None:
        zero = np.zeros((1, len(pipeline.rig)), np.float32)
        self._nothing = Block(
            Frames(zero, pipeline.rig, pipeline.fps, -1),
            constant(NEUTRAL, 1, -1, pipeline.fps),
            Audio(np.zeros(0, np.float32), rate),
        )
        self._sent: deque[tuple[int, Block]] = deque()
        self._rows = 0
        self._position: tuple[int, int] | None = None

    def sent(self, turn: int, block: Block) -> None:
        """Remember a block that went out."""
        self._sent.append((turn, block))
        self._rows += len(block.frames)
        while self._rows > KEPT:
            self._rows -= len(self._sent.popleft()[1].frames)

    def at(self, turn: int, frame: int) -> float | None:
        """Note the frame that the client drew last; return how many frames were sent after it."""
        self._position = turn, frame
        if not self._sent or self._sent[-1][0] != turn:
            return None
        return max(0, self._sent[-1][1].frames.end - 1 - frame)

    def last(self) -> tuple[int, Block]:
        """Return the row that the client drew last, else the last one sent, and its turn."""
        if not self._sent:
            return (self._position[0] if self._position else 0), self._nothing
        if self._position is not None:
            turn, frame = self._position
            for number, block in reversed(self._sent):
                if number == turn and block.frames.start <= frame:
                    return turn, _row(block, min(frame, block.frames.end - 1))
        turn, block = self._sent[-1]
        return turn, _row(block, block.frames.end - 1)

    def closing(self) -> tuple[int, Block]:
        """Return the frames that ease from the row drawn last to neutral, the mouth first."""
        turn, last = self.last()
        rows = list(rest(last))
        values: FloatArray = np.concatenate([row.frames.values for row in rows])
        count, first = len(values), last.frames.start + 1
        emotion = constant(NEUTRAL, count, first, last.frames.fps)
        self._position = None
        return turn, Block(replace(last.frames, values=values, start=first), emotion, last.audio)


def _row(block: Block, frame: int) -> Block:
    at = frame - block.frames.start
    values = block.frames.values[at : at + 1]
    return replace(block, frames=replace(block.frames, values=values, start=frame))
