"""What any engine must beat: loudness, a linear map, and phones through a coarticulation model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import soxr
from facewire.emotion import State
from facewire.profile import component, load_profile
from facewire.rig import Rig
from numpy.typing import NDArray

from facewire_eval.engines import Engine, ProfileEngine
from facewire_eval.items import Motion, Sound, Take
from facewire_eval.metrics.motion import energy

Array = NDArray[np.float64]
RATE, WINDOW, TRANSFORM = 16000, 512, 1024
BANDS, LOWEST, HIGHEST = 40, 50.0, 7600.0
AROUND = 8
"""Frames before and after that the linear map hears."""
RIDGE = 1000.0
"""Weight of the ridge, on standardised columns."""
OPEN, DEPTH = 0.35, 40.0
"""How far loudness opens the jaw, and over how many dB."""


class Loudness(Engine):
    """The jaw opens with the sound's level: what lip-flap scripts do."""

    name = "loudness"

    def animate(
        self, sound: Sound, transcript: str | None = None, emotion: State | None = None
    ) -> Motion:
        """Return a face whose jawOpen is .35 at the loudest frame and 0 at 40 dB below it."""
        rig, fps = Rig.named("arkit52"), Fraction(60)
        level = energy(sound.samples, sound.rate, sound.rows(fps), float(fps))
        values = np.zeros((len(level), len(rig)), np.float32)
        values[:, rig.index("jawOpen")] = OPEN * np.clip(1 + level / DEPTH, 0, 1)
        return Motion(values, rig, fps)


@cache
def filters() -> Array:
    """Return 40 triangles of equal width in mel, 50 to 7600 Hz: (40, bins of the transform)."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (LOWEST, HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(TRANSFORM, 1 / RATE)
    left, middle, right = (edges[k : BANDS + k, None] for k in range(3))
    rising, falling = (bins - left) / (middle - left), (right - bins) / (right - middle)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)))


def log_mel(sound: Sound, rows: int, fps: float) -> Array:
    """Return 40 log-mel bands of 32 ms around each frame: (rows, 40), standardised a recording.

    It knows the whole recording, as no live engine can: so it cares for no microphone's level.
    """
    samples = soxr.resample(np.asarray(sound.samples, np.float64), sound.rate, RATE)
    after = max(0, int(rows / fps * RATE) - len(samples))
    padded = np.pad(samples, (WINDOW // 2, WINDOW + after))
    first = (np.arange(rows) * RATE / fps).astype(int)
    windows = padded[first[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW + 1)[:-1]
    power = np.abs(np.fft.rfft(windows, TRANSFORM)) ** 2
    bands = np.log(power @ filters().T + 1e-6)
    return np.asarray((bands - bands.mean(axis=0)) / (bands.std(axis=0) + 1e-6))


class LinearMap:
    """A ridge regression from log-mel bands of ±8 frames to curves.

    ``fit`` on sounds and curves (n, k) of one frame rate, then ``predict`` others. Nothing of the
    left-out take may be in ``fit``.
    """

    def __init__(self, ridge: float = RIDGE) -> None:
        self._ridge = ridge

    def fit(
        self, sounds: Sequence[Sound], curves: Sequence[NDArray[np.floating]], fps: float
    ) -> LinearMap:
        """Fit the map; return itself."""
        heard = np.concatenate(
            [self._heard(s, len(c), fps) for s, c in zip(sounds, curves, strict=True)]
        )
        wanted = np.concatenate([np.asarray(c, np.float64) for c in curves])
        self._fps = fps
        self._mean, self._spread = heard.mean(axis=0), heard.std(axis=0) + 1e-9
        self._rest = wanted.mean(axis=0)
        x = (heard - self._mean) / self._spread
        square = x.T @ x + self._ridge * np.eye(x.shape[1])
        self._weights = np.linalg.solve(square, x.T @ (wanted - self._rest))  # (680, k)
        return self

    def predict(self, sound: Sound, rows: int) -> Array:
        """Return the curves of a recording at the rate it was fitted at: (rows, k)."""
        heard = (self._heard(sound, rows, self._fps) - self._mean) / self._spread
        return np.asarray(heard @ self._weights + self._rest)

    @staticmethod
    def _heard(sound: Sound, rows: int, fps: float) -> Array:
        padded = np.pad(log_mel(sound, rows, fps), ((AROUND, AROUND), (0, 0)), mode="edge")
        return np.concatenate([padded[k : k + rows] for k in range(2 * AROUND + 1)], axis=1)


class Linear(Engine):
    """The linear map on all channels of captured takes; a take that is measured is left out."""

    name = "linear map"

    def __init__(self, takes: Sequence[Take]) -> None:
        self._takes = list(takes)
        self._rig, self._fps = takes[0].motion.rig, takes[0].motion.fps
        self._map: LinearMap | None = None

    def animate(
        self, sound: Sound, transcript: str | None = None, emotion: State | None = None
    ) -> Motion | None:
        """Predict at the captured rate."""
        if not self._takes:
            return None
        if self._map is None:
            curves = [take.motion.values for take in self._takes]
            self._map = LinearMap().fit([t.sound for t in self._takes], curves, float(self._fps))
        values = self._map.predict(sound, sound.rows(self._fps))
        return Motion(values.astype(np.float32), self._rig, self._fps)

    def without(self, take: Take) -> Engine:
        """Return the map fitted on the other takes."""
        left = Linear(self._takes)
        left._takes = [other for other in self._takes if other is not take]
        return left

    @staticmethod
    def fits(takes: Sequence[Take]) -> bool:
        """Return whether there is something to fit on: two takes of one rig and rate."""
        shapes = {(take.motion.rig.channels, take.motion.fps) for take in takes}
        return len(takes) > 1 and len(shapes) == 1


def phones() -> ProfileEngine:
    """Return the default profile's mouth alone: phones heard by pocketsphinx, coarticulated."""
    made = replace(
        load_profile("default"), model=(component("phonemes", "eval"),), layers=(), sinks=()
    )
    return ProfileEngine(made, name="phones")
