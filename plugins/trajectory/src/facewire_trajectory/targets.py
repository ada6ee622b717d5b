"""What a mouth should have done to a sound whose phones are known: rows at 60 a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from facewire.articulation import (
    CURVES,
    SOUNDS,
    PhoneTime,
    Solver,
    Sound,
    Spoken,
    Style,
    Window,
    read_phone,
)
from facewire.types import FloatArray
from facewire_phonemes.loudness import level
from numpy.typing import NDArray

from facewire_trajectory.mel import HOP, RATE

FPS = RATE // HOP
OTHER, SPEECH, VOCAL = 0, 1, 2
"""Classes of sound."""
WINDOW = Window(step=12, ahead=24)
"""As far ahead as the planned window; twice the step halves the cost and changes less than .005."""
CLASSES = ("none", "closure", "teeth", "round", "open", "other")
"""Classes of phone, in the order of their numbers."""
FITTED = Style(jaw=1.15, lip=0.9)
"""So that jaw and gap of Mandarin phones have the mean and deviation of captured Mandarin takes."""
_ROUND = 0.25  # protrusion from which on a vowel or glide counts as rounded
_LEVEL = 600  # 25 ms, as the phoneme model's loudness
_LEAST_PAUSE = 0.2  # seconds without a phone that are no longer speech


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Rows (n,): articulatory values (n, 15), class of sound, class of phone."""

    artic: FloatArray
    sound: NDArray[np.uint8]
    phones: NDArray[np.int8]


def levels(samples: FloatArray) -> NDArray[np.float64]:
    """Return loudness 0..1 (rows,) of samples at 24 kHz: RMS over 25 ms around a row's beginning.

    0 is -60 dBFS or less, 1 is 0 dBFS.
    """
    rows = -(-len(samples) // HOP)
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    at = np.arange(rows) * HOP
    first, last = np.maximum(at - _LEVEL // 2, 0), np.minimum(at + _LEVEL // 2, len(samples))
    return level(np.maximum(power[last] - power[first], 0.0) / _LEVEL)


def phone_class(text: str) -> int:
    """Return the class of a phone in ARPAbet or IPA, an index of ``CLASSES``."""
    symbol = read_phone(text)
    if not symbol.shapes:
        return 0
    first = symbol.shapes[0]
    if symbol.kind == "closure":
        return 1
    if first.name == "f":
        return 2
    forward = dict(first.targets).get(CURVES.index("protrusion"), 0.0)
    if forward >= _ROUND and symbol.kind in ("vowel", "open", "narrow"):
        return 3
    return 4 if symbol.kind == "open" else 5


def _rows_of(start: float, end: float, rows: int) -> slice:
    """Return the rows that begin in a span of seconds."""
    first = min(max(int(np.ceil(start * FPS - 1e-9)), 0), rows)
    return slice(first, min(max(int(np.ceil(end * FPS - 1e-9)), first), rows))


def solve(
    samples: FloatArray,
    phones: Sequence[PhoneTime] = (),
    sounds: Sequence[PhoneTime] = (),
    style: Style = FITTED,
) -> Targets:
    """Return the targets of samples at 24 kHz (n,): ceil(n / 400) rows.

    ``phones`` are in ARPAbet or IPA, ``sounds`` are named as ``facewire.articulation.SOUNDS``
    (others leave the mouth shut). Rows know at least the next 0.4 s.
    """
    loud = levels(samples)
    if not phones and not sounds:
        still = np.zeros((len(loud), len(CURVES)), np.float32)
        return Targets(still, np.zeros(len(loud), np.uint8), np.zeros(len(loud), np.int8))
    solver = Solver(float(FPS), WINDOW, style)
    spoken = [Spoken(p.start * FPS, p.end * FPS, read_phone(p.text)) for p in phones]
    heard = [Sound(s.start * FPS, s.end * FPS, s.text) for s in sounds]
    curves = np.concatenate([solver.push([*spoken, *heard], loud), solver.flush()])
    sound = np.zeros(len(loud), np.uint8)
    kinds = np.zeros(len(loud), np.int8)
    reach = -np.inf
    for phone in sorted(phones, key=lambda p: p.start):
        if not (number := phone_class(phone.text)):
            continue
        kinds[_rows_of(phone.start, phone.end, len(loud))] = number
        since = reach if phone.start - reach < _LEAST_PAUSE else phone.start
        sound[_rows_of(since, phone.end, len(loud))] = SPEECH
        reach = max(reach, phone.end)
    for s in sounds:
        if s.text in SOUNDS:
            sound[_rows_of(s.start, s.end, len(loud))] = VOCAL
    return Targets(curves.astype(np.float32), sound, kinds)
