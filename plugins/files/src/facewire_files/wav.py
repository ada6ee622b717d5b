"""The sink ``files.wav``: the session's sound as 16-bit PCM.

Format: RIFF WAVE with the 16-byte ``fmt `` chunk (Microsoft/IBM, Multimedia Programming Interface
and Data Specifications 1.0, 1991): 44 bytes of header, which players that look for nothing else
expect.
"""

from __future__ import annotations

import struct

import numpy as np
from facewire.errors import FacewireError
from facewire.types import Block, RunInfo

from facewire_files.base import FileSink

_HEADER = 44
_MAX_DATA = 2**32 - 1 - _HEADER  # a RIFF's sizes are 32 bits


def header(rate: int, data: int) -> bytes:
    """Return the header of mono 16-bit PCM with ``data`` bytes of samples."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    riff = struct.pack("<4sI4s", b"RIFF", _HEADER - 8 + data, b"WAVE")
    return riff + form + struct.pack("<4sI", b"data", data)


class WavSink(FileSink):
    """Write the sound of all blocks, sample for sample, what is beyond -1..1 clipped.

    A sample is worth 1/32768, so what was read from 16 bits is written as it was. The file ends at
    4 GiB, more than 12 hours at 48 kHz; FacewireError beyond.
    """

    faceless = True

    def begin(self, info: RunInfo) -> None:
        """Leave room for the header."""
        self._rate = info.rate
        self._data = 0
        self.file.write(header(self._rate, 0))

    def write(self, block: Block) -> None:
        """Write the block's samples."""
        samples = self.samples(block.audio)
        self._rate = block.audio.rate
        self._data += 2 * len(samples)
        if self._data > _MAX_DATA:
            hours = _MAX_DATA / 2 / self._rate / 3600
            raise FacewireError(
                f"{self.path}: a WAV file ends at 4 GiB, {hours:.1f} h at {self._rate} Hz; "
                "run the input in parts"
            )
        pcm = np.clip(np.rint(samples.astype(np.float64) * 32768), -32768, 32767)
        self.file.write(pcm.astype("<i2").tobytes())

    def finish(self) -> None:
        """Write the header with the sizes."""
        self.file.handle.seek(0)
        self.file.write(header(self._rate, self._data))
