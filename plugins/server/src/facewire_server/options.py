"""What a client may choose: a whitelist, checked, and put into a profile."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any

import msgspec
from facewire.assemble import shared
from facewire.emotion import LABELS, Key, State, lookup, parse, track_keys
from facewire.errors import InputError
from facewire.profile import ComponentSpec, Profile
from facewire.registry import Registry

MEAD = ("neutral", "joy", "anger", "sadness", "surprise")
_VOICE = re.compile(r"[\w.+@: -]{1,100}")  # no slash: a voice may be looked up as a file
_LANG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}")
_LAYER = "v3"


class Mead(msgspec.Struct, forbid_unknown_fields=True):
    """How much of each of MEAD's five classes, 0 to 1 each."""

    neutral: float = 0.0
    joy: float = 0.0
    anger: float = 0.0
    sadness: float = 0.0
    surprise: float = 0.0


class Vad(msgspec.Struct, forbid_unknown_fields=True):
    """Valence, arousal, dominance, 0 to 1 each."""

    vad: tuple[float, float, float]


class Look(msgspec.Struct, kw_only=True):
    """What clips and streams share."""

    profile: str | None = None
    voice: str | None = None
    lang: str | None = None
    emotion: str | Vad | None = None
    strength: float | None = None
    transition: float | None = None
    mead: Mead | None = None
    seed: int | None = None


class Options(Look, kw_only=True, forbid_unknown_fields=True):
    """The options of ``POST /v1/animate``."""

    text: str | None = None
    track: list[Any] | None = None
    transcript: str | None = None
    fps: float | None = None
    sound: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """A profile changed as a client asked, and the emotions it begins with."""

    profile: Profile
    keys: tuple[Key, ...] = ()


def options_of(given: object) -> Options:
    """Check decoded JSON; InputError in one line."""
    return _converted(given, strict=True)


def options_of_query(query: dict[str, str]) -> Options:
    """Check options that came in a query; ``track``, ``mead`` and a VAD are JSON in it."""
    given: dict[str, Any] = dict(query)
    for name in ("track", "mead", "emotion"):
        if given.get(name, "")[:1] in ("[", "{"):
            given[name] = decoded(given[name].encode(), name)
    return _converted(given, strict=False)


def decoded(body: bytes, where: str) -> Any:
    """Return JSON decoded; InputError in one line."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None


def _converted(given: object, strict: bool) -> Options:
    try:
        return msgspec.convert(given, Options, strict=strict)
    except (msgspec.ValidationError, OverflowError) as error:
        raise InputError(f"options: {error}") from None


def wish(profile: Profile, look: Look) -> Wish:
    """Return the profile as the client wants it; InputError where an option is out of range."""
    profile = replace(profile, sinks=())
    if look.lang is not None:
        if not _LANG.fullmatch(look.lang):
            raise InputError(f"lang: found {look.lang[:40]!r}, expected one such as en or pt-br")
        profile = replace(profile, lang=look.lang)
    if look.seed is not None:
        profile = replace(profile, seed=int(_within("seed", look.seed, 0, 2**53)))
    if look.voice is not None:
        profile = _with_voice(profile, look.voice)
    return Wish(_with_layer(profile, look), _emotion_keys(look))


def wish_of_clip(profile: Profile, options: Options) -> Wish:
    """Return ``wish`` with what clips have besides: frame rate and track."""
    made = wish(profile, options)
    if options.fps is not None:
        rate = _within("fps", options.fps, 1, 240)
        fps = Fraction(repr(rate)).limit_denominator(1001)
        made = replace(made, profile=replace(made.profile, fps=fps))
    if options.track is not None:
        if len(options.track) > 1000:
            raise InputError(f"track: found {len(options.track)} entries, expected at most 1000")
        made = replace(made, keys=(*made.keys, *track_keys(options.track)))
    return made


def state_of(emotion: str | Vad, where: str = "emotion") -> State:
    """Return what a client calls an emotion; InputError if it is none."""
    return State.of(emotion.vad) if isinstance(emotion, Vad) else parse(emotion, where)


def mead_state(mead: Mead) -> State:
    """Return five sliders as one emotion: their shares as weights, the mean of the five as VAD."""
    found = [_within(f"mead.{name}", getattr(mead, name), 0, 1) for name in MEAD]
    total = sum(found)
    shares = [value / total for value in found] if total > 0 else [1.0, 0, 0, 0, 0]
    vads = [lookup(name).vad for name in MEAD]
    vad = [sum(s * v[i] for s, v in zip(shares, vads, strict=True)) for i in range(3)]
    weights = dict(zip(MEAD, shares, strict=True))
    return State.of(vad, [weights.get(label, 0.0) for label in LABELS])


def _emotion_keys(look: Look) -> tuple[Key, ...]:
    if look.mead is not None:
        return (Key(Fraction(0), mead_state(look.mead), "option"),)
    if look.emotion is not None:
        return (Key(Fraction(0), state_of(look.emotion), "option"),)
    return ()


def _within(name: str, value: float, least: float, most: float) -> float:
    if not (math.isfinite(value) and least <= value <= most):
        raise InputError(f"{name}: found {value:g}, expected {least:g} to {most:g}")
    return value


def _with_voice(profile: Profile, voice: str) -> Profile:
    """Put a voice's name into the first component that takes one."""
    if not _VOICE.fullmatch(voice):
        raise InputError(f"voice: found {voice[:40]!r}, expected an id as /v1/voices lists them")
    registry: Registry = shared("facewire.registry", Registry)
    for spec in profile.voice:
        config = registry.find("voice", spec.use, spec.where)[0].config
        if "voice" in {f.name for f in fields(config)}:
            return replace(profile, voice=(_changed(spec, voice=voice),))
    raise InputError(f"voice: profile '{profile.name}' has no voice that can be chosen")


def _with_layer(profile: Profile, look: Look) -> Profile:
    """Put strength and transition into the expression layer, where the profile has one."""
    asked: dict[str, float] = {}
    if look.strength is not None:
        asked["strength"] = _within("strength", look.strength, 0, 2)
    if look.transition is not None:
        asked["transition"] = _within("transition", look.transition, 0, 10)
    layers = [_changed(s, **asked) if s.use == _LAYER else s for s in profile.layers]
    return replace(profile, layers=tuple(layers))


def _changed(spec: ComponentSpec, **options: Any) -> ComponentSpec:
    return dataclasses.replace(spec, options={**spec.options, **options})
