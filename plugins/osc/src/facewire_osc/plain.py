"""The sink for receivers of one's own: every channel under an address, or all in one message."""

from __future__ import annotations

from collections.abc import Iterable

from facewire.types import FloatArray, RunInfo

from facewire_osc.config import PlainConfig
from facewire_osc.udp import UdpSink
from facewire_osc.wire import bundles, check_address, head, pack, pack_each


class Plain(UdpSink):
    """Sends ``<prefix>/<channel> f``, or ``<prefix> fff...`` in the rig's order.

    Values go out as they are, rotations in radians; the rig is the profile's.
    """

    rig = None
    name = "osc"

    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self._config = config
        self._heads: list[bytes] = []

    def open(self, info: RunInfo) -> None:
        """Look the host up, once. InputError on a bad host, port or prefix."""
        prefix = self._config.prefix
        check_address(f"osc: prefix '{prefix}'", prefix)
        if self._config.message == "floats":
            self._heads = [head(prefix, floats=len(info.rig))]
        else:
            self._heads = [head(f"{prefix}/{channel}") for channel in info.rig.channels]
        super().open(info)

    def datagrams(self, frame: int, values: FloatArray) -> Iterable[bytes]:
        """Return the row's messages, or its one."""
        if self._config.message == "floats":
            return [pack(self._heads[0], values)]
        messages = pack_each(self._heads, values)
        return bundles(messages) if self._config.bundle else messages
