"""The shipped network: text in, the columns of its heads out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from facewire.errors import StageError
from facewire.types import FloatArray

from facewire_textmood.corpora import EKMAN, ORIGINAL
from facewire_textmood.wordpiece import UNKNOWN, WordPiece

HEADS = {"original": len(ORIGINAL), "ekman": len(EKMAN), "vad": 3, "faces": 16}
"""The heads and their widths: GoEmotions' 28 labels, its 7, EmoBank's VAD less 3, our 16 labels."""
SETTINGS = {"original": len(ORIGINAL), "ekman": len(EKMAN), "risk": 9, "allowed": 1}
"""What ``settings.json`` holds and how many numbers each: thresholds of labels; see
``confidence.py`` for the others."""

Context = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What the network says of one sentence: a row of each head; labels as probabilities.

    ``original`` (28,), ``ekman`` (7,): each label's own probability. ``vad`` (3,): EmoBank's scale,
    1 to 5. ``faces`` (16,): shares that sum to 1. ``known``: share of tokens that are no riddle.
    """

    original: FloatArray
    ekman: FloatArray
    vad: FloatArray
    faces: FloatArray
    known: float


def blended(one: Columns, other: Columns, share: float) -> Columns:
    """Return two readings of a sentence as one, with ``share`` of the other."""
    mixed = {
        name: (1.0 - share) * getattr(one, name) + share * getattr(other, name) for name in HEADS
    }
    return Columns(**mixed, known=one.known)


class Network:
    """The network on one core, with its tokenizer and its settings."""

    def __init__(self, folder: Path | None = None) -> None:
        """Load from a folder (the package's own data by default). StageError if it is damaged."""
        folder = folder or Path(str(files("facewire_textmood").joinpath("data")))
        try:
            vocabulary = (folder / "vocabulary.txt").read_text("utf-8").splitlines()
            self.settings = checked(json.loads((folder / "settings.json").read_text("utf-8")))
            self.pieces = WordPiece(vocabulary)
            self._session = ort.InferenceSession(str(folder / "textmood.onnx"), _options())
        except Exception as error:  # onnxruntime has errors of its own, without a common class
            reason = str(error).splitlines()[0][:200]
            raise StageError(f"textmood: {folder} is damaged ({reason}); reinstall it") from None
        found = {out.name: out.shape[-1] for out in self._session.get_outputs()}
        if found != HEADS:
            raise StageError(f"textmood: {folder}: found heads {found}, expected {HEADS}")

    def read(self, text: str, context: Context = ()) -> Columns:
        """Return what the network says of a sentence after what was said before it.

        ``context`` are (SELF or OTHER, text), oldest first; two are what it was trained with.
        """
        sentence = self.pieces.encode(text)
        before = [(who, self.pieces.encode(said)) for who, said in context]
        tokens, first = self.pieces.layout(sentence, before)
        parts = (np.arange(len(tokens)) >= first).astype(np.int64)
        feed = {"tokens": np.array(tokens, np.int64), "parts": parts}
        rows = dict(zip(HEADS, self._session.run(list(HEADS), feed), strict=True))
        unknown = sentence.count(self.pieces.ids[UNKNOWN])
        return Columns(
            sigmoid(rows["original"][0]),
            sigmoid(rows["ekman"][0]),
            np.clip(rows["vad"][0] + 3.0, 1.0, 5.0),
            softmax(rows["faces"][0]),
            1.0 - unknown / max(1, len(sentence)),
        )


def checked(settings: Any) -> Mapping[str, FloatArray]:
    """Return settings as arrays; ValueError if one is missing or of another length."""
    table = {name: np.array(settings[name], np.float32) for name in SETTINGS}
    for name, values in table.items():
        if values.shape != (SETTINGS[name],) or not np.isfinite(values).all():
            raise ValueError(f"settings.json: {name} is not {SETTINGS[name]} numbers")
    return table


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    # a sentence is too little for two threads, and spinning ones would take a core from the face
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


def sigmoid(x: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x), np.float32)


def softmax(x: FloatArray) -> FloatArray:
    """Return shares that sum to 1 along the last axis."""
    grown = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True), np.float32)
