"""What is there to choose from: plugins, voices, emotions, presets, and the head."""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from facewire.assemble import assemble, shared
from facewire.emotion import LABELS, LEVELS, NAMES, NEUTRAL_VAD, aliases, lookup
from facewire.errors import FacewireError
from facewire.pipeline import call
from facewire.profile import Profile
from facewire.registry import KINDS, Plugin, Registry
from facewire.voicing import Listing

from facewire_server.answers import formats, rounded

_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")  # a voice that is called by its language


def plugins() -> list[dict[str, Any]]:
    """Return what ``facewire plugins --json`` prints."""
    registry: Registry = shared("facewire.registry", Registry)
    registry.load_all()
    return [_plugin(plugin, registry) for plugin in registry.plugins]


def _plugin(plugin: Plugin, registry: Registry) -> dict[str, Any]:
    offers: list[str] = []
    if plugin.status == "loaded":
        offers = [f"{kind} {name}" for kind in KINDS for name in registry.offers(kind, plugin)]
    keys = ("name", "distribution", "version", "status", "cause")
    return {**{key: getattr(plugin, key) for key in keys}, "offers": offers}


def voices(profile: Profile) -> list[dict[str, str]]:
    """Return what the profile's voice can speak with; nothing where it cannot tell."""
    if not profile.voice:
        return []
    try:
        built = assemble(profile, "voices", Path()).voice
        if not isinstance(built.stage, Listing):
            return []
        entries = call(built, built.stage.voices)
    except FacewireError:
        return []
    return [
        {
            "id": entry.id,
            "name": entry.name,
            "lang": entry.id if _TAG.fullmatch(entry.id) else "",
            "about": entry.about,
        }
        for entry in entries
    ]


def listed_formats() -> list[dict[str, str]]:
    """Return what a clip can be answered as."""
    return [asdict(form) for form in formats()]


@cache
def vocabulary() -> dict[str, Any]:
    """Return the 27 names with their VAD and label, the labels, neutral and the levels."""
    other: dict[str, list[str]] = {}
    for alias, name in aliases().items():
        other.setdefault(name, []).append(alias)
    return {
        "names": [_name(name, other.get(name, [])) for name in NAMES],
        "labels": list(LABELS),
        "neutral": list(NEUTRAL_VAD),
        "levels": list(LEVELS),
    }


def _name(name: str, other: list[str]) -> dict[str, Any]:
    entry = lookup(name)
    return {"name": name, "vad": list(entry.vad), "label": entry.family, "aliases": other}


@cache
def presets() -> dict[str, Any]:
    """Return the authored faces; none where the expression plugin is not installed."""
    if find_spec("facewire_v3") is None:
        return {"rig": [], "presets": []}
    from facewire_v3.presets import presets as authored
    from facewire_v3.tables import CHANNELS

    rows = []
    for preset in authored():
        (face,) = rounded(preset.face[None], 4)
        values = {name: value for name, value in zip(CHANNELS, face, strict=True) if value}
        rows.append(
            {"name": preset.name, "level": preset.level, "vad": list(preset.vad), "values": values}
        )
    return {"rig": list(CHANNELS), "presets": rows}


@cache
def head() -> bytes | None:
    """Return the head as GLB, if the preview plugin is installed."""
    if find_spec("facewire_preview") is None:
        return None
    from facewire_preview.head import load_head

    return load_head().glb
