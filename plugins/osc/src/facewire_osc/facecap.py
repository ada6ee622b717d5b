"""The sink that speaks as the Face Cap app does."""

from __future__ import annotations

from collections.abc import Iterable

from facewire.types import FloatArray

from facewire_osc import tables
from facewire_osc.config import FaceCapConfig
from facewire_osc.pose import RIG, angles, posed, signs
from facewire_osc.udp import UdpSink
from facewire_osc.wire import bundles, head, message, pack, pack_each

_POSITION = message("/HT", 0.0, 0.0, 0.0)
_ROTATION = head("/HR", floats=3)
_QUATERNION = head("/HRQ", floats=4)
_EYES = {"leftEye": head("/ELR", floats=2), "rightEye": head("/ERR", floats=2)}
_COLUMNS = RIG.indices(*tables.facecap_order())
_WEIGHTS = [head("/W", index) for index in range(len(_COLUMNS))]


class FaceCap(UdpSink):
    """Sends the head's place and rotation, both eyes, and 52 weights by index.

    Angles are degrees in ARKit's axes.
    """

    name = "osc.facecap"

    def __init__(self, config: FaceCapConfig) -> None:
        super().__init__(config)
        self._config = config
        self._signs = signs(self.name, config.flip)

    def datagrams(self, frame: int, values: FloatArray) -> Iterable[bytes]:
        """Return the row's messages, in bundles."""
        row = posed(values, self._signs)
        turned = angles(row, "head")
        messages = [
            _POSITION,
            pack(_ROTATION, turned.in_arkit()),
            pack(_QUATERNION, turned.quaternion_in_arkit()),
            *(pack(eye, angles(row, part).in_arkit()[:2]) for part, eye in _EYES.items()),
            *pack_each(_WEIGHTS, row[_COLUMNS]),
        ]
        return bundles(messages) if self._config.bundle else messages
