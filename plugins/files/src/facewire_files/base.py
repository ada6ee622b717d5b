"""What all sinks of this package share: an atomic file, and a look at what arrives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from facewire.atomic import AtomicFile, told
from facewire.errors import StageError
from facewire.stages import Sink
from facewire.types import Audio, Block, FloatArray, RunInfo


class FileSink(Sink):
    """A sink that writes one file: ``begin``, ``write`` for each block, ``finish``.

    A frame or sample that is not finite, and a hole in the sequence, raise StageError: a file that
    hides them would be found out much later. What the system refuses raises FacewireError.
    """

    path: Path

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: AtomicFile | None = None

    def begin(self, info: RunInfo) -> None:
        """Write what comes first."""

    @abstractmethod
    def write(self, block: Block) -> None:
        """Write a block."""

    def finish(self) -> None:
        """Write what comes last."""

    @property
    def file(self) -> AtomicFile:
        """The file being written; StageError when the sink is not open."""
        if self._file is None:
            raise StageError(f"{self.path}: the sink is not open")
        return self._file

    def open(self, info: RunInfo) -> None:
        """Begin under a temporary name beside the path."""
        self.abort()
        self._next_frame: int | None = None
        self._next_sample: int | None = None
        with told(self.path):
            self._file = AtomicFile(self.path)
        try:
            with told(self.path):
                self.begin(info)
        except BaseException:
            self.abort()
            raise

    def push(self, block: Block) -> None:
        """Write a block."""
        try:
            with told(self.path):
                self.write(block)
        except BaseException:
            self.abort()  # at once, so that a full disk is not full any longer than it must be
            raise

    def close(self) -> None:
        """Finish the file and put it at its path."""
        try:
            with told(self.path):
                self.finish()
                self.file.commit()
        except BaseException:
            self.abort()
            raise
        self._file = None
        self.result = self.path

    def abort(self) -> None:
        """Discard what was written."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def reset(self) -> None:
        """Forget all input; a file that is not finished is discarded."""
        self.abort()

    def rows(self, block: Block) -> FloatArray:
        """Return the block's rows (n, channels), checked: contiguous and finite."""
        frames = block.frames
        if self._next_frame is not None and frames.start != self._next_frame:
            raise StageError(
                f"{self.path}: frame {frames.start} came where {self._next_frame} was due"
            )
        self._next_frame = frames.end
        self.finite(frames.values, frames.rig.channels, frames.start)
        return frames.values

    def samples(self, audio: Audio) -> FloatArray:
        """Return the samples (n,), checked: contiguous and finite."""
        if self._next_sample is not None and audio.start != self._next_sample:
            raise StageError(
                f"{self.path}: sample {audio.start} came where {self._next_sample} was due"
            )
        self._next_sample = audio.end
        if not np.isfinite(audio.samples).all():
            at = int(np.argmin(np.isfinite(audio.samples)))
            raise StageError(f"{self.path}: sample {audio.start + at} is not a finite number")
        return audio.samples

    def finite(self, values: FloatArray, names: Sequence[str], start: int) -> None:
        """Raise StageError that names the first row and column that is not finite."""
        wrong = not_finite(values)
        if wrong is not None:
            row, column = wrong
            raise StageError(
                f"{self.path}: frame {start + row}: {names[column]} is {values[row, column]}, "
                "expected a finite number"
            )


def not_finite(values: FloatArray) -> tuple[int, int] | None:
    """Return row and column of the first value of ``values`` (n, m) that is NaN or infinite."""
    finite = np.isfinite(values)
    if finite.all():
        return None
    row, column = np.argwhere(~finite)[0]
    return int(row), int(column)
