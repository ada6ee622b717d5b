"""How a text is said: which voice and model, the settings and the audio tag of its emotion."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from facewire.emotion import LABELS, NEUTRAL_VAD
from facewire.errors import ProfileError, nearest
from facewire.types import Emotion

from facewire_elevenlabs.tables import Label, Model, tables

# Control characters and lone surrogates have no place in a request.
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*\s+|[。！？]|\n\s*\n")
_PAD = "..."


def label_of(emotion: Emotion | None) -> Label:
    """Return the label that weighs most; neutral where there is no emotion."""
    if emotion is None or not len(emotion):
        return tables().labels["neutral"]
    return tables().labels[LABELS[int(np.argmax(emotion.weights[0]))]]


def settings(emotion: Emotion | None, model: Model) -> dict[str, float]:
    """Return style and stability: the first grows, the second shrinks with the activation.

    The activation A is the way from neutral's arousal (0.30), 0 to 1; style = 0.20 + 0.25 A, at
    most 0.50, stability = 0.50 - 0.10 A, at least 0.40 (Facewire's specification of voices,
    section 1), or the nearest value that the model takes.
    """
    rest = NEUTRAL_VAD[1]
    arousal = float(emotion.vad[0, 1]) if emotion is not None and len(emotion) else rest
    activation = min(1.0, abs(arousal - rest) / (1.0 - rest))
    style = min(0.50, 0.20 + 0.25 * activation)
    stability = max(0.40, 0.50 - 0.10 * activation)
    if model.stability:
        stability = min(model.stability, key=lambda value: abs(value - stability))
    return {"stability": round(stability, 4), "style": round(style, 4)}


def most_frequent(emotions: Iterable[Emotion | None]) -> str:
    """Return the base emotion that most of them have; of several, the one that came first."""
    return Counter(label_of(emotion).base for emotion in emotions).most_common(1)[0][0]


def voice_table(others: Mapping[str, str]) -> dict[str, str]:
    """Return the voice of each base emotion; ProfileError for an emotion that is none."""
    table = dict(tables().voices)
    for base, voice in others.items():
        if base not in table:
            raise ProfileError(
                f"elevenlabs: voices: '{base}' is no base emotion{nearest(base, table)} "
                f"(known: {', '.join(table)})"
            )
        table[base] = voice
    return table


def model_of(name: str, causal: bool) -> tuple[str, Model]:
    """Return a model by name, or the default for the run; ProfileError if it is not known."""
    known = tables()
    name = name or (known.live if causal else known.batch)
    if name not in known.models:
        raise ProfileError(
            f"elevenlabs: model '{name}' is unknown{nearest(name, known.models)} "
            f"(known: {', '.join(known.models)})"
        )
    return name, known.models[name]


def harmless(text: str) -> str:
    """Return the text with what no request can carry as spaces, as long as before."""
    return _HARMFUL.sub(" ", text)


def speakable(text: str) -> bool:
    """Whether there is a letter or digit in the text."""
    return any(char.isalnum() for char in text)


def sent(text: str, emotion: Emotion | None, model: Model) -> tuple[str, int]:
    """Return what a text is sent as, and at which character of it the text begins.

    An audio tag comes before it where the model obeys tags; short text is padded with ``...``.
    """
    tag = label_of(emotion).tag if model.tags else ""
    prefix = f"{tag} " if tag else ""
    padded = text
    while len(padded) < model.least:
        padded += _PAD
    return prefix + padded, len(prefix)


def parts(text: str, most: int) -> Iterable[tuple[int, int]]:
    """Yield spans of at most ``most`` characters that end where a sentence or a word does."""
    start = 0
    while start < len(text):
        end = min(len(text), start + most)
        if end < len(text):
            ends = [found.end() for found in _SENTENCE_END.finditer(text, start, end)]
            gap = text.rfind(" ", start + 1, end) + 1
            end = ends[-1] if ends else gap or end
        yield start, end
        start = end


def request(
    text: str, model: str, emotion: Emotion | None, lang: str, previous: str, seed: int
) -> dict[str, Any]:
    """Return the body of a request for a text as it is sent."""
    takes = tables().models[model]
    body: dict[str, Any] = {"text": text, "model_id": model, "seed": seed % (1 << 32)}
    body["voice_settings"] = settings(emotion, takes)
    if takes.language and lang:
        body["language_code"] = re.split(r"[-_]", lang)[0].lower()
    if takes.previous and previous:
        body["previous_text"] = previous
    return body
