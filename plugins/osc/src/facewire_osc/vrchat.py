"""The sink for VRChat avatars: VRCFaceTracking's v2 parameters, and VRChat's eye tracking."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from facewire.errors import ProfileError, nearest
from facewire.types import FloatArray, RunInfo

from facewire_osc import tables
from facewire_osc.config import VrchatConfig
from facewire_osc.pose import RIG, Angles, angles, gaze, posed, signs
from facewire_osc.udp import UdpSink
from facewire_osc.wire import bundles, check_address, head, message, pack, pack_each

ROOT = "/avatar/parameters/"
GAZE = ("EyeLeftX", "EyeLeftY", "EyeRightX", "EyeRightY", "EyeX", "EyeY")
FULL_GAZE = math.radians(45)
"""The angle at which gaze is 1 or -1 (VRCFaceTracking's documentation: 0 to 45 degrees)."""
_ACTIVE = ("EyeTrackingActive", "ExpressionTrackingActive", "LipTrackingActive")
_CLOSED = head("/tracking/eye/EyesClosedAmount")
# the one of six forms without doubt about the order of its numbers
_LOOK = head("/tracking/eye/CenterPitchYaw", floats=2)
_LIDS = RIG.indices("eyeBlinkLeft", "eyeBlinkRight")


class Vrchat(UdpSink):
    """Sends every parameter in every frame; VRChat ignores those that an avatar lacks."""

    name = "osc.vrchat"

    def __init__(self, config: VrchatConfig) -> None:
        super().__init__(config)
        self._config = config
        self._signs = signs(self.name, config.flip)
        self._unified = tables.unified(RIG.channels)
        known = (*GAZE, *self._unified.parameters.names)
        for name in config.parameters:
            if name not in known:
                raise ProfileError(
                    f"osc.vrchat: parameters has '{name}', expected v2 parameters"
                    f" without prefix{nearest(name, known)}"
                )
        wanted = [i for i, n in enumerate(known) if not config.parameters or n in config.parameters]
        self.names = tuple(known[i] for i in wanted)
        self._columns = np.array(wanted)
        self._heads: list[bytes] = []

    def open(self, info: RunInfo) -> None:
        """Look the host up, once. InputError on a bad host, port or prefix."""
        prefix = self._config.prefix
        check_address(f"osc.vrchat: prefix '{prefix}'", f"{ROOT}{prefix}v2/JawOpen")
        self._heads = [head(f"{ROOT}{prefix}v2/{name}") for name in self.names]
        super().open(info)

    def datagrams(self, frame: int, values: FloatArray) -> Iterable[bytes]:
        """Return the row's bundles."""
        row = posed(values, self._signs)
        parameters = np.concatenate([_gaze(row), self._unified.apply(row)])[self._columns]
        messages = [*_active(True), *pack_each(self._heads, parameters)]
        if self._config.eyes:
            look = gaze(row)
            lids = float(np.clip(row[_LIDS].mean(dtype=np.float64), 0, 1))
            messages += [
                pack(_CLOSED, [lids]),
                pack(_LOOK, [math.degrees(look.pitch), math.degrees(look.yaw)]),
            ]
        return self._cut(messages)

    def farewell(self) -> Iterable[bytes]:
        """Say that nobody tracks any more, so that the avatar goes back to its own ways."""
        return self._cut(_active(False))

    def _cut(self, messages: list[bytes]) -> list[bytes]:
        return bundles(messages) if self._config.bundle else messages


def _active(state: bool) -> list[bytes]:
    return [message(ROOT + name, state) for name in _ACTIVE]


def _gaze(row: FloatArray) -> FloatArray:
    """Return ``GAZE`` (6,): x + to the right, y + up, -1 to 1."""
    looks: list[Angles] = [angles(row, "leftEye"), angles(row, "rightEye"), gaze(row)]
    pairs = [angle / FULL_GAZE for look in looks for angle in (look.yaw, -look.pitch)]
    return np.clip(np.array(pairs, np.float32), -1, 1)
