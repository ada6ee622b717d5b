"""One turn of a stream: sound or text in, blocks out. Runs on the pool's threads in slices."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from facewire.assemble import Assembly, assemble
from facewire.clauses import Clause
from facewire.emotion import EmotionCurve
from facewire.intake import Intake
from facewire.pipeline import Pipeline
from facewire.speech import Speech, Spoken, trust_marks
from facewire.types import Audio, Block, FloatArray, first_sample

from facewire_server.options import Wish

SLICE = 0.1  # seconds of sound that are computed at once


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What a slice of work gave: frames, and for text the sound that was spoken."""

    blocks: tuple[Block, ...] = ()
    audio: Audio | None = None


class Actor:
    """What a stream's turns share: the profile's stages, voice and history."""

    def __init__(self, wish: Wish, speaks: bool, rate: int | None) -> None:
        self.wish = wish
        self.notes: list[str] = []
        self.assembly: Assembly = assemble(
            replace(wish.profile, rate=None), "turn-0", Path(), causal=True
        )
        self.speech = Speech(self.assembly, self.notes.append, wish.keys) if speaks else None
        self.rate: int = self.speech.rate if self.speech else rate or 0
        self._ready: Turn | None = Turn(self)
        self.pipeline: Pipeline = self._ready.pipeline
        parts = self.pipeline.latency(self.rate)
        self.latency = sum(seconds or 0.0 for _, seconds in parts)

    def speak(self, clause: str) -> Iterator[Spoken]:
        """Let the voice say a clause; it is said as it is iterated over."""
        assert self.speech is not None
        return self.speech.speak(Clause(clause))

    def turn(self, number: int) -> Turn:
        """Begin a turn."""
        turn, self._ready = self._ready, None
        if turn is None:
            turn = Turn(self)
        turn.number = number
        return turn


class Turn:
    """A pipeline of its own: frames and samples count from 0."""

    def __init__(self, actor: Actor) -> None:
        self.number = 0
        self.actor, self.rate = actor, actor.rate
        self.curve = EmotionCurve(actor.wish.keys)
        self.pipeline = actor.assembly.pipeline(self.curve, self.rate)
        if actor.speech:
            trust_marks(actor.assembly, self.pipeline)
        self.intake = Intake(self.rate, self.pipeline.inner_fps, actor.notes.append)
        self.frames = 0
        self._came: deque[tuple[int, float]] = deque()  # (samples so far, when they came)

    @property
    def seconds(self) -> float:
        """How much sound has gone in."""
        return self.intake.position / self.rate

    def hear(self, samples: FloatArray, came: float) -> Made:
        """Take sound that came at a time (of the monotonic clock)."""
        audio = Audio(samples, self.rate, self.intake.position)
        blocks = tuple(self._push(audio))
        self._came.append((self.intake.position, came))
        return Made(blocks)

    def take(self, spoken: Spoken) -> Iterator[Made]:
        """Take what the voice said, a slice at a time."""
        for cue in spoken.cues:
            at = self.intake.time(cue.at, spoken.audio)
            self.curve.set(at, cue.state, cue.source)
        for piece in self.intake.take(spoken.audio):
            yield from self._slices(piece)

    def wait(self, seconds: float) -> Made:
        """Go on living in silence while no text comes."""
        return self._both(self.intake.pause(int(seconds * self.rate)))

    def finish(self) -> Iterator[Made]:
        """Give what is held."""
        for audio in self.intake.finish():
            yield self._both(audio)
        for block in self.pipeline.flush():
            self.frames += len(block.frames)
            yield Made((block,))

    def _slices(self, audio: Audio) -> Iterator[Made]:
        size = max(1, int(SLICE * self.rate))
        for at in range(0, max(1, len(audio)), size):
            first = audio.start + at
            last = at + size >= len(audio)
            marks = tuple(
                m for m in audio.marks if (m.start >= first or not at)
                and (m.start < first + size or last)
            )  # fmt: skip
            yield self._both(Audio(audio.samples[at : at + size], audio.rate, first, marks))

    def _both(self, audio: Audio) -> Made:
        return Made(tuple(self._blocks(audio)), audio)

    def _push(self, audio: Audio) -> Iterator[Block]:
        for piece in self.intake.take(audio):
            yield from self._blocks(piece)

    def _blocks(self, audio: Audio) -> Iterator[Block]:
        for block in self.pipeline.push(audio):
            self.frames += len(block.frames)
            yield block

    def delay(self, block: Block) -> float | None:
        """Return how long ago the sound of a block's last frame came in; None if nobody knows."""
        sample = first_sample(block.frames.end - 1, self.rate, block.frames.fps)
        while self._came and self._came[0][0] <= sample:
            self._came.popleft()
        return time.monotonic() - self._came[0][1] if self._came else None
