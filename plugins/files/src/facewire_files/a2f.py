"""Audio2Face's two formats: legacy JSON (``weightMat``) and the NIM's ``animation_frames.csv``.

Formats: JSON as Audio2Face 2022 and 2023 export it (exportFps, trackPath, numPoses, numFrames,
facsNames, weightMat[frame][pose]); CSV with a row index, ``timeCode`` in seconds and
``blendShapes.<Name>`` for each shape.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from facewire.errors import InputError
from facewire.rig import ROTATIONS, Rig
from facewire.types import Block, FloatArray, Frames, RunInfo

from facewire_files.base import FileSink
from facewire_files.take import Take, length, rate_of, readable, rig_of

PREFIX = "blendShapes."
_COPY = 1 << 20
_MOST = 256 << 20  # bytes of a file that is read whole
_UNEVEN = 0.25  # of a frame: a row further off its place on the grid is an error


class _ShapesSink(FileSink):
    """A sink of blendshapes alone: the format has no place for rotations."""

    def begin(self, info: RunInfo) -> None:
        """Choose the columns."""
        self._info = info
        names = [name for name in info.rig.channels if name not in ROTATIONS]
        self._names, self._columns = names, info.rig.indices(*names)

    def shapes(self, block: Block) -> FloatArray:
        """Return the block's blendshapes (n, shapes), checked."""
        return self.rows(block)[:, self._columns]


class A2fJsonSink(_ShapesSink):
    """Write legacy JSON."""

    def begin(self, info: RunInfo) -> None:
        """Open a spool for the rows."""
        super().begin(info)
        self._spool, self._count = self.file.spool(), 0

    def write(self, block: Block) -> None:
        """Spool the block's rows."""
        for row in self.shapes(block).astype(np.float32).astype(str).tolist():
            self._spool.write(f"{',' if self._count else ''}\n[{', '.join(row)}]".encode())
            self._count += 1

    def finish(self) -> None:
        """Write everything."""
        head = {
            "exportFps": float(self._info.fps),
            "trackPath": f"{self._info.name}.wav",
            "numPoses": len(self._names),
            "numFrames": self._count,
            "facsNames": self._names,
        }
        lines = [f'"{key}": {json.dumps(value)},\n' for key, value in head.items()]
        self.file.write(("{\n" + "".join(lines) + '"weightMat": [').encode())
        self._spool.seek(0)
        shutil.copyfileobj(self._spool, self.file.handle, _COPY)
        self.file.write(b"\n]\n}\n")


class A2fCsvSink(_ShapesSink):
    """Write the NIM's CSV."""

    def begin(self, info: RunInfo) -> None:
        """Write the header."""
        super().begin(info)
        self._count = 0
        columns = [PREFIX + name[0].upper() + name[1:] for name in self._names]
        self.file.write((",".join(["", "timeCode", *columns]) + "\n").encode())

    def write(self, block: Block) -> None:
        """Write a row a frame."""
        for row in self.shapes(block).astype(np.float32).astype(str).tolist():
            time = float(Fraction(self._count) / self._info.fps)
            self.file.write(f"{self._count},{time:.6f},{','.join(row)}\n".encode())
            self._count += 1


def is_a2f(take: Any) -> bool:
    """Whether what a JSON file holds is legacy Audio2Face."""
    return isinstance(take, dict) and "weightMat" in take and "facsNames" in take


def from_json(path: Path, take: dict[str, Any]) -> tuple[FloatArray, Rig, Fraction]:
    """Return values (n, shapes), rig and rate of legacy JSON; InputError if it is broken."""
    names, rows = take["facsNames"], take["weightMat"]
    if not isinstance(names, list) or not isinstance(rows, list):
        raise InputError(f"{path}: facsNames and weightMat are to be lists")
    rig = rig_of(path, names)
    fps = rate_of(path, take.get("exportFps"), None)
    length(path, len(rows), fps)
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(rig):
            raise InputError(f"{path}: weightMat[{number}]: expected {len(rig)} numbers")
        if not all(type(value) in (int, float) for value in row):
            raise InputError(f"{path}: weightMat[{number}]: a value is no number")
    return np.array(rows, np.float64).astype(np.float32), rig, fps


class A2fCsvTake(Take):
    """Read the NIM's CSV; names become ARKit's camelCase. The file is read whole."""

    def blocks(self) -> Iterator[Frames]:
        """Yield the frames; InputError names the line that is wrong."""
        with readable(self.path):
            if self.path.stat().st_size > _MOST:
                raise InputError(f"{self.path}: is larger than {_MOST >> 20} MB; cut it")
            text = self.path.read_text("utf-8-sig", errors="replace")
        lines = list(csv.reader(text.splitlines()))
        header = lines[0] if lines else []
        columns = [i for i, name in enumerate(header) if name.startswith(PREFIX)]
        if "timeCode" not in header or not columns:
            raise InputError(f"{self.path}: expected columns timeCode and {PREFIX}…")
        names = [header[i][len(PREFIX) :] for i in columns]
        rig = rig_of(self.path, [name[:1].lower() + name[1:] for name in names])
        rows = [line for line in lines[1:] if line]
        times = self._numbers(rows, [header.index("timeCode")], len(header))[:, 0]
        fps = self._rate(times)
        length(self.path, len(rows), fps)
        values = self.checked(self._numbers(rows, columns, len(header)), rig, 0)
        yield from self.cut(values, rig, fps, 0)

    def _numbers(self, rows: list[list[str]], columns: list[int], cells: int) -> Any:
        made = np.zeros((len(rows), len(columns)))
        for number, row in enumerate(rows):
            if len(row) != cells:
                raise InputError(
                    f"{self.path}, line {number + 2}: {len(row)} cells, expected {cells}; "
                    "was the file cut?"
                )
            try:
                made[number] = [float(row[i]) for i in columns]
            except ValueError:
                raise InputError(f"{self.path}, line {number + 2}: a cell is no number") from None
        return made

    def _rate(self, times: Any) -> Fraction:
        if len(times) < 2:
            return Fraction(30)
        step = (times[-1] - times[0]) / (len(times) - 1)
        if not step > 0:
            raise InputError(f"{self.path}: timeCode does not rise")
        fps = rate_of(self.path, round(1 / step, 3), None)
        off = np.abs((times - times[0]) * float(fps) - np.arange(len(times)))
        if off.max() > _UNEVEN:
            row = int((off > _UNEVEN).argmax())
            raise InputError(
                f"{self.path}, line {row + 2}: timeCode {times[row]:g} is off an even grid of "
                f"{float(fps):g} fps"
            )
        return fps
