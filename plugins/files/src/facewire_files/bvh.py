"""The sink ``files.bvh``: the turns of head and eyes as a BVH skeleton (no blendshapes)."""

from __future__ import annotations

import shutil

import numpy as np
from facewire.types import Block, RunInfo

from facewire_files.base import FileSink

PARTS = ("head", "leftEye", "rightEye")
AXES = ("Yaw", "Pitch", "Roll")
HEADER = """HIERARCHY
ROOT head
{
  OFFSET 0.0 0.0 0.0
  CHANNELS 3 Yrotation Xrotation Zrotation
  JOINT leftEye
  {
    OFFSET 3.2 6.0 8.0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 0.0 0.0 1.2
    }
  }
  JOINT rightEye
  {
    OFFSET -3.2 6.0 8.0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 0.0 0.0 1.2
    }
  }
}
MOTION
"""
"""Centimetres, y up, the face towards +z, the subject's left at +x."""
_SIGNS = np.array([-1.0, 1.0, 1.0])  # yaw + is towards the subject's right, about y is to the left


class BvhSink(FileSink):
    """Write degrees; y is turned about first, then x, then z, each about the axis left before."""

    def begin(self, info: RunInfo) -> None:
        """Open a spool for the rows."""
        self._info, self._count = info, 0
        self._spool = self.file.spool()
        names = [part + axis for part in PARTS for axis in AXES]
        self._from = info.rig.indices(*names)
        self._to = [i for i, name in enumerate(names) if name in info.rig]

    def write(self, block: Block) -> None:
        """Spool a line a frame."""
        rows = self.rows(block)
        angles = np.zeros((len(rows), 9))
        angles[:, self._to] = np.degrees(rows[:, self._from].astype(np.float64))
        angles *= np.tile(_SIGNS, 3)
        for row in angles:
            self._spool.write((" ".join(f"{angle:.6f}" for angle in row) + "\n").encode())
            self._count += 1

    def finish(self) -> None:
        """Write everything."""
        motion = f"Frames: {self._count}\nFrame Time: {float(1 / self._info.fps):.9f}\n"
        self.file.write((HEADER + motion).encode())
        self._spool.seek(0)
        shutil.copyfileobj(self._spool, self.file.handle)
