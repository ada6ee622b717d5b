"""A stretch of mouth solved anew from its phones, for an editor in which a mark was moved."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import msgspec
import numpy as np
from facewire.articulation import PLANNED, lip_gap
from facewire.assemble import shared
from facewire.config import convert
from facewire.emotion import neutral
from facewire.errors import InputError
from facewire.profile import ComponentSpec, Profile
from facewire.registry import Registry
from facewire.resample import FrameResampler, mouth_columns
from facewire.rig import Rig, remap
from facewire.stages import Model
from facewire.types import Context, Features, FloatArray, Mark

from facewire_server.answers import number, rounded
from facewire_server.sound import TooLong

MODEL = "phonemes"
BEFORE, AFTER = 2.0, 1.0  # seconds around the stretch that are solved with it, so that joins fit
LONGEST = 60.0  # seconds of a stretch
LATEST = 86_400.0  # seconds: a day
MOST = 5_000  # marks
CROWD = 4  # marks at once, on the average: what overlaps costs time
LEVEL = 0.7  # loudness (-18 dBFS) all along: nobody is louder or softer than is usual for him
RATE = 60_000  # a second, for the marks: a thousandth of a row


class Timed(msgspec.Struct, forbid_unknown_fields=True):
    """A mark in seconds. Words do nothing here."""

    kind: Literal["phone", "sound", "word"]
    text: str
    start: float
    duration: float


class Stretch(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /v1/resolve`` takes. ``was``: the marks that the present curves were made of."""

    fps: float
    begin: float
    end: float
    marks: list[Timed]
    was: list[Timed] | None = None
    rig: str = "arkit52_tongue"
    profile: str | None = None
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """Frames ``first`` to before ``end`` at ``fps``; solving begins at frame ``origin``."""

    fps: Fraction
    origin: int
    first: int
    end: int

    @property
    def zero(self) -> Fraction:
        """The time of the origin, seconds."""
        return self.origin / self.fps


def stretch_of(given: object) -> Stretch:
    """Check decoded JSON; InputError or TooLong in one line that says where."""
    try:
        stretch = msgspec.convert(given, Stretch)
    except (msgspec.ValidationError, OverflowError) as error:
        raise InputError(f"resolve: {error}") from None
    _within("fps", stretch.fps, 1, 240)
    _within("begin", stretch.begin, 0, LATEST)
    _within("end", stretch.end, 0, LATEST)
    _within("strength", stretch.strength, 0, 2)
    if stretch.end <= stretch.begin:
        raise InputError(f"end: found {stretch.end:g}, expected more than begin {stretch.begin:g}")
    if stretch.end - stretch.begin > LONGEST:
        raise TooLong(f"the stretch is longer than {LONGEST:g} s; ask for it in parts")
    for name, marks in (("marks", stretch.marks), ("was", stretch.was or [])):
        _check(name, marks)
    Rig.named(stretch.rig)
    return stretch


def _check(name: str, marks: Sequence[Timed]) -> None:
    if len(marks) > MOST:
        raise TooLong(f"{name}: found {len(marks)}, expected at most {MOST}; send those nearby")
    for i, mark in enumerate(marks):
        _within(f"{name}[{i}].start", mark.start, -LATEST, LATEST)
        _within(f"{name}[{i}].duration", mark.duration, 0, LONGEST)
        if len(mark.text) > 64:
            raise InputError(f"{name}[{i}].text: {len(mark.text)} characters, expected at most 64")


def _within(name: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise InputError(f"{name}: found {value:g}, expected {least:g} to {most:g}")


def resolved(stretch: Stretch, profile: Profile) -> dict[str, Any]:
    """Return the answer: the mouth's channels between begin and end."""
    rig, span = Rig.named(stretch.rig), _span(stretch)
    mouth = mouth_columns(rig)
    values, notes = _solved(stretch.marks, span, rig, profile, stretch.strength)
    told = {
        "fps": number(span.fps),
        "start": span.first,
        "channels": [rig.channels[column] for column in mouth],
        "frames": rounded(values[:, mouth]),
        "gap": [round(float(gap), 5) for gap in lip_gap(values, rig)],
        "notes": notes,
    }
    if stretch.was is not None:
        before, _ = _solved(stretch.was, span, rig, profile, stretch.strength)
        told["before"] = rounded(before[:, mouth])
    return told


def _span(stretch: Stretch) -> Span:
    """Return the frames asked for, and where solving begins.

    The solver settles ``PLANNED.step`` rows at a time: where an origin on that grid is near, the
    windows are those of the whole clip.
    """
    fps = Fraction(repr(stretch.fps)).limit_denominator(1001)
    begin, end = Fraction(stretch.begin), Fraction(stretch.end)
    first = math.ceil(begin * fps)
    origin = max(0, math.floor((begin - Fraction(BEFORE)) * fps))
    grid = (fps * PLANNED.step / 60).numerator
    if grid <= fps:
        origin -= origin % grid
    return Span(fps, origin, first, max(first, math.ceil(end * fps)))


def _solved(
    marks: Sequence[Timed], span: Span, rig: Rig, profile: Profile, strength: float
) -> tuple[FloatArray, list[str]]:
    """Return the span's frames (n, len(rig)), and what could not be read."""
    model = _model(profile, strength)
    last = span.end / span.fps + Fraction(AFTER)
    rows = math.ceil((last - span.zero) * model.fps)
    level = np.full((rows, 1), LEVEL, np.float32)
    spoken = tuple(_moved(marks, span.zero, last))
    if sum(mark.end - mark.start for mark in spoken) > CROWD * (last - span.zero) * RATE + RATE:
        raise InputError("marks: more than four at a time overlap; send each phone once")
    heard = Features(level, model.fps, 0, RATE, spoken)
    made = [model.push(heard, neutral(rows, 0, model.fps)), *model.flush()]
    solved = np.clip(np.concatenate([frames.values for frames in made]), 0, 1)
    values = remap(solved, model.rig, rig)
    if span.fps != model.fps:
        resampler = FrameResampler(model.fps, span.fps, len(rig), rig)
        values = np.concatenate([resampler.push(values), resampler.flush()])
    notes = [line for line in model.report() if "unknown" in line]
    return values[span.first - span.origin : span.end - span.origin], notes


def _moved(marks: Sequence[Timed], zero: Fraction, last: Fraction) -> Iterator[Mark]:
    """Yield the marks that count, from the origin on."""
    for mark in marks:
        if mark.kind != "word" and mark.start < last and mark.start + mark.duration > zero:
            start = round((Fraction(mark.start) - zero) * RATE)
            yield Mark(mark.kind, mark.text, start, start + round(mark.duration * RATE))


def _model(profile: Profile, strength: float) -> Model:
    """Build the phoneme model with the profile's style, if it has one, times the strength."""
    registry: Registry = shared("facewire.registry", Registry)
    plain = ComponentSpec(MODEL, {}, "resolve")
    spec = next((spec for spec in profile.model if spec.use == MODEL), plain)
    part, _ = registry.find("model", MODEL, spec.where)
    config = convert(spec.options, part.config, spec.where)
    style = {name: min(2.0, getattr(config, name) * strength) for name in ("jaw", "lip")}
    model: Model = part.make(replace(config, **style), Context())
    return model
