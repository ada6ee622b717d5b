"""The sink ``files.json``: what ``files.npz`` holds as text, one frame a line.

Keys: ``fps``, ``fps_fraction``, ``start``, ``channels``, ``emotion_labels``, ``values``,
``emotion_vad``, ``emotion_weights`` and ``marks``, a list of objects with kind, text, start and end
(seconds).
"""

from __future__ import annotations

import json
import shutil
from typing import IO, Any

import numpy as np
from facewire.emotion import LABELS
from facewire.types import Block, FloatArray, RunInfo

from facewire_files.base import FileSink
from facewire_files.marks import Marks
from facewire_files.npz_sink import VAD

_COPY = 1 << 20


class JsonSink(FileSink):
    """Write JSON (RFC 8259). Numbers are the shortest that read back as the same float32."""

    def begin(self, info: RunInfo) -> None:
        """Open a spool for each array of rows."""
        self._info = info
        self._marks = Marks(info.rate)
        self._start = 0
        spools = ("values", "emotion_vad", "emotion_weights")
        self._spools = {name: self.file.spool() for name in spools}

    def write(self, block: Block) -> None:
        """Spool the block's rows as lines."""
        if self._next_frame is None:
            self._start = block.frames.start
        emotion = block.emotion
        _lines(self._spools["values"], self.rows(block))
        self.finite(emotion.vad, VAD, emotion.start)
        _lines(self._spools["emotion_vad"], emotion.vad)
        self.finite(emotion.weights, LABELS, emotion.start)
        _lines(self._spools["emotion_weights"], emotion.weights)
        self._marks.add(block.audio)

    def finish(self) -> None:
        """Write everything."""
        fps = self._info.fps
        head = {
            "fps": float(fps),
            "fps_fraction": [fps.numerator, fps.denominator],
            "start": self._start,
            "channels": self._info.rig.channels,
            "emotion_labels": LABELS,
        }
        self.file.write(b"{\n")
        for key, value in head.items():
            self.file.write(f'"{key}": {_text(value)},\n'.encode())
        for name, spool in self._spools.items():
            self.file.write(f'"{name}": ['.encode())
            spool.seek(0)
            shutil.copyfileobj(spool, self.file.handle, _COPY)
            self.file.write(b"\n],\n")
        self.file.write(b'"marks": [')
        for number, (kind, text, start, end) in enumerate(self._marks.table()):
            mark = {"kind": kind, "text": text, "start": start, "end": end}
            self.file.write(f"{',' if number else ''}\n{_text(mark)}".encode())
        self.file.write(b"\n]\n}\n")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _lines(spool: IO[bytes], values: FloatArray) -> None:
    first = spool.tell() == 0
    for row in values.astype(np.float32).astype(str).tolist():
        spool.write(f"{'' if first else ','}\n[{', '.join(row)}]".encode())
        first = False
