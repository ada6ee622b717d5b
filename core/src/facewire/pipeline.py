"""The pipeline: push audio, take blocks. It has no clock and no thread.

audio -> resampler -> extractor -> model -> rig -> layers -> rate -> blocks, with emotion beside
the features and everything kept in step by absolute frame index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Generic, TypeVar

import numpy as np

from facewire.buffers import Companion, Queue
from facewire.emotion import EmotionCurve
from facewire.errors import FacewireError, InputError, ProfileError, StageError
from facewire.resample import AudioResampler, Converter, FrameResampler
from facewire.rig import Rig, remap
from facewire.stages import FeatureExtractor, Layer, Model, Stage
from facewire.types import (
    MAX_BLOCK_ROWS,
    Audio,
    Block,
    Emotion,
    Features,
    FloatArray,
    Frames,
    Mark,
    ModelInfo,
)

S = TypeVar("S", bound=Stage, covariant=True)
T = TypeVar("T")
DEFAULT_RATE = 48000


@dataclass(frozen=True, slots=True)
class Built(Generic[S]):
    """A stage and where it came from: ``name`` of the component, ``origin`` of its plugin.

    ``subject``: whose face a sink gets, where a run has several.
    """

    stage: S
    name: str
    kind: str
    origin: str = "facewire"
    subject: str | None = None

    @property
    def label(self) -> str:
        """The component's name, and whose it is."""
        return f"{self.name} of {self.subject}" if self.subject else self.name

    def __str__(self) -> str:
        return f"{self.kind} '{self.label}' ({self.origin})"


def call(built: Built[Any], work: Callable[..., T], *args: Any) -> T:
    """Call a stage's method; what it raises unexpectedly becomes a StageError that names it."""
    try:
        return work(*args)
    except FacewireError:
        raise
    except OSError as error:
        raise StageError(f"{built}: {error.strerror or error}") from error
    except Exception as error:
        raise StageError(f"{built} failed: {type(error).__name__}: {error}") from error


def checked(built: Built[Any], frames: Frames, start: int, rig: Rig, most: int) -> Frames:
    """Return frames if they are what a stage may hand on; StageError that names it otherwise."""
    wrong = ""
    if not isinstance(frames, Frames):
        wrong = f"a {type(frames).__name__}, expected Frames"
    elif len(frames) > most:
        wrong = f"{len(frames)} frames where at most {most} were due"
    elif len(frames) and frames.start != start:
        wrong = f"frame {frames.start} where frame {start} was due"
    elif frames.rig.channels != rig.channels or frames.values.shape[1:] != (len(rig),):
        wrong = f"frames of {frames.values.shape[1:]} channels of rig '{frames.rig.name}'"
        wrong += f", expected '{rig.name}'"
    if wrong:
        raise StageError(f"{built} returned {wrong}")
    return frames


def walk(built: Built[Any], pieces: Iterator[T]) -> Iterator[T]:
    """Iterate over what a stage yields, with errors as in ``call``."""
    done = object()
    while (piece := call(built, next, pieces, done)) is not done:
        yield piece


def split(frames: Frames, rig: Rig) -> Iterator[Frames]:
    """Yield frames in pieces of at most 64 rows, mapped to ``rig``."""
    if 0 < len(frames) <= MAX_BLOCK_ROWS and frames.rig is rig:
        yield frames
        return
    for i in range(0, len(frames), MAX_BLOCK_ROWS):
        values = remap(frames.values[i : i + MAX_BLOCK_ROWS], frames.rig, rig)
        yield Frames(values, rig, frames.fps, frames.start + i)


class _LayerStep:
    """One layer with what waits beside it."""

    def __init__(self, built: Built[Layer], rate: int, fps: Fraction, rig: Rig) -> None:
        self.built, self.layer, self._rig = built, built.stage, rig
        self._next = 0
        self._beside = Companion(rate, fps)

    def push(self, block: Block) -> Sequence[Block]:
        given, frames = block.frames, call(self.built, self.layer.push, block)
        if frames is given and not self._beside.rows:  # nothing to check, nothing held back
            self._next = given.start + len(given.values)
            return (block,)
        self._checked(frames, len(given))
        if not self._beside.rows and len(frames) == len(given):
            return (Block(frames, block.emotion, block.audio),)
        self._beside.put(block)
        return list(self._join([frames]))

    def flush(self) -> Iterator[Block]:
        for frames in walk(self.built, self.layer.flush()):
            yield from self._join([self._checked(frames, 0)])
        if self._beside.rows:
            raise StageError(f"{self.built} kept {self._beside.rows} frames back at the end")

    def _checked(self, frames: Frames, new: int) -> Frames:
        checked(self.built, frames, self._next, self._rig, self._beside.rows + new)
        self._next += len(frames)
        return frames

    def _join(self, pieces: Iterable[Frames]) -> Iterator[Block]:
        for piece in pieces:
            for frames in split(piece, piece.rig):
                yield self._beside.cut(frames, rest=len(frames) == self._beside.rows)


