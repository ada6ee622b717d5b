"""The model: phones and loudness to mouth shapes, by the core's articulatory solver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from facewire.articulation import CAUSAL, PLANNED, Solver, Sound, Spoken, Style, decode, read_phone
from facewire.errors import ProfileError
from facewire.rig import Rig
from facewire.stages import Model
from facewire.types import Context, Emotion, Features, Frames, Mark
from numpy.typing import NDArray

from facewire_phonemes.plugin import ModelConfig

FPS = Fraction(60)


class PhoneModel(Model):
    """Moves a mouth to the phones that come as marks; the one column of features is loudness.

    Marks of vocal sounds (laugh, sob, scream, effort, breath, hum) open it with the loudness.

    Loudness is 0 (silence, -60 dBFS or less) to 1 (0 dBFS). A causal run looks 0.2 s ahead, any
    other 0.5 s.
    """

    features = "phonemes"
    fps = FPS
    dim = 1

    def __init__(self, config: ModelConfig, context: Context) -> None:
        window = CAUSAL if context.causal else PLANNED
        self.rig = Rig.named("arkit52_tongue")
        self.lookahead = window.lookahead
        for name, value in (("jaw", config.jaw), ("lip", config.lip)):
            if not 0.0 <= value <= 2.0:
                raise ProfileError(f"model phonemes: {name} is {value}, expected 0 to 2")
        self._solver = Solver(float(FPS), window, Style(config.jaw, config.lip))
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._solver.reset()
        self._next = 0
        self._count = 0
        self._unknown: dict[str, int] = {}

    def push(self, features: Features, emotion: Emotion) -> Frames:
        """Return the frames that are final."""
        heard = [self._timed(m, features.rate) for m in features.marks if m.kind != "word"]
        levels = features.values[:, 0].astype(np.float64)
        return self._frames(self._solver.push(heard, levels))

    def flush(self) -> Iterator[Frames]:
        """Yield the remaining frames."""
        yield self._frames(self._solver.flush())

    def report(self) -> Sequence[str]:
        """Return how many phones there were, and which could not be read."""
        lines = [f"phonemes: {self._count} phones"]
        if self._unknown:
            worst = ", ".join(f"'{text}' x{n}" for text, n in sorted(self._unknown.items())[:8])
            lines.append(f"phonemes: {len(self._unknown)} symbols unknown, mouth neutral: {worst}")
        return lines

    def _timed(self, mark: Mark, rate: int) -> Spoken | Sound:
        """Return a mark as a phone or a vocal sound timed in rows."""
        start, end = (float(Fraction(at * FPS, rate)) for at in (mark.start, mark.end))
        if mark.kind == "sound":
            return Sound(start, end, mark.text)
        symbol = read_phone(mark.text)
        if symbol.shapes:
            self._count += 1
        if not symbol.known:
            self._unknown[mark.text] = self._unknown.get(mark.text, 0) + 1
        return Spoken(start, end, symbol)

    def _frames(self, curves: NDArray[np.float64]) -> Frames:
        start, self._next = self._next, self._next + len(curves)
        if not len(curves):
            return Frames(np.zeros((0, len(self.rig)), np.float32), self.rig, FPS, start)
        return Frames(decode(curves, self.rig), self.rig, FPS, start)
