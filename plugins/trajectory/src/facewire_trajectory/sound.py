"""How loud a sound is, and sounds made as loud as wanted."""

from __future__ import annotations

import numpy as np
from facewire.types import FloatArray
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
LEAST = 1e-9
_BLOCK = 4096


def padded(count: int) -> int:
    """Return a length of at least ``count`` that a Fourier transform is quick with."""
    return -(-max(count, 1) // _BLOCK) * _BLOCK


def rms(sound: FloatArray | Doubles) -> float:
    """Return the root of the mean square; 0 of nothing."""
    return float(np.sqrt(np.square(sound, dtype=np.float64).mean())) if len(sound) else 0.0


def loud_rms(sound: FloatArray | Doubles) -> float:
    """Return the RMS of the louder half of the samples, which pauses do not change much."""
    half = len(sound) // 2
    return rms(np.partition(np.abs(sound), half)[half:]) if len(sound) else 0.0


def unit(sound: Doubles) -> Doubles:
    """Return the sound with an RMS of 1."""
    return np.asarray(sound / max(rms(sound), LEAST), np.float64)


def at_level(sound: FloatArray | Doubles, db: float) -> FloatArray:
    """Return the sound with an RMS of its louder half of ``db`` dBFS, clipped at full scale."""
    scale = 10.0 ** (db / 20.0) / max(loud_rms(sound), LEAST)
    return np.asarray(np.clip(np.asarray(sound) * scale, -1.0, 1.0), np.float32)
