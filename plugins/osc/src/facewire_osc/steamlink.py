"""The sink that speaks as Steam Link's face tracking does (for Resonite, VRCFaceTracking)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from facewire.types import FloatArray

from facewire_osc import tables
from facewire_osc.config import SteamLinkConfig
from facewire_osc.pose import RIG, gaze, posed, signs
from facewire_osc.udp import UdpSink
from facewire_osc.wire import bundles, head, pack, pack_each

_CONFIDENCE = [head(f"/sl/xrfb/facec/{part}") for part in ("UpperFace", "LowerFace")]
_GAZE = head("/sl/eyeTrackedGazePoint", floats=3)


class SteamLink(UdpSink):
    """Sends all weights, full confidence in them, and the point one metre away that eyes look at.

    The point's axes are OpenXR's: x to the right, y up, -z forward.
    """

    name = "osc.steamlink"

    def __init__(self, config: SteamLinkConfig) -> None:
        super().__init__(config)
        self._signs = signs(self.name, config.flip)
        self._table = tables.steamlink(RIG.channels)
        self._heads = [head(f"/sl/xrfb/facew/{name}") for name in self._table.names]

    def datagrams(self, frame: int, values: FloatArray) -> Iterable[bytes]:
        """Return the row's bundles."""
        row = posed(values, self._signs)
        look = gaze(row)
        point = (
            math.sin(look.yaw) * math.cos(look.pitch),
            -math.sin(look.pitch),
            -math.cos(look.yaw) * math.cos(look.pitch),
        )
        messages = pack_each(self._heads, self._table.apply(row))
        messages += [pack(part, [1.0]) for part in _CONFIDENCE]
        return bundles([*messages, pack(_GAZE, point)])
