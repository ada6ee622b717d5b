"""What a line's phones, words and lips show: do they belong to the sound, and to each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facewire.articulation import PhoneTime, measure
from facewire.articulation.phones import read_phone
from facewire.baking.sound import STEP, Array, Sound
from facewire.emotion import parse_tags
from facewire.errors import InputError
from facewire.types import FloatArray, Mark

NEARBY = 8
"""Phones in a row whose confidence is taken together."""
REACH = 0.12
"""Seconds around phones in which sound counts as theirs."""
LAG = 0.3
"""Seconds that the lips are looked for before and after the sound."""
_ENOUGH = 0.3  # loud seconds, and words or phones below which nothing is said of a rate
_FEW = 5


def talk_measures(
    words: str | None,
    sound: Sound,
    marks: Sequence[Mark],
    rate: int,
    gap: FloatArray,
    fps: float,
) -> dict[str, float]:
    """Return the measures; nan where there is nothing to judge."""
    phones = [mark for mark in marks if mark.kind == "phone" and read_phone(mark.text).shapes]
    phones.sort(key=lambda mark: mark.start)
    spoken = [PhoneTime(m.text, m.start / rate, m.end / rate) for m in phones]
    report = measure(gap, fps, spoken)
    # One of one that is missed says less than five of five.
    labials = sum(read_phone(mark.text).kind == "closure" for mark in phones)
    aligned = any(mark.kind == "word" for mark in marks)
    confidence, nearby = _confidence(phones) if aligned else (math.nan, math.nan)
    return {
        "confidence": confidence,
        "nearby": nearby,
        "untold": _untold(sound, spoken),
        "hollow": _hollow(sound, spoken),
        "speed": _speed(words, sound),
        "phone_speed": _phone_speed(spoken),
        "missed_closures": (1 - report.recall) * labials / (labials + 1),
        "false_closures": 1 - report.precision,
        "timing": report.timing,
        "unreleased": 1 - report.release,
        "leak": report.leak,
        "lag": _lag(sound, gap, fps),
        "still": _still(sound, gap),
    }


def _confidence(phones: Sequence[Mark]) -> tuple[float, float]:
    """Return the phones' confidence by time, and that of the worst ``NEARBY`` in a row."""
    if not phones:
        return 0.0, 0.0
    length = np.array([phone.end - phone.start for phone in phones], float)
    sure = np.array([phone.confidence for phone in phones]) * length
    window = np.ones(min(NEARBY, len(phones)))
    near = np.convolve(sure, window, "valid") / np.convolve(length, window, "valid")
    return float(sure.sum() / length.sum()), float(near.min())


def _covered(spoken: Sequence[PhoneTime], rows: int, reach: float) -> NDArray[np.bool_]:
    """Return which rows (n,) of levels lie in phones, or ``reach`` seconds around them."""
    covered = np.zeros(rows, bool)
    for phone in spoken:
        first, last = phone.start - reach, phone.end + reach
        covered[max(0, int(first / STEP)) : max(0, math.ceil(last / STEP))] = True
    return covered


def _untold(sound: Sound, spoken: Sequence[PhoneTime]) -> float:
    """Return which share of the loud rows no phone is near to."""
    if sound.loud.sum() * STEP < _ENOUGH:
        return math.nan
    covered = _covered(spoken, len(sound.loud), REACH)
    return float((sound.loud & ~covered).sum() / sound.loud.sum())


def _hollow(sound: Sound, spoken: Sequence[PhoneTime]) -> float:
    """Return which share of the phones' rows is pause."""
    covered = _covered(spoken, len(sound.loud), 0.0)
    return float((covered & ~sound.loud).sum() / covered.sum()) if covered.any() else math.nan


def _speed(words: str | None, sound: Sound) -> float:
    """Return words a second of loud sound."""
    count = len(plain(words).split())
    seconds = float(sound.loud.sum()) * STEP
    return count / max(seconds, _ENOUGH) if count >= _FEW else math.nan


def plain(text: str | None) -> str:
    """Return a text without its tags; as it is where they cannot be read."""
    try:
        return parse_tags(text or "", lenient=True).text
    except InputError:
        return text or ""


def _phone_speed(spoken: Sequence[PhoneTime]) -> float:
    """Return phones a second of the time that phones take."""
    seconds = sum(phone.end - phone.start for phone in spoken)
    return len(spoken) / seconds if len(spoken) >= 2 * _FEW and seconds > 0 else math.nan


def _resampled(gap: FloatArray, fps: float, rows: int) -> Array:
    at = (np.arange(rows) + 0.5) * STEP * fps
    found: Array = np.interp(at, np.arange(len(gap)), gap.astype(np.float64))
    return found


def _lag(sound: Sound, gap: FloatArray, fps: float) -> float:
    """Return how many seconds the lips are off the sound, by level and gap.

    The shift by which the two correlate best (Pearson), if they do so clearly better there than
    where they are; else 0. nan where there is too little sound, or no shift fits.
    """
    if sound.loud.sum() * STEP < 2 * LAG or not len(gap):
        return math.nan
    levels = np.maximum(sound.levels, sound.level - 40)
    lips, most = _resampled(gap, fps, len(levels)), round(LAG / STEP)
    shifts = range(-most, most + 1)
    fits = np.array([_correlation(levels, lips, shift) for shift in shifts])
    best = int(fits.argmax())
    if fits[best] < 0.3:
        return math.nan
    return abs(shifts[best]) * STEP if fits[best] > fits[most] + 0.1 else 0.0


def _correlation(levels: Array, lips: Array, shift: int) -> float:
    """Return Pearson's correlation of levels with the lips ``shift`` rows later."""
    a = levels[max(0, -shift) : len(levels) - max(0, shift)]
    b = lips[max(0, shift) : len(lips) - max(0, -shift)]
    if len(a) < 2 or a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std()))


def _still(sound: Sound, gap: FloatArray) -> float:
    """Return how far the lips move while it is loud: 95th less 5th percentile of the gap."""
    if sound.loud.sum() * STEP < _ENOUGH or not len(gap):
        return math.nan
    low, high = np.percentile(gap, [5, 95])
    return float(high - low)
