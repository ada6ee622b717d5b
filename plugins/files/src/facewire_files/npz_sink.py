"""The sink ``files.npz``: frames, emotion and marks as a numpy archive.

Members (all read with ``allow_pickle=False``): ``values`` (n, channels) float32; ``channels``;
``fps`` float64 and ``fps_fraction`` (2,) int64, the same without rounding; ``start``, the index of
the first frame; ``emotion_vad`` (n, 3), ``emotion_weights`` (n, 16) float32 and ``emotion_labels``,
the names of its columns; ``marks`` (m,) with the fields kind, text, start and end (seconds).
"""

from __future__ import annotations

import shutil
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from facewire.emotion import LABELS
from facewire.types import Block, FloatArray, RunInfo

from facewire_files.base import FileSink
from facewire_files.marks import Marks

VAD = ("valence", "arousal", "dominance")
_COPY = 1 << 20


class NpzSink(FileSink):
    """Write an archive. Rows wait on disk, since a header with their count goes first.

    Nothing is compressed and all dates are 1980, so the same run gives the same bytes everywhere.
    """

    def begin(self, info: RunInfo) -> None:
        """Open a spool for each array of rows."""
        self._info = info
        self._marks = Marks(info.rate)
        self._start = 0
        self._spools = {
            "values": _Spool(self.file.spool(), len(info.rig)),
            "emotion_vad": _Spool(self.file.spool(), 3),
            "emotion_weights": _Spool(self.file.spool(), len(LABELS)),
        }

    def write(self, block: Block) -> None:
        """Spool the block's rows."""
        if self._next_frame is None:
            self._start = block.frames.start
        emotion = block.emotion
        self._spools["values"].write(self.rows(block))
        self.finite(emotion.vad, VAD, emotion.start)
        self._spools["emotion_vad"].write(emotion.vad)
        self.finite(emotion.weights, LABELS, emotion.start)
        self._spools["emotion_weights"].write(emotion.weights)
        self._marks.add(block.audio)

    def finish(self) -> None:
        """Write the archive."""
        fps = self._info.fps
        small: dict[str, Any] = {
            "channels": np.array(self._info.rig.channels),
            "fps": np.float64(fps),
            "fps_fraction": np.array([fps.numerator, fps.denominator], "<i8"),
            "start": np.int64(self._start),
            "emotion_labels": np.array(LABELS),
            "marks": self._marks.array(),
        }
        with ZipFile(self.file.handle, "w", ZIP_STORED) as archive:
            for name, value in small.items():
                with archive.open(_member(name), "w") as member:
                    np.lib.format.write_array(member, np.asanyarray(value), allow_pickle=False)
            for name, spool in self._spools.items():
                with archive.open(_member(name), "w", force_zip64=True) as member:
                    spool.copy(member)


class _Spool:
    """Rows of float32 that wait on disk until their number is known."""

    def __init__(self, file: IO[bytes], width: int) -> None:
        self._file, self._width, self._rows = file, width, 0

    def write(self, values: FloatArray) -> None:
        self._file.write(np.ascontiguousarray(values, "<f4").tobytes())
        self._rows += len(values)

    def copy(self, member: IO[bytes]) -> None:
        shape = (self._rows, self._width)
        form = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, form)
        self._file.seek(0)
        shutil.copyfileobj(self._file, member, _COPY)


def _member(name: str) -> ZipInfo:
    member = ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
    member.create_system = 3  # Unix on every system, or the bytes differ
    member.external_attr = 0o644 << 16
    return member
