"""Samples of a whole clip: in memory while they are few, in a temporary file when they are many."""

from __future__ import annotations

import numpy as np
from facewire.buffers import SampleFile
from facewire.types import FloatArray

IN_MEMORY = 1 << 22  # samples, 16 MB: 48 s at 88.2 kHz


class Spool:
    """Keeps samples in order of arrival; reads any span of them."""

    def __init__(self) -> None:
        self._pieces: list[FloatArray] = []
        self._joined: FloatArray | None = None
        self._file: SampleFile | None = None
        self.peak = 0.0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, samples: FloatArray) -> None:
        """Take the next samples (n,)."""
        if not len(samples):
            return
        self.peak = max(self.peak, float(np.abs(samples).max()))
        self._length += len(samples)
        self._joined = None
        if self._file is None:
            self._pieces.append(np.array(samples, np.float32))
            if self._length > IN_MEMORY:
                self._spill()
        else:
            self._file.append(samples)

    def _spill(self) -> None:
        self._file = SampleFile()
        for piece in self._pieces:
            self._file.append(piece)
        self._pieces = []

    def read(self, start: int, end: int) -> FloatArray:
        """Return samples ``start`` to ``end``, which must exist."""
        if self._file is None:
            if self._joined is None:
                self._joined = np.concatenate(self._pieces) if self._pieces else np.zeros(0, "f4")
                self._pieces = [self._joined]
            return self._joined[start:end]
        return self._file.read(start, end)

    def close(self) -> None:
        """Let go of the samples, and of the temporary file."""
        if self._file is not None:
            self._file.close()
        self._file, self._pieces, self._joined, self._length = None, [], None, 0
        self.peak = 0.0
