"""The model: sound and emotion to articulatory curves by the network, and to channels last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from facewire.articulation import CAUSAL, PLANNED, decode
from facewire.rig import Rig
from facewire.stages import Model
from facewire.types import Context, Emotion, Features, FloatArray, Frames

from facewire_trajectory.config import ModelConfig
from facewire_trajectory.constrain import Phones
from facewire_trajectory.early import Pair
from facewire_trajectory.expression import Wearer
from facewire_trajectory.level import Level
from facewire_trajectory.runtime import Heard, Stream, Weights, joined
from facewire_trajectory.sizes import BANDS, SOUND
from facewire_trajectory.steady import Steady

FPS = Fraction(60)
DATA = Path(__file__).with_name("data")
EARLY = "early"
_HIGHEST = 2.0
"""No curve is let beyond this: what no face can do is an error."""


class Trajectory(Model):
    """Moves a mouth to sound, 58 ms behind it (``live``) or a second (``file``).

    It is held to phones that come as marks; loosely, where a recogniser heard them without a
    transcript. ``sound`` holds the probabilities (n, 3) of
    other, speech and vocal non-speech of the frames handed on last.
    """

    fps = FPS
    dim = BANDS

    def __init__(self, config: ModelConfig, context: Context) -> None:
        variant = config.variant
        if variant == "auto":
            variant = "live" if context.causal else "file"
        self._config, self._variant = config, variant
        self._stream, self._level = _stream(config.weights or DATA, variant, context), Level()
        self._lang = context.lang
        self._known = bool(context.transcript and context.transcript.strip())
        live = context.causal and config.phones and config.live == "phones"
        self.features = {"use": "trajectory.mel", "mode": "live" if live else "auto"}
        self._phones = None
        if live or (config.phones and variant == "file"):
            self._phones = Phones(CAUSAL if variant == "live" else PLANNED)
        self.rig = Rig.named("arkit52_tongue")
        self._steady = Steady(late=int(variant == "file" or self._phones is not None))
        self.lookahead = self._stream.lookahead + self._steady.late
        if self._phones is not None:
            self.lookahead = max(self.lookahead, self._phones.lookahead)
        self._wearer: Wearer | None = None
        if config.expression == "model":
            self.emotion = "labels+vad"
            self._wearer = Wearer(self.rig)
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._stream.reset()
        self._steady.reset()
        self._level.reset()
        if self._phones is not None:
            self._phones.reset()
        if self._wearer is not None:
            self._wearer.reset()
        self._next = 0
        self._waiting = joined([])  # for their phones
        self._heard = np.zeros(len(SOUND))
        self.sound: FloatArray = np.zeros((0, len(SOUND)), np.float32)

    def push(self, features: Features, emotion: Emotion) -> Frames:
        """Return the frames that are final."""
        if self._phones is not None:
            self._phones.push(features.marks, features.rate, features.values, self._known)
        mel = self._level.push(features.values[None])[0]
        condition = np.concatenate([emotion.weights, emotion.vad], axis=1)
        return self._frames(self._steady.push(self._stream.push(mel, condition)))

    def flush(self) -> Iterator[Frames]:
        """Yield the remaining frames."""
        if self._phones is not None:
            self._phones.flush()
        rest = self._steady.push(self._stream.flush())
        yield self._frames(joined([rest, self._steady.flush()]))

    def report(self) -> Sequence[str]:
        """Return which variant ran, what was heard, and whether phones held it."""
        share = self._heard / max(float(self._heard.sum()), 1.0)
        heard = ", ".join(f"{name} {part:.0%}" for name, part in zip(SOUND, share, strict=True))
        lines = [f"trajectory: variant '{self._variant}'; heard {heard}"]
        if self._phones is not None and self._phones.count:
            doubted = self._phones.doubted
            heard = f", {doubted} of them heard without a transcript" if doubted else ""
            lines.append(f"trajectory: held to {self._phones.count} phones{heard}")
            if self._phones.strange:
                lines.append(
                    "warning: the phones that were heard do not fit the sound, and hardly moved the"
                    f" mouth: if it is not {self._lang}, say which language it is (--lang)"
                )
        return lines

    def _frames(self, found: Heard) -> Frames:
        heard = joined([self._waiting, found])
        ready = len(heard.curves) if self._phones is None else self._phones.ready
        heard, self._waiting = heard.cut(0, ready), heard.cut(ready)
        start, self._next = self._next, self._next + len(heard.curves)
        self.sound = heard.sound
        if not len(heard.curves):
            return Frames(np.zeros((0, len(self.rig)), np.float32), self.rig, FPS, start)
        self._heard += np.bincount(heard.sound.argmax(axis=1), minlength=len(SOUND))
        curves = np.clip(heard.curves.astype(np.float64), -_HIGHEST, _HIGHEST)
        if self._phones is not None:
            curves = self._phones.hold(curves, heard.sound.astype(np.float64))
        values = decode(curves, self.rig)
        if self._wearer is not None:
            values = self._wearer.wear(values, heard)
        return Frames(values, self.rig, FPS, start)


def _stream(folder: Path, variant: str, context: Context) -> Stream | Pair:
    """Return a folder's network; with the one in ``early`` beside it, where there is one."""

    def opened(path: Path) -> Stream:
        name = f"facewire_trajectory:{path}"
        return Stream(context.shared(name, lambda: Weights(path, variant)))

    first, early = folder / f"{variant}.onnx", folder / EARLY / f"{variant}.onnx"
    return Pair(opened(first), opened(early)) if early.is_file() else opened(first)
