"""How a text is said: which voice and model, the settings and the audio tag of its emotion."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from facewire.emotion import LABELS, NEUTRAL_VAD, anchors
from facewire.errors import ProfileError, nearest
from facewire.types import Emotion

from facewire_elevenlabs.tables import Label, Model, tables
from facewire_elevenlabs.words import word_spans

# Control characters and lone surrogates have no place in a request.
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*\s+|[。！？]|\n\s*\n")
_PAD = "..."
_FAINT = 0.2  # of the way from neutral to a label at level 3; level 1 is 0.45

Felt = tuple[tuple[int, Emotion | None], ...]
"""From which character of a text which emotion (one row) holds; the first from 0 on."""


def label_of(emotion: Emotion | None) -> Label:
    """Return the label that weighs most; neutral where there is no emotion, or a faint one."""
    labels = tables().labels
    if emotion is None or not len(emotion):
        return labels["neutral"]
    most = int(np.argmax(emotion.weights[0]))
    rest = np.array(NEUTRAL_VAD)
    way, full = np.linalg.norm([emotion.vad[0] - rest, anchors()[most] - rest], axis=1)
    return labels[LABELS[most] if way > _FAINT * full else "neutral"]


def since(felt: Felt, start: int) -> Felt:
    """Return what is felt from a character on, counted from there."""
    _, held = [one for one in felt if one[0] <= start][-1]
    return ((0, held), *((at - start, emotion) for at, emotion in felt if at > start))


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


def sent(text: str, felt: Felt, model: Model) -> tuple[str, list[int]]:
    """Return what a text is sent as, and for each character of that which of the text's it is.

    Where the model obeys audio tags, one stands before the first word of each emotion that has one;
    its characters are -1. Short text is padded with ``...``.
    """
    padded = text
    while len(padded) < model.least:
        padded += _PAD
    out, places, done = "", [], 0
    for at, tag in _tags(text, felt) if model.tags else ():
        out += f"{padded[done:at]}{tag} "
        places += [*range(done, at), *[-1] * (len(tag) + 1)]
        done = at
    return out + padded[done:], [*places, *range(done, len(padded))]


def _tags(text: str, felt: Felt) -> Iterator[tuple[int, str]]:
    """Yield where another audio tag begins: at a word, or at what stands before it."""
    words = word_spans(text)
    labels: dict[int, Label] = {}
    for at, emotion in felt:
        blanks = len(text[at:]) - len(text[at:].lstrip())
        starts = [first for first, last in words if last > at]
        if starts:
            labels[min(starts[0], at + blanks)] = label_of(emotion)
    for (_, before), (at, label) in pairwise([(0, label_of(None)), *labels.items()]):
        if label.tag and label != before:
            yield at, label.tag


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
