"""Runs a variant of the network on a stream, in steps of always the same number of rows."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from facewire.articulation import CURVES
from facewire.emotion import NEUTRAL_VAD
from facewire.errors import PluginError
from facewire.types import FloatArray

from facewire_trajectory.level import SILENCE
from facewire_trajectory.sizes import (
    BANDS,
    CONDITION,
    FACE,
    FILE_AHEAD,
    FRONT,
    LIVE_AHEAD,
    PHONES,
    SOUND,
)

WARM = 64
"""Rows of silence that a stream begins after."""
COLUMNS = (len(CURVES), len(SOUND), len(PHONES), FACE)
OUTPUTS = ("curves", "sound", "phones", "face")
REST = np.concatenate(
    [np.eye(1, CONDITION - 3, dtype=np.float32)[0], np.array(NEUTRAL_VAD, np.float32)]
)
"""The conditioning of a neutral face (19,)."""


class Heard(NamedTuple):
    """What the network makes of n rows.

    ``curves`` (n, 15); probabilities of ``sound`` (n, 3) and ``phones`` (n, 6); the emotion's
    ``face`` (n, 52).
    """

    curves: FloatArray
    sound: FloatArray
    phones: FloatArray
    face: FloatArray

    def cut(self, start: int, end: int | None = None) -> Heard:
        """Return the rows from ``start`` to ``end``."""
        return Heard(*(part[start:end] for part in self))


def joined(pieces: list[Heard]) -> Heard:
    """Return pieces as one."""
    if len(pieces) == 1:
        return pieces[0]
    none = Heard(*(np.zeros((0, width), np.float32) for width in COLUMNS))
    return Heard(*(np.concatenate(parts) for parts in zip(none, *pieces, strict=True)))


class Weights:
    """A variant's weights, opened once for all streams of a process.

    PluginError if there is no such file, or it is not this plugin's, or another variant's.
    """

    def __init__(self, path: Path, variant: str) -> None:
        self._session = _open(path)
        notes = self._session.get_modelmeta().custom_metadata_map
        if notes.get("made_by") != "facewire-trajectory" or not notes.get("ahead", "").isdigit():
            raise _broken(path, "was not made by facewire_trajectory.train")
        if notes["variant"] != variant:
            raise _broken(path, f"found weights of '{notes['variant']}', expected '{variant}'")
        self.ahead = int(notes["ahead"])
        if self.ahead != {"live": LIVE_AHEAD, "file": FILE_AHEAD}[variant]:
            raise _broken(path, "was made by another version")
        self.shapes = {i.name: tuple(i.shape) for i in self._session.get_inputs()}
        self.step = int(self.shapes["mel"][1]) - FRONT

    def __call__(self, given: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Return all outputs by name."""
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(None, given), strict=True))

    def begin(self) -> dict[str, FloatArray]:
        """Return the state of a stream after ``WARM`` rows of silence."""
        state = {n: np.zeros(s, np.float32) for n, s in self.shapes.items() if n in _CARRIED}
        silent = np.full(self.shapes["mel"], SILENCE, np.float32)
        rest = np.tile(REST, (1, self.step, 1))
        for _ in range(0, WARM, self.step):
            state = _carried(self({"mel": silent, "condition": rest, **state}), state)
        return state


_CARRIED = ("state", "before", "past")


def _carried(found: dict[str, FloatArray], like: dict[str, FloatArray]) -> dict[str, FloatArray]:
    return {name: found[f"{name}_out"] for name in like}


class Stream:
    """A stream through a variant: rows in, and as many out, ``lookahead`` rows later."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.lookahead = weights.ahead + weights.step - 1
        self._start = weights.begin()
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._state = dict(self._start)
        self._mel = np.full((FRONT - LIVE_AHEAD, BANDS), SILENCE, np.float32)
        self._late = self._weights.ahead - LIVE_AHEAD  # rows that come out before row 0 does
        self._condition = np.tile(REST, (self._late, 1))
        self._given = self._taken = 0

    def push(self, mel: FloatArray, condition: FloatArray) -> Heard:
        """Take normalised mel (n, 64) and conditioning (n, 19); return the rows that are final."""
        self._taken += len(mel)
        return self._push(mel, condition)

    def flush(self) -> Heard:
        """Return the remaining rows; what follows is silence."""
        missing = self._taken - self._given
        if not missing:
            return joined([])
        silent = np.full((self.lookahead + 1, BANDS), SILENCE, np.float32)
        return self._push(silent, np.tile(REST, (len(silent), 1))).cut(0, missing)

    def _push(self, mel: FloatArray, condition: FloatArray) -> Heard:
        self._mel = np.concatenate([self._mel, mel])
        self._condition = np.concatenate([self._condition, condition])
        pieces, step, at = [], self._weights.step, 0
        while len(self._mel) - at >= step + FRONT:
            pieces.append(self._step(at))
            at += step
        self._mel, self._condition = self._mel[at:], self._condition[at:]
        self._given += sum(len(piece.curves) for piece in pieces)
        return joined(pieces)

    def _step(self, at: int) -> Heard:
        step = self._weights.step
        given = {
            "mel": self._mel[None, at : at + step + FRONT],
            "condition": self._condition[None, at : at + step],
        }
        found = self._weights({**given, **self._state})
        self._state = _carried(found, self._state)
        early = min(self._late, step)
        self._late -= early
        return Heard(*(found[name][0, early:] for name in OUTPUTS))


def _broken(path: Path, what: str) -> PluginError:
    again = "write it with 'python -m facewire_trajectory.train' or 'finetune'"
    return PluginError(f"trajectory: weights {path}: {what}; {again}")


def _open(path: Path) -> Any:
    onnxruntime = import_module("onnxruntime")  # it has no types

    if not path.is_file():
        raise _broken(path, "no such file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes, which say little
        raise _broken(path, f"is damaged ({' '.join(str(error).split())[:120]})") from None
