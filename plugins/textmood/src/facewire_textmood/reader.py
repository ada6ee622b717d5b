"""The reader: sentences of a text, each with its context, become readings."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from facewire.emotion import LABELS, NEUTRAL_VAD, anchors
from facewire.stages import TextEmotion
from facewire.types import Context, FloatArray, Reading

from facewire_textmood.confidence import ABSTAIN, NEUTRAL, clues, confidence, risk, strength
from facewire_textmood.mapping import table
from facewire_textmood.network import Columns, Network, blended
from facewire_textmood.sentences import spans
from facewire_textmood.wordpiece import OTHER, SELF, words

BEFORE = 2  # utterances before a sentence that it is read with
KNOWN = 0.5  # of a sentence's letters must be Latin, and of its tokens known
CONTEXT = 0.4  # how much of the reading is the one with context
FAINT = 0.05  # a label with a smaller share is left out of the weights
SHARPER = 2.0  # a face is one emotion or two, not a little of all: shares are squared
HEARD = 0.25  # how much the VAD read on its own counts beside that of the labels


class TextMood(TextEmotion):
    """Reads English, sentence by sentence; of other languages it reads nothing."""

    def __init__(self, context: Context) -> None:
        self._language = context.lang
        self._reads = context.english
        self._felt: dict[str, None] = {}  # the labels that were read, in order
        self._network: Network | None = None
        if self._reads:
            self._network = context.shared("textmood.network", Network)

    def report(self) -> Sequence[str]:
        """Return what was read, or why nothing is where the language is not English."""
        if not self._reads:
            return (f"textmood reads English, not '{self._language}'",)
        return (f"textmood read {', '.join(self._felt) or 'no emotion'}",)

    def read(self, text: str, history: Sequence[str]) -> list[Reading]:
        """Return a reading for every sentence that has a word or an emoji.

        A sentence that the model is not sure of is neutral, with its confidence under 0.5.
        ``history``: an utterance that begins with ``[OTHER]`` is somebody else's, any other one the
        speaker's own.
        """
        if self._network is None:
            return []
        said = [_spoken(line) for line in history[-BEFORE:]]
        out = []
        for begin, end in spans(text):
            sentence = text[begin:end]
            if _says_something(sentence):
                columns = self._columns(sentence, said[-BEFORE:])
                out.append(self._reading((begin, end), sentence, columns))
                said.append((SELF, sentence))
        return out

    def _columns(self, sentence: str, said: list[tuple[str, str]]) -> Columns:
        """Return what the sentence says, moved some of the way to what it says after the others.

        In full, the sentence before would colour one that is plain.
        """
        assert self._network is not None
        alone = self._network.read(sentence)
        return blended(alone, self._network.read(sentence, said), CONTEXT) if said else alone

    def _reading(self, chars: tuple[int, int], sentence: str, columns: Columns) -> Reading:
        assert self._network is not None
        if columns.known < KNOWN or _latin(sentence) < KNOWN:
            return _neutral(chars, 0.0)
        settings = self._network.settings
        risks = risk(clues([columns]), settings["risk"])
        p = float(confidence(columns.faces[None], risks, float(settings["allowed"][0]))[0])
        vad = table().vad(columns.vad)[0]
        if p < ABSTAIN:
            return _neutral(chars, p)
        reading = _felt(chars, columns.faces, vad, p)
        self._felt[LABELS[int(reading.weights.argmax())]] = None
        return reading


def _felt(chars: tuple[int, int], faces: FloatArray, vad: FloatArray, p: float) -> Reading:
    """Return an emotion at the strength its confidence allows."""
    weights = sharpened(faces)
    rest = np.array(NEUTRAL_VAD, np.float32)
    full = weights @ anchors()  # (3,) what the labels are at level 3
    own = full + HEARD * (vad - full)
    # never beyond level 3, and never on the other side of neutral
    target = np.clip(own, np.minimum(rest, full), np.maximum(rest, full))
    moved = np.clip(rest + strength(p) * (target - rest), 0.0, 1.0)
    return Reading(chars, weights, moved.astype(np.float32), p)


def sharpened(faces: FloatArray) -> FloatArray:
    """Return weights (16,) without neutral and without faint shares; the sum is 1."""
    felt = np.array(faces, np.float64) ** SHARPER
    felt[NEUTRAL] = 0.0
    felt /= felt.sum()
    felt[felt < FAINT] = 0.0
    return np.asarray(felt / felt.sum(), np.float32)


def _neutral(chars: tuple[int, int], p: float) -> Reading:
    weights = np.zeros(len(LABELS), np.float32)
    weights[NEUTRAL] = 1.0
    return Reading(chars, weights, np.array(NEUTRAL_VAD, np.float32), p)


def _spoken(line: str) -> tuple[str, str]:
    for who in (SELF, OTHER):
        if line.startswith(who):
            return who, line.removeprefix(who)
    return SELF, line


def _says_something(sentence: str) -> bool:
    return any(word[0].isalnum() for word in words(sentence))


def _latin(sentence: str) -> float:
    """Return the share of letters that are Latin; 1 where there is no letter (emoji, numbers)."""
    letters = [char for char in sentence if char.isalpha()]
    latin = sum(char.isascii() or "LATIN" in unicodedata.name(char, "") for char in letters)
    return latin / len(letters) if letters else 1.0
