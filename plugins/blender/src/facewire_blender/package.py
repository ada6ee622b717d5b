"""The package of a take: frames, sound, words and phones in one file for the add-on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import numpy as np
from facewire.errors import FacewireError
from facewire.types import Block, RunInfo
from facewire_files.base import FileSink
from facewire_files.marks import Marks
from facewire_files.wav import header

from facewire_blender.wire import FRAMES, MOST, SOUND, Manifest, Timed, write_package


class PackageSink(FileSink):
    """Write a package. Frames and sound wait on disk, since a zip file holds one after the other.

    A run without sound (a take of frames) gives a package without. ``name`` is the take's.
    """

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path)
        self._name = name

    def begin(self, info: RunInfo) -> None:
        """Open a spool for the frames and one for the sound."""
        self._info = info
        self._marks = Marks(info.rate)
        self._count = 0
        self._heard = False
        self._frames, self._sound = self.file.spool(), self.file.spool()
        self._sound.write(header(info.rate, 0))

    def write(self, block: Block) -> None:
        """Spool the block's rows and samples."""
        rows = self.rows(block)
        self._count += len(rows)
        self._frames.write(rows.astype("<f4").tobytes())
        samples = self.samples(block.audio).astype(np.float64)
        self._heard = self._heard or bool(samples.any())
        pcm = np.clip(np.rint(samples * 32768), -32768, 32767)
        self._sound.write(pcm.astype("<i2").tobytes())
        self._marks.add(block.audio)
        for name, spool in ((FRAMES, self._frames), (SOUND, self._sound)):
            if spool.tell() > MOST[name]:
                raise FacewireError(
                    f"{self.path}: {name} would be beyond {MOST[name] >> 20} MB; "
                    "run the input in parts"
                )

    def finish(self) -> None:
        """Write the package."""
        fps = self._info.fps
        manifest = Manifest(
            name=self._name,
            fps=(fps.numerator, fps.denominator),
            channels=self._info.rig.channels,
            rows=self._count,
            marks=tuple(Timed(*row) for row in self._marks.table()),
            lang=self._info.lang,
        )
        self._frames.seek(0)
        sound = self._whole_sound() if self._heard else None
        write_package(self.file.handle, manifest, self._frames, sound)

    def _whole_sound(self) -> IO[bytes]:
        """Return the sound as a WAV, now that its length is known."""
        size = self._sound.seek(0, os.SEEK_END) - len(header(self._info.rate, 0))
        self._sound.seek(0)
        self._sound.write(header(self._info.rate, size))
        self._sound.seek(0)
        return self._sound
