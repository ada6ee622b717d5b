"""The sink that speaks as the iFacialMocap app does: a line of text for each frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from facewire.types import FloatArray

from facewire_osc import tables
from facewire_osc.config import IFacialMocapConfig
from facewire_osc.pose import RIG, angles, posed, signs
from facewire_osc.udp import UdpSink

_COLUMNS = RIG.indices(*tables.CHANNELS)
_PARTED = {"v1": "-", "v2": "&"}


def line(
    weights: Mapping[str, float],
    head: Sequence[float],
    right_eye: Sequence[float],
    left_eye: Sequence[float],
    version: Literal["v1", "v2"] = "v1",
) -> str:
    """Return a frame: weights 0..1 by the app's names, in hundredths, then angles in degrees.

    ``head`` is x, y, z in degrees and x, y, z in metres; eyes are x, y, z in degrees. A weight is
    held in 0 to 1: v1 could not tell a minus from its own dash.
    """
    parted = _PARTED[version]
    shapes = "".join(
        f"{name}{parted}{round(100 * min(max(weight, 0.0), 1.0))}|"
        for name, weight in weights.items()
    )
    place = ",".join(f"{number:z.6f}" for number in head)
    right, left = (",".join(_short(number) for number in eye) for eye in (right_eye, left_eye))
    return f"{shapes}=head#{place}|rightEye#{right}|leftEye#{left}|"


def _short(number: float) -> str:
    """Return up to six decimals, at least one, without an exponent."""
    text = f"{number:z.6f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


class IFacialMocap(UdpSink):
    """Sends one datagram of text a frame, as the phone would; angles are in ARKit's axes."""

    name = "osc.ifacialmocap"

    def __init__(self, config: IFacialMocapConfig) -> None:
        super().__init__(config)
        self._version = config.version
        self._signs = signs(self.name, config.flip)
        self._names = [name for (name,) in tables.names("ifacialmocap").values()]

    def datagrams(self, frame: int, values: FloatArray) -> Iterable[bytes]:
        """Return the row's line."""
        row = posed(values, self._signs)
        head, right, left = (
            angles(row, part).in_arkit() for part in ("head", "rightEye", "leftEye")
        )
        weights = dict(zip(self._names, row[_COLUMNS].tolist(), strict=True))
        return [line(weights, (*head, 0.0, 0.0, 0.0), right, left, self._version).encode()]
