"""Emotion in the core: the vocabulary, the curve of a session, tags in text, and track files."""

from facewire.emotion.curve import SOURCES, EmotionCurve, Key
from facewire.emotion.state import NEUTRAL, State, constant, neutral, parse, soft_labels
from facewire.emotion.tags import Tag, Tagged, TagParser, parse_tags
from facewire.emotion.track import load_track, state_of, track_keys, wanted
from facewire.emotion.vocabulary import (
    ARCHETYPES,
    LABELS,
    LEVELS,
    NAMES,
    NEUTRAL_VAD,
    Entry,
    aliases,
    anchors,
    lookup,
    names,
    resolve,
    weights_of,
)

__all__ = [
    "ARCHETYPES",
    "LABELS",
    "LEVELS",
    "NAMES",
    "NEUTRAL",
    "NEUTRAL_VAD",
    "SOURCES",
    "EmotionCurve",
    "Entry",
    "Key",
    "State",
    "Tag",
    "TagParser",
    "Tagged",
    "aliases",
    "anchors",
    "constant",
    "load_track",
    "lookup",
    "names",
    "neutral",
    "parse",
    "parse_tags",
    "resolve",
    "soft_labels",
    "state_of",
    "track_keys",
    "wanted",
    "weights_of",
]
