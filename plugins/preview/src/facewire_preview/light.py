"""Light a surface: a soft key, a fill and a rim around the camera, and a sky.

Diffuse light wraps around edges as it does on skin; highlights are Blinn and Phong's (Blinn, 1977).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facewire_preview.head import Floats

# direction to the light (x right, y up, z to the camera), colour, how far it wraps
_DIRECTIONS = np.array([[-0.40, 0.40, 0.82], [0.80, 0.05, 0.55], [0.55, 0.45, -0.75]])
_LIGHTS = np.array([[0.80, 0.77, 0.72], [0.22, 0.24, 0.26], [0.30, 0.29, 0.28]], np.float32)
_WRAP = np.array([0.35, 0.5, 0.1], np.float32)
_TOWARD = (_DIRECTIONS / np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True)).astype(np.float32)
_SKY = np.array([0.34, 0.36, 0.40], np.float32)
_GROUND = np.array([0.17, 0.145, 0.13], np.float32)
_LEVELS = 4096


def shade(color: Floats, normal: Floats, roughness: Floats) -> Floats:
    """Return the light (n, 3) from surfaces to a camera far away along z.

    ``color`` (n, 3) linear, ``normal`` (n, 3) of any length, ``roughness`` (n,).
    """
    # rows of one coordinate each: numpy is several times as fast along them
    x, y, z = np.ascontiguousarray(normal.T)
    scale = 1 / np.sqrt(np.maximum(x * x + y * y + z * z, 1e-24))
    x, y, z = x * scale, y * scale, z * scale
    up = 0.5 + 0.5 * y
    diffuse = [ground + up * (sky - ground) for ground, sky in zip(_GROUND, _SKY, strict=True)]
    shine = [np.zeros_like(x) for _ in range(3)]
    power = (2 / np.maximum(roughness, 0.08) ** 4 - 2).clip(2, 900)
    strength = (0.04 / 25) * (power + 8)
    for toward, light, wrap in zip(_TOWARD, _LIGHTS, _WRAP, strict=True):
        falls = x * toward[0] + y * toward[1] + z * toward[2]
        wrapped = np.maximum((falls + wrap) / (1 + wrap) ** 2, 0)
        # the half vector's length follows from the angle between light and camera
        half = np.maximum((falls + z) / np.sqrt(2 + 2 * toward[2]), 1e-6)
        glint = strength * np.exp(power * np.log(half)) * (falls > 0)
        for k in range(3):
            diffuse[k] += wrapped * light[k]
            shine[k] += glint * light[k]
    out = [color[:, k] * diffuse[k] + shine[k] for k in range(3)]
    return np.stack(out, axis=1).astype(np.float32, copy=False)


def to_srgb(light: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return linear light as 8-bit sRGB (IEC 61966-2-1)."""
    steps = np.linspace(0, 1, _LEVELS + 1)
    table = np.where(steps <= 0.0031308, 12.92 * steps, 1.055 * steps ** (1 / 2.4) - 0.055)
    bytes_ = np.rint(table * 255).astype(np.uint8)
    return np.asarray(bytes_[np.rint(np.clip(light, 0, 1) * _LEVELS).astype(np.int32)])
