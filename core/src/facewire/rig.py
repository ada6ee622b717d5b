"""Rigs: the ordered channel names that a row of values stands for.

Names are ARKit's camelCase (``jawOpen``) plus the head and eye rotations (``headYaw`` …
``rightEyeRoll``, radians). Sources: Apple's ARFaceAnchor.BlendShapeLocation and, for the rotations
and the order, the Live Link Face packet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
import yaml
from numpy.typing import NDArray

from facewire.errors import ProfileError, nearest

ROTATIONS = frozenset(
    f"{part}{axis}" for part in ("head", "leftEye", "rightEye") for axis in ("Yaw", "Pitch", "Roll")
)


@dataclass(frozen=True)
class Rig:
    """An ordered set of channel names. Two rigs are equal when name and channels are.

    A plugin may make a rig of its own; the core's are found with ``Rig.named``.
    """

    name: str
    channels: tuple[str, ...]
    _index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {channel: i for i, channel in enumerate(self.channels)}
        if len(index) != len(self.channels):
            raise ValueError(f"rig {self.name}: a channel is named twice")
        object.__setattr__(self, "_index", index)

    def __len__(self) -> int:
        return len(self.channels)

    def __contains__(self, channel: object) -> bool:
        return channel in self._index

    def index(self, channel: str) -> int:
        """Return the column of a channel; KeyError if the rig lacks it."""
        return self._index[channel]

    def indices(self, *channels: str) -> NDArray[np.intp]:
        """Return the columns of those of the channels that the rig has, in the order given."""
        found = [self._index[channel] for channel in channels if channel in self._index]
        return np.array(found, dtype=np.intp)

    @staticmethod
    def named(name: str) -> Rig:
        """Return one of the core's rigs; ProfileError with the nearest name if there is none."""
        table = rigs()
        if name not in table:
            known = ", ".join(table)
            raise ProfileError(f"rig '{name}' is unknown{nearest(name, table)} (known: {known})")
        return table[name]


@cache
def rigs() -> dict[str, Rig]:
    """Return the core's rigs by name: arkit52, arkit52_tongue, arkit61, neurosync68."""
    data = yaml.safe_load(files("facewire").joinpath("data/rigs.yaml").read_text("utf-8"))
    parts: dict[str, list[str]] = data["parts"]
    table = {
        name: Rig(name, tuple(channel for part in names for channel in parts[part]))
        for name, names in data["rigs"].items()
    }
    swapped = list(table["neurosync68"].channels)
    for one, other in data["neurosync68_swaps"]:
        i, j = swapped.index(one), swapped.index(other)
        swapped[i], swapped[j] = other, one
    return {**table, "neurosync68": Rig("neurosync68", tuple(swapped))}


@cache
def _columns(source: Rig, target: Rig) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    shared = [channel for channel in target.channels if channel in source]
    take = np.array([source.index(channel) for channel in shared], dtype=np.intp)
    put = np.array([target.index(channel) for channel in shared], dtype=np.intp)
    return take, put


def remap(values: NDArray[np.float32], source: Rig, target: Rig) -> NDArray[np.float32]:
    """Move ``values`` (n, len(source)) to ``target`` by channel name: (n, len(target)).

    Channels the source lacks are 0, channels the target lacks are dropped (see ``dropped``).
    """
    if source.channels == target.channels:
        return values
    take, put = _columns(source, target)
    out = np.zeros((len(values), len(target)), np.float32)
    out[:, put] = values[:, take]
    return out


def dropped(source: Rig, target: Rig) -> tuple[str, ...]:
    """Return the channels of ``source`` that ``target`` has no column for."""
    return tuple(channel for channel in source.channels if channel not in target)
