"""The sink for VTuber apps that take the VMC protocol (version 3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from facewire.pacer import rows
from facewire.rig import Rig, remap
from facewire.stages import Layer
from facewire.types import Block, FloatArray

from facewire_osc import tables
from facewire_osc.config import VmcConfig
from facewire_osc.pose import RIG, angles, posed, signs
from facewire_osc.udp import UdpSink
from facewire_osc.wire import bundles, finite, head, message, pack, pack_each

_OK = message("/VMC/Ext/OK", 1)  # the model is loaded: values may be used
_TIME = head("/VMC/Ext/T")
_HEAD = head("/VMC/Ext/Bone/Pos", "Head", floats=7)
_APPLY = message("/VMC/Ext/Blend/Apply")
ARKIT = Rig.named("arkit52")
_COLUMNS = RIG.indices(*tables.CHANNELS)


class Vmc(UdpSink):
    """Sends OK, the time, the head bone, every value, and Apply last: nothing moves before it.

    Bundles have at most 1,400 bytes, so that none is cut on the way.
    """

    name = "osc.vmc"

    def __init__(self, config: VmcConfig, retarget: Layer | None = None) -> None:
        super().__init__(config)
        self._config = config
        self._signs = signs(self.name, config.flip)
        self._retarget = retarget
        self._made: FloatArray | None = None  # what the table makes of the row at hand
        self._table: tables.Table | None = None
        if retarget:
            self.rig = None  # a table may want channels that this sink does not
            self.names = retarget.rig.channels if retarget.rig else tables.CHANNELS
        elif config.names == "perfect-sync":
            self.names = tuple(_cased(c, config.casing) for c in tables.CHANNELS)
        else:
            self._table = tables.vrm(config.names, RIG.channels)
            self.names = self._table.names
        self._heads = [head("/VMC/Ext/Blend/Val", name) for name in self.names]

    def push(self, block: Block) -> None:
        """Send each row; the head's bone is that of the frames given, whatever a table makes."""
        if self._retarget is None:
            super().push(block)
            return
        for row in rows(block):
            made, frames = self._retarget.push(row), row.frames
            self._made = remap(made.values, made.rig, self._retarget.rig or ARKIT)[0]
            posed = replace(frames, values=remap(frames.values, frames.rig, RIG), rig=RIG)
            super().push(replace(row, frames=posed))

    def datagrams(self, frame: int, values: FloatArray) -> Iterable[bytes]:
        """Return the row's bundles."""
        row = posed(values, self._signs)
        messages = [_OK, pack(_TIME, [float(frame / self._fps)])]
        if self._config.head:
            # the position is local to the neck's bone; a voice does not move it
            messages.append(pack(_HEAD, [0, 0, 0, *angles(row, "head").in_unity()]))
        weights = self._weights(row)
        return bundles([*messages, *pack_each(self._heads, weights), _APPLY])

    def _weights(self, row: FloatArray) -> FloatArray:
        if self._made is not None:
            return finite(self._made)
        return self._table.apply(row) if self._table else row[_COLUMNS]


def _cased(channel: str, casing: str) -> str:
    return channel[0].upper() + channel[1:] if casing == "pascal" else channel
