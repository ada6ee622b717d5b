"""Which shape key is which channel: by name, tolerant of casing, prefix and spelling.

``eyeBlinkLeft`` is also found as ``EyeBlinkLeft``, ``eye_blink_left``, ``eyeBlink_L``,
``eyeBlinkL``, ``eyeBlink.l`` and ``Face_eyeBlinkLeft``. The rules are those of Facewire's preview.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from .channels import SHAPES

_SIDE = re.compile(r"(?:[_\-. ]([lrLR])|(?<=[a-z])([LR]))$")
_HALVES = ("browInnerUp", "cheekPuff")
"""Channels that many rigs have as a left and a right key."""


def channel_of(name: str, channels: tuple[str, ...] = SHAPES) -> str | None:
    """Return the channel that a shape key's name stands for, or None."""
    found = _read(name, channels)
    return found[0] if found else None


def matches(names: Iterable[str], channels: tuple[str, ...] = SHAPES) -> dict[str, tuple[str, ...]]:
    """Return channel -> the keys that are it: one, or the left and right half of it.

    Of several names for one channel the shortest has it; a whole one goes before halves.
    """
    found: dict[str, dict[str, str]] = {}
    for name in sorted(names, key=len, reverse=True):
        read = _read(name, channels)
        if read:
            found.setdefault(read[0], {})[read[1]] = name
    return {
        channel: (halves[""],) if "" in halves else tuple(halves[k] for k in sorted(halves))
        for channel, halves in found.items()
    }


def match(names: Iterable[str], channels: tuple[str, ...] = SHAPES) -> dict[str, str]:
    """Return channel -> the key that is it (the first of two halves)."""
    return {channel: keys[0] for channel, keys in matches(names, channels).items()}


def _read(name: str, channels: tuple[str, ...]) -> tuple[str, str] | None:
    """Return (channel, "" or "left" or "right": the half of it)."""
    side = _SIDE.search(name)
    if side:
        which = (side[1] or side[2]).lower()
        name = name[: side.start()] + ("left" if which == "l" else "right")
    key = _plain(name)
    return next((found for end, found in _ends(channels) if key.endswith(end)), None)


@cache
def _ends(channels: tuple[str, ...]) -> list[tuple[str, tuple[str, str]]]:
    ends = {_plain(channel): (channel, "") for channel in channels}
    for channel in set(_HALVES) & set(channels):
        ends |= {_plain(channel) + half: (channel, half) for half in ("left", "right")}
    return sorted(ends.items(), key=lambda item: len(item[0]), reverse=True)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
