"""The sink ``files.livelink_csv``: a take as the Live Link Face app records it.

Format: ``Timecode,BlendShapeCount,`` and 61 columns, ``%.10f``, LF, no byte-order mark. Unreal's
LiveLinkFaceImporter wants the same number of cells in every row and none empty, keys each row at
its timecode, and takes FF as 60 a second only if some FF is above 30.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from facewire.rig import Rig, remap
from facewire.types import Block, RunInfo

from facewire_files.base import FileSink
from facewire_files.timecode import start_ticks, ticks_of, timecode

# The app's files have right before left here, its packets left before right.
_SWAPS = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
_ROW = ",".join(["%.10f"] * 61)


def csv_rig() -> Rig:
    """Return the 61 channels in the order of the app's columns."""
    channels = list(Rig.named("arkit61").channels)
    for one, other in _SWAPS:
        i, j = channels.index(one), channels.index(other)
        channels[i], channels[j] = other, one
    return Rig("livelink_csv", tuple(channels))


def column(channel: str) -> str:
    """Return a channel's column name: ``jawOpen`` is ``JawOpen``."""
    return channel[0].upper() + channel[1:]


class LiveLinkCsv(FileSink):
    """Write a take. ``start`` is the timecode of frame 0.

    A take so short that no row's FF is above 30 is lengthened with its last face, for a little over
    half a second at most: without that Unreal would play it at half speed.
    """

    def __init__(self, path: Path, start: str = "00:00:00:00") -> None:
        super().__init__(path)
        self.rig = Rig.named("arkit61")
        self._columns = csv_rig()
        self._start = start_ticks(start)

    def begin(self, info: RunInfo) -> None:
        """Write the header."""
        self._fps = info.fps
        self._last = ""
        self._unambiguous = False
        self._held = 0
        names = ",".join(column(channel) for channel in self._columns.channels)
        self.file.write(f"Timecode,BlendShapeCount,{names}\n".encode())

    def write(self, block: Block) -> None:
        """Write one line a frame."""
        values = remap(self.rows(block), block.frames.rig, self._columns)
        for frame, row in enumerate(values.tolist(), block.frames.start):
            self._last = (_ROW % tuple(row)).replace("-0.0000000000", "0.0000000000")
            self._line(frame)

    def finish(self) -> None:
        """Hold the last face where Unreal would mistake the take's rate."""
        frame = self._next_frame
        if self._unambiguous or not self._last or frame is None:
            return
        within_a_second = range(frame, frame + math.ceil(self._fps) + 1)
        clear = next((at for at in within_a_second if _above_30(self._timecode(at))), None)
        if clear is None:  # at 2 frames a second FF is 00 or 30, for ever
            return
        for at in range(frame, clear + 1):
            self._line(at)
        self._held = clear + 1 - frame

    def _timecode(self, frame: int) -> str:
        return timecode(self._start + ticks_of(frame, self._fps))

    def _line(self, frame: int) -> None:
        code = self._timecode(frame)
        self._unambiguous = self._unambiguous or _above_30(code)
        self.file.write(f"{code},61,{self._last}\n".encode())

    def report(self) -> Sequence[str]:
        """Say how much the take was lengthened, or that Unreal will mistake its rate."""
        if self.result is None or not self._last:
            return ()
        if self._held:
            return (f"{self.path.name}: the last face is held for {self._held} more frames",)
        if not self._unambiguous:
            return (f"{self.path.name}: Unreal will play it at half speed; set start: 00:00:00:31",)
        return ()


def _above_30(code: str) -> bool:
    return code[9:11] > "30"