class Pipeline:
    """Stages in a row. ``push`` audio (or frames) and take blocks; ``flush`` at the end.

    ``fps`` and ``rig`` are those of the blocks that come out; inside, the model's fps is used
    (``fps`` where there is no model). ``curve`` is the emotion over time and may be changed while
    it runs. As a context manager it resets its stages at the end.
    """

    def __init__(
        self,
        model: Built[Model] | None,
        extractor: Built[FeatureExtractor] | None,
        layers: Iterable[Built[Layer]],
        rig: Rig,
        fps: Fraction,
        curve: EmotionCurve | None = None,
        rate: int | None = None,
    ) -> None:
        self.model, self.extractor, self.layers = model, extractor, tuple(layers)
        self.rig, self.fps = rig, fps
        self.inner_fps = model.stage.fps if model else fps
        self.curve = curve or EmotionCurve()
        self._given_rate = rate
        self._begin()

    # -- state -----------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.rate = self._given_rate
        self._samples = 0
        self._frames = 0  # rows the model has handed on
        self._known = self._sampled = 0  # rows that wait for or have emotion; rows sampled so far
        self._started = False
        self._rows = Queue()  # features, or frames that came in
        self._marks: list[Mark] = []
        self._frames_in: FrameResampler | None = None

    def _start(self, rate: int) -> None:
        """Set up what depends on the session's rate: that of the first audio."""
        if self._started:
            return
        self._started = True
        self.rate = rate
        fps = self.inner_fps
        self._resampler = None
        if self.extractor and self.extractor.stage.rate != rate:
            self._resampler = AudioResampler(rate, self.extractor.stage.rate, fps)
        self._beside = Companion(rate, fps)
        self._steps = [_LayerStep(layer, rate, fps, self.rig) for layer in self.layers]
        self._converter = Converter(rate, (self.rig, fps), (self.rig, self.fps))

    def reset(self) -> None:
        """Forget all input and start over at frame 0."""
        for built in (self.extractor, self.model, *self.layers):
            if built:
                call(built, built.stage.reset)
        self._begin()

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *error: object) -> None:
        self.reset()

    # -- input -----------------------------------------------------------------------------------

    def push(self, audio: Audio) -> list[Block]:
        """Take the next audio (any length, contiguous, one rate); return the final blocks."""
        if self.model is None or self.extractor is None:
            raise ProfileError("audio needs a model and the profile has none; add one as 'model:'")
        self._start(self._given_rate or audio.rate)
        if audio.rate != self.rate:
            raise InputError(f"audio at {audio.rate} Hz came into a session at {self.rate} Hz")
        self._beside.put_sound(audio.samples)
        self._samples += len(audio)
        if audio.start != self._samples - len(audio):
            audio = replace(audio, start=self._samples - len(audio))
        heard = self._resampler.push(audio) if self._resampler else audio
        return list(self._hear(heard))

    def push_frames(self, frames: Frames) -> list[Block]:
        """Take the next frames (any rig and rate, contiguous); they skip features and model."""
        self._start(self._given_rate or DEFAULT_RATE)
        values = remap(frames.values, frames.rig, self.rig)
        if frames.fps != self.inner_fps:
            if self._frames_in is None:
                size = len(self.rig)
                self._frames_in = FrameResampler(frames.fps, self.inner_fps, size, self.rig)
            values = self._frames_in.push(values)
        self._rows.put(values)
        self._known += len(values)
        return list(self._advance())

    def _hear(self, audio: Audio) -> Iterator[Block]:
        if len(audio) or audio.marks:
            assert self.extractor is not None
            yield from self._take(call(self.extractor, self.extractor.stage.push, audio))

    def _take(self, features: Features) -> Iterator[Block]:
        self._rows.put(features.values)
        self._known += len(features)
        self._marks.extend(features.marks)
        assert self.rate is not None
        self._beside.mark(tuple(mark.rescaled(features.rate, self.rate) for mark in features.marks))
        yield from self._advance()

    # -- emotion and model -----------------------------------------------------------------------

    def _advance(self, ending: bool = False) -> Iterator[Block]:
        """Run the model on the rows whose emotion is conditioned (frames that came in skip it)."""
        for emotion in self._condition(ending):
            self._beside.feel(emotion)
            rows = self._rows.take(len(emotion))
            if self._samples:
                frames = self._infer(rows, emotion)
                last = ending and not len(self._rows) and not self._beside.rows - len(frames)
                yield from self._model_out(frames, last)
            else:
                yield from self._model_out(Frames(rows, self.rig, self.inner_fps, emotion.start))
        if ending and len(self._rows):
            raise StageError("a layer's 'condition' kept emotion rows back beyond its lookahead")

    def _infer(self, rows: FloatArray, emotion: Emotion) -> Frames:
        assert self.model is not None and self.extractor is not None
        stage = self.extractor.stage
        marks, self._marks = tuple(self._marks), []
        features = Features(rows, stage.fps, emotion.start, stage.rate, marks)
        return self._made(call(self.model, self.model.stage.push, features, emotion))

    def _made(self, frames: Frames) -> Frames:
        """Check what the model hands on: in order, its own rig, no row without features."""
        assert self.model is not None
        checked(self.model, frames, self._frames, self.model.stage.rig, self._beside.rows)
        self._frames += len(frames)
        return frames

    def _condition(self, ending: bool) -> Iterator[Emotion]:
        """Sample the curve for the rows known so far and pass them through the layers.

        Each layer sees each row once and in order. Layers that look ahead hold rows back; at the
        end the curve is simply sampled further.
        """
        hold = sum(layer.stage.condition_lookahead for layer in self.layers) if ending else 0
        while self._sampled < self._known + hold:
            count = min(MAX_BLOCK_ROWS, self._known + hold - self._sampled)
            emotion = self.curve.sample(self._sampled, count, self.inner_fps)
            self._sampled += count
            for layer in self.layers:
                if len(emotion):
                    emotion = call(layer, layer.stage.condition, emotion)
            keep = min(len(emotion), len(self._rows))
            if keep < len(emotion):
                emotion = replace(emotion, vad=emotion.vad[:keep], weights=emotion.weights[:keep])
            if keep:
                yield emotion

    # -- layers and out --------------------------------------------------------------------------

    def _model_out(self, frames: Frames, last: bool = False) -> Iterator[Block]:
        pieces = list(split(frames, self.rig))
        for piece in pieces:
            rest = last and piece is pieces[-1]
            yield from self._layer(self._beside.cut(piece, rest), 0)

    def _layer(self, block: Block, step: int) -> Iterator[Block]:
        blocks: Sequence[Block] = (block,)
        for layer in self._steps[step:]:
            if len(blocks) == 1:
                blocks = layer.push(blocks[0])
            else:
                blocks = [out for block in blocks for out in layer.push(block)]
        for block in blocks:
            yield from self._converter.push(block)

    def flush(self) -> Iterator[Block]:
        """Yield the remaining blocks. The last one carries the rest of the sound."""
        if not self._started:
            return
        if self._frames_in is not None:
            rows = self._frames_in.flush()
            self._rows.put(rows)
            self._known += len(rows)
        if self.extractor and self._samples:
            if self._resampler:
                yield from self._hear(self._resampler.flush())
            for features in walk(self.extractor, self.extractor.stage.flush()):
                yield from self._take(features)
        yield from self._advance(ending=True)
        yield from self._flush_model()
        for i, step in enumerate(self._steps):
            for block in step.flush():
                yield from self._layer(block, i + 1)
        yield from self._converter.flush()

    def _flush_model(self) -> Iterator[Block]:
        if self.model is None or not self._samples:
            return
        held: Frames | None = None
        for frames in walk(self.model, self.model.stage.flush()):
            if held is not None:
                yield from self._model_out(held)
                held = None
            held = frames if len(self._made(frames)) else None
        if held is not None:
            yield from self._model_out(held, last=True)
        if self._beside.rows:
            raise StageError(f"{self.model} kept {self._beside.rows} frames back at the end")

    @property
    def info(self) -> ModelInfo | None:
        """What layers are told about the model."""
        if self.model is None:
            return None
        stage = self.model.stage
        return ModelInfo(self.model.name, stage.rig, stage.fps, stage.emotion)

    def latency(self, rate: int) -> list[tuple[str, float | None]]:
        """Return (part, seconds) for a session at ``rate``; None: only after the whole input."""
        parts: list[tuple[str, float | None]] = []
        if self.extractor and self.model:
            heard = self.extractor.stage
            if heard.rate != rate:
                parts.append(("resampler", AudioResampler(rate, heard.rate, heard.fps).delay))
            wait = heard.lookahead
            parts.append((str(self.extractor), None if wait is None else wait / heard.rate))
            rows = self.model.stage.lookahead
            parts.append((str(self.model), None if rows is None else float(rows / self.inner_fps)))
        for layer in self.layers:
            rows = layer.stage.lookahead + layer.stage.condition_lookahead
            parts.append((str(layer), float(rows / self.inner_fps)))
        if self.fps != self.inner_fps:
            converter = Converter(rate, (self.rig, self.inner_fps), (self.rig, self.fps))
            parts.append((f"{self.inner_fps} to {self.fps} fps", converter.delay))
        return parts


def silence(samples: int, rate: int, start: int = 0) -> Audio:
    """Return that much digital silence."""
    return Audio(np.zeros(samples, np.float32), rate, start)
