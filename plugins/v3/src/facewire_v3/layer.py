"""The layer: emotion shaped in time before the model, and put on the face after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np
from facewire.stages import Layer
from facewire.types import MAX_BLOCK_ROWS, Block, Context, Emotion, Frames
from numpy.typing import NDArray

from facewire_v3.config import V3Config
from facewire_v3.face import Draw
from facewire_v3.gate import gate_numbers
from facewire_v3.presets import gaze_of
from facewire_v3.shaper import Shaper, check
from facewire_v3.strength import scale
from facewire_v3.tables import RIG
from facewire_v3.timeline import BROWS, GAZE, HEAD, MAIN, VAD, WEIGHTS, WIDTH
from facewire_v3.voice import Voice, deaf
from facewire_v3.wearer import Wearer

Doubles = NDArray[np.float64]
LOOK = 9
"""Rows that the layer looks ahead where the run is not causal, at 60 frames a second."""


class V3(Layer):
    """Turns emotion into a face.

    Over a model that carries emotion: the overlay of eyes, brows and cheeks. Over one that carries
    none: the whole expression, behind the speech gate and with the mouth protected.
    """

    def __init__(self, config: V3Config, context: Context) -> None:
        check(config, context.causal)
        self._config, self._context = config, context
        carries = context.model is not None and context.model.emotion != "none"
        overlay = config.overlay == "only" or (config.overlay == "auto" and carries)
        self._off = config.overlay == "off"
        self._draw: Draw = "overlay" if overlay else "expression"
        self._gated = not self._off and not overlay and config.speech == "auto"
        self.lookahead = look_ahead(context) if self._gated else 0
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        config, context = self._config, self._context
        self._wearer = Wearer(
            self._draw, config.compiler, self._gated, context.rig, context.fps, self.lookahead
        )
        self._shaper = Shaper(config, context, None if self._off else self._wearer.feeling)
        self.condition_lookahead = self._shaper.lookahead
        self._deaf = deaf(context.rig) if config.hear else ""
        hears = config.hear and not self._off and not self._deaf
        self._voice = Voice(context.rig, float(context.fps), context.curve) if hears else None
        self._shaped: list[tuple[int, Doubles]] = []  # rows whose frames are not here yet
        self._held_row: Doubles | None = None  # while nothing moves, the same object comes again
        self._held: Frames | None = None
        self._rows: Doubles = np.zeros((0, WIDTH))

    def condition(self, emotion: Emotion) -> Emotion:
        """Return the emotion as it moves: transitions, monologue, strength."""
        start = self._shaper.start
        rows = self._shaper.push(emotion)
        if rows is self._held_row:
            return self._out(start, emotion)
        played = rows
        if self._config.strength != 1.0:
            played = rows.copy()
            for first in (VAD.start, BROWS.start):
                part = slice(first, first + 3)
                played[:, part] = scale(rows[:, part], self._config.strength)
        self._held_row, self._played = rows, played
        self._vad = played[:, VAD].astype(np.float32)
        self._weights = played[:, WEIGHTS].astype(np.float32)
        return self._out(start, emotion)

    def _out(self, start: int, like: Emotion) -> Emotion:
        """Return the rows played last, from ``start``, and keep them for their frames."""
        if len(self._played) and not self._off:
            self._shaped.append((start, self._played))
        return Emotion(self._vad, self._weights, like.fps, start)

    def push(self, block: Block) -> Frames:
        """Return the frames that are ready, with the emotion on them."""
        frames = block.frames
        if self._off:
            return frames
        rows = self._take(block)
        if self._voice:
            rows = self._heard(self._voice, frames, rows)
        self._wearer.hear(frames.values, frames.start, block.audio.marks, block.audio.rate)
        if not self.lookahead:
            return self._face(frames, rows)
        if self._held is not None:
            frames = _joined(self._held, frames)
            rows = np.concatenate([self._rows, rows])
        ready = max(0, len(frames) - self.lookahead)
        self._held, self._rows = _cut(frames, ready, len(frames)), rows[ready:]
        return self._face(_cut(frames, 0, ready), rows[:ready])

    def report(self) -> Sequence[str]:
        """Say so where emotion was to be heard and cannot be."""
        return (self._deaf,) if self._deaf else ()

    def flush(self) -> Iterator[Frames]:
        """Yield the frames that are still held."""
        held, rows = self._held, self._rows
        self._held, self._rows = None, rows[:0]
        for row in range(0, len(held) if held else 0, MAX_BLOCK_ROWS):
            assert held is not None
            end = row + MAX_BLOCK_ROWS
            yield self._face(_cut(held, row, end), rows[row:end])

    def _face(self, frames: Frames, rows: Doubles) -> Frames:
        if not len(frames):
            return frames
        return Frames(self._wearer.wear(frames.values, rows), frames.rig, frames.fps, frames.start)

    def _take(self, block: Block) -> Doubles:
        """Return the timeline's rows of a block; from its emotion where they never came by."""
        start, end = block.frames.start, block.frames.end
        shaped = self._shaped
        while shaped and shaped[0][0] + len(shaped[0][1]) <= start:
            del shaped[0]
        if shaped and shaped[0][0] == start and len(shaped[0][1]) == end - start:
            return shaped[0][1]
        pieces, at = [], start
        for first, rows in shaped:
            if first > at or at >= end:
                break
            pieces.append(rows[at - first : end - first])
            at += len(pieces[-1])
        if at < end:
            pieces.append(self._given(block.emotion, at - start))
        return pieces[0] if len(pieces) == 1 else np.concatenate([np.zeros((0, WIDTH)), *pieces])

    def _heard(self, voice: Voice, frames: Frames, rows: Doubles) -> Doubles:
        """Return the timeline's rows, with what the voice tells where nobody else says anything."""
        heard, free = voice.read(frames), voice.free(frames)
        if not free.any():
            return rows
        vad = scale(heard.vad, self._config.strength)
        played = self._given(Emotion(vad, heard.weights, heard.fps, heard.start), 0)
        return np.where(free[:, None], played, rows)

    def _given(self, emotion: Emotion, row: int) -> Doubles:
        vad, weights = emotion.vad[row:], emotion.weights[row:]
        rows = np.zeros((len(vad), WIDTH))
        for part in (MAIN, BROWS):
            rows[:, part] = np.concatenate([vad, weights, weights], axis=1)
        full = self._wearer.feeling(weights, vad)
        rows[:, HEAD], rows[:, GAZE] = full[:, len(RIG) :], gaze_of(full[:, : len(RIG)])
        return rows


def look_ahead(context: Context) -> int:
    """Return how many rows the layer looks ahead: 0.15 s, at least 9, in a run that can."""
    before = gate_numbers().pause["before"]
    return 0 if context.causal else max(LOOK, ceil(before * context.fps))


def _cut(frames: Frames, begin: int, end: int) -> Frames:
    return Frames(frames.values[begin:end], frames.rig, frames.fps, frames.start + begin)


def _joined(held: Frames, new: Frames) -> Frames:
    if not len(new):
        return held
    values = np.concatenate([held.values, new.values])
    return Frames(values, new.rig, new.fps, held.start)
