"""Captured takes: what their lips did, as articulatory values, in time with their sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from facewire.articulation import CURVES, lip_gap, lip_protrusion, lip_width
from facewire.errors import InputError
from facewire.rig import Rig
from facewire.types import FloatArray
from numpy.typing import NDArray

from facewire_trajectory.mel import RATE, log_mel
from facewire_trajectory.targets import FPS

Doubles = NDArray[np.float64]
MOVES = 0.005
"""A channel counts as captured if its standard deviation is above this."""
LAGS = 0.15
"""Seconds that a take is searched for its offset, either way."""
BAND = (2.0, 8.0)
_RIG = Rig.named("arkit52")
# What each articulatory value needs of a take, and which channels it is measured on.
_SOURCES: dict[str, tuple[str, ...]] = {
    "gap": ("jawOpen",), "jaw": ("jawOpen",), "width": ("jawOpen",),
    "protrusion": ("mouthFunnel", "mouthPucker"),
    "upper": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "lower": ("mouthLowerDownLeft", "mouthLowerDownRight"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A take: samples (m,) at 24 kHz, values (n, 15) at ``fps``, and which of the 15 count."""

    name: str
    samples: FloatArray
    values: Doubles
    fps: float
    captured: NDArray[np.bool_]

    def at(self, seconds: Doubles) -> Doubles:
        """Return values (k, 15) at times, by a cubic through the frames (Catmull & Rom, 1974)."""
        x = np.clip(seconds * self.fps, 0.0, len(self.values) - 1.0)
        i = np.minimum(x.astype(np.int64), len(self.values) - 2)
        t = (x - i)[:, None]
        a, b, c, d = (self.values[np.clip(i + k, 0, len(self.values) - 1)] for k in (-1, 0, 1, 2))
        found = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        return np.asarray(found, np.float64)


def articulatory(values: FloatArray, channels: Sequence[str]) -> tuple[Doubles, NDArray[np.bool_]]:
    """Return articulatory values (n, 15) of channels (n, c), and which of them were captured.

    Gap and width by the core's lip measures of all channels; protrusion by that of pucker and
    funnel alone, which is what the decoder makes it of; lip raise and lower are their channels.
    """
    face = np.zeros((len(values), len(_RIG)), np.float32)
    for column, channel in enumerate(channels):
        if channel in _RIG:
            face[:, _RIG.index(channel)] = values[:, column]
    moving = {c for c in _RIG.channels if face[:, _RIG.index(c)].std() > MOVES}
    forward = np.zeros_like(face)
    rounding = _RIG.indices("mouthFunnel", "mouthPucker")
    forward[:, rounding] = face[:, rounding]
    found = {
        "gap": lip_gap(face, _RIG), "jaw": face[:, _RIG.index("jawOpen")],
        "width": lip_width(face, _RIG), "protrusion": lip_protrusion(forward, _RIG),
        "upper": face[:, _RIG.indices(*_SOURCES["upper"])].mean(axis=1),
        "lower": face[:, _RIG.indices(*_SOURCES["lower"])].mean(axis=1),
    }  # fmt: skip
    out = np.zeros((len(values), len(CURVES)))
    captured = np.zeros(len(CURVES), bool)
    for name, row in found.items():
        out[:, CURVES.index(name)] = row
        captured[CURVES.index(name)] = bool(moving & set(_SOURCES[name]))
    return out, captured


def read_take(path: Path) -> Take:
    """Read NAME.npz (values, channels, fps) and NAME.flac or NAME.wav beside it."""
    sound = next(
        (path.with_suffix(s) for s in (".flac", ".wav") if path.with_suffix(s).exists()), None
    )
    if sound is None:
        raise InputError(f"{path}: found no {path.stem}.flac beside it, expected the take's sound")
    with np.load(path) as data:
        if not {"values", "channels", "fps"} <= set(data.files):
            raise InputError(
                f"{path}: found {', '.join(data.files)}, expected values, channels, fps"
            )
        values, captured = articulatory(data["values"], [str(c) for c in data["channels"]])
        fps = float(data["fps"])
    samples, rate = soundfile.read(sound, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
    return Take(path.stem, mono, values, fps, captured)


def takes_in(folder: Path) -> list[Path]:
    """Return the takes' paths; InputError if there is none."""
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise InputError(f"{folder}: found no .npz, expected takes as NAME.npz and NAME.flac")
    return paths


def read_takes(folder: Path) -> list[Take]:
    """Read all takes of a folder."""
    return [read_take(path) for path in takes_in(folder)]


def band(curve: Doubles, fps: float = FPS, low: float = BAND[0], high: float = BAND[1]) -> Doubles:
    """Return what of a curve (n,) is between two frequencies in Hz."""
    spectrum = np.fft.rfft(curve - curve.mean())
    hertz = np.fft.rfftfreq(len(curve), 1.0 / fps)
    found: Doubles = np.fft.irfft(spectrum * ((hertz >= low) & (hertz <= high)), len(curve))
    return found


def context(mel: FloatArray, reach: int = 12, every: int = 3) -> Doubles:
    """Return rows (n, k) of levelled mel bands in pairs, with those up to ``reach`` rows away."""
    level = np.log(np.exp(mel).mean(axis=1))
    heard = np.maximum(mel - np.percentile(level, 80), -8.0)
    pairs = heard.reshape(len(heard), -1, 2).mean(axis=2)
    padded = np.pad(pairs, ((reach, reach), (0, 0)), mode="edge")
    parts = [padded[k : k + len(pairs)] for k in range(0, 2 * reach + 1, every)]
    return np.concatenate([*parts, np.ones((len(pairs), 1))], axis=1).astype(np.float64)


class LinearMap:
    """A ridge regression from sound to the gap: good enough to say when lips move."""

    def __init__(self, pairs: Sequence[tuple[FloatArray, Doubles]], ridge: float = 300.0) -> None:
        rows = np.concatenate([context(mel) for mel, _ in pairs])
        gaps = np.concatenate([gap for _, gap in pairs])
        system = rows.T @ rows + ridge * np.eye(rows.shape[1])
        self._weights = np.linalg.solve(system, rows.T @ gaps)

    def gap(self, mel: FloatArray) -> Doubles:
        """Return the gap (n,) of log-mel rows (n, 64)."""
        found: Doubles = context(mel) @ self._weights
        return found


def lag(gap: Doubles, heard: Doubles) -> tuple[float, float]:
    """Return by how many seconds a gap (n,) is late against another, and their correlation then.

    The peak of the correlation over 2 to 8 Hz, between rows by a parabola.
    """
    one, other = band(gap), band(heard)
    most = round(LAGS * FPS)
    size = len(one) - 2 * most
    score: list[float] = []
    for k in range(2 * most + 1):  # rows that the gap is moved earlier, plus `most`
        a, b = one[k : k + size], other[most : most + size]
        score.append(float(a @ b) / (float(a @ a) * float(b @ b) + 1e-12) ** 0.5)
    best = min(max(int(np.argmax(score)), 1), len(score) - 2)
    left, middle, right = score[best - 1 : best + 2]
    shift = 0.5 * (left - right) / min(left - 2 * middle + right, -1e-9)
    return (best + min(max(shift, -0.5), 0.5) - most) / FPS, middle


def offset(take: Take, hearing: LinearMap) -> tuple[float, float]:
    """Return by how many seconds a take's lips are late against its sound, and how sure that is.

    What the lips should do is heard by a map that was fitted on speech with known phone times.
    """
    mel = log_mel(take.samples)
    times = np.arange(len(mel)) / FPS
    return lag(take.at(times)[:, 0], hearing.gap(mel))
