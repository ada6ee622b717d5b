"""Takes of the sink ``files.json``: fps, channels, values and marks."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

from facewire_unreal.clip import MAX_FPS, Clip, ClipError, Row, Word


def parse(text: str, where: str) -> Clip:
    """Return the clip; ClipError if a key is missing or a value is no finite number."""
    try:
        take = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClipError(f"{where}: is not JSON: {str(error)[:120].lower()}") from None
    if not isinstance(take, dict):
        raise ClipError(f"{where}: expected an object with fps, channels and values")
    for key in ("fps", "channels", "values"):
        if key not in take:
            raise ClipError(f"{where}: has no '{key}'")
    channels = _channels(take["channels"], where)
    fps = _rate(take["fps"], take.get("fps_fraction"), where)
    if not isinstance(take["values"], list) or not take["values"]:
        raise ClipError(f"{where}: the take has no frames")
    rows = [_row(row, i, channels, where) for i, row in enumerate(take["values"])]
    return Clip(channels, rows, fps, _words(take.get("marks") or [], where))


def _channels(names: Any, where: str) -> tuple[str, ...]:
    if not isinstance(names, list) or not names or not all(isinstance(n, str) and n for n in names):
        raise ClipError(f"{where}: channels: expected a list of names")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ClipError(f"{where}: channel '{twice}' is there twice")
    return tuple(names)


def _rate(fps: Any, fraction: Any, where: str) -> Fraction:
    try:
        if fraction is None:
            rate = Fraction(float(fps)).limit_denominator(1001)
        else:
            above, below = fraction
            rate = Fraction(int(above), int(below))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise ClipError(f"{where}: fps is {str(fps)[:40]}, expected a number") from None
    if not 1 <= rate <= MAX_FPS:
        raise ClipError(f"{where}: fps is {float(rate):g}, expected 1 to {MAX_FPS}")
    return rate


def _row(row: Any, number: int, channels: tuple[str, ...], where: str) -> Row:
    if not isinstance(row, list) or len(row) != len(channels):
        raise ClipError(f"{where}: frame {number}: expected {len(channels)} numbers")
    for name, value in zip(channels, row, strict=True):
        if type(value) not in (int, float) or not _finite(value):
            raise ClipError(f"{where}: frame {number}: {name}: expected a finite number")
    return [float(value) for value in row]


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of 400 digits
        return False


def _words(marks: Any, where: str) -> tuple[Word, ...]:
    try:
        return tuple(
            Word(str(mark["text"]), float(mark["start"]), float(mark["end"]))
            for mark in marks
            if mark["kind"] == "word"
        )
    except (TypeError, KeyError, ValueError):
        raise ClipError(f"{where}: marks: expected kind, text, start and end in each") from None
